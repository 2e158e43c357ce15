"""What the quality report says, as plain JSON: no HTML, no decisions, no time stamps, nothing of this machine.

``report.json`` is the published form (``replikk/schemas/report.schema.json``); the page and the table are drawn from it
and from nothing else. Equal inputs give equal bytes.

A line that passed with its first take is one small record, because there are thousands of them. Every other line
carries all its takes with what was heard, the evidence and the reasons, so that the best of several takes never hides
the others; pass rates and word counts are likewise given for first takes and for what is delivered, apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from replikk.dialogue.plan import Plan, PlannedLine
from replikk.report.decision_rows import DecisionForm
from replikk.report.figures import figures_of
from replikk.report.stretches import stretches

FORMAT_VERSION = 2

STATES = ("passed", "regenerated", "flagged", "accepted", "locked", "locked_stale", "missing")
BLOCKING = ("locked_stale", "missing", "flagged")
"""States that nobody has reviewed, in the order in which a person should look at them."""
QUIET = "passed"

ASSETS = "../assets/"
"""From ``build/report/`` to the clips."""

WORD_COUNTS = ("hits", "substitutions", "deletions", "insertions")


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
    """Word counts of the delivered take against the script (``WORD_COUNTS``); None when the judge did not listen."""


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


def report_data(
    plan: Plan,
    told: Sequence[Told],
    manifest: Mapping[str, Any],
    changes: Mapping[str, Sequence[str]],
    decisions_path: str,
    form: DecisionForm | None = None,
    references: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The report of a build as plain JSON.

    ``told`` are all lines in plan order; ``manifest`` and ``changes`` as rule package_assets wrote them, but for the
    manifest's clips, which are not looked at; ``form`` is the shape of the user's decisions file; ``references`` are
    recordings of voices, relative to the page.
    """
    form = form or DecisionForm()
    lines = [one.record for one in told]
    for mark in ("new", "changed"):
        marked = set(changes[mark])
        for line in lines if marked else ():
            if line["id"] in marked:
                line["mark"] = mark
    words = [(one.first_words, one.delivered_words) for one in told]
    drills = frozenset([one.record["id"] for one in told if one.drill])
    return {
        "format": FORMAT_VERSION,
        "summary": _summary(plan, told, lines, words, changes),
        "decisions": {
            "path": decisions_path,
            "exists": form.exists,
            "separator": form.separator,
            "columns": list(form.columns),
        },
        "lines": lines,
        "removed": list(changes["removed"]),
        "since_accepted": None,  # ``memory.since_accepted`` knows earlier builds
        "stale_decisions": list(plan.stale_decisions),
        "exceptions": [dict(exception) for exception in plan.exceptions],
        "remarks": _remarks(lines),
        "voices": _voices(plan, told, manifest, references or {}),
        "figures": figures_of(lines, drills, words, [one.takes for one in told]),
        "engine": manifest["engine"],
        "disclosure": manifest["disclosure"],
    }


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
        "remarks": list(line.remarks),
        "notes": line.notes,
    }
    if result.state != QUIET:
        record["hear_once"] = must_be_heard_once(result)
        record["human_recording"] = bool(result.planned.recording)
        first = result.planned.first_reading
        record["takes"] = [_take(take, take.key == result.take, first) for take in result.takes]
    return record


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


