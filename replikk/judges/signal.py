"""Evidence measured on the samples of a clip, without knowing what was said.

Every level is relative to the clip itself (to its *active* level, the power of its speech frames), so that a whisper is
judged like a shout; dBFS values are given beside them for people.

Notes, measured on 3,000 clips of the embedded voice (103 variants, rates 110 to 220, word gaps 0 to 50 ms):

- A finished clip fades or ends in silence: in its last 10 ms the quieter half lies 12 dB and more under the active
  level in 99.7 % of clips. A clip cut at a random place is louder there in one case of two.
- The edges of a silence say nothing: the voice closes a stop consonant with digital zeros and steep edges, just as a
  muted gap does. What tells a muted gap is its length (``silences``), which the verdict holds against the script.
- Noise is what remains in the quietest moment of a clip. A short vowel may have no quiet moment; there the valleys
  between its harmonics tell (``_noise_in_valleys``). Runs of digital silence of 0.1 s and more are left out, because an
  engine inserts such pauses after its own noise was made.

Pure numpy. About 0.6 ms for a clip of 3 s; the spectrum is only looked at when the quietest moment is not quiet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replikk.judges.signal_evidence import SignalEvidence

_FRAME_S = 0.005
_ACTIVE_RANGE_DB = 30.0
"""Frames within this of the loudest frame are speech; the dynamic range of running speech is about 30 dB."""
_SILENCE_UNDER_ACTIVE_DB = 35.0
"""Under this a frame is silent to a listener; weak fricatives lie 20 to 30 dB under the vowels."""
_SHORTEST_SILENCE_S = 0.15
"""The closure of a stop consonant lasts up to 0.15 s in slow speech."""
_INSERTED_SILENCE_S = 0.1
_TAIL_S = 0.010
_FLAT_RUN_SAMPLES = 3
"""A speech wave does not stay at its extreme for three samples; one that hit a limit does."""
_FLAT_TOLERANCE = 0.001
"""Of the extreme: a limit that went through a resampler or a codec is no longer exactly flat."""
_FLOOR_DBFS = -120.0
"""Stands for digital silence, so that no value is infinite; the quietest 16-bit signal has −90 dBFS."""
_QUIET_ENOUGH_DB = 30.0
"""A quietest moment this far under the active level settles that there is no noise worth the name."""
_VALLEY_WINDOW_S = 0.093
"""Long enough to resolve the harmonics of an 80 Hz voice with a Hann window (main lobe 43 Hz)."""
_VALLEY_BAND_HZ = 250.0
_VALLEY_QUANTILE = 0.2
_VALLEY_BIAS = 0.223
"""The 20 % quantile of a noise periodogram (exponential distribution) is −ln 0.8 = 0.223 of its mean."""


def measure_signal(samples: NDArray[np.int16], rate: int) -> SignalEvidence:
    """Measure one mono clip: ``samples`` is int16 [samples], ``rate`` in Hz.

    Any length is measured, an empty clip too. Raises ValueError for more than one channel, another type or no rate.
    """
    if samples.ndim != 1 or samples.dtype != np.int16:
        raise ValueError(f"mono int16 samples are wanted, not {samples.dtype} of shape {samples.shape}")
    if rate <= 0:
        raise ValueError(f"the sample rate must be positive, not {rate}")
    x = samples.astype(np.float32)  # [samples]
    duration_s = len(x) / rate
    frame = max(1, round(_FRAME_S * rate))
    count = len(x) // frame
    peak = float(np.abs(x).max()) if len(x) else 0.0
    if count == 0 or peak == 0:
        return _silent(duration_s, peak, float(x.mean()) if len(x) else 0.0)

    dc = float(x.mean())
    power = _frame_power(x, frame)  # [frames]
    if power.max() <= 0:
        return _silent(duration_s, peak, dc)
    speech = power > power.max() * 10 ** (-_ACTIVE_RANGE_DB / 10)
    active = float(power[speech].mean())
    start_s, end_s, silences = _silences(power < active * 10 ** (-_SILENCE_UNDER_ACTIVE_DB / 10), frame / rate)
    longest = max(silences, key=lambda pair: pair[1] - pair[0], default=(0.0, 0.0))
    sounding = _without_inserted_silence(x, rate)
    floor = float(_frame_power(sounding, frame).min()) if len(sounding) >= frame else 0.0
    if 10 * np.log10(active / max(floor, 1e-9)) < _QUIET_ENOUGH_DB:
        floor = min(floor, _noise_in_valleys(sounding, rate))
    noise_floor_dbfs = _dbfs(floor)
    rms_dbfs = _dbfs(active)
    return SignalEvidence(
        duration_s=_rounded(duration_s, 4),
        speech_s=_rounded(float(speech.sum()) * frame / rate, 4),
        peak_dbfs=_rounded(_dbfs(peak * peak), 2),
        rms_dbfs=_rounded(rms_dbfs, 2),
        clipped_share=_rounded(_clipped_share(x), 6),
        dc=_rounded(dc / 32768, 5),
        silence_start_s=_rounded(start_s, 4),
        silence_end_s=_rounded(end_s, 4),
        longest_silence_s=_rounded(longest[1] - longest[0], 4),
        longest_silence_at_s=_rounded(longest[0], 4),
        silences=tuple((_rounded(start, 4), _rounded(end, 4)) for start, end in silences),
        tail_level_db=_rounded(_tail_level_db(x, rate, active), 2),
        noise_floor_dbfs=_rounded(noise_floor_dbfs, 2),
        snr_db=_rounded(rms_dbfs - noise_floor_dbfs, 2),
    )


def _rounded(value: float, digits: int) -> float:
    """Short in JSON, and the same on machines whose sums differ in the last bit."""
    return round(float(value), digits) + 0.0


def _dbfs(power: float) -> float:
    return max(_FLOOR_DBFS, 10 * float(np.log10(max(power, 1e-30) / 32768**2)))


def _silent(duration_s: float, peak: float, dc: float) -> SignalEvidence:
    """A clip with nothing in it; the whole of it counts as silence at the end."""
    return SignalEvidence(
        duration_s=_rounded(duration_s, 4),
        speech_s=0.0,
        peak_dbfs=_rounded(_dbfs(peak * peak), 2),
        rms_dbfs=_FLOOR_DBFS,
        clipped_share=0.0,
        dc=_rounded(dc / 32768, 5),
        silence_start_s=0.0,
        silence_end_s=_rounded(duration_s, 4),
        longest_silence_s=0.0,
        longest_silence_at_s=0.0,
        silences=(),
        tail_level_db=_FLOOR_DBFS,
        noise_floor_dbfs=_FLOOR_DBFS,
        snr_db=0.0,
    )


def _frame_power(x: NDArray[np.float32], frame: int) -> NDArray[np.float32]:
    """Power of whole frames without their means [frames].

    An offset is no sound and would fill every silence with level; and the mean of the whole clip is no offset, some
    voices are just lopsided.
    """
    frames = x[: len(x) // frame * frame].reshape(-1, frame)
    means = frames.mean(axis=1)
    return np.maximum(np.einsum("ij,ij->i", frames, frames) / frame - means * means, 0.0)


def _runs(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """[runs, 2] start and end of every stretch of True."""
    if not mask.any():
        return np.empty((0, 2), dtype=np.intp)
    padded = np.zeros(len(mask) + 2, dtype=np.int8)
    padded[1:-1] = mask
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)


def _silences(quiet: NDArray[np.bool_], frame_s: float) -> tuple[float, float, list[tuple[float, float]]]:
    """Silence at the start, at the end, and the longer ones between, from quiet frames [frames]; seconds."""
    loud = np.flatnonzero(~quiet)
    first, last = int(loud[0]), int(loud[-1])
    shortest = _SHORTEST_SILENCE_S / frame_s - 1e-6
    inside = [
        ((first + int(start)) * frame_s, (first + int(end)) * frame_s)
        for start, end in _runs(quiet[first : last + 1])
        if end - start >= shortest
    ]
    return first * frame_s, (len(quiet) - 1 - last) * frame_s, inside


def _clipped_share(x: NDArray[np.float32]) -> float:
    flat = 0
    for extreme, side in ((x.max(), x), (-x.min(), -x)):
        if extreme <= 0:
            continue
        runs = _runs(side >= extreme * (1 - _FLAT_TOLERANCE))
        lengths = runs[:, 1] - runs[:, 0]
        flat += int(lengths[lengths >= _FLAT_RUN_SAMPLES].sum())
    return flat / len(x)


def _tail_level_db(x: NDArray[np.float32], rate: int, active: float) -> float:
    half = max(1, round(_TAIL_S * rate / 2))
    halves = (x[-2 * half : -half], x[-half:])
    quieter = min(float(part.var()) for part in halves if len(part))
    return max(_FLOOR_DBFS, 10 * float(np.log10(max(quieter, 1e-9) / active)))


def _without_inserted_silence(x: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The samples without long runs of digital silence: an engine inserts those after its own noise was made."""
    runs = _runs(np.abs(x) <= 1)
    runs = runs[runs[:, 1] - runs[:, 0] >= _INSERTED_SILENCE_S * rate]
    if not len(runs):
        return x
    starts = [0, *runs[:, 1]]
    ends = [*runs[:, 0], len(x)]
    return np.concatenate([x[start:end] for start, end in zip(starts, ends, strict=True)])


