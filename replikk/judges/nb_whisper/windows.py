"""Clips as Whisper wants them: 16 kHz, in windows of 30 s that begin and end with silence.

Whisper was trained on windows of exactly 30 s, and makes up words where a clip of half a second starts with the first
sample of its window. So every clip gets a little silence before it and zeros up to the end behind it. A clip that is
longer is cut where it is quietest, in the last third of what fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
LEAD_S = 0.3
"""Silence before a clip."""
TAIL_S = 0.3
"""The least silence behind it."""
_FRAME_S = 0.02
_SMOOTH_FRAMES = 9
"""A cut must lie in 0.18 s of little sound, not in the closure of a stop consonant."""


@dataclass(frozen=True)
class Window:
    """A stretch of one clip that is listened to by itself."""

    clip: int
    """Which clip, by its place in the batch that was cut."""
    samples: NDArray[np.float32]  # [samples] at 16 kHz, without the silence around it
    start_s: float
    """Where in the clip it begins."""

    @property
    def duration_s(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


def at_16_khz(samples: NDArray[np.int16], sample_rate_hz: int) -> NDArray[np.float32]:
    """Any mono clip as Whisper's rate and scale (-1 to 1), through a polyphase low-pass filter."""
    wave: NDArray[np.float32] = samples.astype(np.float32) / np.float32(32768)
    if sample_rate_hz == SAMPLE_RATE_HZ or not len(wave):
        return wave
    from scipy.signal import resample_poly

    common = gcd(sample_rate_hz, SAMPLE_RATE_HZ)
    changed = resample_poly(wave.astype(np.float64), SAMPLE_RATE_HZ // common, sample_rate_hz // common)
    return changed.astype(np.float32)


def cut_into_windows(clip: int, wave: NDArray[np.float32], window_s: float) -> list[Window]:
    """The windows of a clip, each short enough for a window of ``window_s`` with its silence; none of an empty clip."""
    most = int((window_s - LEAD_S - TAIL_S) * SAMPLE_RATE_HZ)
    windows = []
    start = 0
    while start < len(wave):
        end = len(wave) if len(wave) - start <= most else start + _quietest(wave[start : start + most])
        windows.append(Window(clip, wave[start:end], start / SAMPLE_RATE_HZ))
        start = end
    return windows


def _quietest(wave: NDArray[np.float32]) -> int:
    """The sample in the last third of ``wave`` around which there is least sound."""
    frame = int(_FRAME_S * SAMPLE_RATE_HZ)
    count = len(wave) // frame
    power = (wave[: count * frame].reshape(count, frame) ** 2).mean(axis=1)
    smooth = np.convolve(power, np.ones(_SMOOTH_FRAMES) / _SMOOTH_FRAMES, mode="same")
    first = min(2 * count // 3, count - 1)
    # The frames at the very end seem quiet because nothing behind them is counted.
    last = max(first + 1, count - _SMOOTH_FRAMES // 2)
    return int((first + np.argmin(smooth[first:last]) + 0.5) * frame)


def padded(windows: list[Window], window_s: float) -> NDArray[np.float32]:
    """[windows, samples]: silence, the clip, zeros up to ``window_s``."""
    batch = np.zeros((len(windows), round(window_s * SAMPLE_RATE_HZ)), np.float32)
    lead = int(LEAD_S * SAMPLE_RATE_HZ)
    for row, window in zip(batch, windows, strict=True):
        row[lead : lead + len(window.samples)] = window.samples
    return batch
