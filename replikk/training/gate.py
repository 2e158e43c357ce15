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
- it speaks about as long.

Passing is not enough. To be promoted it must speak better than the incumbent (the released adapter, or the base model):
over all tiers together the whole confidence interval of the difference lies below zero. Of several such candidates the
one with the fewest word errors is promoted, the earlier where two are equal. If there is none, nothing is promoted.

The interval is a bootstrap over texts, because readings of one text by several voices and seeds fail together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from replikk.errors import ReplikkError
from replikk.training.gate_scripts import TIERS
from replikk.training.trials import Reading

VERSION = 1
"""Raise it when the same readings could lead to another decision."""


@dataclass(frozen=True)
class GateLimits:
    """What a candidate is held against."""

    wer_margin: float = 0.01
    """A tier's word error rate may be this much above the control's, with confidence."""
    confidence: float = 0.95
    duration_ratio: float = 1.25
    """A tier may take this many times as long as the control, or as short."""
    resamples: int = 4000


@dataclass(frozen=True)
class Difference:
    """Candidate minus control, per word of the script, with its confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Rate:
    """Word errors per word of the script, with the confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Failing:
    """One thing that speaks against a candidate."""

    code: str
    tier: str
    control: str
    text: str
    """For people: one sentence."""


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

    def to_json(self) -> dict[str, Any]:
        return {
            "gate": VERSION,
            "promoted": self.promoted,
            "why": self.why,
            "verdicts": [verdict.to_json() for verdict in self.verdicts],
        }


def decide(
    candidates: Mapping[str, Sequence[Reading]],
    controls: Mapping[str, Sequence[Reading]],
    incumbent: str,
    limits: GateLimits = GateLimits(),
) -> Decision:
    """The decision; ``candidates`` in the order of their training, ``incumbent`` is the control to be better than.

    Raises ReplikkError where somebody has not read everything.
    """
    if incumbent not in controls:
        raise ReplikkError(f"gate: the incumbent '{incumbent}' has read nothing; put it among the controls")
    verdicts = tuple(
        judge_candidate(name, readings, controls, incumbent, limits) for name, readings in candidates.items()
    )
    promotable = [verdict for verdict in verdicts if verdict.passes and verdict.is_better]
    if promotable:
        best = min(promotable, key=lambda verdict: verdict.wer["all"])  # the first of equals
        gain = best.differences[incumbent]["all"]
        why = (
            f"passes all tiers and makes {-100 * gain.value:.1f} word errors in a hundred fewer than {incumbent} "
            f"({-100 * gain.high:.1f} to {-100 * gain.low:.1f})"
        )
        return Decision(best.name, why, verdicts)
    passing = [verdict.name for verdict in verdicts if verdict.passes]
    if passing:
        why = f"{len(passing)} of {len(verdicts)} pass, but none is better than {incumbent} with confidence"
    else:
        why = f"none of {len(verdicts)} candidates passes"
    return Decision(None, why, verdicts)


def judge_candidate(
    name: str,
    readings: Sequence[Reading],
    controls: Mapping[str, Sequence[Reading]],
    incumbent: str,
    limits: GateLimits,
) -> Verdict:
    """The verdict on one candidate."""
    failings: list[Failing] = []
    differences: dict[str, dict[str, Difference]] = {}
    for control, theirs in controls.items():
        pairs = paired(name, readings, control, theirs)
        differences[control] = {}
        for tier in TIERS:
            among = [(ours, their) for ours, their in pairs if ours.tier == tier]
            if not among:
                raise ReplikkError(f"gate: {name} has read nothing in the tier '{tier}'; all three are needed")
            difference = paired_difference(among, lambda reading: reading.word_errors, limits)
            differences[control][tier] = difference
            failings += _failings(tier, control, among, difference, limits)
        differences[control]["all"] = paired_difference(pairs, lambda reading: reading.word_errors, limits)
    wer: dict[str, float] = {tier: _rate([reading for reading in readings if reading.tier == tier]) for tier in TIERS}
    is_better = differences[incumbent]["all"].high < 0
    return Verdict(name, {**wer, "all": _rate(readings)}, differences, tuple(failings), is_better)


def paired(
    name: str, ours: Sequence[Reading], control: str, theirs: Sequence[Reading]
) -> list[tuple[Reading, Reading]]:
    """Both readings of each trial. Raises ReplikkError unless both have read the same, each once."""
    mine, other = ({reading.pair: reading for reading in readings} for readings in (ours, theirs))
    if set(mine) != set(other) or len(mine) != len(ours) or len(other) != len(theirs) or not mine:
        raise ReplikkError(
            f"gate: {name} and {control} have not read the same texts, voices and seeds ({len(ours)} and {len(theirs)} "
            "readings); let both read everything once"
        )
    return [(mine[pair], other[pair]) for pair in sorted(mine)]


