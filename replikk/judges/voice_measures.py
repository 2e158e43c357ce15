"""Measuring the traits of a voice on the samples of one take: pitch by autocorrelation, timbre by mel cepstra.

Timbre is the cepstrum without its zeroth coefficient, so that level does not matter, averaged over all speech frames.
What was said averages out in some four words; ``voice_profiles.py`` reckons with what is left in shorter lines. Numpy
only, about 6 ms for a clip of 3 s.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from replikk.judges.signal_evidence import SignalEvidence
from replikk.judges.voice_traits import VoiceTraits

_BANDS = 26
_COEFFICIENTS = 15
"""The usual 12 describe the vowels; the next ones tell voices of like formants apart."""
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 7600.0
_FRAME_S, _HOP_S = 0.025, 0.02
_SPEECH_RANGE = 1e-3
"""Frames within 30 dB of the loudest are speech, as in ``signal.py``."""
_PITCH_FRAME_S, _PITCH_HOP_S = 0.05, 0.04
"""Three periods of the lowest pitch."""
_PITCH_RANGE = 1e-2
"""Only the louder frames, within 20 dB: vowels."""
_PITCH_RATE_HZ = 8000
_PITCH_BAND_HZ = 1200.0
_LOWEST_PITCH_HZ, _HIGHEST_PITCH_HZ = 60.0, 450.0
_VOICED = 0.5
"""Least height of the autocorrelation's peak, of its value at 0."""
_NEARLY_HIGHEST = 0.88
"""The first peak of this share of the highest is the period; later ones are its multiples."""
_LEAST_VOICED_FRAMES = 2


def measure_traits(samples: NDArray[np.int16], rate: int, signal: SignalEvidence) -> VoiceTraits:
    """The traits of a mono clip, int16 [samples], of which ``signal`` was measured. Any length will do."""
    silences = sum(end - start for start, end in signal.silences)
    speaking_s = max(0.0, signal.duration_s - signal.silence_start_s - signal.silence_end_s - silences)
    x = samples.astype(np.float32)
    audible = signal.speech_s > 0
    return VoiceTraits(
        level_dbfs=signal.rms_dbfs,
        speaking_s=round(speaking_s, 4) if audible else 0.0,
        pitch_hz=_pitch_hz(x, rate) if audible else None,
        timbre=_timbre(x, rate) if audible else None,
    )


def _frames(x: NDArray[np.float32], length: int, hop: int, least: float) -> NDArray[np.float32]:
    """[frames, samples]: those whose energy is at least the share ``least`` of the greatest."""
    frames = np.lib.stride_tricks.sliding_window_view(x, length)[::hop]
    energy = np.einsum("ij,ij->i", frames, frames)
    kept: NDArray[np.float32] = frames[energy > energy.max() * least]
    return kept


def _timbre(x: NDArray[np.float32], rate: int) -> tuple[float, ...] | None:
    length = round(_FRAME_S * rate)
    if len(x) < length:
        return None
    frames = _frames(x, length, max(1, round(_HOP_S * rate)), _SPEECH_RANGE)
    if not len(frames):
        return None
    window, bank, cosines = _tables(rate, length)
    size = 2 * (bank.shape[1] - 1)
    spectrum = np.fft.rfft(frames * window, size, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)  # [frames, bins]
    cepstra = np.log(np.maximum(power @ bank.T, 1.0)) @ cosines  # [frames, coefficients]
    return tuple(round(float(value), 4) for value in (*cepstra.mean(axis=0), *cepstra.std(axis=0)))


@lru_cache(maxsize=4)
def _tables(rate: int, length: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Window [samples], triangular mel bands [bands, bins] and cosine transform [bands, coefficients]."""
    size = 1 << (length - 1).bit_length()
    highest = min(_HIGHEST_HZ, rate / 2)
    mels = np.linspace(1127 * np.log1p(_LOWEST_HZ / 700), 1127 * np.log1p(highest / 700), _BANDS + 2)
    edges = 700 * np.expm1(mels / 1127)[:, None]
    bins = np.arange(size // 2 + 1)[None] * rate / size
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    angles = np.pi * np.outer(np.arange(_BANDS) + 0.5, np.arange(1, _COEFFICIENTS + 1)) / _BANDS
    return np.hanning(length).astype(np.float32), bank, (np.cos(angles) * 2 / _BANDS).astype(np.float32)


def _pitch_hz(x: NDArray[np.float32], rate: int) -> float | None:
    step = max(1, rate // _PITCH_RATE_HZ)
    x = x[: len(x) // step * step].reshape(-1, step).mean(axis=1)
    low_rate = rate / step
    length = round(_PITCH_FRAME_S * low_rate)
    if len(x) < length:
        return None
    frames = _frames(x, length, max(1, round(_PITCH_HOP_S * low_rate)), _PITCH_RANGE)
    shortest, longest = int(low_rate / _HIGHEST_PITCH_HZ), min(int(low_rate / _LOWEST_PITCH_HZ), length - 2)
    window = np.hanning(length).astype(np.float32)
    size = 1 << (2 * length - 1).bit_length()
    spectrum = np.fft.rfft((frames - frames.mean(axis=1, keepdims=True)) * window, size, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    power[:, np.arange(size // 2 + 1) * low_rate / size > _PITCH_BAND_HZ] = 0
    own = np.fft.irfft(power, axis=1)[:, : longest + 2]
    of_window = np.fft.irfft(np.square(np.abs(np.fft.rfft(window, size))))[: longest + 2]
    # What the window takes from longer lags is given back: without it every pitch comes out too high.
    own = own / np.maximum(own[:, :1], 1e-9) / (of_window / of_window[0])
    part = own[:, shortest:]  # [frames, lags]
    highest = part.max(axis=1)
    peaks = (part[:, 1:-1] >= part[:, :-2]) & (part[:, 1:-1] > part[:, 2:])
    peaks &= part[:, 1:-1] >= _NEARLY_HIGHEST * highest[:, None]
    voiced = peaks.any(axis=1) & (highest > _VOICED)
    if int(voiced.sum()) < _LEAST_VOICED_FRAMES:
        return None
    rows = np.flatnonzero(voiced)
    at = peaks[rows].argmax(axis=1) + 1
    before, peak, after = part[rows, at - 1], part[rows, at], part[rows, at + 1]
    bend = before - 2 * peak + after  # of the parabola through the peak; negative
    lags = at + shortest + np.clip(np.divide(before - after, 2 * bend, out=np.zeros_like(bend), where=bend < 0), -1, 1)
    return round(float(np.median(low_rate / lags)), 2)
