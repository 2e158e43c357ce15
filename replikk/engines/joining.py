"""Pieces of speech joined into one take, with the pauses between them, as int16.

A model puts silence of its own around every piece, of any length. At a joint it is taken off, so that a pause lasts
as long as the sheet or the cut asks for; the outer edges of the take stay as they are, because packaging trims them. A
short fade at each joint hides the step from a piece's noise floor to digital silence.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FRAMES_PER_S = 100
"""Levels are taken every 10 ms."""
_UNDER_LOUDEST_DB = 40.0
"""Frames this far below the loudest one hold no speech: a fricative at a word's end lies 25 to 35 dB below a vowel."""
_MARGIN_FRAMES = 3
"""What is kept beyond the first and last such frame: the attack of a plosive, the ring of a vowel."""
_FULL_SCALE = 32_767


def join_pieces(pieces: Sequence[tuple[NDArray[np.float32], int]], sample_rate_hz: int) -> NDArray[np.int16]:
    """One take of pieces (samples [samples] in -1..1, pause after it in ms); no samples where only a pause is meant."""
    frame = sample_rate_hz // _FRAMES_PER_S
    spoken = [place for place, (samples, _) in enumerate(pieces) if samples.size]
    parts: list[NDArray[np.float32]] = []
    for place, (samples, pause_ms) in enumerate(pieces):
        if samples.size:
            # A pause counts from sound to sound: whatever stands beside one, or beside another piece, loses its edge.
            parts.append(_trimmed(samples, frame, place > 0, pause_ms > 0 or place != spoken[-1]))
        if pause_ms:
            parts.append(np.zeros(round(pause_ms * sample_rate_hz / 1000), np.float32))
    whole = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return np.clip(np.round(whole * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE).astype(np.int16)


def _trimmed(samples: NDArray[np.float32], frame: int, at_start: bool, at_end: bool) -> NDArray[np.float32]:
    """Without the silence before and after the speech, where that is asked for."""
    if not (at_start or at_end):
        return samples
    frames = -(-samples.size // frame)
    padded = np.zeros(frames * frame, np.float64)
    padded[: samples.size] = samples
    power = np.square(padded.reshape(frames, frame)).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10 ** (-_UNDER_LOUDEST_DB / 10))
    first = max(0, int(loud[0]) - _MARGIN_FRAMES) * frame if at_start and loud.size else 0
    last = min(frames, int(loud[-1]) + 1 + _MARGIN_FRAMES) * frame if at_end and loud.size else samples.size
    kept = samples[first:last].copy()
    ramp = np.linspace(0.0, 1.0, min(frame // 2, kept.size // 2), dtype=np.float32)
    if at_start and ramp.size:
        kept[: ramp.size] *= ramp
    if at_end and ramp.size:
        kept[kept.size - ramp.size :] *= ramp[::-1]
    return kept
