"""What the sound of a take alone gives away, whatever was said; levels are held against the speech of the same clip.

Nothing here is overruled by a judge: that every word was understood excuses no distortion.
"""

from __future__ import annotations

from collections.abc import Iterator

from replikk.judges.evidence import Evidence
from replikk.judges.reason import Reason
from replikk.judges.thresholds import Band

_ABOVE_NOISE_DB = 6.0
"""An ending this far above the noise is speech."""


def sound_reasons(evidence: Evidence, band: Band) -> Iterator[Reason]:
    """Faults of the recording itself: level, distortion, noise, cut ends, silences, length."""
    signal = evidence.signal
    if signal.rms_dbfs < band.min_level_dbfs:
        text = f"the speech is hardly audible ({signal.rms_dbfs:.0f} dBFS)"
        yield Reason("too_quiet", signal.rms_dbfs, band.min_level_dbfs, text)
    if signal.clipped_share > band.max_clipped_share:
        yield Reason(
            "clipping",
            signal.clipped_share,
            band.max_clipped_share,
            f"it is distorted: {signal.clipped_share:.1%} of the samples are clipped",
        )
    if signal.snr_db < band.min_snr_db:
        yield Reason(
            "noise",
            signal.snr_db,
            band.min_snr_db,
            f"there is noise: it lies only {signal.snr_db:.0f} dB under the speech",
        )
    if abs(signal.dc) > band.max_dc:
        yield Reason("offset", abs(signal.dc), band.max_dc, f"the wave has an offset of {abs(signal.dc):.0%}")
    # A clip full of noise is loud at its end as well: that is one fault, not two.
    if signal.tail_level_db > max(band.max_tail_level_db, _ABOVE_NOISE_DB - signal.snr_db):
        yield Reason(
            "cut_ending",
            signal.tail_level_db,
            band.max_tail_level_db,
            "it ends too early: the last 10 ms are still loud",
        )
    after_s = evidence.sound_after_words_s
    if after_s > band.max_sound_after_words_s and not evidence.drill:
        text = f"{after_s:.1f} s of sound after the last word"
        yield Reason("sound_after_words", after_s, band.max_sound_after_words_s, text)
    yield from _silence_reasons(evidence, band)
    if evidence.max_seconds is not None and signal.duration_s > evidence.max_seconds:
        yield Reason(
            "too_long",
            signal.duration_s,
            evidence.max_seconds,
            f"it lasts {signal.duration_s:.1f} s, the line allows {evidence.max_seconds:g} s",
        )


def _silence_reasons(evidence: Evidence, band: Band) -> Iterator[Reason]:
    signal = evidence.signal
    if signal.silence_start_s > band.max_silence_start_s:
        yield Reason(
            "silence_start",
            signal.silence_start_s,
            band.max_silence_start_s,
            f"it begins with {signal.silence_start_s:.1f} s of silence",
        )
    end_s = signal.silence_end_s - evidence.pause_end_s
    if end_s > band.max_silence_end_s:
        yield Reason(
            "silence_end", end_s, band.max_silence_end_s, f"it ends with {end_s:.1f} s of silence that nobody wanted"
        )
    if evidence.unexplained_silence_s > band.max_unexplained_silence_s:
        yield Reason(
            "silence_inside",
            evidence.unexplained_silence_s,
            band.max_unexplained_silence_s,
            f"{evidence.unexplained_silence_s:.1f} s of silence after {evidence.unexplained_silence_at_s:.1f} s, "
            "where neither a pause nor punctuation stands",
        )
    if evidence.pause_excess_s > band.max_pause_excess_s:
        yield Reason(
            "long_pause",
            evidence.pause_excess_s,
            band.max_pause_excess_s,
            f"a pause is {evidence.pause_excess_s:.1f} s too long",
        )
    if evidence.pause_missing_s > band.max_pause_missing_s:
        yield Reason(
            "missing_pause",
            evidence.pause_missing_s,
            band.max_pause_missing_s,
            f"a wanted pause is {evidence.pause_missing_s:.1f} s too short",
        )


def pace_reasons(evidence: Evidence, band: Band) -> Iterator[Reason]:
    """Whether the clip is too short or too long for its text, silences left out."""
    pace = evidence.characters_per_s
    if pace > band.max_characters_per_s:
        yield Reason(
            "too_fast",
            pace,
            band.max_characters_per_s,
            f"{pace:.0f} letters a second: too short for its text, something is missing or hurried",
        )
    elif pace < band.min_characters_per_s:
        yield Reason(
            "too_slow",
            pace,
            band.min_characters_per_s,
            f"{pace:.1f} letters a second: too long for its text, something was added or drawn out",
        )
