"""A take becomes a clip of the game: trim, fade, resample, one gain, encode, verify. The entry point of this room.

    measured = measure(samples, rate, settings)                    # cheap; may be kept per take
    anchor = anchor_gain_db(measured of the voice's other clips)   # only where measured.kind == "anchor"
    delivered = deliver(samples, rate, settings=settings, anchor_gain_db=anchor, tags=..., serial_from=key)

Design:
- Everything is a pure function of the arguments: equal arguments give equal bytes in every process.
- The true peak is measured on the decoded file, because a lossy codec moves peaks; when it is above the ceiling the
  gain is lowered by the excess and the clip encoded again.
- The gain is rounded to 0.01 dB before it is applied: the number in the manifest is the whole truth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replikk.audio.encode import decode, encode
from replikk.audio.gain import (
    LoudnessKind,
    Measured,
    anchor_gain_db,
    loudness_of,
    measure_prepared,
    wanted_gain_db,
)
from replikk.audio.resample import resample
from replikk.audio.settings import VERSION, DeliverySettings, fingerprint
from replikk.audio.trim import SpeechBounds, speech_bounds
from replikk.audio.true_peak import true_peak_dbtp
from replikk.errors import AudioError

__all__ = [
    "VERSION", "Delivered", "DeliverySettings", "Measured", "Prepared", "anchor_gain_db", "deliver", "fingerprint",
    "measure", "prepare",
]  # fmt: skip

SHORTEST_S = 0.01
"""Shorter clips hold no speech; they are delivered as they are, with gain 0."""
LEAST_FADE_S = 0.002
"""A take that ends in the middle of a sound still gets this much, against a click."""
MAX_ENCODES = 6
"""Each one after the first lowers the gain by the excess and a growing margin; the third is already rare."""
LOSSY_MARGIN_DB = 0.25
"""Vorbis at quality 5 raises the true peak of speech by 0.1 dB (median), 0.35 dB (nine of ten), 0.9 dB (worst of 80
clips): a clip that must be limited anyway aims this far below the ceiling at once, which saves most second
encodings."""
RETRY_MARGIN_DB = 0.1


@dataclass(frozen=True)
class Prepared:
    """A take, trimmed, faded and at the delivery rate; no gain yet."""

    samples: NDArray[np.float32]  # [samples], full scale = 1
    sample_rate_hz: int
    trimmed_head_s: float
    """Cut off at the start; the silence that is kept before the speech is not in it."""
    trimmed_tail_s: float
    added_head_s: float
    """Silence put before the take, because the script wants more than it has."""


@dataclass(frozen=True)
class Delivered:
    """A finished clip and what the manifest says about it."""

    data: bytes
    """The file."""
    sample_rate_hz: int
    duration_s: float
    loudness_before_lufs: float | None
    """Of the trimmed take; None for silence."""
    loudness_after_lufs: float | None
    """Of the decoded clip."""
    loudness_kind: LoudnessKind
    true_peak_dbtp: float | None
    """Of the decoded clip; None for silence."""
    gain_db: float
    gain_limited_db: float
    """How much of the wanted gain the true-peak ceiling took away; 0 or more."""
    trimmed_head_s: float
    trimmed_tail_s: float
    encodes: int
    """How many times the clip was encoded until its true peak was below the ceiling."""


def prepare(
    samples: NDArray[np.int16],
    sample_rate_hz: int,
    settings: DeliverySettings,
    *,
    keep_head_s: float = 0.0,
    keep_tail_s: float = 0.0,
) -> Prepared:
    """Trim, fade and resample a mono int16 take [samples].

    ``keep_head_s`` and ``keep_tail_s`` are silence the script wants (a pause in its markup) before and after the
    speech: the clip has it even where the take has less. Raises AudioError for samples that are not mono int16 or an
    odd rate.
    """
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise AudioError(f"a take is mono int16, not {samples.dtype} of shape {samples.shape}; convert it first")
    if not 8_000 <= sample_rate_hz <= 48_000:
        raise AudioError(f"a take at {sample_rate_hz} Hz cannot be delivered; resample it to 8,000 to 48,000 Hz first")
    signal = samples.astype(np.float32) * np.float32(1 / 32768)
    bounds = SpeechBounds(0, 0)
    if settings.trim and len(signal) >= SHORTEST_S * sample_rate_hz:
        bounds = speech_bounds(
            signal,
            sample_rate_hz,
            threshold_db=settings.trim_threshold_db,
            hysteresis_db=settings.trim_hysteresis_db,
        )
    if bounds.start == bounds.end:  # trimming is off, or there is nothing but silence
        bounds = SpeechBounds(0, len(signal))

    def count(seconds: float) -> int:
        return round(seconds * sample_rate_hz)

    head = bounds.start - count(max(settings.keep_head_ms / 1000, keep_head_s))
    tail = bounds.end + count(max(settings.keep_tail_ms / 1000, keep_tail_s))
    start, end = max(0, head), min(len(signal), tail)
    clip = signal[start:end].copy()
    # A fade lies in the margin; where the take has none, the shortest one against a click.
    least = count(LEAST_FADE_S)
    _fade(clip, min(count(settings.fade_in_ms / 1000), max(bounds.start - start, least)))
    _fade(clip[::-1], min(count(settings.fade_out_ms / 1000), max(end - bounds.end, least)))
    missing_head = max(0, count(keep_head_s) - (bounds.start - start))
    missing_tail = max(0, count(keep_tail_s) - (end - bounds.end))
    if missing_head or missing_tail:
        clip = np.pad(clip, (missing_head, missing_tail))
    rate = settings.rate_for(sample_rate_hz)
    return Prepared(
        samples=resample(clip, sample_rate_hz, rate),
        sample_rate_hz=rate,
        trimmed_head_s=round(start / sample_rate_hz, 6),
        trimmed_tail_s=round((len(signal) - end) / sample_rate_hz, 6),
        added_head_s=round(missing_head / sample_rate_hz, 6),
    )


def _fade(clip: NDArray[np.float32], length: int) -> None:
    """A raised-cosine fade over the first ``length`` samples, in place."""
    length = min(length, len(clip) // 2)
    if length > 0:
        clip[:length] *= (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / length)).astype(np.float32)


def measure(
    samples: NDArray[np.int16],
    sample_rate_hz: int,
    settings: DeliverySettings,
    *,
    keep_head_s: float = 0.0,
    keep_tail_s: float = 0.0,
) -> Measured:
    """The level of a take once trimmed: which rule it falls under, its loudness, the gain it needs."""
    prepared = prepare(samples, sample_rate_hz, settings, keep_head_s=keep_head_s, keep_tail_s=keep_tail_s)
    return measure_prepared(prepared.samples, prepared.sample_rate_hz, settings)


def deliver(
    samples: NDArray[np.int16],
    sample_rate_hz: int,
    *,
    settings: DeliverySettings,
    tags: Mapping[str, str],
    serial_from: str,
    offset_lu: float = 0.0,
    anchor_gain_db: float | None = None,
    keep_head_s: float = 0.0,
    keep_tail_s: float = 0.0,
) -> Delivered:
    """Make the clip of a take, mono int16 ``samples`` [samples].

    ``offset_lu`` is added to the target: the voice's and the style's offsets together. ``anchor_gain_db`` is used by
    clips below 0.4 s only. ``serial_from`` names the clip's key: the Ogg stream serial is made from it. A clip of
    silence, or shorter than 10 ms, is delivered with gain 0 and loudness None. Raises AudioError when encoding fails,
    or when the true peak cannot be brought below the ceiling.
    """
    prepared = prepare(samples, sample_rate_hz, settings, keep_head_s=keep_head_s, keep_tail_s=keep_tail_s)
    signal, rate = prepared.samples, prepared.sample_rate_hz
    measured = measure_prepared(signal, rate, settings)
    too_short = len(signal) < SHORTEST_S * rate
    wanted_db, kind = wanted_gain_db(measured, settings, offset_lu=offset_lu, anchor_gain_db=anchor_gain_db)
    if too_short:
        wanted_db = 0.0
    peak_dbtp = true_peak_dbtp(signal)
    gain_db = round(wanted_db, 2)
    margin_db = 0.0 if settings.format == "wav" else LOSSY_MARGIN_DB
    if peak_dbtp is not None and peak_dbtp + gain_db > settings.ceiling_dbtp - margin_db:
        gain_db = _floor_cents(settings.ceiling_dbtp - margin_db - peak_dbtp)

    for encodes in range(1, MAX_ENCODES + 1):
        data = encode(
            signal * np.float32(10 ** (gain_db / 20)),
            rate,
            settings.format,
            vorbis_quality=settings.vorbis_quality,
            opus_bitrate_bps=settings.opus_bitrate_bps,
            tags=tags,
            serial_from=serial_from,
        )
        decoded = decode(data)
        peak_dbtp = true_peak_dbtp(decoded)
        if peak_dbtp is None or peak_dbtp <= settings.ceiling_dbtp:
            break
        gain_db = _floor_cents(gain_db - (peak_dbtp - settings.ceiling_dbtp) - RETRY_MARGIN_DB * encodes)
    else:
        raise AudioError(
            f"the true peak stays above {settings.ceiling_dbtp:g} dBTP after {MAX_ENCODES} encodings; "
            "lower delivery.ceiling_dbtp or raise the codec's quality"
        )
    after = loudness_of(decoded, rate, kind, settings)
    return Delivered(
        data=data,
        sample_rate_hz=rate,
        duration_s=round(len(decoded) / rate, 6),
        loudness_before_lufs=None if too_short else measured.loudness_lufs,
        loudness_after_lufs=None if after is None or too_short else round(after, 2),
        loudness_kind=kind,
        true_peak_dbtp=None if peak_dbtp is None else round(peak_dbtp, 2),
        gain_db=gain_db,
        gain_limited_db=round(max(0.0, wanted_db - gain_db), 2) if wanted_db - gain_db > 0.0051 else 0.0,
        trimmed_head_s=prepared.trimmed_head_s,
        trimmed_tail_s=prepared.trimmed_tail_s,
        encodes=encodes,
    )


def _floor_cents(decibels: float) -> float:
    """Rounded down to 0.01 dB."""
    return math.floor(decibels * 100) / 100
