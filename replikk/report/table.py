"""``report.csv``: one row per line of dialogue, for people who live in a spreadsheet program.

Written for Norwegian Excel: UTF-8 with BOM, ``;`` between cells, a comma in decimal numbers, one line of text per cell.
A text that a spreadsheet program would run as a formula gets an apostrophe in front, also behind a ``,`` or ``;``
inside the text, because a program with other settings parts the cells there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
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

_PART = r'[^\W_][^",;|\r\n\t\v\f\x00\x85\u2028\u2029]*'
_CELL = rf"(?:{_PART}(?:[,;|] *{_PART})*)?"
_PLAIN_ROW = re.compile(rf'{_CELL}(?:";"{_CELL})*')
"""A row in which nothing can start a formula or end a cell, told at one look: a letter or digit stands at the start of
every cell and behind every separator."""


def render_table(data: Mapping[str, Any], known: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """The table as a file's bytes, rows in the order of the plan.

    ``known`` are rows of ``table_row`` by line id, of lines that are neither new nor changed.
    """
    rows = [known.get(line["id"]) or table_row(line) for line in data["lines"]]
    rows.insert(0, spell_row(COLUMNS))
    return b"\xef\xbb\xbf" + "".join(rows).encode("utf-8", "replace")


def table_row(line: Mapping[str, Any]) -> str:
    """The row of one line of ``report_data``."""
    return spell_row(_row(line))


def spell_row(cells: Sequence[str]) -> str:
    """A row as it stands in the file, every cell in quotes, as ``csv.writer`` with ``QUOTE_ALL`` has it."""
    row = '";"'.join(cells)
    # A text that itself holds ";" as the join has it would look like two cells.
    if row.count('"') != 2 * (len(cells) - 1) or not _PLAIN_ROW.fullmatch(row):
        row = '";"'.join([safe_cell(cell).replace('"', '""') for cell in cells])
    return f'"{row}"\r\n'


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
