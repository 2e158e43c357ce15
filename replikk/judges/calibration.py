"""Limits chosen from clips that people have called good or bad: at most the wanted share of good ones is stopped.

Per length band, starting from the limits in force, one limit is moved at a time. While too many good clips are
stopped, the move that frees most of them and lets the fewest bad ones through is made; then, while the share allows,
the move that stops most bad ones. A limit that no clip speaks for stays as it is; which may move, and how far, stands
in ``calibration_limits``. What is reported is measured on clips that the limits were *not* chosen from: they are
chosen from one half and tried on the other, and the other way round; then once more from all, and those are proposed.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from replikk.judges.calibration_limits import LIMITS, Case, loosened, tightened
from replikk.judges.intervals import Share, wilson
from replikk.judges.thresholds import BANDS, Band, Thresholds
from replikk.judges.verdict import Verdict, decide

LEAST_GOOD = 20
"""A band with fewer good clips keeps its limits: its false-alarm rate would be known to 15 % at best."""
_MOST_MOVES = 60


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
        chosen = _choose([case for case in cases if _half(case) == half], name, band, most)
        tried.append(rates([case for case in cases if _half(case) != half], chosen))
    proposed = Rates(
        wilson(sum(one.false_alarms.hits for one in tried), sum(one.false_alarms.total for one in tried)),
        wilson(sum(one.misses.hits for one in tried), sum(one.misses.total for one in tried)),
    )
    final = _choose(cases, name, band, most)
    moved = {
        limit: (getattr(band, limit), getattr(final, limit))
        for limit in LIMITS
        if getattr(band, limit) != getattr(final, limit)
    }
    return Calibration(name, now, proposed, moved, _remark(cases, final, most))


def _remark(cases: Sequence[Case], final: Band, most: float) -> str:
    """What the proposal cannot do; empty where it does all that was wanted."""
    if all(case.good for case in cases):
        return "no clip is called bad: limits could only be loosened, and misses are unknown"
    good = [_verdict(case, final) for case in cases if case.good]
    stopped = [verdict for verdict in good if verdict.outcome != "pass"]
    if len(stopped) <= math.floor(most * len(good) + 1e-9):
        return ""
    codes = Counter(reason.code for verdict in stopped for reason in verdict.reasons)
    named = ", ".join(code for code, _ in codes.most_common(4))
    return f"{len(stopped)} of {len(good)} good clips are still stopped, and no limit that may move frees them: {named}"


def _half(case: Case) -> int:
    """Which half a clip belongs to: by its name, so that another clip more changes no other's."""
    return hashlib.sha256(case.name.encode()).digest()[0] % 2


def _verdict(case: Case, band: Band) -> Verdict:
    return decide(case.evidence, Thresholds(dict.fromkeys(BANDS, band)), case.fit, case.traits)


def _stopped(case: Case, band: Band) -> bool:
    return _verdict(case, band).outcome != "pass"


def _choose(cases: Sequence[Case], name: str, band: Band, most: float) -> Band:
    good = [case for case in cases if case.good]
    bad = [case for case in cases if not case.good]
    allowed = math.floor(most * len(good) + 1e-9)
    for _ in range(_MOST_MOVES):
        stopped = [case for case in good if _stopped(case, band)]
        missed = [case for case in bad if not _stopped(case, band)]
        moves = list(loosened(stopped, name, band) if len(stopped) > allowed else tightened(missed, band))
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
