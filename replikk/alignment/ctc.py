"""CTC Viterbi in numpy: where the labels of a known text lie in a clip, given the probabilities of each frame.

The best path through the text's labels, with blanks between them where the sound asks for it; between two equal labels
one blank is a must. Natural logarithms in float64. Axes: frames (time), symbols (the recogniser's outputs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelSpan:
    """Where one label is emitted: frames ``first`` to ``last``, both included."""

    first: int
    last: int
    mean_log_probability: float
    """Of the label, over its frames."""


def free_score(log_probabilities: NDArray[np.float64]) -> float:
    """The score of the most likely path of all: no text scores higher. [frames, symbols]"""
    return float(log_probabilities.max(axis=1).sum())


def best_labels(log_probabilities: NDArray[np.float64], blank: int = 0) -> list[int]:
    """What the most likely path says: repeats merged, blanks left out."""
    path = log_probabilities.argmax(axis=1)
    changed = np.concatenate(([True], path[1:] != path[:-1])) if len(path) else np.zeros(0, bool)
    return [int(label) for label in path[changed] if label != blank]


def forced_score(log_probabilities: NDArray[np.float64], labels: Sequence[int], blank: int = 0) -> float | None:
    """The score of the best path that says ``labels``; None where the clip has too few frames for them."""
    path = _viterbi(log_probabilities, labels, blank)
    return None if path is None else path[0]


def align_labels(
    log_probabilities: NDArray[np.float64], labels: Sequence[int], blank: int = 0
) -> list[LabelSpan] | None:
    """The frames of each label on the best path; None where the clip has too few frames for them."""
    found = _viterbi(log_probabilities, labels, blank)
    if found is None:
        return None
    states = found[1]
    spans = []
    for position, label in enumerate(labels):
        frames = np.flatnonzero(states == 2 * position + 1)
        emitted = log_probabilities[frames, label]
        spans.append(LabelSpan(int(frames[0]), int(frames[-1]), float(emitted.mean())))
    return spans


def _viterbi(
    log_probabilities: NDArray[np.float64], labels: Sequence[int], blank: int
) -> tuple[float, NDArray[np.int64]] | None:
    """(score, state of each frame): odd states are labels, even ones the blanks around them."""
    frames = len(log_probabilities)
    extended = np.full(2 * len(labels) + 1, blank)
    extended[1::2] = labels
    equal = sum(a == b for a, b in zip(labels[1:], labels[:-1], strict=True))
    if frames < max(1, len(labels) + equal):
        return None
    emitted = log_probabilities[:, extended]  # [frames, states]
    may_skip = np.zeros(len(extended), bool)  # from a label to the next without the blank between
    may_skip[3::2] = extended[3::2] != extended[1:-2:2]
    best = np.full(len(extended), -np.inf)
    best[:2] = emitted[0, :2]
    came = np.zeros((frames, len(extended)), np.int8)  # how many states back the path came from
    for frame in range(1, frames):
        stepped = np.concatenate(([-np.inf], best[:-1]))
        skipped = np.where(may_skip, np.concatenate(([-np.inf, -np.inf], best[:-2]))[: len(best)], -np.inf)
        before = np.maximum(best, stepped)
        came[frame] = stepped > best
        came[frame][skipped > before] = 2
        best = np.maximum(before, skipped) + emitted[frame]
    state = len(extended) - 1
    if state and best[state - 1] > best[state]:
        state -= 1
    score = float(best[state])
    if not np.isfinite(score):
        return None
    states = np.zeros(frames, np.int64)
    for frame in range(frames - 1, -1, -1):
        states[frame] = state
        state -= int(came[frame, state])
    return score, states
