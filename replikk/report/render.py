"""``index.html``: the report as one page, style and script inside, nothing from a network.

Two readers are served. With scripts, the page is a desk for listening and deciding, drawn from compact JSON
(``page_data.py``) by the files ``templates/*.js``, so that a game of 10,000 lines opens at once. Without, everything
that must be decided on is there as plain HTML: the summary, the clips that need a person, plots, voices and licences.

Every text of a user is escaped: by jinja2's autoescape in HTML, by ``embedded_json`` inside the script element, and by
percent-encoding in the paths of clips; the script puts texts into the page as text only. A content security policy lets
only this page's own script and style run, so a mistake in one of these would show odd text and do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from replikk.report import wording
from replikk.report.decision_rows import DecisionForm
from replikk.report.diff import Run, runs
from replikk.report.limits import spell_limit
from replikk.report.measures import Measure, measures
from replikk.report.page_data import link, page_data
from replikk.report.plots import bar_plots, history_plot, voice_plots
from replikk.report.told import compared

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment

TEMPLATES = Path(__file__).parent / "templates"

SCRIPTS = ("review", "shared", "lines", "player", "waveform", "deciding", "browse", "takes", "desk", "report")
"""Of ``templates``, in the order in which they need each other."""
MAX_CARDS = 40
"""Full cards per kind of line on the plain page. Who has more flagged clips than this has one fault in all of them, and
the rest are in the table; a page of thousands of players would not open."""
WAITING = ("locked_stale", "missing", "flagged", "hear_once")
"""What a person is waited for, in the order of the page."""
MAX_NAMED = 24
"""Ids named beside a remark."""


def render_page(data: Mapping[str, Any], history: Sequence[Mapping[str, Any]] = ()) -> bytes:
    """The page for ``report_data``; ``history`` are the last builds as ``memory.note_build`` returns them."""
    by_id = {line["id"]: line for line in data["lines"]}
    labels = {voice["voice"]: voice["label"] for voice in data["voices"]}
    decisions = data["decisions"]
    form = DecisionForm(decisions["separator"], tuple(decisions["columns"]), decisions["exists"])
    waiting = [by_id[line_id] for line_id in data["summary"]["blocking"]]
    by_voice = voice_plots(data["figures"], labels)
    plot_of = {row["voice"]: row for row in by_voice["rows"]}
    style, script = _asset("report.css"), _script()
    template = _environment().get_template("report.html")
    text = template.render(
        data=data,
        summary=data["summary"],
        style=style,
        script=script,
        policy=_policy(style, script),
        obstacles=_obstacles(data["summary"]),
        tiles=_tiles(data["summary"]),
        build=history[-1] if history else None,
        sections=[_section(state, waiting, labels, form) for state in WAITING],
        regenerated=_section("regenerated", data["lines"], labels, form),
        remarks=[{**remark, "more": max(0, len(remark["ids"]) - MAX_NAMED)} for remark in data["remarks"]],
        max_named=MAX_NAMED,
        list_json=embedded_json(page_data(data)),
        header_row=form.separator.join(form.columns),
        show_marks=wording.marks_tell(data["summary"]),
        by_voice=by_voice,
        voices=[{**voice, "plot": plot_of[voice["voice"]]} for voice in data["voices"] if voice["voice"] in plot_of],
        bars=bar_plots(data["figures"]),
        course=history_plot(history),
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
        bytecode_cache=_compiled_templates(),
    )
    environment.filters["length"] = wording.spell_length
    environment.filters["share"] = wording.spell_share
    environment.filters["thousands"] = lambda number: f"{number:,}".replace(",", "\u202f")
    environment.filters["link"] = link
    environment.filters["limit"] = spell_limit
    environment.filters["duration"] = wording.spell_duration
    environment.globals["count_of"] = wording.count_of
    return environment


def _compiled_templates() -> BytecodeCache | None:
    """Templates compiled beside our own modules, as Python compiles those; every build of one line would do it anew."""
    from jinja2 import FileSystemBytecodeCache

    folder = Path(__file__).parent / "__pycache__"
    usable = not sys.dont_write_bytecode and os.access(folder, os.W_OK)
    return FileSystemBytecodeCache(str(folder)) if usable else None


@lru_cache(maxsize=32)
def _asset(name: str) -> Any:
    """Our own style or script, to stand inside its element as it is."""
    from markupsafe import Markup

    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _script() -> Any:
    """All script files as one. They are written to be read apart; each keeps its own names to itself."""
    from markupsafe import Markup

    return Markup("\n").join(_asset(f"{name}.js") for name in SCRIPTS)


def _policy(style: str, script: str) -> str:
    """What the page may load: its own style and script by their hashes, audio beside it, and where it is served, its
    own site's decisions. Nothing else."""

    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    rules = {
        "default-src": "'none'",
        "style-src": source(style),
        "script-src": source(script),
        "media-src": "'self' file:",  # opened from a disk, 'self' is no site
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def embedded_json(value: Any) -> Any:
    """JSON that cannot end the script element it stands in, nor open a comment there."""
    from markupsafe import Markup

    text = orjson.dumps(value).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


# What the template shows ------------------------------------------------------------------------------------------


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
                tile("locked_stale", "locked, text changed", "locked_stale", "bad", "state=locked_stale"),
                tile("missing", "missing", "missing", "bad", "state=missing"),
                tile("flagged", "flagged", "flagged", "warn", "state=flagged"),
                tile("to_hear_once", "to be heard once", "hear_once", "note", "state=hear_once"),
            ],
        },
        {
            "label": "Done",
            "tiles": [
                tile("passed", "passed", "lines", "good", "state=passed"),
                tile("regenerated", "regenerated", "regenerated", "good", "state=regenerated"),
                tile("accepted", "accepted earlier", "lines", "good", "state=accepted"),
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
        "spoken": "" if wording.same_words(line["text"], line["spoken"]) else line["spoken"],
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
