"""The evidence on a take as a short table that a person can read: what was measured, in words and units.

Numbers of the evidence only; what they mean for the verdict stands in the reasons, with the threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from replikk.report.wording import spell_length, spell_share

LONGEST_QUOTE = 200


class Measure(NamedTuple):
    label: str
    value: str


def _count(value: int) -> str:
    return str(value)


def _words(value: float) -> str:
    return "1 word" if value == 1 else f"{value:g} words"


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _decibel(value: float) -> str:
    return f"{value:.1f} dB".replace("-", "−")


def _full_scale(value: float) -> str:
    return f"{value:.1f} dBFS".replace("-", "−")


def _nats(value: float) -> str:
    return f"{value:.2f} nats per letter".replace("-", "−")


def _nats_in_all(value: float) -> str:
    return f"{value:.1f} nats".replace("-", "−")


def _logarithm(value: float) -> str:
    return f"{value:.2f} per token (0 is certain, below −1 is guessing)".replace("-", "−")


def _times(value: float) -> str:
    return f"{value:.1f} times"


def _quoted(value: str) -> str:
    return f"«{value[:LONGEST_QUOTE]}{'…' if len(value) > LONGEST_QUOTE else ''}»"


def _pace(value: float) -> str:
    return f"{value:.1f} letters per second"


def _clipped(value: float) -> str:
    return spell_share(value) if value else "none"


_TABLE: tuple[tuple[tuple[str, ...], str, Callable[[Any], str]], ...] = (
    (("comparison", "wer"), "word error rate", spell_share),
    (("comparison", "cer"), "character error rate", spell_share),
    (("comparison", "longest_wrong_run_words"), "longest wrong run", _words),
    (("comparison", "extra_words_start"), "extra words at the start", _words),
    (("comparison", "extra_words_end"), "extra words at the end", _words),
    (("comparison", "missing_words_end"), "missing words at the end", _words),
    (("comparison", "repeated_words"), "repeated words", _words),
    (("margin",), "wanted text against best reading", _nats),
    (("least_confidence",), "confidence in the least sure word", spell_share),
    (("hearing", "wanted_deficit_nats"), "wanted text less likely than the one heard, by", _nats_in_all),
    (("hearing", "mean_log_probability"), "certainty of the judge", _logarithm),
    (("hearing", "own_language"), "sure that it is Norwegian", spell_share),
    (("hearing", "no_speech"), "sure that nobody speaks", spell_share),
    (("hearing", "compression_ratio"), "what was heard compresses", _times),
    (("hearing", "first_text"), "a first, smaller judge heard", _quoted),
    (("hearing", "second_ear_text"), "the second ear heard", _quoted),
    (("hearing", "second_ear_margin"), "wanted text against best reading, by the second ear", _nats),
    (("repeated_fours",), "stretches of four words said again", _count),
    (("signal", "duration_s"), "length", spell_length),
    (("characters_per_s",), "pace", _pace),
    (("pause_excess_s",), "pause longer than wanted, by", _seconds),
    (("pause_missing_s",), "pause shorter than wanted, by", _seconds),
    (("unexplained_silence_s",), "silence where no pause belongs", _seconds),
    (("sound_after_words_s",), "sound after the last word", _seconds),
    (("signal", "silence_start_s"), "silence at the start", _seconds),
    (("signal", "silence_end_s"), "silence at the end", _seconds),
    (("signal", "tail_level_db"), "last 10 ms against the speech", _decibel),
    (("signal", "clipped_share"), "clipped samples", _clipped),
    (("signal", "rms_dbfs"), "level of the speech", _full_scale),
    (("signal", "snr_db"), "speech over noise", _decibel),
)
_SILENT_WHEN_ZERO = frozenset(
    {
        "extra_words_start",
        "extra_words_end",
        "missing_words_end",
        "repeated_words",
        "longest_wrong_run_words",
        "pause_excess_s",
        "pause_missing_s",
        "unexplained_silence_s",
        "repeated_fours",
        "first_text",
        "second_ear_text",
    }
)


def measures(evidence: Mapping[str, Any] | None) -> list[Measure]:
    """What was measured, in the order of the table; a kind that this take has no value for is left out."""
    found = []
    for path, label, spell in _TABLE:
        value: Any = evidence
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is None or (not value and path[-1] in _SILENT_WHEN_ZERO):
            continue
        found.append(Measure(label, spell(value)))
    return found
