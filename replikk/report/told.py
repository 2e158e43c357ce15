"""What the report says of one line: its record in ``report.json``, and what of it is added up over all lines.

A line that passed with its first take is one small record, because there are thousands of them. Every other line
carries all its takes with what was heard, the evidence and the reasons, so that the best of several takes never hides
the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from replikk.dialogue.plan import PlannedLine
from replikk.report.stretches import stretches

STATES = ("passed", "regenerated", "flagged", "accepted", "locked", "locked_stale", "missing")
BLOCKING = ("locked_stale", "missing", "flagged")
"""States that nobody has reviewed, in the order in which a person should look at them."""
QUIET = "passed"

AUDIBLY_QUIETER_DB = 2.0
"""From here on it is told that a clip's peaks kept it below the target: an ear notices such a step between lines."""

ASSETS = "../assets/"
"""From ``build/report/`` to the clips."""

WORD_COUNTS = ("hits", "substitutions", "deletions", "insertions")
"""Of the comparison."""
PLAIN_COUNTS = ("plain_words", "plain_errors")
"""Of the evidence: what jiwer counts in lower-case text without punctuation."""
ALL_COUNTS = (*WORD_COUNTS, *PLAIN_COUNTS)


class TakeResult(NamedTuple):  # not a dataclass: making one takes a quarter of the time, for every take of a game
    """One take of a line and what the judge made of it."""

    key: str
    round: int
    outcome: str
    """``pass``, ``retry`` or ``human``."""
    reasons: tuple[Mapping[str, Any], ...]
    """Each with code, measured, threshold and text."""
    evidence: Mapping[str, Any] | None
    """``Evidence.to_json()``; None for a take that does not exist, or that nobody needs to look into."""
    heard: str | None
    """What the judge understood; None when it did not listen."""
    path: str
    """The lossless take, relative to the page; empty when the engine made none, or nobody needs to look into it."""
    badness: float | None = None
    """Orders takes of the same outcome, higher is worse; None when there is no audio."""
    outline: str | None = None
    """The wave as ``waveforms.outline`` draws it; None where it is not drawn beforehand."""
    words: Sequence[Sequence[Any]] = ()
    """As ``waveforms.place_words`` returns them; empty where that is not known."""


class LineResult(NamedTuple):
    """A line and what became of it."""

    planned: PlannedLine
    state: str
    take: str | None
    """Key of the delivered take; None when there is none."""
    takes: tuple[TakeResult, ...]
    words: Mapping[str, int] | None = None
    """Word counts of the delivered take against the script, both kinds; None when the judge did not listen."""


class Told(NamedTuple):
    """A line as the report tells it, and what of it is added up over all lines."""

    record: dict[str, Any]
    """As in ``report.json``; what is new or changed is not said yet."""
    first_words: Mapping[str, int] | None
    delivered_words: Mapping[str, int] | None
    takes: int
    drill: bool
    human: bool
    """Whether the clip is the recording of a person."""
    urgency: tuple[Any, ...] = ()
    """Orders the lines that nobody has reviewed, lowest first; empty for all others."""


def tell(result: LineResult, clip: Mapping[str, Any] | None) -> Told:
    """What the report says of a line; ``clip`` is what the manifest says of its clip, if it has one."""
    return Told(
        record=_line(result, clip),
        first_words=_first_words(result),
        delivered_words=_delivered_words(result),
        takes=len(result.takes),
        drill=result.planned.line.drill,
        human=clip is not None and bool(result.planned.recording),
        urgency=_urgency(result),
    )


def must_be_heard_once(result: LineResult) -> bool:
    """Whether the only thing to be said against a flagged line is that no machine can judge it: drills."""
    chosen = _chosen_take(result)
    return result.state == "flagged" and result.planned.line.drill and chosen is not None and chosen.outcome == "human"


def _chosen_take(result: LineResult) -> TakeResult | None:
    return next((take for take in result.takes if take.key == result.take), None)


