"""The limits that calibration may move: what each is held against, and how far it may go.

A limit moves where a clip lies, to three digits; one that counts words moves by whole words. Counts have an end, which
no clip can move: fewer than half of what a fault of the whole line counts in the shortest line of the band; and so have
the rates, at half of all words or letters. A line said twice, another line, or a line of which half is missing stays a
fault, whatever somebody once accepted. A direction is spoken aloud with two words of it, so ``max_leaked_words`` may
only become stricter.

The others stay where they are, for a reason each:

- ``max_margin``, ``spelling_nats``, ``proven_misfit_nats``, ``max_proven_cer``, ``proven_deficit_nats`` and
  ``max_outlier_sigmas`` say which evidence is believed, not how much of a fault is too much; each would undo what the
  limit beside it does;
- ``max_no_speech``, ``min_log_probability``, ``max_compression_ratio`` and ``min_own_language`` are the judge's doubts
  about itself, on the scale of its model, and count only together with others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from replikk.judges.evidence import Evidence
from replikk.judges.other_words import words_beyond_slips
from replikk.judges.reasons import misfit_nats
from replikk.judges.thresholds import BANDS, Band, band_of
from replikk.judges.voice_profiles import VoiceFit
from replikk.judges.voice_traits import VoiceTraits


@dataclass(frozen=True)
class Case:
    """A clip that somebody has judged."""

    name: str
    good: bool
    evidence: Evidence
    fit: VoiceFit | None = None
    traits: VoiceTraits | None = None

    @property
    def band(self) -> str:
        return band_of(self.evidence.words)


Measure = Callable[[Case, Band], float | None]
Count = Callable[[Case], int | None]

# Most of these measures are in the reasons as well, but only of clips that have that reason.
_HIGHEST: dict[str, Measure] = {
    "max_misfit_nats": lambda case, band: misfit_nats(case.evidence, band),
    "max_wer": lambda case, _: case.evidence.comparison.wer if case.evidence.comparison else None,
    "max_cer": lambda case, _: case.evidence.comparison.cer if case.evidence.comparison else None,
    "max_tail_level_db": lambda case, _: case.evidence.signal.tail_level_db,
    "max_clipped_share": lambda case, _: case.evidence.signal.clipped_share,
    "max_silence_start_s": lambda case, _: case.evidence.signal.silence_start_s,
    "max_silence_end_s": lambda case, _: case.evidence.signal.silence_end_s - case.evidence.pause_end_s,
    "max_unexplained_silence_s": lambda case, _: case.evidence.unexplained_silence_s,
    "max_pause_excess_s": lambda case, _: case.evidence.pause_excess_s,
    "max_sound_after_words_s": lambda case, _: case.evidence.sound_after_words_s,
    "max_pause_missing_s": lambda case, _: case.evidence.pause_missing_s,
    "max_dc": lambda case, _: abs(case.evidence.signal.dc),
    "max_characters_per_s": lambda case, _: case.evidence.characters_per_s,
    "max_wanted_deficit_nats": lambda case, _: _of_hearing(case, "wanted_deficit_nats"),
    "max_second_ear_margin": lambda case, _: _of_hearing(case, "second_ear_margin"),
    "max_other_voice_nats": lambda case, _: case.fit.other_voice_nats if case.fit and case.fit.nearest_voice else None,
    "max_level_deviation_db": lambda case, _: abs(case.fit.level_deviation_db) if case.fit else None,
    "max_pitch_deviation_semitones": lambda case, _: (
        abs(case.fit.pitch_deviation_semitones) if case.fit and case.fit.pitch_deviation_semitones is not None else None
    ),
    "max_pace_ratio": lambda case, _: (
        max(case.fit.pace_ratio, 1 / case.fit.pace_ratio) if case.fit and case.fit.pace_ratio > 0 else None
    ),
}
# The one that says most of a fault first: of moves that do the same, the first is made.
_COUNTS: dict[str, Count] = {
    "max_other_words": lambda case: _other_words(case),
    "max_missing_words": lambda case: _of_words(case, "deletions"),
    "max_extra_words": lambda case: _of_words(case, "insertions"),
    "max_repeated_words": lambda case: _of_words(case, "repeated_words"),
    "max_leaked_words": lambda case: case.evidence.leaked_words,
    "max_repeated_fours": lambda case: case.evidence.repeated_fours,
    "max_wrong_run_words": lambda case: _of_words(case, "longest_wrong_run_words"),
}
_LOWEST: dict[str, Measure] = {
    "min_characters_per_s": lambda case, _: case.evidence.characters_per_s,
    "min_snr_db": lambda case, _: case.evidence.signal.snr_db,
    "min_level_dbfs": lambda case, _: case.evidence.signal.rms_dbfs,
    "min_speaker_similarity": lambda case, _: case.traits.speaker_similarity if case.traits else None,
    "min_naturalness_mos": lambda case, _: case.traits.naturalness_mos if case.traits else None,
}
LIMITS = (*_HIGHEST, *_COUNTS, *_LOWEST)
"""All that may move."""
_RATES = ("max_wer", "max_cer")
_WHOLE_LINE_SHARE = 0.5
_SHORTEST_DIRECTION_WORDS = 2


def _of_hearing(case: Case, name: str) -> float | None:
    return None if case.evidence.hearing is None else getattr(case.evidence.hearing, name)


def _of_words(case: Case, name: str) -> int | None:
    return None if case.evidence.comparison is None else getattr(case.evidence.comparison, name)


def _other_words(case: Case) -> int | None:
    """None where the judge can say how likely the wanted words are: nothing is held against this limit then."""
    heard = case.evidence.comparison
    if heard is None or case.evidence.margin is not None or _of_hearing(case, "wanted_deficit_nats") is not None:
        return None
    return words_beyond_slips(heard.alignment, heard.words_expected)


def most_words(limit: str, name: str) -> int:
    """How far out a limit that counts words may be moved in the band of that name."""
    ends = list(BANDS.values())
    shortest = 1 + [0, *ends][list(BANDS).index(name)]
    # A line said twice repeats so many of its stretches of four words.
    whole = {"max_repeated_fours": shortest - 3, "max_leaked_words": _SHORTEST_DIRECTION_WORDS}.get(limit, shortest)
    return max(0, (whole - 1) // 2)


# Moves ---------------------------------------------------------------------------------------------------------------


def loosened(stopped: Sequence[Case], name: str, band: Band) -> Iterator[Band]:
    """Every single limit of the band of that name moved out to where one of the stopped clips is."""
    for limit, measure, up in _measured():
        for value in sorted({v for case in stopped if (v := measure(case, band)) is not None}):
            rounded = _outwards(value, up)
            if limit in _RATES and rounded >= _WHOLE_LINE_SHARE:
                continue
            if (rounded > getattr(band, limit)) == up and rounded != getattr(band, limit) and _allowed(limit, rounded):
                yield _with(band, limit, rounded)
    for limit, count in _COUNTS.items():
        for words in sorted({n for case in stopped if (n := count(case)) is not None}):
            if getattr(band, limit) < words <= most_words(limit, name):
                moved = _with(band, limit, words)
                if limit == "max_repeated_words":  # what is said twice is a word too many as well
                    moved = replace(moved, max_extra_words=max(words, band.max_extra_words))
                yield moved


def tightened(missed: Sequence[Case], band: Band) -> Iterator[Band]:
    """Every single limit moved in to where it just stops one of the missed clips; counts first, which say most."""
    for limit, count in _COUNTS.items():
        for words in sorted({n for case in missed if (n := count(case)) is not None}):
            if 0 <= words - 1 < getattr(band, limit):
                yield _with(band, limit, words - 1)
    for limit, measure, up in _measured():
        for value in sorted({v for case in missed if (v := measure(case, band)) is not None}):
            rounded = _inwards(value, up)
            if (rounded < getattr(band, limit)) == up and rounded != getattr(band, limit) and _allowed(limit, rounded):
                yield _with(band, limit, rounded)


def _with(band: Band, limit: str, value: float) -> Band:
    changed: dict[str, Any] = {limit: value}
    return replace(band, **changed)


def _measured() -> Iterator[tuple[str, Measure, bool]]:
    """(limit, measure, whether it is an upper limit)."""
    yield from ((limit, measure, True) for limit, measure in _HIGHEST.items())
    yield from ((limit, measure, False) for limit, measure in _LOWEST.items())


def _allowed(limit: str, value: float) -> bool:
    return math.isfinite(value) and (value >= 0 or limit.endswith(("_db", "_dbfs")))


def _outwards(value: float, up: bool) -> float:
    """Three digits, away from what is good: 0.12345 becomes 0.124 of an upper limit."""
    return _rounded(value, math.ceil if up else math.floor)


def _inwards(value: float, up: bool) -> float:
    """A limit of three digits that this value just exceeds."""
    unit = _unit(value)
    near = _rounded(value, math.floor if up else math.ceil)
    return near if near != value else _rounded(value - unit if up else value + unit, round)


def _unit(value: float) -> float:
    return 10.0 ** (math.floor(math.log10(abs(value))) - 2) if value else 0.001


def _rounded(value: float, how: Callable[[float], int]) -> float:
    unit = _unit(value)
    return round(how(round(value / unit, 6)) * unit, 9)
