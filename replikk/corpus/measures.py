"""What is measured on every clip before anybody listens: level, noise, clipping, periodicity, pitch, fingerprint.

All of it is numpy, a few milliseconds a clip, and relative to the clip's own speech:

- ``pause_level_db``: the quietest twentieth of 20 ms frames against the speech. Speech has gaps (closures, pauses);
  music and other voices fill them, also where steady tones leave the spectrum's valleys empty and ``snr_db`` high.
- ``periodic_share``: of the loud frames, how many repeat themselves with a voice's period. One voice does so in most
  of them; two at once do not.
- ``pitch_spread_semitones``: between the highest and the lowest pitch that is held for 0.6 s.
- ``pitch_jumps``: how often the pitch is another one from frame to frame; of two voices now one, now the other is
  heard.
- the fingerprint: signs of how the differences of neighbouring bands change in time (Haitsma and Kalker, 2002), over
  32 equal slices of the speech. Microphone and level do not change it much; another reading of the same text does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from replikk.judges.signal import measure_signal

_FRAME_S = 0.02
_LOUD_RANGE_DB = 15.0
_LOWEST_PITCH_HZ, _HIGHEST_PITCH_HZ = 65.0, 400.0
_PITCH_WINDOW_S = 0.04
PERIODIC = 0.8
"""Autocorrelation at the period, of the frame's energy; a steady vowel has 0.95 and more."""
_HELD_S = 0.6
_JUMP_SEMITONES = 4.0
"""Within 20 ms no voice changes its pitch by a third; one that is heard with another one seems to."""
_SLICES, _BANDS = 33, 9
"""32 changes in time of 8 differences of bands: 256 bits."""
_BAND_EDGES_HZ = np.geomspace(300, 3400, _BANDS + 1)
"""What telephone and far microphone transmit."""


@dataclass(frozen=True)
class ClipMeasures:
    """Of one clip."""

    values: dict[str, float]
    fingerprint: str


def measure_clip(samples: NDArray[np.int16], sample_rate_hz: int) -> ClipMeasures:
    """Of mono ``samples`` [samples], of any length."""
    signal = measure_signal(samples, sample_rate_hz)
    wave = samples.astype(np.float32)
    periodic, spread, jumps = _voice(wave, sample_rate_hz)
    values = {
        "speech_s": signal.speech_s,
        "level_dbfs": signal.rms_dbfs,
        "snr_db": signal.snr_db,
        "clipped_share": signal.clipped_share,
        "pause_level_db": _pause_level_db(wave, sample_rate_hz),
        "periodic_share": periodic,
        "pitch_spread_semitones": spread,
        "pitch_jumps": jumps,
    }
    return ClipMeasures(
        {key: round(float(value), 4) for key, value in values.items()}, _fingerprint(wave, sample_rate_hz)
    )


def _frame_levels_db(wave: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    frame = max(1, round(_FRAME_S * rate))
    count = len(wave) // frame
    power = np.square(wave[: count * frame].reshape(count, frame)).mean(axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, 1e-3)).astype(np.float64)
    return levels


def _pause_level_db(wave: NDArray[np.float32], rate: int) -> float:
    levels = _frame_levels_db(wave, rate)
    if not len(levels):
        return 0.0
    active = levels[levels > levels.max() - 30]
    return max(-90.0, float(np.quantile(levels, 0.05) - 10 * np.log10(np.mean(10 ** (active / 10)))))


def _voice(wave: NDArray[np.float32], rate: int) -> tuple[float, float, float]:
    """(share of loud frames that are periodic, semitones between the highest and lowest held pitch, share of jumps)."""
    size = round(_PITCH_WINDOW_S * rate)
    hop = round(_FRAME_S * rate)
    if len(wave) < 4 * size:
        return 1.0, 0.0, 0.0
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[::hop].astype(np.float64)
    frames = frames - frames.mean(axis=1, keepdims=True)
    power = np.square(frames).mean(axis=1)
    loud = power > power.max() * 10 ** (-_LOUD_RANGE_DB / 10)
    frames = frames[loud] * np.hanning(size)
    spectrum = np.fft.rfft(frames, n=2 * size, axis=1)
    correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, axis=1)[:, :size]
    window = np.hanning(size)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, n=2 * size)) ** 2)[:size]
    low, high = int(rate / _HIGHEST_PITCH_HZ), min(int(rate / _LOWEST_PITCH_HZ), int(size * 0.75))
    # A window fades the correlation with the lag; dividing by its own takes that back.
    normal = correlation[:, low:high] / np.maximum(correlation[:, :1], 1e-9) * (own[0] / own[low:high])
    best = normal.max(axis=1)
    # The first peak nearly as high as the highest: later ones are multiples of the period.
    period = low + np.argmax(normal > 0.9 * best[:, None], axis=1)
    period = np.array([_climb(row, start - low) + low for row, start in zip(normal, period, strict=True)])
    voiced = best > PERIODIC
    if not len(best):
        return 1.0, 0.0, 0.0
    pitch = 12 * np.log2(rate / period[voiced] / 100)
    jumps = float((np.abs(np.diff(pitch)) > _JUMP_SEMITONES).mean()) if len(pitch) > 1 else 0.0
    run = round(_HELD_S / _FRAME_S)
    if len(pitch) < 2 * run:
        return float(voiced.mean()), 0.0, jumps
    held = np.median(np.lib.stride_tricks.sliding_window_view(pitch, run), axis=1)
    return float(voiced.mean()), float(held.max() - held.min()), jumps


def _climb(row: NDArray[np.float64], at: int) -> int:
    while at + 1 < len(row) and row[at + 1] > row[at]:
        at += 1
    return at


def _fingerprint(wave: NDArray[np.float32], rate: int) -> str:
    """64 hex digits; empty for a clip without speech."""
    levels = _frame_levels_db(wave, rate)
    loud = np.flatnonzero(levels > levels.max() - 25) if len(levels) else levels
    if len(loud) < 4:
        return ""
    frame = max(1, round(_FRAME_S * rate))
    speech = wave[int(loud[0]) * frame : (int(loud[-1]) + 1) * frame].astype(np.float64)
    size = len(speech) // _SLICES * 2  # slices overlap by half
    starts = np.linspace(0, len(speech) - size, _SLICES).astype(int)
    slices = np.stack([speech[start : start + size] for start in starts]) * np.hanning(size)
    power = np.abs(np.fft.rfft(slices, axis=1)) ** 2
    edges = np.searchsorted(np.fft.rfftfreq(size, 1 / rate), _BAND_EDGES_HZ)
    bands = np.stack([power[:, low : max(high, low + 1)].sum(axis=1) for low, high in pairwise(edges.tolist())])
    logs = np.log(np.maximum(bands, 1e-3))  # [bands, slices]
    changes = np.diff(np.diff(logs, axis=0), axis=1)  # [8, 32]
    return np.packbits((changes > 0).T.ravel()).tobytes().hex()


def fingerprint_distance(one: str, other: str) -> float:
    """Share of the bits that differ: about 0.5 for different sounds, 1 when one of them has no fingerprint."""
    if not one or not other:
        return 1.0
    return (int(one, 16) ^ int(other, 16)).bit_count() / 256
