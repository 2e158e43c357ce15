"""When each token was said, from the decoder's attention to the sound: dynamic time warping, in numpy.

Heads that follow the sound (the model names them) look at the place of the token that they are about to write. Their
weights are normalised per head over the tokens, smoothed with a median over time and averaged; the best way through
the matrix that only moves forward gives each 20 ms of sound to one token. This is the method of Whisper's authors; as
nothing is said twice at once, a token takes at least one frame, which makes the warping a plain Viterbi search.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAME_S = 0.02
"""Two feature frames of 10 ms, as the encoder joins them."""
_MEDIAN_FRAMES = 7  # as published


def attention_matrix(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """[heads, tokens, frames] -> [tokens, frames], higher where a token is more likely to be."""
    deviation = weights.std(axis=1, keepdims=True)
    normal = (weights - weights.mean(axis=1, keepdims=True)) / np.maximum(deviation, 1e-9)
    matrix: NDArray[np.float32] = _median(normal).mean(axis=0)
    return matrix


def _median(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Running median over the last axis; the ends are mirrored."""
    reach = _MEDIAN_FRAMES // 2
    if values.shape[-1] <= reach:
        return values
    wide = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(reach, reach)], mode="reflect")
    view = np.lib.stride_tricks.sliding_window_view(wide, _MEDIAN_FRAMES, axis=-1)
    result: NDArray[np.float32] = np.median(view, axis=-1).astype(np.float32)
    return result


def first_frames(matrix: NDArray[np.float32]) -> NDArray[np.int64]:
    """[tokens, frames] -> [tokens] the frame in which each token begins.

    The first token begins in frame 0. Where there are more tokens than frames (a loop), they are spread evenly.
    """
    tokens, frames = matrix.shape
    if tokens >= frames:
        return (np.arange(tokens) * frames) // max(tokens, 1)
    best = np.full(tokens, -np.inf)
    best[0] = matrix[0, 0]
    moved = np.zeros((frames, tokens), bool)
    for frame in range(1, frames):
        from_before = np.concatenate(([-np.inf], best[:-1]))
        moved[frame] = from_before > best
        best = np.where(moved[frame], from_before, best) + matrix[:, frame]
    starts = np.zeros(tokens, np.int64)
    token = tokens - 1
    for frame in range(frames - 1, 0, -1):
        if moved[frame, token]:
            starts[token] = frame
            token -= 1
    return starts
