"""What the gate reckons with: readings in pairs, differences and rates, and their confidence intervals.

The interval is a bootstrap over texts, because readings of one text by several voices and seeds fail together; the
draws are the same for the same readings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replikk.errors import ReplikkError
from replikk.training.gate_scripts import DIRECTED, TIERS
from replikk.training.trials import Reading

Pairs = Sequence[tuple[Reading, Reading]]


@dataclass(frozen=True)
class GateLimits:
    """What a candidate is held against."""

    wer_margin: float = 0.01
    """A tier's word error rate may be this much above the control's, with confidence."""
    long_missing: float = 0.03
    """Share of the words of long texts that may be dropped, whatever the control does: a judge that listens to good
    speech misses one or two in a hundred."""
    confidence: float = 0.95
    duration_ratio: float = 1.25
    """A tier may take this many times as long as the control, or as short."""
    resamples: int = 4000
    likeness_margin: float = 0.1
    """A voice may be so much less like its reference, as a cosine, than with the control that is least like it."""


LIMITS = GateLimits()
"""Those that hold, unless a test says otherwise."""


@dataclass(frozen=True)
class Difference:
    """Candidate minus control, with its confidence interval: of word errors per word, or of likeness."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Rate:
    """Word errors per word of the script, or likeness, with the confidence interval."""

    value: float
    low: float
    high: float


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


def paired_difference(pairs: Pairs, count: Callable[[Reading], int], limits: GateLimits) -> Difference:
    """The difference of a count per word, and its bootstrap interval over texts; the same for the same readings."""
    return Difference(
        *_over_texts([(ours.text, count(ours) - count(theirs), ours.words) for ours, theirs in pairs], limits)
    )


def word_error_rates(readings: Sequence[Reading], limits: GateLimits = LIMITS) -> dict[str, Rate]:
    """By tier, ``all`` of them, and ``directed``: what is shown. Decided is by differences, whose intervals are
    narrower."""
    among: dict[str, Sequence[Reading]] = {
        tier: [reading for reading in readings if reading.tier == tier] for tier in (*TIERS, DIRECTED)
    }
    among["all"] = [reading for reading in readings if reading.tier != DIRECTED]
    return {
        name: Rate(*_over_texts([(one.text, one.word_errors, one.words) for one in some], limits))
        for name, some in among.items()
        if some
    }


def likeness_difference(pairs: Pairs, limits: GateLimits) -> Difference | None:
    """How much more like their references the first ones are, on average; None where it was not measured."""
    found = [
        (ours.text, ours.likeness - theirs.likeness, 1)
        for ours, theirs in pairs
        if ours.likeness is not None and theirs.likeness is not None
    ]
    return Difference(*_over_texts(found, limits)) if found else None


def likenesses(readings: Sequence[Reading], limits: GateLimits = LIMITS) -> dict[str, Rate]:
    """By tier, and ``all``: mean likeness to the voices' references; only where it was measured."""
    measured = [(one.tier, (one.text, one.likeness, 1)) for one in readings if one.likeness is not None]
    among: dict[str, list[tuple[str, float, int]]] = {
        tier: [value for of, value in measured if of == tier] for tier in TIERS
    }
    among["all"] = [value for of, value in measured if of != DIRECTED]
    return {name: Rate(*_over_texts(some, limits)) for name, some in among.items() if some}


def _over_texts(counted: Sequence[tuple[str, float, int]], limits: GateLimits) -> tuple[float, float, float]:
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
