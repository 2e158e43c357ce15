"""Many takes spoken together: from requests to samples, each take given out as soon as it is done.

    request -> pieces of at most 12 s -> language model (all pieces of all takes in flight, slot by slot)
            -> speech tokens -> flow -> mel -> vocoder -> samples (pieces of similar length together) -> joined take

Takes are decoded longest first, so that no long line is left over at the end with all other slots idle. Pieces wait
until a batch of the flow is full or nothing is left to decode; a take is done when its last piece is.

A piece's random numbers come from its take key and its place in the take. Running out of memory is no failure of a
take: the same work is done again in smaller batches, with the same result.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from replikk.device_errors import is_out_of_memory, lost_gpu_is_named
from replikk.engines.cosyvoice3.decoding import DecodedLine, DecodeJob, DecodeSettings, decode, decode_job
from replikk.engines.cosyvoice3.device_errors import FINISHED
from replikk.engines.cosyvoice3.engine_settings import EngineSettings, voice_speed
from replikk.engines.cosyvoice3.features import change_speed
from replikk.engines.cosyvoice3.memory import Batches, plan_batches
from replikk.engines.cosyvoice3.networks import Networks
from replikk.engines.cosyvoice3.pieces import Piece, pieces_of
from replikk.engines.cosyvoice3.prompt_template import prompt_ids
from replikk.engines.cosyvoice3.records import FRAMES_PER_TOKEN, ReferenceFeatures
from replikk.engines.cosyvoice3.silent_tokens import without_long_silences
from replikk.engines.cosyvoice3.speaking_time import speaking_time_s
from replikk.engines.cosyvoice3.vocoder_source import SAMPLE_RATE_HZ
from replikk.engines.joining import join_pieces
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import EngineError

log = logging.getLogger(__name__)

ENOUGH_ON_CPU = 1
"""Frames that wait before the flow runs: on a CPU a piece is rendered at once. Batches gain little there, and a kill
loses what is in flight."""


@dataclass
class _Pending:
    """A take whose pieces come in one after the other."""

    request: TakeRequest
    pieces: tuple[Piece, ...]
    waves: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    """Finished pieces [samples] by their place."""
    failure: str = ""

    @property
    def is_complete(self) -> bool:
        return len(self.waves) == len(self.pieces)


@dataclass(frozen=True)
class _Spoken:
    """A piece between language model and flow."""

    take: _Pending
    place: int
    tokens: list[int]
    reference: ReferenceFeatures

    @property
    def frames(self) -> int:
        """Mel frames in the flow, reference included."""
        return FRAMES_PER_TOKEN * (len(self.tokens) + len(self.reference.speech_tokens))


def speak(
    networks: Networks,
    requests: Sequence[TakeRequest],
    references: Mapping[str, ReferenceFeatures],
    settings: EngineSettings,
) -> Iterator[Take | TakeFailure]:
    """Every request's take or failure; ``references`` by name of the voice.

    Raises EngineError when not even one line fits into memory, when weights give numbers that are not finite, and
    when the GPU is lost.
    """
    element_bytes = networks.language_model.dtype.itemsize
    with lost_gpu_is_named(networks.device, FINISHED, EngineError):
        batches = plan_batches(
            networks.device, settings.max_memory_gb, networks.language_model.sizes, networks.flow.sizes, element_bytes
        )
        yield from _Session(networks, references, settings, batches).run(requests)


class _Session:
    """The state of one ``speak``: takes in flight, and pieces that wait for the flow."""

    def __init__(
        self,
        networks: Networks,
        references: Mapping[str, ReferenceFeatures],
        settings: EngineSettings,
        batches: Batches,
    ) -> None:
        self.networks, self.references, self.settings, self.batches = networks, references, settings, batches
        self.decode_settings = DecodeSettings(stop_rule=settings.stop_rule)
        self.pieces_in_flight: dict[str, tuple[_Pending, int]] = {}
        self.waiting: list[_Spoken] = []

    def run(self, requests: Sequence[TakeRequest]) -> Iterator[Take | TakeFailure]:
        takes = [_Pending(request, pieces_of(request.segments)) for request in requests]
        takes.sort(key=lambda take: -sum(speaking_time_s(piece.text) for piece in take.pieces if piece.text))
        silent = [take for take in takes if not any(piece.text for piece in take.pieces)]
        for take in silent:
            yield TakeFailure(take.request.key, "the text has nothing that can be spoken")
        jobs = self._jobs([take for take in takes if take not in silent])
        enough = ENOUGH_ON_CPU if self.networks.device.type == "cpu" else self.batches.flow_frames
        for line in self._decoded(jobs):
            take, place = self.pieces_in_flight.pop(line.key)
            self._take_over(take, place, line)
            if sum(piece.frames for piece in self.waiting) >= enough:
                yield from self._rendered()
            if take.failure and not any(other is take for other, _ in self.pieces_in_flight.values()):
                yield from self._given_up(take)
        yield from self._rendered()

    def _jobs(self, takes: Sequence[_Pending]) -> Iterator[DecodeJob]:
        """The pieces of all takes, made when a slot asks for the next one."""
        for take in takes:
            request = take.request
            reference = self.references[request.voice.name]
            for place, piece in enumerate(take.pieces):
                if not piece.text:
                    take.waves[place] = np.zeros(0, np.float32)
            for place, piece in enumerate(take.pieces):
                if not piece.text:
                    continue
                prompt = prompt_ids(self.networks.tokenizer, piece.text, request.style, reference.transcript)
                job = decode_job(
                    key=f"{request.key}/{place}",
                    seed=piece_seed(request.key, place),
                    sizes=self.networks.language_model.sizes,
                    prompt_text=prompt.prompt,
                    text=prompt.text,
                    prompt_speech=reference.speech_tokens.tolist() if prompt.continues_reference else (),
                )
                self.pieces_in_flight[job.key] = (take, place)
                yield job

    def _decoded(self, jobs: Iterator[DecodeJob]) -> Iterator[DecodedLine]:
        """All jobs through the language model, with fewer slots from the moment that memory runs out."""
        again: list[DecodeJob] = []
        while True:
            unfinished: list[DecodeJob] = []
            lines = decode(
                self.networks.language_model, chain(again, jobs), self.decode_settings, self.batches.slots, unfinished
            )
            try:
                yield from lines
                return
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            again = unfinished
            _release_memory(self.networks.device)
            self.batches.halve_slots()

    def _take_over(self, take: _Pending, place: int, line: DecodedLine) -> None:
        """A decoded piece waits for the flow, or spoils its take."""
        tokens = without_long_silences(line.tokens)
        if not tokens:
            take.failure = f"the voice said nothing for '{take.pieces[place].text[:60]}'"
            return
        if not line.finished_by_itself:
            log.debug("%s: cut at %d tokens, it did not end by itself", line.key[:12], len(line.tokens))
        self.waiting.append(_Spoken(take, place, tokens, self.references[take.request.voice.name]))

    def _given_up(self, take: _Pending) -> Iterator[TakeFailure]:
        self.waiting = [piece for piece in self.waiting if piece.take is not take]
        yield TakeFailure(take.request.key, take.failure)

    def _rendered(self) -> Iterator[Take | TakeFailure]:
        """The takes that are complete once all waiting pieces are rendered."""
        pieces, self.waiting = self.waiting, []
        pieces.sort(key=lambda piece: -piece.frames)
        while pieces:
            batch = _full_batch(pieces, self.batches.flow_frames)
            try:
                waves = render(self.networks, batch, self.batches.flow_frames)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                _release_memory(self.networks.device)
                self.batches.halve_frames(batch[0].frames)
                continue
            pieces = pieces[len(batch) :]
            for piece, samples in zip(batch, waves, strict=True):
                piece.take.waves[piece.place] = samples
                if piece.take.is_complete:
                    yield _joined(piece.take)


def render(networks: Networks, pieces: Sequence[_Spoken], most_frames: int) -> list[NDArray[np.float32]]:
    """Speech tokens of pieces to samples, float32 [samples] each at 24 kHz."""
    tokens = [torch.tensor(piece.tokens, dtype=torch.int64, device=networks.device) for piece in pieces]
    mels = networks.flow.mels(tokens, [piece.reference for piece in pieces], most_frames=most_frames)
    paced: list[Tensor] = []
    for piece, mel in zip(pieces, mels, strict=True):
        speed = voice_speed(piece.take.request.voice.engine_settings)
        paced.append(mel if speed == 1 else change_speed(mel, speed))
    with torch.inference_mode():
        return [wave.float().cpu().numpy() for wave in networks.vocoder.waves(paced)]


def piece_seed(take_key: str, place: int) -> int:
    """64 bits from which every random draw of a piece comes."""
    return int.from_bytes(hashlib.sha256(f"cosyvoice3 {take_key} {place}".encode()).digest()[:8], "little")


def _full_batch(pieces: Sequence[_Spoken], most_frames: int) -> list[_Spoken]:
    """As many pieces, longest first, as fit into a batch when each is as long as the first; at least one."""
    return list(pieces[: max(1, most_frames // pieces[0].frames)])


def _joined(take: _Pending) -> Take | TakeFailure:
    parts = [(take.waves[place], piece.pause_after_ms) for place, piece in enumerate(take.pieces)]
    if not all(np.isfinite(samples).all() for samples, _ in parts):
        return TakeFailure(take.request.key, "the vocoder gave numbers that are not finite; use precision: float32")
    return Take(take.request.key, join_pieces(parts, SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)


def _release_memory(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
