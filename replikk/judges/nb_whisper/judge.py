"""The judge itself: clips in, transcripts out, each as soon as its batch is done.

Clips are taken in by the pool, sorted by length (a batch lasts as long as its longest text) and listened to side by
side, as many as fit into memory; what then runs out of memory is done again in halves, and nothing that was finished is
lost. What a second model is to hear again waits until the first has heard all, so that only one of them is loaded.

A transcript depends on its clip, settings and weights alone, never on its neighbours in a batch. Numbers are rounded,
because the last bits of a matrix product may differ between batch sizes and devices.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from replikk.device_errors import is_out_of_memory, lost_gpu_is_named
from replikk.errors import JudgeError
from replikk.judges.nb_whisper.identity import checked_settings, judge_fingerprint, open_folders
from replikk.judges.nb_whisper.model_folder import RecogniserFolder
from replikk.judges.nb_whisper.settings import NAME, NbWhisperSettings
from replikk.judges.nb_whisper.windows import Window, at_16_khz, cut_into_windows
from replikk.judges.records import Clip, Transcript

if TYPE_CHECKING:
    from replikk.judges.nb_whisper.network import WhisperNetwork
    from replikk.judges.nb_whisper.second_ear import CtcNetwork

log = logging.getLogger(__name__)

POOL_CLIPS = 512
"""Clips in memory at a time; enough to sort, and some 100 MB."""
SILENT_PEAK = 33
"""Of 32,767, -60 dBFS: what stays below it all the time is silence, for which Whisper would invent a text."""


class NbWhisperJudge:
    """``models_dir``: where published models lie; ``cache_dir``: a folder for content hashes, None to remember none."""

    name = NAME

    def __init__(
        self, settings: dict[str, Any], models_dir: Path = Path("models"), cache_dir: Path | None = None
    ) -> None:
        """Raises JudgeError with everything wrong with the settings. Looks at no file yet."""
        self._settings = checked_settings(settings)
        self._models_dir = models_dir
        self._cache_dir = cache_dir

    def fingerprint(self) -> str:
        """As ``judge_fingerprint``. Reads whole models the first time, and loads none of them."""
        return judge_fingerprint(self._settings, self._models_dir, self._cache_dir)

    def accepts(self, engine: str) -> bool:
        """Every voice; not recordings, whose words were checked by the person who made them."""
        return engine != "external"

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        """One transcript per clip, in the order in which they are done.

        Raises JudgeError for missing or damaged models, without PyTorch or transformers, for a recording, and when the
        GPU is lost.
        """
        with lost_gpu_is_named(NAME, "what was heard is kept", JudgeError):
            yield from self._transcripts(clips)

    def _transcripts(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        iterator = iter(clips)
        pool = list(islice(iterator, POOL_CLIPS))
        if not pool:
            return
        first, second, ear = open_folders(self._settings, self._models_dir)
        _require_libraries()
        session = _Session(self._settings)
        ear_network = None if ear is None else session.ctc(ear)
        network = session.whisper(first)  # last, because it shares out what memory is left
        doubted: list[tuple[Clip, Transcript]] = []
        while pool:
            for clip in pool:
                if not self.accepts(clip.engine):
                    raise JudgeError(
                        f"take {clip.take_key[:12]}: is a recording, which no judge listens to; leave it out"
                    )
            for batch in session.listen(network, ear_network, pool):
                for clip, transcript in batch:
                    if second is not None and not _same_words(clip, transcript):
                        doubted.append((clip, transcript))
                    else:
                        yield transcript
            pool = list(islice(iterator, POOL_CLIPS))
        if second is not None and doubted:
            from replikk.judges.nb_whisper.network import release_memory

            # Neither is needed any more, and a card that holds the larger one may not hold all three.
            del network, ear_network
            release_memory()
            log.info("%d clips are heard again by %s", len(doubted), second.name)
            yield from self._hear_again(session, second, doubted)

    def _hear_again(
        self, session: _Session, folder: RecogniserFolder, doubted: list[tuple[Clip, Transcript]]
    ) -> Iterator[Transcript]:
        """The second opinion's transcripts; what the first heard is kept beside it."""
        before = {id(clip): transcript for clip, transcript in doubted}
        network = session.whisper(folder)
        for batch in session.listen(network, None, [clip for clip, _ in doubted]):
            for clip, transcript in batch:
                earlier = before[id(clip)]
                hearing, first_hearing = transcript.hearing, earlier.hearing
                assert hearing is not None and first_hearing is not None  # this judge always gives one
                yield replace(
                    transcript,
                    hearing=replace(
                        hearing,
                        first_text=earlier.text,
                        second_ear_text=first_hearing.second_ear_text,
                        second_ear_margin=first_hearing.second_ear_margin,
                    ),
                )


def _require_libraries() -> None:
    try:
        import tokenizers  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise JudgeError(
            f"judge {NAME}: {error.name} is not installed; run: pip install 'replikk[gpu]'  (from a checkout: '.[gpu]')"
        ) from error


def _same_words(clip: Clip, transcript: Transcript) -> bool:
    """Whether a second opinion is not needed."""
    from replikk.judges.compare import compare

    return compare(clip.wanted, transcript.text, locale=clip.locale, other_forms=True).wer == 0


