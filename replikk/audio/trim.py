"""Trimming: where the speech of a clip begins and ends.

Design: silence is judged relative to the clip's own peak, so that a whisper is trimmed like a shout. Final s, f, t
and k are weak in level but strong at high frequencies, so two measures run side by side in 10 ms frames: the level,
and the level of a difference signal that rises with frequency. A frame speaks when either measure says so. From the
outermost frames above a threshold the region is widened while frames stay above a lower one (hysteresis), and then by
a margin, so that what no threshold sees is kept too. Recordings have a noise floor: the thresholds rise above it, but
never so far that weak speech could be taken for noise; when in doubt a clip keeps a little noise.

A consonant before the end is safe by construction: the gap between them (the closure of a t) lies inside the region.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HOP_S = 0.005
FRAME_HOPS = 2  # frames of 10 ms: as short as the burst of a t
QUIETEST_SHARE = 0.1  # the noise floor is the median of the quietest tenth of the frames
FLOOR_MARGIN_DB = 6.0  # noise frames of 10 ms scatter by some 2 dB; 6 dB is beyond nearly all of them
FLOOR_CAP_DB = 12.0  # the noise floor never lifts a threshold by more: the weak f that ends a clip without pauses stays
DIFFERENCE_DB = 6.0  # the difference measure's threshold lies this much higher: in it, vowels (the peak) are weak


@dataclass(frozen=True)
class SpeechBounds:
    """The stretch of a clip that speaks, margins not included; start == end when nothing does."""

    start: int
    """First sample."""
    end: int
    """One past the last sample."""


def _frame_levels_db(signal: NDArray[np.float32], hop: int) -> NDArray[np.float64]:  # [hops]
    """RMS level of the 10 ms frame that starts at each hop, in dB; digital silence is -200 dB.

    Each frame's mean is left out: a recording's direct current is not sound.
    """
    hops = max(1, -(-len(signal) // hop))
    rows = np.pad(signal, (0, hops * hop - len(signal)), mode="edge").reshape(hops, hop)
    energy = np.einsum("ij,ij->i", rows, rows).astype(np.float64)
    total = rows.sum(axis=1, dtype=np.float64)
    energy[:-1] += energy[1:]  # frame = this hop and the next
    energy[-1] *= 2  # nothing follows the last
    total[:-1] += total[1:]
    total[-1] *= 2
    length = FRAME_HOPS * hop
    variance = np.maximum(energy / length - (total / length) ** 2, 0.0)
    # What float32 cannot tell from its own rounding is silence.
    variance[variance < 1e-6 * (total / length) ** 2] = 0.0
    return 10 * np.log10(variance + 1e-20)


def _thresholds_db(levels: NDArray[np.float64], threshold_db: float, hysteresis_db: float) -> tuple[float, float]:
    """The level a frame must reach to speak, and the lower one down to which the region is widened."""
    peak = float(levels.max())
    quiet = np.sort(levels)[: max(1, int(len(levels) * QUIETEST_SHARE))]
    floor = float(np.median(quiet)) + FLOOR_MARGIN_DB
    upper = peak + threshold_db
    lower = upper - hysteresis_db
    return min(max(upper, floor), upper + FLOOR_CAP_DB), min(max(lower, floor), lower + FLOOR_CAP_DB)


def speech_bounds(
    samples: NDArray[np.floating],
    sample_rate_hz: int,
    *,
    threshold_db: float = -40.0,
    hysteresis_db: float = 10.0,
) -> SpeechBounds:
    """Where speech begins and ends in mono ``samples`` [samples], full scale = 1.

    ``threshold_db`` is relative to the loudest 10 ms frame of the clip, negative.
    """
    if len(samples) == 0 or not np.any(samples):
        return SpeechBounds(0, 0)
    signal = np.asarray(samples, dtype=np.float32)
    # A lag near 1/22050 s makes the difference rise up to about 11 kHz at every sample rate.
    lag = max(1, round(sample_rate_hz / 22_050))
    difference = np.zeros_like(signal)
    difference[lag:] = signal[lag:] - signal[:-lag]
    hop = max(1, round(HOP_S * sample_rate_hz))

    speaks: NDArray[np.bool_] | None = None
    continues: NDArray[np.bool_] | None = None
    for measured, extra_db in ((signal, 0.0), (difference, DIFFERENCE_DB)):
        levels = _frame_levels_db(measured, hop)
        upper, lower = _thresholds_db(levels, threshold_db + extra_db, hysteresis_db)
        above, near = levels >= upper, levels >= lower
        speaks = above if speaks is None else speaks | above
        continues = near if continues is None else continues | near
    assert speaks is not None and continues is not None  # the loop above has two turns

    spoken = np.flatnonzero(speaks)
    if len(spoken) == 0:
        return SpeechBounds(0, 0)
    first, last = int(spoken[0]), int(spoken[-1])
    quiet_before = np.flatnonzero(~continues[:first])
    first = int(quiet_before[-1]) + 1 if len(quiet_before) else 0
    quiet_after = np.flatnonzero(~continues[last + 1 :])
    last = last + int(quiet_after[0]) if len(quiet_after) else len(continues) - 1
    return SpeechBounds(first * hop, min(len(signal), (last + FRAME_HOPS) * hop))
