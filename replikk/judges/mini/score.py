"""How well a text explains the sound: the best CTC alignment, in the log domain.

Only additions and maxima of float64 numbers, so that a score is exact and never depends on the length of other texts.
A symbol's probability is floored, so that one badly heard letter weighs like one letter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replikk.judges.mini.text import BLANK

LOG_FLOOR = -12.0
"""A letter that was not spoken costs at most 12 nats per frame."""
IMPOSSIBLE = -1e9


@dataclass(frozen=True)
class Alignment:
    score: float
    """Natural logarithm of the best path's probability; ``IMPOSSIBLE`` when the clip has too few frames."""
    frames: NDArray[np.int64]
    """[symbols] the frame in which each symbol is heard best; empty unless asked for."""


def floored(log_probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """[time, symbols] as this module wants them."""
    return np.maximum(log_probabilities.astype(np.float64), LOG_FLOOR)


def best_path_score(log_probabilities: NDArray[np.float64]) -> float:
    """The score of the most likely path of all: no text scores higher."""
    return float(log_probabilities.max(axis=1).sum())


def align(log_probabilities: NDArray[np.float64], symbols: list[int], *, with_frames: bool = False) -> Alignment:
    """The best alignment of a text's symbols with a clip. [time, symbols of the alphabet]"""
    times = len(log_probabilities)
    extended = np.full(2 * len(symbols) + 1, BLANK)
    extended[1::2] = symbols
    emitted = log_probabilities[:, extended]  # [time, states]
    # From a symbol to the next without a blank between: only when they differ.
    skip = np.full(len(extended), IMPOSSIBLE)
    skip[3::2] = np.where(extended[3::2] != extended[1:-2:2], 0.0, IMPOSSIBLE)
    best = np.full(len(extended), IMPOSSIBLE)
    best[:2] = emitted[0, :2]
    came = np.zeros((times, len(extended)), np.int8) if with_frames else None
    after = np.empty_like(best)
    skipped = np.empty_like(best)
    for time in range(1, times):
        after[:] = best
        np.maximum(after[1:], best[:-1], out=after[1:])
        np.add(best[:-2], skip[2:], out=skipped[2:])
        np.maximum(after[2:], skipped[2:], out=after[2:])
        if came is not None:
            stepped = after > best
            came[time] = stepped
            came[time, 2:] += stepped[2:] & (after[2:] == skipped[2:]) & (after[2:] > best[1:-1])
        after += emitted[time]
        best, after = after, best
    state = len(extended) - 1
    if state and best[state - 1] > best[state]:
        state -= 1
    score = float(best[state])
    if score < IMPOSSIBLE / 2:
        return Alignment(IMPOSSIBLE, np.empty(0, np.int64))
    if came is None:
        return Alignment(score, np.empty(0, np.int64))
    frames = np.zeros(len(symbols), np.int64)
    loudest = np.full(len(symbols), -np.inf)
    for time in range(times - 1, -1, -1):
        if state % 2:
            position = state // 2
            if emitted[time, state] > loudest[position]:
                loudest[position], frames[position] = emitted[time, state], time
        state -= int(came[time, state])
    return Alignment(score, frames)
