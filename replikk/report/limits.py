"""What was measured for a reason, and where the limit lies, as people write it: "15.0 dB, at least 18.0 dB wanted"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from replikk.report.wording import count_of, spell_share


def _signed(value: float, unit: str) -> str:
    return f"{value:.1f} {unit}".replace("-", "−")


def _decibel(value: float) -> str:
    return _signed(value, "dB")


def _full_scale(value: float) -> str:
    return _signed(value, "dBFS")


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _pace(value: float) -> str:
    return f"{value:.1f} letters a second"


_UNIT_ONCE = ("a misfit of ", "a likeness of ", " letters a second", " times the usual time", " word errors")
"""Said with what was measured, and not again with the limit."""


def _misfit(value: float) -> str:
    """How much worse the script explains the sound than the best reading does, in nats, a unit that few know."""
    return f"a misfit of {value:.1f}".replace("-", "−")


def _semitones(value: float) -> str:
    return f"{value:.1f} semitones"


def _times(value: float) -> str:
    return f"{value:.2f} times the usual time"


def _likeness(value: float) -> str:
    return f"a likeness of {value:.2f}".replace("-", "−")


def _of_five(value: float) -> str:
    return f"{value:.1f} of 5"


def _word_errors(value: float) -> str:
    return f"{spell_share(value)} word errors"


def _words(value: float) -> str:
    return count_of(round(value), "word", "words")


def _plain(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


AT_MOST, AT_LEAST, LIMIT = "at most", "at least", "limit"

_UNITS: dict[str, tuple[Callable[[float], str], str]] = {
    "noise": (_decibel, AT_LEAST),
    "too_quiet": (_full_scale, AT_LEAST),
    "silent": (_full_scale, AT_LEAST),
    "too_slow": (_pace, AT_LEAST),
    "too_fast": (_pace, AT_MOST),
    "clipping": (spell_share, AT_MOST),
    "offset": (spell_share, AT_MOST),
    "cut_ending": (_decibel, AT_MOST),
    "silence_start": (_seconds, AT_MOST),
    "silence_end": (_seconds, AT_MOST),
    "silence_inside": (_seconds, AT_MOST),
    "long_pause": (_seconds, AT_MOST),
    "missing_pause": (_seconds, AT_MOST),
    "too_long": (_seconds, AT_MOST),
    "sound_after_words": (_seconds, AT_MOST),
    "misfit": (_misfit, AT_MOST),
    "wrong_words": (_misfit, AT_MOST),
    "unclear_words": (_misfit, LIMIT),
    "ears_disagree": (_misfit, AT_MOST),
    "nothing_heard": (_word_errors, AT_MOST),
    "wrong_line": (_word_errors, AT_MOST),
    "word_errors": (_word_errors, AT_MOST),
    "wer": (_word_errors, AT_MOST),
    "unclear_word": (spell_share, AT_MOST),
    "character_errors": (spell_share, AT_MOST),
    "wrong_run": (_words, AT_MOST),
    "other_words": (_words, AT_MOST),
    "missing_end": (_words, AT_MOST),
    "missing_words": (_words, AT_MOST),
    "repeated": (_words, AT_MOST),
    "extra_start": (_words, AT_MOST),
    "extra_end": (_words, AT_MOST),
    "extra_words": (_words, AT_MOST),
    "direction_spoken": (_words, AT_MOST),
    "reference_spoken": (_words, AT_MOST),
    "loop": (_plain, AT_MOST),
    "no_speech": (spell_share, AT_MOST),
    "other_language": (spell_share, AT_LEAST),
    "other_voice": (_misfit, AT_MOST),
    "level_outlier": (_decibel, AT_MOST),
    "pitch_outlier": (_semitones, AT_MOST),
    "slow_outlier": (_times, AT_MOST),
    "fast_outlier": (_times, AT_LEAST),
    "unlike_reference": (_likeness, AT_LEAST),
    "unnatural": (_of_five, AT_LEAST),
}


def spell_limit(reason: Mapping[str, Any]) -> str:
    """Measured value and threshold of a reason; empty for one that was not measured.

    >>> spell_limit({"code": "cut_ending", "measured": -2.77, "threshold": -12.0})
    'measured −2.8 dB, at most −12.0 dB wanted'
    >>> spell_limit({"code": "misfit", "measured": 16.3, "threshold": 12.0})
    'measured a misfit of 16.3, at most 12.0 wanted'
    >>> spell_limit({"code": "drill", "measured": None, "threshold": None})
    ''
    """
    measured, threshold = reason["measured"], reason["threshold"]
    if not _is_number(measured):
        return ""
    spell, side = _UNITS.get(reason["code"], (_plain, LIMIT))
    limit = f", {side} {_without_unit(spell(threshold))}" if _is_number(threshold) else ""
    return f"measured {spell(measured)}{limit}{' wanted' if limit and side != LIMIT else ''}"


def _without_unit(text: str) -> str:
    for unit in _UNIT_ONCE:
        text = text.removeprefix(unit).removesuffix(unit)
    return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
