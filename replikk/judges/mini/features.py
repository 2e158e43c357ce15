"""Log-mel features in numpy.

Axes: samples, frames (one per 7.98 ms), bins. Silence is exactly 0 and speech positive, so that the zeros with which
convolutions are padded mean silence. No statistics of the clip go in: a frame's features depend on its own 23 ms only,
whatever else the clip contains.
"""

from __future__ import annotations

from functools import cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 22_050
"""That of the embedded voice: its takes are never resampled."""
HOP_SAMPLES = 176  # 7.98 ms; the network takes every third frame
WINDOW_SAMPLES = 512  # 23 ms
MEL_BINS = 40
_LOW_HZ, _HIGH_HZ = 60.0, 8_000.0  # beyond 8 kHz lies nothing that tells Norwegian letters apart
_FLOOR = 1e-4  # power; about the level of rounding to 16 bits, 70 dB below speech
_SCALE = 0.25  # brings loud speech to about 4


@cache
def mel_filters() -> NDArray[np.float32]:
    """Triangular filters, equally spaced on the mel scale. [frequencies, bins]"""
    frequencies_hz = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / SAMPLE_RATE_HZ)
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    edges_hz = 700 * (10 ** (np.linspace(low, high, MEL_BINS + 2) / 2595) - 1)
    below = (frequencies_hz[:, None] - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    above = (edges_hz[2:] - frequencies_hz[:, None]) / (edges_hz[2:] - edges_hz[1:-1])
    return np.maximum(0, np.minimum(below, above)).astype(np.float32)


@cache
def _window() -> NDArray[np.float32]:
    return np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)


def log_mel(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Features of a clip at 22,050 Hz. [samples] -> [frames, bins], one frame per started hop, at least one."""
    half = WINDOW_SAMPLES // 2
    frames = max(1, -(-len(samples) // HOP_SAMPLES))
    padded = np.zeros((frames - 1) * HOP_SAMPLES + WINDOW_SAMPLES, np.float32)
    kept = samples[: len(padded) - half]
    padded[half : half + len(kept)] = kept
    padded *= 1 / 32768
    view = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES]
    spectrum = np.fft.rfft(view * _window(), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    mel = power.astype(np.float32, copy=False) @ mel_filters()
    return (np.log(np.maximum(mel, _FLOOR)) - np.float32(np.log(_FLOOR))) * np.float32(_SCALE)


def resample(samples: NDArray[np.int16], sample_rate_hz: int) -> NDArray[np.int16]:
    """Any mono int16 clip at the judge's rate (polyphase, with its low-pass filter)."""
    if sample_rate_hz == SAMPLE_RATE_HZ or not len(samples):
        return samples
    from scipy.signal import resample_poly  # late: the embedded voice never needs it

    common = gcd(sample_rate_hz, SAMPLE_RATE_HZ)
    changed = resample_poly(samples.astype(np.float64), SAMPLE_RATE_HZ // common, sample_rate_hz // common)
    return np.clip(np.rint(changed), -32768, 32767).astype(np.int16)
