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


def _nats(value: float) -> str:
    return f"{value:.1f} nats"


def _words(value: float) -> str:
    return count_of(round(value), "word", "words")


def _plain(value: float) -> str:
    return f"{value:g}"


AT_MOST, AT_LEAST = "at most", "at least"

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
    "misfit": (_nats, AT_MOST),
    "wrong_words": (_nats, AT_MOST),
    "nothing_heard": (spell_share, AT_MOST),
    "wrong_line": (spell_share, AT_MOST),
    "word_errors": (spell_share, AT_MOST),
    "wer": (spell_share, AT_MOST),
    "unclear_word": (spell_share, AT_MOST),
    "character_errors": (spell_share, AT_MOST),
    "wrong_run": (_words, AT_MOST),
    "missing_end": (_words, AT_MOST),
    "missing_words": (_words, AT_MOST),
    "repeated": (_words, AT_MOST),
    "extra_start": (_words, AT_MOST),
    "extra_end": (_words, AT_MOST),
    "extra_words": (_words, AT_MOST),
}


def spell_limit(reason: Mapping[str, Any]) -> str:
    """Measured value and threshold of a reason; empty for one that was not measured.

    >>> spell_limit({"code": "cut_ending", "measured": -2.77, "threshold": -12.0})
    'measured −2.8 dB, at most −12.0 dB wanted'
    >>> spell_limit({"code": "drill", "measured": None, "threshold": None})
    ''
    """
    measured, threshold = reason["measured"], reason["threshold"]
    if not _is_number(measured):
        return ""
    spell, side = _UNITS.get(reason["code"], (_plain, "limit"))
    limit = f", {side} {spell(threshold)}" if _is_number(threshold) else ""
    return f"measured {spell(measured)}{limit}{' wanted' if limit and side != 'limit' else ''}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