@dataclass
class _Session:
    """Loaded networks, and how many clips they hear at once."""

    settings: NbWhisperSettings
    rows: int = 0
    """Windows of a batch; it only ever shrinks."""

    def whisper(self, folder: RecogniserFolder) -> WhisperNetwork:
        from replikk.judges.nb_whisper.network import load_whisper, rows_that_fit, whisper_row_bytes

        network = load_whisper(folder, self.settings.device, self.settings.precision)
        row_bytes = whisper_row_bytes(network.model.config, network.dtype)
        self.rows = rows_that_fit(network.device, self.settings.max_memory_gb, row_bytes)
        log.info("%s: %d windows side by side", folder.name, self.rows)
        return network

    def ctc(self, folder: RecogniserFolder) -> CtcNetwork:
        from replikk.judges.nb_whisper.second_ear import load_ctc

        return load_ctc(folder, self.settings.device, self.settings.precision)

    def listen(
        self, network: WhisperNetwork, ear: CtcNetwork | None, clips: Sequence[Clip]
    ) -> Iterator[list[tuple[Clip, Transcript]]]:
        """Batch by batch, longest clips first, so that memory, if it runs out, does so at once.

        A batch holds as many windows as are heard side by side, or one clip: what must wait for the clip's other
        windows is held for no more.
        """
        batch: list[_Cut] = []
        for number, clip in enumerate(sorted(clips, key=_minus_duration_s)):
            cut = _cut(number, clip, network.window_s)
            if batch and sum(one.rows for one in batch) + cut.rows > self.rows:
                yield self._listen_to(network, ear, batch)
                batch = []
            batch.append(cut)
        if batch:
            yield self._listen_to(network, ear, batch)

    def _listen_to(
        self, network: WhisperNetwork, ear: CtcNetwork | None, cuts: list[_Cut]
    ) -> list[tuple[Clip, Transcript]]:
        from replikk.judges.nb_whisper.transcripts import transcript_of
        from replikk.judges.nb_whisper.weighing import clip_deficits, hear

        todo = [(window, cut.clip, len(cut.windows) == 1) for cut in cuts for window in cut.windows]
        heard = iter(self._in_batches(todo, lambda part: hear(network, part)))
        by_clip = [[next(heard) for _ in cut.windows] for cut in cuts]
        clips = [cut.clip for cut in cuts]
        deficits = clip_deficits(network, clips, by_clip, self._in_batches)
        transcripts = [
            transcript_of(network, clip, windows, deficit)
            for clip, windows, deficit in zip(clips, by_clip, deficits, strict=True)
        ]
        if ear is not None:
            transcripts = self._with_second_ear(ear, clips, [cut.wave for cut in cuts], transcripts)
        return list(zip(clips, transcripts, strict=True))

    def _with_second_ear(
        self, ear: CtcNetwork, clips: list[Clip], waves: list[NDArray[np.float32]], transcripts: list[Transcript]
    ) -> list[Transcript]:
        from replikk.judges.nb_whisper.second_ear import hear

        audible = [number for number, clip in enumerate(clips) if _is_audible(clip.samples)]
        results = self._in_batches(
            audible, lambda part: hear(ear, [waves[n] for n in part], [clips[n].wanted for n in part])
        )
        heard = dict(zip(audible, results, strict=True))
        joined = []
        for number, transcript in enumerate(transcripts):
            text, margin = heard.get(number, ("", None))
            assert transcript.hearing is not None  # this judge always gives one
            hearing = replace(transcript.hearing, second_ear_text=text, second_ear_margin=margin)
            joined.append(replace(transcript, hearing=hearing))
        return joined

    def _in_batches(self, items: Sequence[Any], work: Callable[[list[Any]], list[Any]]) -> list[Any]:
        """``work`` on all items, in batches that are halved where memory runs out."""
        results: list[Any] = []
        while len(results) < len(items):
            part = list(items[len(results) : len(results) + self.rows])
            done = self._try(part, work)
            if done is not None:
                results += done
        return results

    def _try(self, part: list[Any], work: Callable[[list[Any]], list[Any]]) -> list[Any] | None:
        import torch

        try:
            return work(part)
        except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            if len(part) == 1:
                raise JudgeError(
                    "nb-whisper: one clip alone does not fit into memory; close what else uses the GPU, or take a "
                    "smaller model (config.yaml: judges.nb-whisper); what was heard is kept"
                ) from error
        # Out of the handler, so that the failed batch's tensors are free before the next is made.
        self.rows = max(1, len(part) // 2)
        log.warning("out of memory: going on with %d windows at once", self.rows)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None


@dataclass(frozen=True)
class _Cut:
    """A clip, and the windows that it is heard in."""

    clip: Clip
    wave: NDArray[np.float32]  # [samples] at 16 kHz
    windows: list[Window]
    """None of a clip that is silent all the time."""

    @property
    def rows(self) -> int:
        """How much of a batch it takes up."""
        return max(1, len(self.windows))


def _cut(number: int, clip: Clip, window_s: float) -> _Cut:
    wave = at_16_khz(clip.samples, clip.sample_rate_hz)
    return _Cut(clip, wave, cut_into_windows(number, wave, window_s) if _is_audible(clip.samples) else [])


def _minus_duration_s(clip: Clip) -> float:
    return -len(clip.samples) / clip.sample_rate_hz


def _is_audible(samples: NDArray[np.int16]) -> bool:
    return bool(len(samples)) and int(np.abs(samples.astype(np.int32)).max()) > SILENT_PEAK
