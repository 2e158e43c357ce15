"""What the quality report says, as plain JSON: no HTML, no decisions, no time stamps, nothing of this machine.

``report.json`` is the published form (``replikk/schemas/report.schema.json``); the page and the table are drawn from it
and from nothing else. Equal inputs give equal bytes.

Pass rates and word counts are given for first takes and for what is delivered, apart, so that the best of several takes
hides none of the others. What is said of a single line is in ``told.py``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from replikk.dialogue.plan import Plan
from replikk.report.decision_rows import DecisionForm
from replikk.report.figures import WordCounts, counted, figures_of
from replikk.report.told import ALL_COUNTS, BLOCKING, STATES, Told

FORMAT_VERSION = 2


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
    words = {
        "first": counted([one.first_words for one in told]),
        "delivered": counted([one.delivered_words for one in told]),
    }
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


def _summary(
    plan: Plan,
    told: Sequence[Told],
    lines: Sequence[Mapping[str, Any]],
    words: Mapping[str, WordCounts],
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
            "first_takes": _word_totals(words["first"]),
            "delivered": _word_totals(words["delivered"]),
        },
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _by_urgency(told: Told) -> tuple[Any, ...]:
    return told.urgency


# Words -------------------------------------------------------------------------------------------------------------


def _word_totals(words: WordCounts) -> dict[str, Any]:
    """Sums, never means of means, and the corpus word error rates that follow from them: ours, and jiwer's."""
    totals = dict.fromkeys(ALL_COUNTS, 0)
    for counts, lines in words.items():
        for name, count in zip(ALL_COUNTS, counts, strict=True):
            totals[name] += lines * count
    expected = totals["hits"] + totals["substitutions"] + totals["deletions"]
    errors = totals["substitutions"] + totals["deletions"] + totals["insertions"]
    plain = _share(totals["plain_errors"], totals["plain_words"])
    lines = sum(words.values())
    return {"lines": lines, "expected": expected, **totals, "wer": _share(errors, expected), "plain_wer": plain}


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
