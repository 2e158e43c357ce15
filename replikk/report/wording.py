"""The words of the report: what a state is called, what a person should do about it, numbers as people write them.

Kept apart from the rendering so that page and table say the same thing in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STATE_LABELS = {
    "passed": "passed",
    "regenerated": "regenerated",
    "flagged": "flagged",
    "hear_once": "to be heard once",
    "accepted": "accepted",
    "locked": "locked",
    "locked_stale": "locked, text changed",
    "missing": "missing",
}

STATE_MEANINGS = {
    "passed": "the first take passed every check",
    "regenerated": "a later take passed; the earlier ones are kept here",
    "flagged": "no take passed every check; the best one is delivered until a person has listened",
    "hear_once": "single letters, sounds and counting: no machine can judge them, a person listens once",
    "accepted": "a person has accepted this take",
    "locked": "a person has locked this take",
    "locked_stale": "the line has changed since its take was locked",
    "missing": "no take could be made",
}

ADVICE = {
    "passed": "",
    "regenerated": "",
    "flagged": "Listen. If a take is right, accept it; if none is, ask for another reading, reword the line, "
    "or respell the word in lexicon.tsv.",
    "hear_once": "Listen once. If it is right, accept it; it stays accepted until the line changes.",
    "accepted": "",
    "locked": "",
    "locked_stale": "The clip still says the old text. To have the new text spoken, take the lock away (its row in "
    "decisions.csv, or the status locked in the sheet); to keep the clip, put the old text back.",
    "missing": "There is no clip. Read the reasons and build/logs, reword or shorten the line, "
    "or ask for another reading.",
}

OUTCOME_LABELS = {"pass": "passed", "retry": "failed a check", "human": "needs a human ear"}

DECISION_LABELS = {"accept": "accept", "lock": "lock", "retake": "another reading"}


def state_of(line: Mapping[str, Any]) -> str:
    """The state as people see it: drills that wait for a person are not called flagged."""
    return "hear_once" if line.get("hear_once") else str(line["state"])


def spell_length(seconds: float | None) -> str:
    """A clip's or a game's length: 0.4 s, 12.3 s, 4:05 min, 2:03:10 h.

    >>> [spell_length(s) for s in (0.41, 12.34, 245.0, 7390.0)]
    ['0.4 s', '12.3 s', '4:05 min', '2:03:10 h']
    """
    if seconds is None:
        return "–"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d} h"


def spell_share(share: float | None) -> str:
    """A share in per cent; never 100 % or 0 % unless it is so.

    >>> [spell_share(s) for s in (None, 0.0, 0.0001, 0.9234, 0.99999, 1.0)]
    ['–', '0 %', '0.1 %', '92.3 %', '99.9 %', '100 %']
    """
    if share is None:
        return "–"
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    return f"{min(99.9, max(0.1, 100 * share)):.1f} %" if share < 1 else f"{100 * share:.1f} %"


def count_of(number: int, one: str, many: str) -> str:
    """A count with its noun: 1 clip, 2 clips."""
    return f"{number:,} {one if number == 1 else many}".replace(",", " ")


def same_words(text: str, spoken: str) -> bool:
    """Whether the spoken form differs from the text in letter case and punctuation only."""

    def letters(value: str) -> str:
        return "".join(c for c in value.casefold() if c.isalnum())

    return text == spoken or letters(text) == letters(spoken)


def marks_tell(summary: Mapping[str, Any]) -> bool:
    """Whether it is worth saying which lines are new: in a first build all of them are."""
    return bool(summary["new"] < summary["lines"])


def spell_duration(seconds: float) -> str:
    """How long something took: 0.4 s, 12 s, 4 min 05 s, 2 h 03 min.

    >>> [spell_duration(s) for s in (0.41, 12.34, 245.0, 7390.0)]
    ['0.4 s', '12 s', '4 min 05 s', '2 h 03 min']
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole // 60 % 60:02d} min"