def _noise_in_valleys(x: NDArray[np.float32], rate: int) -> float:
    """Noise power from the valleys of the spectrum: per band the weakest fifth of the bins, at its quietest in time.

    Voiced sounds leave the valleys between their harmonics empty, and no sound of speech fills all
    bands all of the time; noise does.
    """
    length = min(len(x), round(_VALLEY_WINDOW_S * rate))
    if length < 64:
        return float(np.square(x).mean())
    starts = np.linspace(0, len(x) - length, max(1, 2 * len(x) // length - 1)).astype(int)
    window = np.hanning(length).astype(np.float32)
    frames = np.stack([x[start : start + length] for start in starts]) * window  # [frames, samples]
    spectrum = np.square(np.abs(np.fft.rfft(frames, axis=1)))  # [frames, bins]
    per_band = max(8, round(_VALLEY_BAND_HZ * length / rate))
    bands = spectrum.shape[1] // per_band
    spectrum = spectrum[:, : bands * per_band].reshape(len(frames), bands, per_band)
    valleys = np.quantile(spectrum, _VALLEY_QUANTILE, axis=2).min(axis=0) / _VALLEY_BIAS  # [bands]
    # Both halves of the spectrum; the sum of the squared window is what a frame's energy is scaled by.
    return float(2 * valleys.sum() * per_band / length / np.square(window).sum())
