"""Word times brought to the edges of the sound.

Recognisers are sure of a word somewhere inside it: CTC emits a letter late in its sound, cross-attention gives pauses
to one of the neighbours. The sound itself is exact: between two words, the longest quiet stretch belongs to neither, and
where there is none the word changes where it is quietest. Before the first word and after the last, the sound is
followed until it is silent for longer than the closure of a stop consonant.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from replikk.alignment.word_times import TimedWord

FRAME_S = 0.01
_BELOW_DB = 30.0
"""Sound this far below a clip's loud parts is no speech: breaths and room lie 35 dB and more below a voice."""
_CLOSURE_FRAMES = 8
"""0.08 s: the closure of p, t or k is silent for 0.05 to 0.08 s and belongs to its word."""


def fitted_to_speech(words: Sequence[TimedWord], samples: NDArray[np.int16], sample_rate_hz: int) -> list[TimedWord]:
    """The words with starts and ends at the edges of their sound; in order, without overlap. [samples]

    A word in which nothing sounds keeps its times, as far as its neighbours leave them.
    """
    frame = max(1, round(FRAME_S * sample_rate_hz))
    count = len(samples) // frame
    if not count or not words:
        return list(words)
    wave = samples[: count * frame].astype(np.float64).reshape(count, frame)
    power = (wave**2).mean(axis=1)
    loud = power > np.percentile(power, 95) * 10 ** (-_BELOW_DB / 10)
    spans = [_sounding(word, loud) for word in words]
    edges = [list(span) for span in spans]
    edges[0][0] = _outwards(loud, edges[0][0], -1)
    edges[-1][1] = _outwards(loud, edges[-1][1], 1)
    for before, after in itertools.pairwise(edges):
        if after[0] > before[1]:
            before[1], after[0] = _between(power, loud, before[1], after[0])
        else:
            after[0] = before[1]
            after[1] = max(after[1], after[0])
    duration_s = len(samples) / sample_rate_hz
    return [
        replace(
            word,
            start_s=round(min(first * FRAME_S, duration_s), 3),
            end_s=round(min(after * FRAME_S, duration_s), 3),
        )
        for word, (first, after) in zip(words, edges, strict=True)
    ]


def _sounding(word: TimedWord, loud: NDArray[np.bool_]) -> tuple[int, int]:
    """(first frame, frame after the last) of the sound inside a word's times."""
    first = min(int(word.start_s / FRAME_S), len(loud))
    after = max(first, min(int(np.ceil(word.end_s / FRAME_S)), len(loud)))
    sounding = np.flatnonzero(loud[first:after])
    return (first + int(sounding[0]), first + int(sounding[-1]) + 1) if len(sounding) else (first, after)


def _outwards(loud: NDArray[np.bool_], edge: int, step: int) -> int:
    """The edge of the sound that goes on from ``edge`` to the left (-1) or right (1)."""
    side = loud[:edge][::-1] if step < 0 else loud[edge:]
    reached = quiet = 0
    for number, sounds in enumerate(side.tolist(), start=1):
        quiet = 0 if sounds else quiet + 1
        if quiet > _CLOSURE_FRAMES:
            break
        if sounds:
            reached = number
    return edge + step * reached


def _between(power: NDArray[np.float64], loud: NDArray[np.bool_], first: int, after: int) -> tuple[int, int]:
    """Where in the frames between two words the one ends and the other begins."""
    quiet = np.flatnonzero(~loud[first:after])
    if not len(quiet):
        change = first + int(power[first:after].argmin())
        return change, change
    runs = np.split(quiet, np.flatnonzero(np.diff(quiet) > 1) + 1)
    longest = max(runs, key=len)
    return first + int(longest[0]), first + int(longest[-1]) + 1
