"""``index.html``: the report as one page, style and script inside, nothing from a network.

What must be decided on is plain HTML and works without JavaScript: the summary, the clips that need a person, the
regenerated lines, licences. The list of all lines is drawn by the page's script from compact JSON, some at a time, so
that a game of 10,000 lines opens at once.

Every text of a user is escaped: by jinja2's autoescape in HTML, by ``embedded_json`` inside the script element, and by
percent-encoding in the paths of clips. A content security policy lets only this page's own script and style run, so a
mistake in one of these would show odd text and do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from replikk.report import wording
from replikk.report.data import compared
from replikk.report.decision_rows import DecisionForm
from replikk.report.diff import Run, runs
from replikk.report.measures import Measure, measures

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"

MAX_CARDS = 200
"""Full cards per kind of line. Who has more flagged clips than this has one fault in all of them, and the rest are in
the list and the table; a page of thousands of players would not open."""
WAITING = ("locked_stale", "missing", "flagged", "hear_once")
"""What a person is waited for, in the order of the page."""
MAX_NAMED = 24
"""Ids named beside a remark."""


def render_page(data: Mapping[str, Any]) -> bytes:
    """The page for ``report_data``."""
    by_id = {line["id"]: line for line in data["lines"]}
    labels = {voice["voice"]: voice["label"] for voice in data["voices"]}
    decisions = data["decisions"]
    form = DecisionForm(decisions["separator"], tuple(decisions["columns"]), decisions["exists"])
    waiting = [by_id[line_id] for line_id in data["summary"]["blocking"]]
    style, script = _asset("report.css"), _asset("report.js")
    page = _environment().get_template("report.html")
    text = page.render(
        data=data,
        summary=data["summary"],
        style=style,
        script=script,
        policy=_policy(style, script),
        obstacles=_obstacles(data["summary"]),
        tiles=_tiles(data["summary"]),
        sections=[_section(state, waiting, labels, form) for state in WAITING],
        regenerated=_section("regenerated", data["lines"], labels, form),
        remarks=[{**remark, "more": max(0, len(remark["ids"]) - MAX_NAMED)} for remark in data["remarks"]],
        max_named=MAX_NAMED,
        list_json=embedded_json(compact_lines(data)),
        header_row=form.separator.join(form.columns),
        show_marks=_marks_tell(data["summary"]),
        wording=wording,
    )
    return text.encode("utf-8", "replace")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # Imported here: a build in which nothing changed does not draw a page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["length"] = wording.spell_length
    environment.filters["share"] = wording.spell_share
    environment.filters["thousands"] = lambda number: f"{number:,}".replace(",", "\u202f")
    environment.filters["link"] = link
    environment.globals["count_of"] = wording.count_of
    return environment


@lru_cache(maxsize=4)
def _asset(name: str) -> Any:
    """Our own style or script, to stand inside its element as it is."""
    from markupsafe import Markup

    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    """What the page may load: its own style and script by their hashes, and audio beside it. Nothing else."""

    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    rules = {
        "default-src": "'none'",
        "style-src": source(style),
        "script-src": source(script),
        "media-src": "'self' file:",  # opened from a disk, 'self' is no site
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._~-]*")


def link(path: str) -> str:
    """A relative path as a URL: a ``#``, ``?``, ``%`` or quote in a scene's name stays part of the name."""
    return path if _PLAIN_PATH.fullmatch(path) else quote(path, safe="/.-_~")