def _line(result: LineResult, clip: Mapping[str, Any] | None) -> dict[str, Any]:
    line = result.planned.line
    record: dict[str, Any] = {
        "id": line.id,
        "state": result.state,
        "mark": "",
        "scene": line.scene,
        "locale": line.locale,
        "voice": line.voice,
        "character": line.character,
        "style": line.style,
        "text": line.display,
        "spoken": line.spoken,
        "place": f"{line.file}:{line.row}",
        "path": ASSETS + clip["path"] if clip else "",
        "duration_s": clip["duration_s"] if clip else None,
        "loudness_before_lufs": clip["loudness_before_lufs"] if clip else None,
        "loudness_after_lufs": clip["loudness_after_lufs"] if clip else None,
        "gain_db": clip["gain_db"] if clip else None,
        "take": result.take,
        "remarks": [*line.remarks, *_quieter(clip)],
        "notes": line.notes,
    }
    if result.state != QUIET:
        record["hear_once"] = must_be_heard_once(result)
        record["human_recording"] = bool(result.planned.recording)
        first = result.planned.first_reading
        record["takes"] = [_take(take, take.key == result.take, first) for take in result.takes]
    return record


def _quieter(clip: Mapping[str, Any] | None) -> list[str]:
    """That a clip stays well below the others. In the same words for all: the report names the clips beside them."""
    if clip is None or (clip["gain_limited_db"] or 0.0) < AUDIBLY_QUIETER_DB:
        return []
    return [
        f"quieter than wanted by {AUDIBLY_QUIETER_DB:g} dB or more: its peaks reach the ceiling before (delivery: "
        "ceiling_dbtp; in the manifest gain_limited_db says how much)"
    ]


def _take(take: TakeResult, delivered: bool, first_reading: int) -> dict[str, Any]:
    return {
        "key": take.key,
        "round": take.round,
        "reading": first_reading + take.round + 1,
        "delivered": delivered,
        "outcome": take.outcome,
        "reasons": [dict(reason) for reason in take.reasons],
        "heard": take.heard,
        "evidence": None if take.evidence is None else dict(take.evidence),
        "path": take.path,
        "outline": take.outline,
        "words": [list(word) for word in take.words],
        "stretches": [] if take.evidence is None else stretches(take.reasons, take.evidence, take.words),
    }


def _urgency(result: LineResult) -> tuple[Any, ...]:
    """Of a line that nobody has reviewed: stale locks, missing, flagged with the worst first, drills last."""
    if result.state not in BLOCKING:
        return ()
    chosen = _chosen_take(result)
    badness = chosen.badness if chosen is not None and chosen.badness is not None else 0.0
    known_wrong = chosen is not None and chosen.outcome == "retry"
    return BLOCKING.index(result.state), must_be_heard_once(result), not known_wrong, -badness


# Words ---------------------------------------------------------------------------------------------------------------


def word_counts(evidence: Mapping[str, Any] | None) -> dict[str, int] | None:
    """The word counts in a take's evidence; None when the judge did not listen."""
    comparison = compared(evidence)
    if comparison is None:
        return None
    assert evidence is not None  # the comparison is a part of it
    return {name: comparison[name] for name in WORD_COUNTS} | {name: evidence[name] for name in PLAIN_COUNTS}


def compared(evidence: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The comparison of script and transcript (``judges.compare.Comparison``) in a take's evidence, if there is one."""
    return evidence.get("comparison") if evidence else None


def _delivered_words(result: LineResult) -> Mapping[str, int] | None:
    if result.planned.line.drill:
        return None  # a recogniser's guesses at single letters are no measure of anything
    return result.words


def _first_words(result: LineResult) -> Mapping[str, int] | None:
    if result.planned.line.drill or result.planned.state:
        return None
    if result.state == QUIET:
        return result.words
    return word_counts(result.takes[0].evidence) if result.takes else None
