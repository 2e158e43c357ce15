"""Which checkpoint may speak: decided by what was heard, never by a loss.

Every candidate (each saved checkpoint, raw and averaged) and every control (the base model, and the released adapter
where there is one) has read the same texts with the same voices from the same seeds. Readings are compared in pairs.
A candidate passes if, in each of the three length tiers and against each control,

- it does not make more word errors than the margin allows: the upper end of the confidence interval of the difference
  in word error rate lies below it;
- it skips no phrase and runs no words together in long texts, whatever the control does (a fault that every reading of
  a text by the control has is the text's or the judge's, and not counted), and drops no more single words there than
  chance explains;
- it repeats, leaks the prompt, falls silent or fails no more often than the control;
- it speaks about as long;
- in long texts it drops few words, again whatever the control does;
- and each voice stays itself, where a speaker model is at hand: it is less like its reference than with every one of
  the controls only within a margin. A voice is lost when the whole interval of each difference lies beyond it.

Some texts are read once more with a direction. There a candidate must not make more word errors than the control beyond
what chance explains, nor speak the prompt, repeat words or fail more often: a voice may not become better at the one
way of prompting and worse at the other. Nothing else is asked of these readings, and they are in no rate.

Passing is not enough. To be promoted it must speak better than the incumbent (the released adapter, or the base model):
over all tiers together the whole confidence interval of the difference lies below zero. Of several such candidates the
one with the fewest word errors is promoted, the earlier where two are equal. If there is none, nothing is promoted.

**Likeness promotes nobody.** Adapters have been measured that were more like the reference and spoke twice as many
wrong words. It is shown, and it can only refuse.

**An outside control is a yardstick.** Another system that has read the same (``training.outside_controls``) is shown
beside everybody, with the differences and their intervals. It refuses no candidate, is never promoted and never the
incumbent: a better stranger is no reason against a step forward, and a worse one none for it. So a decision is the same
with it and without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from replikk.errors import ReplikkError
from replikk.training.gate_failings import (
    Failing,
    failings_in_tier,
    failings_with_directions,
    lost_voices,
    of_tier,
    word_errors_of,
)
from replikk.training.gate_intervals import (
    LIMITS,
    Difference,
    GateLimits,
    Pairs,
    likeness_difference,
    paired,
    paired_difference,
)
from replikk.training.gate_scripts import DIRECTED, TIERS
from replikk.training.trials import Reading

VERSION = 3
"""Raise it when the same readings could lead to another decision."""


@dataclass(frozen=True)
class Verdict:
    """On one candidate."""

    name: str
    wer: dict[str, float]
    """By tier, and ``all``."""
    differences: dict[str, dict[str, Difference]]
    """Of word error rates, by control and tier, ``all`` included."""
    failings: tuple[Failing, ...]
    is_better: bool
    """Than the incumbent, with confidence."""
    outside: dict[str, dict[str, Difference]] = field(default_factory=dict)
    """As ``differences``, to systems that decide nothing."""
    likeness: dict[str, dict[str, Difference]] = field(default_factory=dict)
    """To the voices' references, beside each control's, by tier; where it was measured."""

    @property
    def passes(self) -> bool:
        return not self.failings

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "passes": self.passes}


@dataclass(frozen=True)
class Decision:
    """On all candidates."""

    promoted: str | None
    why: str
    verdicts: tuple[Verdict, ...]
    outside: dict[str, dict[str, Difference]] = field(default_factory=dict)
    """Outside controls beside the incumbent: word error rates, by tier."""

    def to_json(self) -> dict[str, Any]:
        return {
            "gate": VERSION,
            "promoted": self.promoted,
            "why": self.why,
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
            "outside": {name: {tier: asdict(one) for tier, one in per.items()} for name, per in self.outside.items()},
        }


def decide(
    candidates: Mapping[str, Sequence[Reading]],
    controls: Mapping[str, Sequence[Reading]],
    incumbent: str,
    limits: GateLimits = LIMITS,
    outside: Mapping[str, Sequence[Reading]] | None = None,
) -> Decision:
    """The decision; ``candidates`` in the order of their training, ``incumbent`` is the control to be better than,
    and ``outside`` have read what is shown and decides nothing.

    Raises ReplikkError where somebody has not read everything.
    """
    if incumbent not in controls:
        raise ReplikkError(f"gate: the incumbent '{incumbent}' has read nothing; put it among the controls")
    outside = outside or {}
    verdicts = tuple(
        judge_candidate(name, readings, controls, incumbent, limits, outside) for name, readings in candidates.items()
    )
    beside = {
        name: _by_tier(paired(name, some, incumbent, controls[incumbent]), limits) for name, some in outside.items()
    }
    promotable = [verdict for verdict in verdicts if verdict.passes and verdict.is_better]
    if promotable:
        best = min(promotable, key=lambda verdict: verdict.wer["all"])  # the first of equals
        gain = best.differences[incumbent]["all"]
        why = (
            f"passes all tiers and makes {-100 * gain.value:.1f} word errors in a hundred fewer than {incumbent} "
            f"({-100 * gain.high:.1f} to {-100 * gain.low:.1f})"
        )
        return Decision(best.name, why, verdicts, beside)
    passing = [verdict.name for verdict in verdicts if verdict.passes]
    if passing:
        why = f"{len(passing)} of {len(verdicts)} pass, but none is better than {incumbent} with confidence"
    else:
        why = f"none of {len(verdicts)} candidates passes"
    return Decision(None, why, verdicts, beside)


def judge_candidate(
    name: str,
    readings: Sequence[Reading],
    controls: Mapping[str, Sequence[Reading]],
    incumbent: str,
    limits: GateLimits,
    outside: Mapping[str, Sequence[Reading]],
) -> Verdict:
    """The verdict on one candidate."""
    failings: list[Failing] = []
    differences: dict[str, dict[str, Difference]] = {}
    pairs = {control: paired(name, readings, control, theirs) for control, theirs in controls.items()}
    for control, with_control in pairs.items():
        for tier in TIERS:
            if not of_tier(tier, with_control):
                raise ReplikkError(f"gate: {name} has read nothing in the tier '{tier}'; all three are needed")
        differences[control] = _by_tier(with_control, limits)
        for tier in TIERS:
            failings += failings_in_tier(tier, control, of_tier(tier, with_control), differences[control][tier], limits)
        if directed := of_tier(DIRECTED, with_control):
            failings += failings_with_directions(control, directed, limits)
    for tier in TIERS:
        failings += lost_voices(tier, {control: of_tier(tier, some) for control, some in pairs.items()}, limits)
    wer: dict[str, float] = {tier: _rate([reading for reading in readings if reading.tier == tier]) for tier in TIERS}
    return Verdict(
        name,
        {**wer, "all": _rate([reading for reading in readings if reading.tier != DIRECTED])},
        differences,
        tuple(failings),
        is_better=differences[incumbent]["all"].high < 0,
        outside={one: _by_tier(paired(name, readings, one, theirs), limits) for one, theirs in outside.items()},
        likeness={control: found for control, some in pairs.items() if (found := _likeness_by_tier(some, limits))},
    )


def _by_tier(pairs: Pairs, limits: GateLimits) -> dict[str, Difference]:
    """Of word error rates."""
    return {tier: paired_difference(of_tier(tier, pairs), word_errors_of, limits) for tier in (*TIERS, "all")}


def _likeness_by_tier(pairs: Pairs, limits: GateLimits) -> dict[str, Difference]:
    found = {tier: likeness_difference(of_tier(tier, pairs), limits) for tier in (*TIERS, "all")}
    return {tier: one for tier, one in found.items() if one is not None}


def _rate(readings: Sequence[Reading]) -> float:
    return sum(reading.word_errors for reading in readings) / max(1, sum(reading.words for reading in readings))