def embedded_json(value: Any) -> Any:
    """JSON that cannot end the script element it stands in, nor open a comment there."""
    from markupsafe import Markup

    text = orjson.dumps(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


# What the template shows ------------------------------------------------------------------------------------------


def _marks_tell(summary: Mapping[str, Any]) -> bool:
    """Whether it is worth saying which lines are new: in a first build all of them are."""
    return bool(summary["new"] < summary["lines"])


def _obstacles(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    """What stands between this build and a release, most urgent first."""
    wanted = (
        ("locked_stale", "locked_stale", "locked line whose text has changed", "locked lines whose text has changed"),
        ("missing", "missing", "line without a clip", "lines without a clip"),
        ("flagged", "flagged", "flagged clip", "flagged clips"),
        ("to_hear_once", "hear_once", "drill to be heard once", "drills to be heard once"),
    )
    return [
        {"text": wording.count_of(summary[name], one, many), "anchor": anchor}
        for name, anchor, one, many in wanted
        if summary[name]
    ]


def _tiles(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The counts of the first screen, in groups. ``filter`` is what the list shows when the tile is chosen."""

    def tile(name: str, label: str, anchor: str, tone: str, shown: str = "") -> dict[str, Any]:
        count = summary[name]
        place = anchor if count else "lines"  # an empty part is not on the page
        return {"name": name, "count": count, "label": label, "anchor": place, "tone": tone, "filter": shown}

    return [
        {
            "label": "Waiting for a person",
            "tiles": [
                tile("locked_stale", "locked, text changed", "locked_stale", "bad"),
                tile("missing", "missing", "missing", "bad"),
                tile("flagged", "flagged", "flagged", "warn"),
                tile("to_hear_once", "to be heard once", "hear_once", "note"),
            ],
        },
        {
            "label": "Done",
            "tiles": [
                tile("passed", "passed", "lines", "good", "state=passed"),
                tile("regenerated", "regenerated", "regenerated", "good"),
                tile("accepted", "accepted", "lines", "good", "state=accepted"),
                tile("locked", "locked", "lines", "good", "state=locked"),
            ],
        },
        {
            "label": "Since the last build",
            "tiles": [
                tile("new", "new", "lines", "plain", "mark=new"),
                tile("changed", "changed", "lines", "plain", "mark=changed"),
                tile("removed", "removed", "removed", "plain"),
            ],
        },
        {
            "label": "In all",
            "tiles": [
                tile("lines", "lines", "lines", "plain", "state="),
                tile("cut", "cut or skipped", "exceptions", "plain"),
            ],
        },
    ]


def _section(
    state: str, lines: Iterable[Mapping[str, Any]], labels: Mapping[str, str], form: DecisionForm
) -> dict[str, Any]:
    mine = [line for line in lines if wording.state_of(line) == state]
    return {
        "state": state,
        "label": wording.STATE_LABELS[state],
        "meaning": wording.STATE_MEANINGS[state],
        "advice": wording.ADVICE[state],
        "count": len(mine),
        "cards": [_card(line, labels, form) for line in mine[:MAX_CARDS]],
        "left_out": max(0, len(mine) - MAX_CARDS),
    }


def _card(line: Mapping[str, Any], labels: Mapping[str, str], form: DecisionForm) -> dict[str, Any]:
    """A line that somebody should look at, with everything there is to know."""
    takes = [_take(line, take, number, form) for number, take in enumerate(line["takes"], start=1)]
    delivered = next((take for take in takes if take["delivered"]), None)
    return {
        **line,
        "state": wording.state_of(line),
        "state_label": wording.STATE_LABELS[wording.state_of(line)],
        "voice_label": labels.get(line["voice"], line["voice"]),
        "spoken": "" if _same_words(line["text"], line["spoken"]) else line["spoken"],
        "takes": takes,
        "shown": delivered or (takes[-1] if takes else None),
        # The takes of the others cannot be decided on (the line has changed, there is no take) or need not be.
        "decisions": list(wording.DECISION_LABELS) if line["state"] == "flagged" else [],
    }


def _take(line: Mapping[str, Any], take: Mapping[str, Any], number: int, form: DecisionForm) -> dict[str, Any]:
    comparison = compared(take["evidence"])
    diff: Sequence[Run] = runs(comparison["alignment"]) if comparison else ()
    measured: Sequence[Measure] = measures(take["evidence"])
    return {
        **take,
        "number": number,
        "outcome_label": wording.OUTCOME_LABELS.get(take["outcome"], take["outcome"]),
        "diff": diff,
        "wrong": any(run.op != "ok" for run in diff),
        "measures": measured,
        "rows": {name: form.row(line["id"], take["key"], name) for name in wording.DECISION_LABELS},
    }


def _same_words(text: str, spoken: str) -> bool:
    """Whether the spoken form differs from the text in letter case and punctuation only."""

    def letters(value: str) -> str:
        return "".join(c for c in value.casefold() if c.isalnum())

    return text == spoken or letters(text) == letters(spoken)


# The list of all lines --------------------------------------------------------------------------------------------

LIST_FIELDS = (
    "id", "state", "mark", "scene", "locale", "voice", "character", "style", "text", "spoken", "place", "path",
    "duration", "loudness", "gain", "take", "remarks", "notes", "reasons",
)  # fmt: skip
SHARED_FIELDS = ("state", "mark", "scene", "locale", "voice", "character", "style")
"""Fields with few different values: a number per line, the values once."""


def compact_lines(data: Mapping[str, Any]) -> dict[str, Any]:
    """All lines as rows of ``LIST_FIELDS``, for the page's script."""
    numbers: dict[str, dict[str, int]] = {name: {} for name in SHARED_FIELDS}
    rows = []
    for line in data["lines"]:
        takes = line.get("takes", ())
        reasons = next((take["reasons"] for take in takes if take["delivered"]), takes[-1]["reasons"] if takes else ())
        shared = [
            known.setdefault(wording.state_of(line) if name == "state" else line[name], len(known))
            for name, known in numbers.items()
        ]
        rows.append(
            [
                line["id"],
                *shared,
                line["text"],
                "" if _same_words(line["text"], line["spoken"]) else line["spoken"],
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
        "show_marks": _marks_tell(data["summary"]),
        "states": wording.STATE_LABELS,
        "decisions": {**data["decisions"], "labels": wording.DECISION_LABELS},
        "voices": {voice["voice"]: voice["label"] for voice in data["voices"]},
        "rows": rows,
    }