def _summary(
    plan: Plan,
    told: Sequence[Told],
    lines: Sequence[Mapping[str, Any]],
    words: Sequence[tuple[Mapping[str, int] | None, Mapping[str, int] | None]],
    changes: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    states = Counter(line["state"] for line in lines)
    once = sum(1 for line in lines if line.get("hear_once"))
    waiting = sorted([one for one in told if one.urgency], key=_by_urgency)
    blocking = [one.record["id"] for one in waiting]
    # Decisions of people and lines that no machine can judge say nothing about the judge's pass rate.
    judged = states["passed"] + states["regenerated"] + states["flagged"] - once + states["missing"]
    return {
        "shippable": not blocking,
        "blocking": blocking,
        "rows": plan.rows,
        "lines": len(lines),
        "clips": sum(1 for line in lines if line["path"]),
        "new": len(changes["new"]),
        "changed": len(changes["changed"]),
        "removed": len(changes["removed"]),
        **{state: states[state] for state in STATES},
        "flagged": states["flagged"] - once,
        "to_hear_once": once,
        "cut": len(plan.exceptions),
        "duration_s": round(sum(line["duration_s"] or 0.0 for line in lines), 3),
        "takes": sum([one.takes for one in told]),
        "judged": judged,
        "first_take_pass_rate": _share(states["passed"], judged),
        "after_retry_pass_rate": _share(states["passed"] + states["regenerated"], judged),
        "words": {
            "first_takes": _word_totals(first for first, _ in words),
            "delivered": _word_totals(delivered for _, delivered in words),
        },
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _by_urgency(told: Told) -> tuple[Any, ...]:
    return told.urgency


def _urgency(result: LineResult) -> tuple[Any, ...]:
    """Of a line that nobody has reviewed: stale locks, missing, flagged with the worst first, drills last."""
    if result.state not in BLOCKING:
        return ()
    chosen = _chosen_take(result)
    badness = chosen.badness if chosen is not None and chosen.badness is not None else 0.0
    known_wrong = chosen is not None and chosen.outcome == "retry"
    return BLOCKING.index(result.state), must_be_heard_once(result), not known_wrong, -badness


# Words -------------------------------------------------------------------------------------------------------------


def word_counts(evidence: Mapping[str, Any] | None) -> dict[str, int] | None:
    """The word counts in a take's evidence; None when the judge did not listen."""
    comparison = compared(evidence)
    if comparison is None:
        return None
    return {name: comparison[name] for name in WORD_COUNTS}


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


def _word_totals(counts: Iterable[Mapping[str, int] | None]) -> dict[str, Any]:
    """Sums, never means of means, and the corpus word error rate that follows from them."""
    totals = dict.fromkeys(WORD_COUNTS, 0)
    lines = 0
    for count in counts:
        if count is not None:
            lines += 1
            for name in WORD_COUNTS:
                totals[name] += count[name]
    expected = totals["hits"] + totals["substitutions"] + totals["deletions"]
    errors = totals["substitutions"] + totals["deletions"] + totals["insertions"]
    return {"lines": lines, "expected": expected, **totals, "wer": _share(errors, expected)}


# The smaller lists -------------------------------------------------------------------------------------------------


def _remarks(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each remark once, with the lines that it is about, the most frequent first."""
    ids: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        for remark in line["remarks"]:
            ids[remark].append(line["id"])
    return [{"text": text, "ids": ids[text]} for text in sorted(ids, key=lambda text: (-len(ids[text]), text))]


def _voices(
    plan: Plan, told: Sequence[Told], manifest: Mapping[str, Any], references: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Who speaks how much, how well, and by what right."""
    spoken_s: dict[str, float] = defaultdict(float)
    count: Counter[str] = Counter()
    human: Counter[str] = Counter()
    states: dict[str, Counter[str]] = defaultdict(Counter)
    for one in told:
        line, voice = one.record, one.record["voice"]
        human[voice] += one.human
        count[voice] += 1
        spoken_s[voice] += line["duration_s"] or 0.0
        states[voice]["once" if line.get("hear_once") else line["state"]] += 1
    found = []
    for name, voice in sorted(manifest["voices"].items()):
        mine = states[name]
        judged = mine["passed"] + mine["regenerated"] + mine["flagged"] + mine["missing"]
        found.append(
            {
                "voice": name,
                "label": voice["label"],
                "lines": count[name],
                "duration_s": round(spoken_s[name], 3),
                "human_recordings": human[name],
                "waiting": sum(mine[state] for state in (*BLOCKING, "once")),
                "judged": judged,
                "first_take_pass_rate": _share(mine["passed"], judged),
                "rights": dict(voice["rights"]),
                "reference": references.get(name, ""),
                "reference_transcript": plan.voices[name].reference_transcript if name in references else "",
            }
        )
    return found
