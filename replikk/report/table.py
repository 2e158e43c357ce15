"""``report.csv``: one row per line of dialogue, for people who live in a spreadsheet program.

Written for Norwegian Excel: UTF-8 with BOM, ``;`` between cells, a comma in decimal numbers, one line of text per cell.
A text that a spreadsheet program would run as a formula gets an apostrophe in front, also behind a ``,`` or ``;``
inside the text, because a program with other settings parts the cells there.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from replikk.report.wording import ADVICE, STATE_LABELS, state_of
from replikk.spreadsheets import safe_cell

COLUMNS = (
    "id",
    "state",
    "what to do",
    "reasons",
    "scene",
    "voice",
    "character",
    "text",
    "heard",
    "duration_s",
    "new or changed",
    "takes",
    "place",
    "take key",
    "locale",
    "style",
    "clip",
    "remarks",
    "notes",
)


def render_table(data: Mapping[str, Any]) -> bytes:
    """The table as a file's bytes, rows in the order of the plan."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in data["lines"]:
        writer.writerow([safe_cell(cell) for cell in _row(line)])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _row(line: Mapping[str, Any]) -> tuple[str, ...]:
    state = state_of(line)
    takes = line.get("takes", ())
    delivered: Mapping[str, Any] = next((take for take in takes if take["delivered"]), takes[-1] if takes else {})
    reasons = delivered.get("reasons", ()) if state not in ("accepted", "locked", "regenerated") else ()
    return (
        line["id"],
        STATE_LABELS[state],
        ADVICE[state],
        " | ".join(reason["text"] for reason in reasons),
        line["scene"],
        line["voice"],
        line["character"],
        line["text"],
        delivered.get("heard") or "",
        "" if line["duration_s"] is None else f"{line['duration_s']:.2f}".replace(".", ","),
        line["mark"],
        str(len(takes) if takes else int(state == "passed")),
        line["place"],
        line["take"] or "",
        line["locale"],
        line["style"],
        line["path"].removeprefix("../"),
        " | ".join(line["remarks"]),
        line["notes"],
    )
