"""Judge ``mini``: the embedded recogniser, which listens to the embedded voice and to nothing else.

A clip's transcript depends on the clip alone (its samples and its own text), never on other lines, so that an edited
line re-transcribes one clip. Numbers are rounded: the last bits of a matrix product may differ between processors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replikk.errors import JudgeError, printable
from replikk.files import digest
from replikk.judges.mini.beam import BeamSettings, beam_search
from replikk.judges.mini.features import log_mel, resample
from replikk.judges.mini.network import FRAME_S, load_network, trained_sha256
from replikk.judges.mini.score import IMPOSSIBLE, align, best_path_score, floored
from replikk.judges.mini.text import SPACE, SYMBOLS, encode, normalise
from replikk.judges.mini.words import vocabulary
from replikk.judges.records import Clip, HeardWord, Transcript

VERSION = 1
"""Raise it when the same weights would hear the same clip differently: it is part of every transcript's key."""
ENGINES = frozenset({"espeak", "faulty"})
"""Those that speak with the embedded voice."""
MARGIN_LIMIT = 10.0
"""The margin of a text that cannot be in the clip at all."""


class MiniJudge:
    """The embedded judge. It has no settings."""

    name = "mini"

    def __init__(self, settings: dict[str, Any]) -> None:
        """Raises JudgeError for any setting."""
        if settings:
            unknown = printable(str(sorted(settings)[0]), 40)
            raise JudgeError(f"judge mini: it has no setting '{unknown}'; remove it (mini has none)")
        self._beam = BeamSettings()

    def fingerprint(self) -> str:
        """Judge, version, weights, beam and vocabulary; reads the weights' description only."""
        beam = digest({"beam": asdict(self._beam), "vocabulary": sorted(vocabulary())})
        return f"mini {VERSION} {trained_sha256()} {beam[:16]}"

    def accepts(self, engine: str) -> bool:
        """Only the embedded voice: what this judge says of any other audio means nothing."""
        return engine in ENGINES

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        """One transcript per clip, in order.

        Raises JudgeError for audio of another engine, and when the weights are missing or damaged.
        """
        for clip in clips:
            if not self.accepts(clip.engine):
                raise JudgeError(
                    f"take {clip.take_key[:12]}: the judge 'mini' knows the embedded voice only and must not judge "
                    f"audio of '{printable(clip.engine, 40)}'; use a judge made for that engine (config.yaml: judge)"
                )
            yield self._listen(clip)

    def _listen(self, clip: Clip) -> Transcript:
        wanted = normalise(clip.wanted)
        samples = resample(clip.samples, clip.sample_rate_hz)
        scores = load_network().log_probabilities(log_mel(samples))
        text = beam_search(scores, wanted.split(), self._beam)
        exact = floored(scores)
        return Transcript(clip.take_key, text, heard_words(exact, text), margin(exact, wanted))


def heard_words(log_probabilities: NDArray[np.float64], text: str) -> tuple[HeardWord, ...]:
    """Times and confidence of each word. [time, symbols]"""
    symbols = encode(text)
    if not symbols:
        return ()
    frames = align(log_probabilities, symbols, with_frames=True).frames
    words = []
    start = 0
    for end in [*(n for n, symbol in enumerate(symbols) if symbol == SPACE), len(symbols)]:
        letters = log_probabilities[frames[start:end], symbols[start:end]]
        words.append(
            HeardWord(
                "".join(SYMBOLS[symbol] for symbol in symbols[start:end]),
                round(float(frames[start]) * FRAME_S, 3),
                round(float(frames[end - 1] + 1) * FRAME_S, 3),
                round(float(np.exp(letters.mean())), 3),
            )
        )
        start = end + 1
    return tuple(words)


def margin(log_probabilities: NDArray[np.float64], wanted: str) -> float:
    """How much worse the wanted text explains the sound than the best path of all, in nats per wanted character.

    About 0 for a good take and at most ``MARGIN_LIMIT``.
    """
    score = align(log_probabilities, encode(wanted)).score
    if score <= IMPOSSIBLE:
        return MARGIN_LIMIT
    worse = (best_path_score(log_probabilities) - score) / max(len(wanted), 1)
    return round(min(max(worse, 0.0), MARGIN_LIMIT), 4)
