"""Evidence in, verdict out: pass, retry or human.

- **retry**: the evidence says that something is wrong; another take may cure it.
- **human**: a machine cannot tell (letters, counting drills, one short word that sounds like another), or no judge
  listened, or it strays from its voice's other lines; another take would not help, or must not be made because of
  other lines.
- **pass**: everything that was measured is within its limits.

A take with a reason of severity ``error`` never passes. Doubt never hides a fault: errors win over doubts.
``reasons.py`` says what the reasons are.
"""

from __future__ import annotations

from dataclasses import dataclass

from replikk.judges.evidence import Evidence
from replikk.judges.reason import ERROR, Reason
from replikk.judges.reasons import reasons_against
from replikk.judges.thresholds import Thresholds
from replikk.judges.voice_profiles import VoiceFit
from replikk.judges.voice_traits import VoiceTraits

VERSION = 4
"""Raise it when the same evidence and thresholds would give another verdict: it is part of every verdict's key."""


@dataclass(frozen=True)
class Verdict:
    """The verdict on one take."""

    outcome: str
    """``pass``, ``retry`` or ``human``."""
    reasons: tuple[Reason, ...] = ()


def decide(
    evidence: Evidence, thresholds: Thresholds, fit: VoiceFit | None = None, traits: VoiceTraits | None = None
) -> Verdict:
    """The verdict on a take. The same evidence and thresholds always give the same verdict.

    ``fit`` is how the take lies beside the other lines of its voice, ``traits`` its own; None where that is not known.
    """
    band = thresholds.for_words(evidence.words)
    reasons = tuple(reasons_against(evidence, band, fit, traits))
    if any(reason.severity == ERROR for reason in reasons):
        # What a person should be told about a bad take is what is bad about it.
        return Verdict("retry", tuple(reason for reason in reasons if reason.severity == ERROR))
    return Verdict("human" if reasons else "pass", reasons)


def failure_verdict(reason: str) -> Verdict:
    """The verdict on a take that the engine could not make; ``reason`` as the engine gave it, in plain words."""
    return Verdict("retry", (Reason("no_audio", None, None, f"there is no audio: {reason}"),))


RANKS = {"pass": 0.0, "human": 10.0, "retry": 20.0}


def badness(evidence: Evidence, verdict: Verdict) -> float:
    """How bad a take is beside other takes of its line: 0 and more, lower is better.

    Takes that pass come first, then those that a person must hear, then the failed ones: by the share of the script
    that is wrong, as text and as sound, and then by how many other faults they have.
    """
    rank = RANKS[verdict.outcome]
    if evidence.signal.speech_s == 0:
        return rank + 100.0
    words = 0.0
    if evidence.comparison is not None and not evidence.drill:
        # Word errors can exceed the script (a loop); a take is not worse than useless.
        words = 3.0 * min(evidence.comparison.cer, 1.0) + 2.0 * min(evidence.comparison.wer, 1.0)
        words += min(max(evidence.margin or 0.0, 0.0), 3.0)
    faults = sum(_SOUND_FAULTS.get(reason.code, 0.0) for reason in verdict.reasons)
    return rank + words + min(faults, 9.0)


_SOUND_FAULTS = {
    "noise": 3.0,
    "clipping": 2.0,
    "too_quiet": 3.0,
    "cut_ending": 2.0,
    "offset": 0.5,
    "silence_start": 0.5,
    "silence_end": 0.2,
    "silence_inside": 1.0,
    "long_pause": 0.5,
    "missing_pause": 0.5,
    "too_fast": 1.0,
    "too_slow": 1.0,
    "too_long": 1.0,
    "sound_after_words": 2.0,
    "unlike_reference": 2.0,
    "unnatural": 1.0,
}
"""How much a fault of the sound weighs against wrong words: a wholly wrong text weighs 5.

What other lines of the voice say weighs nothing: the choice among the takes of a line is settled without them.
"""
