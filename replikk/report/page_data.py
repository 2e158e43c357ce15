"""What the page's script gets: all lines as compact rows, and everything about the takes of those to be looked at.

A page must open at once however large the game is, so values that many lines share are numbers, what the script can
work out is left out, and the takes have a budget: lines are served in the order in which a person should look at them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from urllib.parse import quote

import orjson

from replikk.report import wording
from replikk.report.diff import runs
from replikk.report.limits import spell_limit
from replikk.report.measures import measures
from replikk.report.told import compared

LIST_FIELDS = (
    "id", "state", "mark", "scene", "locale", "voice", "character", "style", "text", "spoken", "place", "path",
    "duration", "loudness", "gain", "take", "remarks", "notes", "reasons",
)  # fmt: skip
SHARED_FIELDS = ("state", "mark", "scene", "locale", "voice", "character", "style")
"""Fields with few different values: a number per line, the values once."""

TAKES_BUDGET_BYTES = 2_500_000
"""For takes with their waveforms and evidence: some 1,500 takes. The others are in report.json."""
MOST_STEPS = 300
"""Of a comparison. Nobody reads more differences than this in one line."""

_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~-]*")


def link(path: str) -> str:
    """A relative path as a URL: a ``#``, ``?``, ``%`` or quote in a scene's name stays part of the name."""
    return path if _PLAIN_PATH.fullmatch(path) else quote(path, safe="/.-_~")


def page_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the script draws from."""
    number_of = {line["id"]: number for number, line in enumerate(data["lines"])}
    waiting = [number_of[line_id] for line_id in data["summary"]["blocking"]]
    since = data["since_accepted"]
    return {
        **compact_lines(data),
        "waiting": waiting,
        "since": since and {name: [number_of[i] for i in since[name]] for name in ("new", "changed")},
        "takes": _takes(data["lines"], waiting),
        "advice": wording.ADVICE,
        "outcomes": wording.OUTCOME_LABELS,
    }


def compact_lines(data: Mapping[str, Any]) -> dict[str, Any]:
    """All lines as rows of ``LIST_FIELDS``."""
    numbers: dict[str, dict[str, int]] = {name: {} for name in SHARED_FIELDS}
    shared_by: dict[tuple[str, ...], list[int]] = {}  # few combinations stand for thousands of lines
    values_of = itemgetter(*SHARED_FIELDS[1:])
    rows = []
    for line in data["lines"]:
        takes = line.get("takes", ())
        reasons = next((take["reasons"] for take in takes if take["delivered"]), takes[-1]["reasons"] if takes else ())
        combination = (wording.state_of(line), *values_of(line))
        shared = shared_by.get(combination)
        if shared is None:
            known = zip(numbers.values(), combination, strict=True)
            shared = shared_by[combination] = [values.setdefault(value, len(values)) for values, value in known]
        rows.append(
            [
                line["id"],
                *shared,
                line["text"],
                "" if wording.same_words(line["text"], line["spoken"]) else line["spoken"],
                line["place"],
                link(line["path"]),
                line["duration_s"],
                line["loudness_after_lufs"],
                line["gain_db"],
                line["take"] or "",
                line["remarks"],
                line["notes"],
                [reason["text"] for reason in reasons],
            ]
        )
    return {
        "fields": LIST_FIELDS,
        "values": {name: list(known) for name, known in numbers.items()},
        "show_marks": wording.marks_tell(data["summary"]),
        "states": wording.STATE_LABELS,
        "decisions": {**data["decisions"], "labels": wording.DECISION_LABELS},
        "voices": {
            voice["voice"]: {
                "label": voice["label"],
                "reference": link(voice["reference"]),
                "transcript": voice["reference_transcript"],
            }
            for voice in data["voices"]
        },
        "rows": rows,
    }


def _takes(lines: Sequence[Mapping[str, Any]], waiting: Sequence[int]) -> dict[str, Any]:
    """By number of the line, for as many lines as the budget allows."""
    first = set(waiting)
    order = [*waiting, *[n for n, line in enumerate(lines) if "takes" in line and n not in first]]
    found = {}
    left = TAKES_BUDGET_BYTES
    for number in order:
        line = lines[number]
        record = {"human": line["human_recording"], "takes": [_take(take) for take in line["takes"]]}
        left -= len(orjson.dumps(record))
        if left < 0:
            break
        found[str(number)] = record
    return found


def _take(take: Mapping[str, Any]) -> dict[str, Any]:
    evidence = take["evidence"] or {}
    comparison = compared(evidence)
    signal = evidence.get("signal") or {}
    return {
        "key": take["key"],
        "reading": take["reading"],
        "delivered": take["delivered"],
        "outcome": take["outcome"],
        "path": take["path"],
        "heard": take["heard"],
        "reasons": [[reason["text"], spell_limit(reason)] for reason in sorted(take["reasons"], key=_is_general)],
        "steps": _steps(comparison["alignment"]) if comparison else [],
        "measures": [list(measure) for measure in measures(take["evidence"])],
        "duration": signal.get("duration_s"),
        "level": signal.get("rms_dbfs"),
        "outline": take["outline"] or "",
        "words": take["words"],
        "stretches": [[each["start_s"], each["end_s"], each["label"]] for each in take["stretches"]],
    }


def _is_general(reason: Mapping[str, Any]) -> bool:
    """That the sound does not fit the words is the judge's sum of all; what is wrong where comes first."""
    return bool(reason["code"] == "misfit")


def _steps(alignment: Sequence[Sequence[str]]) -> list[list[Any]]:
    """``["ok", words, words left out, last words]``, or ``[op, expected, heard]`` per word that is not right."""
    steps: list[list[Any]] = []
    for op, group in groupby(alignment, key=lambda step: step[0]):
        if op == "ok":
            [run] = runs(group)
            steps.append(["ok", run.expected, run.skipped, run.tail])
        else:
            steps += [list(step) for step in group]
    return steps[:MOST_STEPS]
