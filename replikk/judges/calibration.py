"""Limits chosen from clips that people have called good or bad: at most the wanted share of good ones is stopped.

Per length band, starting from the limits in force, one limit is moved at a time. While too many good clips are
stopped, the move that frees most of them and lets the fewest bad ones through is made; then, while the share allows,
the move that stops most bad ones. A limit that no clip speaks for stays as it is. What is reported is measured on
clips that the limits were *not* chosen from: they are chosen from one half and tried on the other, and the other way
round; then once more from all, and those are proposed.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from replikk.judges.evidence import Evidence
from replikk.judges.intervals import Share, wilson
from replikk.judges.reasons import misfit_nats
from replikk.judges.thresholds import BANDS, Band, Thresholds, band_of
from replikk.judges.verdict import Verdict, decide
from replikk.judges.voice_profiles import VoiceFit
from replikk.judges.voice_traits import VoiceTraits

LEAST_GOOD = 20
"""A band with fewer good clips keeps its limits: its false-alarm rate would be known to 15 % at best."""
_MOST_MOVES = 60


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


@dataclass(frozen=True)
class Rates:
    """How a set of limits did."""

    false_alarms: Share
    """Good clips that were stopped."""
    misses: Share
    """Bad clips that passed."""


@dataclass(frozen=True)
class Calibration:
    """What was found for one band."""

    band: str
    now: Rates
    """With the limits in force."""
    proposed: Rates
    """On clips that the limits were not chosen from."""
    changes: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By limit: (in force, proposed)."""
    remark: str = ""


Measure = Callable[[Case, Band], float | None]

# What each limit is held against; a limit that is not here is never moved. Most of them are in the reasons as well, but
# only of clips that have that reason.
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
_LOWEST: dict[str, Measure] = {
    "min_characters_per_s": lambda case, _: case.evidence.characters_per_s,
    "min_snr_db": lambda case, _: case.evidence.signal.snr_db,
    "min_level_dbfs": lambda case, _: case.evidence.signal.rms_dbfs,
    "min_speaker_similarity": lambda case, _: case.traits.speaker_similarity if case.traits else None,
    "min_naturalness_mos": lambda case, _: case.traits.naturalness_mos if case.traits else None,
}


def _of_hearing(case: Case, name: str) -> float | None:
    return None if case.evidence.hearing is None else getattr(case.evidence.hearing, name)


def calibrate(cases: Sequence[Case], thresholds: Thresholds, most_false_alarms: float) -> list[Calibration]:
    """Limits for every band that has enough clips; ``most_false_alarms`` is a share, such as 0.02.

    Drills are left out: they are for a person whatever the limits.
    """
    cases = [case for case in cases if not case.evidence.drill]
    return [
        _calibrate_band(name, [case for case in cases if case.band == name], thresholds.bands[name], most_false_alarms)
        for name in BANDS
    ]


def rates(cases: Sequence[Case], band: Band) -> Rates:
    """How often the limits stop good clips and let bad ones pass."""
    good = [_stopped(case, band) for case in cases if case.good]
    bad = [not _stopped(case, band) for case in cases if not case.good]
    return Rates(wilson(sum(good), len(good)), wilson(sum(bad), len(bad)))


def _calibrate_band(name: str, cases: Sequence[Case], band: Band, most: float) -> Calibration:
    now = rates(cases, band)
    good = sum(case.good for case in cases)
    if good < LEAST_GOOD:
        return Calibration(name, now, now, remark=f"{good} good clips are too few; {LEAST_GOOD} are needed")
    tried: list[Rates] = []
    for half in (0, 1):
        chosen = _choose([case for case in cases if _half(case) == half], band, most)
        tried.append(rates([case for case in cases if _half(case) != half], chosen))
    proposed = Rates(
        wilson(sum(one.false_alarms.hits for one in tried), sum(one.false_alarms.total for one in tried)),
        wilson(sum(one.misses.hits for one in tried), sum(one.misses.total for one in tried)),
    )
    final = _choose(cases, band, most)
    moved = {
        limit: (getattr(band, limit), getattr(final, limit))
        for limit in (*_HIGHEST, *_LOWEST)
        if getattr(band, limit) != getattr(final, limit)
    }
    remark = "" if len(cases) > good else "no clip is called bad: limits could only be loosened, and misses are unknown"
    return Calibration(name, now, proposed, moved, remark)


def _half(case: Case) -> int:
    """Which half a clip belongs to: by its name, so that another clip more changes no other's."""
    return hashlib.sha256(case.name.encode()).digest()[0] % 2


def _verdict(case: Case, band: Band) -> Verdict:
    return decide(case.evidence, Thresholds(dict.fromkeys(BANDS, band)), case.fit, case.traits)


def _stopped(case: Case, band: Band) -> bool:
    return _verdict(case, band).outcome != "pass"


def _choose(cases: Sequence[Case], band: Band, most: float) -> Band:
    good = [case for case in cases if case.good]
    bad = [case for case in cases if not case.good]
    allowed = math.floor(most * len(good) + 1e-9)
    for _ in range(_MOST_MOVES):
        stopped = [case for case in good if _stopped(case, band)]
        missed = [case for case in bad if not _stopped(case, band)]
        moves = list(_loosened(stopped, band) if len(stopped) > allowed else _tightened(missed, band))
        ranked = []
        for move in moves:
            alarms = sum(_stopped(case, move) for case in good)
            misses = sum(not _stopped(case, move) for case in bad)
            if len(stopped) > allowed and alarms < len(stopped):
                ranked.append(((misses - len(missed)) / (len(stopped) - alarms), alarms, move))
            elif len(stopped) <= allowed and misses < len(missed) and alarms <= allowed:
                ranked.append((misses, alarms - len(stopped), move))
        if not ranked:
            break
        band = min(ranked, key=lambda one: one[:2])[2]
    return band


def _loosened(stopped: Sequence[Case], band: Band) -> Iterator[Band]:
    """Every single limit moved out to where one of the stopped clips is."""
    for limit, measure, up in _limits():
        values = {value for case in stopped if (value := measure(case, band)) is not None}
        for value in values:
            rounded = _outwards(value, up)
            if (rounded > getattr(band, limit)) == up and rounded != getattr(band, limit) and _allowed(limit, rounded):
                yield _with(band, limit, rounded)


def _tightened(missed: Sequence[Case], band: Band) -> Iterator[Band]:
    """Every single limit moved in to where it would just stop one of the missed clips."""
    for limit, measure, up in _limits():
        values = {value for case in missed if (value := measure(case, band)) is not None}
        for value in values:
            rounded = _inwards(value, up)
            if (rounded < getattr(band, limit)) == up and rounded != getattr(band, limit) and _allowed(limit, rounded):
                yield _with(band, limit, rounded)


def _with(band: Band, limit: str, value: float) -> Band:
    changed: dict[str, Any] = {limit: value}
    return replace(band, **changed)


def _limits() -> Iterator[tuple[str, Measure, bool]]:
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