def paired_difference(
    pairs: Sequence[tuple[Reading, Reading]], count: Callable[[Reading], int], limits: GateLimits
) -> Difference:
    """The difference of a count per word, and its bootstrap interval over texts; the same for the same readings."""
    return Difference(
        *_over_texts([(ours.text, count(ours) - count(theirs), ours.words) for ours, theirs in pairs], limits)
    )


def word_error_rates(readings: Sequence[Reading], limits: GateLimits = GateLimits()) -> dict[str, Rate]:
    """By tier, and ``all``: what is shown. Decided is by differences, whose intervals are narrower."""
    among: dict[str, Sequence[Reading]] = {
        tier: [reading for reading in readings if reading.tier == tier] for tier in TIERS
    }
    return {
        name: Rate(*_over_texts([(one.text, one.word_errors, one.words) for one in some], limits))
        for name, some in {**among, "all": readings}.items()
        if some
    }


def _over_texts(counted: Sequence[tuple[str, int, int]], limits: GateLimits) -> tuple[float, float, float]:
    """Events per word, and the ends of the interval, of (text, events, words) readings."""
    import numpy as np

    texts = sorted({text for text, _, _ in counted})
    row = {text: number for number, text in enumerate(texts)}
    events, words = np.zeros(len(texts)), np.zeros(len(texts))
    for text, found, of in counted:
        events[row[text]] += found
        words[row[text]] += of
    draws = np.random.default_rng(0).integers(0, len(texts), (limits.resamples, len(texts)))
    resampled = events[draws].sum(axis=1) / words[draws].sum(axis=1)
    tail = (1 - limits.confidence) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail])
    return float(events.sum() / words.sum()), float(low), float(high)


def _failings(
    tier: str, control: str, pairs: Sequence[tuple[Reading, Reading]], difference: Difference, limits: GateLimits
) -> list[Failing]:
    found: list[Failing] = []

    def fail(code: str, text: str) -> None:
        found.append(Failing(code, tier, control, text))

    def more_often(code: str, what: str, count: Callable[[Reading], int]) -> None:
        mine, other = (sum(count(reading) for reading in side) for side in zip(*pairs, strict=True))
        if mine > other:
            fail(code, f"{what}: {mine} times, {control} {other} times")

    if difference.high > limits.wer_margin:
        fail(
            "word_errors",
            f"the word error rate may be {100 * difference.high:.1f} points above that of {control} "
            f"(measured {100 * difference.value:+.1f}), and {100 * limits.wer_margin:.1f} are allowed",
        )
    if tier == "long":
        for code, what, count in _NEVER_IN_LONG:
            if times := _own_faults(pairs, count):
                fail(code, f"{what}: {times} times in {len(pairs)} readings")
        missing = paired_difference(pairs, lambda reading: reading.missing_words, limits)
        if missing.low > 0:
            fail("dropped", f"{100 * missing.value:.1f} words in a hundred more than {control} are dropped")
    more_often("repeats", "words are repeated", lambda reading: reading.repeated_words)
    more_often("leak", "words of the prompt are spoken", lambda reading: reading.leaked_words)
    more_often("silence", "a long silence where there is no mark", lambda reading: reading.long_silences)
    more_often("failed", "no take could be made", lambda reading: int(bool(reading.failure)))
    mine_s, other_s = (sum(reading.duration_s for reading in side) for side in zip(*pairs, strict=True))
    ratio = mine_s / other_s if other_s else float("inf")
    if not 1 / limits.duration_ratio <= ratio <= limits.duration_ratio:
        fail("duration", f"the tier takes {ratio:.2f} times as long as with {control}")
    return found


_NEVER_IN_LONG: tuple[tuple[str, str, Callable[[Reading], int]], ...] = (
    ("skipped", "a phrase is skipped", lambda reading: reading.missing_runs),
    ("merged", "words are run together", lambda reading: reading.merged_words),
)


def _own_faults(pairs: Sequence[tuple[Reading, Reading]], count: Callable[[Reading], int]) -> int:
    """Faults beyond those that the control has in each of its readings of the same text."""
    always: dict[str, int] = {}
    for ours, theirs in pairs:
        always[ours.text] = min(count(theirs), always.get(ours.text, count(theirs)))
    return sum(max(0, count(ours) - always[ours.text]) for ours, _ in pairs)


def _rate(readings: Sequence[Reading]) -> float:
    return sum(reading.word_errors for reading in readings) / max(1, sum(reading.words for reading in readings))
