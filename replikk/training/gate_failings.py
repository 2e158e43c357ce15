"""Why a candidate fails: what it did in one length tier, or with directions, that a control did not do.

Each finding is counted over pairs of readings of the same text, voice and seed, the candidate's and the control's. What
is decided from them is ``gate``'s; how sure a difference is, that of ``gate_intervals``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from replikk.training.gate_intervals import (
    Difference,
    GateLimits,
    Pairs,
    likeness_difference,
    likenesses,
    paired_difference,
)
from replikk.training.gate_scripts import DIRECTED
from replikk.training.trials import Reading

_Fault = tuple[str, str, Callable[[Reading], int]]
"""Code, what is said of it, and how often a reading has it."""
_REPEATS: _Fault = ("repeats", "words are repeated", lambda reading: reading.repeated_words)
_LEAK: _Fault = ("leak", "words of the prompt are spoken", lambda reading: reading.leaked_words)
_FAILED: _Fault = ("failed", "no take could be made", lambda reading: int(bool(reading.failure)))
_NEVER_IN_LONG: tuple[_Fault, ...] = (
    ("skipped", "a phrase is skipped", lambda reading: reading.missing_runs),
    ("merged", "words are run together", lambda reading: reading.merged_words),
)


@dataclass(frozen=True)
class Failing:
    """One thing that speaks against a candidate."""

    code: str
    tier: str
    control: str
    text: str
    """For people: one sentence."""


def of_tier(tier: str, pairs: Pairs) -> Pairs:
    """Of a tier, or of all three; readings with directions are in neither."""
    return [(ours, theirs) for ours, theirs in pairs if ours.tier == tier or (tier == "all" and ours.tier != DIRECTED)]


def failings_in_tier(
    tier: str, control: str, pairs: Pairs, difference: Difference, limits: GateLimits
) -> list[Failing]:
    """Of the pairs of one length tier with one control; ``difference`` is that of their word error rates."""
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
        dropped = sum(ours.missing_words for ours, _ in pairs) / max(1, sum(ours.words for ours, _ in pairs))
        if dropped > limits.long_missing:
            fail("dropped", f"{100 * dropped:.1f} words in a hundred are dropped, {100 * limits.long_missing:g} may be")
        missing = paired_difference(pairs, lambda reading: reading.missing_words, limits)
        if missing.low > 0:
            fail("dropped", f"{100 * missing.value:.1f} words in a hundred more than {control} are dropped")
    more_often(*_REPEATS)
    more_often(*_LEAK)
    more_often("silence", "a long silence where there is no mark", lambda reading: reading.long_silences)
    more_often(*_FAILED)
    mine_s, other_s = (sum(reading.duration_s for reading in side) for side in zip(*pairs, strict=True))
    ratio = mine_s / other_s if other_s else float("inf")
    if not 1 / limits.duration_ratio <= ratio <= limits.duration_ratio:
        fail("duration", f"the tier takes {ratio:.2f} times as long as with {control}")
    return found


def _own_faults(pairs: Pairs, count: Callable[[Reading], int]) -> int:
    """Faults beyond those that the control has in each of its readings of the same text."""
    always: dict[str, int] = {}
    for ours, theirs in pairs:
        always[ours.text] = min(count(theirs), always.get(ours.text, count(theirs)))
    return sum(max(0, count(ours) - always[ours.text]) for ours, _ in pairs)


def failings_with_directions(control: str, pairs: Pairs, limits: GateLimits) -> list[Failing]:
    """Whether it became worse where it is told how to speak."""
    found = []
    worse = paired_difference(pairs, word_errors_of, limits)
    if worse.low > 0:
        text = f"with directions it makes {100 * worse.value:.1f} word errors in a hundred more than {control}"
        found.append(Failing("word_errors", DIRECTED, control, text))
    for code, what, count in (_REPEATS, _LEAK, _FAILED):
        mine, other = (sum(count(reading) for reading in side) for side in zip(*pairs, strict=True))
        if mine > other:
            text = f"with directions {what}: {mine} times, {control} {other} times"
            found.append(Failing(code, DIRECTED, control, text))
    return found


def word_errors_of(reading: Reading) -> int:
    return reading.word_errors


def lost_voices(tier: str, pairs: Mapping[str, Pairs], limits: GateLimits) -> list[Failing]:
    """Voices that are no more themselves. Each by itself: of several, one that is lost would not move the mean far.

    Against the control that is least like the reference too: how like a voice comes out differs between good adapters.
    """
    found = []
    for voice in sorted({ours.voice for some in pairs.values() for ours, _ in some}):
        of_voice = {control: [pair for pair in some if pair[0].voice == voice] for control, some in pairs.items()}
        measured = {
            control: difference
            for control, some in of_voice.items()
            if (difference := likeness_difference(some, limits)) is not None
        }
        if measured and all(one.high < -limits.likeness_margin for one in measured.values()):
            nearest = max(measured, key=lambda control: measured[control].high)
            mine, theirs = (likenesses([pair[side] for pair in of_voice[nearest]], limits) for side in (0, 1))
            found.append(
                Failing(
                    "voice",
                    tier,
                    nearest,
                    f"the voice '{voice}' is lost: {mine['all'].value:.2f} like its reference recording, "
                    f"and {theirs['all'].value:.2f} with {nearest}",
                )
            )
    return found
