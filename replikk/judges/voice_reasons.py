"""What speaks against a take beside the other lines of its voice, and beside its reference recording.

A deviation is an outlier when it is beyond its limit and beyond what the voice does anyway (``max_outlier_sigmas``). A
line with a direction of its own may stray further where too few others have that direction.

**What other lines say is a doubt, never an error.** A take is bad by itself, or a person hears it. Were it tried again
because of its neighbours, a changed line could have other lines spoken anew that nobody touched. So which takes a build
makes, and which it chooses, depends on each line alone; neighbours can only send a finished take to a person's ear, or
take it off that list. A likeness to the reference recording and the sound's quality belong to the take: errors.
"""

from __future__ import annotations

from collections.abc import Iterator

from replikk.judges.reason import DOUBT, Reason
from replikk.judges.thresholds import Band
from replikk.judges.voice_profiles import VoiceFit
from replikk.judges.voice_traits import VoiceTraits

DIRECTED_SLACK = 1.35
"""What a direction does to a voice: 4 dB, 6 semitones and a quarter of the pace for the moods that do most."""


def voice_reasons(fit: VoiceFit | None, traits: VoiceTraits | None, band: Band) -> Iterator[Reason]:
    """Everything about the voice that stands between a take and its pass."""
    if fit is not None:
        yield from _outliers(fit, band)
    if traits is None:
        return
    if traits.speaker_similarity is not None and traits.speaker_similarity < band.min_speaker_similarity:
        yield Reason(
            "unlike_reference",
            traits.speaker_similarity,
            band.min_speaker_similarity,
            f"it does not sound like the voice's reference recording ({traits.speaker_similarity:.2f})",
        )
    if traits.naturalness_mos is not None and traits.naturalness_mos < band.min_naturalness_mos:
        yield Reason(
            "unnatural",
            traits.naturalness_mos,
            band.min_naturalness_mos,
            f"it sounds bad: {traits.naturalness_mos:.1f} of 5 by DNSMOS",
        )


def _outliers(fit: VoiceFit, band: Band) -> Iterator[Reason]:
    if fit.nearest_voice and fit.other_voice_nats > band.max_other_voice_nats:
        text = f"it sounds more like the voice '{fit.nearest_voice}' than like its own"
        yield Reason("other_voice", fit.other_voice_nats, band.max_other_voice_nats, text, DOUBT)
    slack = 1.0 if fit.like_direction else DIRECTED_SLACK
    limit = round(max(band.max_level_deviation_db * slack, band.max_outlier_sigmas * fit.level_spread_db), 2)
    if abs(fit.level_deviation_db) > limit:
        how = "louder" if fit.level_deviation_db > 0 else "quieter"
        text = f"it is {abs(fit.level_deviation_db):.0f} dB {how} than the voice's other lines"
        yield Reason("level_outlier", abs(fit.level_deviation_db), limit, text, DOUBT)
    if fit.pitch_deviation_semitones is not None:
        limit = round(
            max(band.max_pitch_deviation_semitones * slack, band.max_outlier_sigmas * fit.pitch_spread_semitones), 2
        )
        if abs(fit.pitch_deviation_semitones) > limit:
            how = "higher" if fit.pitch_deviation_semitones > 0 else "lower"
            text = f"it is {abs(fit.pitch_deviation_semitones):.0f} semitones {how} than the voice's other lines"
            yield Reason("pitch_outlier", abs(fit.pitch_deviation_semitones), limit, text, DOUBT)
    limit = round(band.max_pace_ratio * slack, 3)
    if fit.pace_ratio > limit:
        text = f"it takes {fit.pace_ratio:.1f} times as long as this voice usually does"
        yield Reason("slow_outlier", fit.pace_ratio, limit, text, DOUBT)
    elif 0 < fit.pace_ratio < 1 / limit:
        text = f"it takes only {fit.pace_ratio:.0%} of the time that this voice usually does"
        yield Reason("fast_outlier", fit.pace_ratio, round(1 / limit, 3), text, DOUBT)
