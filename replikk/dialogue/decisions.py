"""What people decided about takes, from ``dialogue/decisions.csv``.

Columns: ``id``, ``take_key`` (all 64 hex digits or at least the first eight), ``decision``, ``who``, ``when``,
``why``; a retake may say how the line is to be spoken from now on, with ``style`` (direction) and ``respelling`` (what
the sheets call ``say``). A decision is ``accept``, ``retake``, ``lock``, ``note``, ``withdraw``, or a Norwegian word
for it.

The file grows at its end, like a log: of several decisions on the same take of a line the last row holds. A
``withdraw`` takes back what was decided on its take and decides nothing itself. Notes decide nothing and are all kept;
they need no take key.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replikk.dialogue.columns import fold
from replikk.dialogue.ids import folded_id
from replikk.dialogue.nearest import nearest
from replikk.dialogue.small_tables import named_rows
from replikk.dialogue.tables import SheetReadError, Table, read_table
from replikk.errors import Problem, printable
from replikk.spreadsheets import plain_cell

log = logging.getLogger(__name__)

COLUMNS = {
    "id": ("id", "line id", "replikk-id"),
    "take_key": ("take_key", "take", "take key", "nøkkel", "opptak", "opptaksnøkkel"),
    "decision": ("decision", "avgjørelse", "beslutning", "vedtak", "avgjerd"),
    "who": ("who", "hvem", "kven"),
    "when": ("when", "når", "dato", "date"),
    "why": ("why", "hvorfor", "kvifor", "begrunnelse", "grunngiving", "merknad", "notes"),
    "style": ("style", "regi", "stil"),
    "respelling": ("respelling", "uttale", "say"),
}
DECISIONS = {
    "accept": ("accept", "accepted", "godta", "godtatt", "godkjenn", "godkjent", "godteke"),
    "retake": ("retake", "nytt opptak", "ta om igjen", "ta opp igjen", "om igjen", "omtak", "ta om att", "om att"),
    "lock": ("lock", "locked", "lås", "låst"),
    "note": ("note", "notat", "merknad"),
    "withdraw": ("withdraw", "withdrawn", "trekk tilbake", "trukket tilbake", "angre", "angret", "trekk attende"),
}
SHORTEST_KEY = 8  # hex digits: the id names the line already, and a line has a few dozen takes at most
_BY_WORD = {fold(word): decision for decision, words in DECISIONS.items() for word in words}
_KEY = re.compile(r"[0-9a-f]{8,64}")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?e[+-]?\d+|\d{1,7}", re.IGNORECASE)


@dataclass(frozen=True)
class Decision:
    """A row of the file."""

    line_id: str
    take_key: str
    """Lower-case hex, all of the key or its beginning; may be empty for a note."""
    decision: str
    """``accept``, ``retake``, ``lock``, ``note`` or ``withdraw``."""
    who: str = ""
    when: str = ""
    """As written."""
    why: str = ""
    style: str = ""
    """Of a retake: the direction to speak the line with from now on; empty for the one it had."""
    respelling: str = ""
    """Of a retake: what to speak from now on, read as the column ``say`` of a sheet; empty for what it was."""
    row: int = 0


def read_decisions(path: Path) -> tuple[list[Decision], list[Problem]]:
    """The decisions that hold, in the order of the file; none when there is no file."""
    if not path.exists():
        return [], []
    try:
        table = read_table(path)[0]
    except SheetReadError as error:
        return [], [Problem(str(path), None, "", "", error.what, error.instead)]
    found, problems = decisions_in(table, str(path))
    return in_force(found), problems


def decisions_in(table: Table, file: str) -> tuple[list[Decision], list[Problem]]:
    """Every decision of a table, those that later rows replace included; ``file`` names it in problems."""
    rows, problems = named_rows(table, file, COLUMNS, ("id", "take_key", "decision"))
    found: list[Decision] = []
    for number, cells in rows:
        line_id = cells["id"]
        word, key = cells["decision"], cells["take_key"].lower()
        decision = _BY_WORD.get(fold(word))
        wrong: list[tuple[str, str, str]] = []
        if not line_id:
            wrong.append(("id", "is empty", "write the id of the line"))
        if decision is None:
            close = nearest(word, [word for words in DECISIONS.values() for word in words])
            what = f"'{printable(word, 60)}' is no decision" if word else "is empty"
            instead = f"did you mean '{close}'?" if close else "write accept, retake, lock, note or withdraw"
            wrong.append(("decision", what, instead))
        if not key and decision not in ("note", None):
            wrong.append(("take_key", "is empty", "copy the key of the take from the report"))
        elif key and not _KEY.fullmatch(key):
            wrong.append(_bad_key(key))
        if wrong or decision is None:
            problems += [Problem(file, number, line_id, column, what, instead) for column, what, instead in wrong]
            continue
        rest = {name: plain_cell(cells.get(name, "")) for name in ("who", "when", "why", "style", "respelling")}
        found.append(Decision(line_id, key, decision, **rest, row=number))
    return found, problems


def _bad_key(key: str) -> tuple[str, str, str]:
    shown = printable(key, 70)
    if _NUMBER.fullmatch(key):
        return (
            "take_key",
            f"'{shown}' looks like a number that a spreadsheet program made of a key",
            "format the column as text and copy the whole key from the report",
        )
    if re.fullmatch(r"[0-9a-f]{1,7}", key):
        return (
            "take_key",
            f"'{shown}' is too short to name one take",
            f"write at least {SHORTEST_KEY} digits of the key",
        )
    return ("take_key", f"'{shown}' is not a take key", "copy it from the report: 64 digits 0-9 and a-f")


def in_force(decisions: Sequence[Decision]) -> list[Decision]:
    """Without those that a later row on the same take replaces or withdraws, and without withdrawals."""
    kept: list[Decision] = []
    later: dict[str, list[Decision]] = {}
    for decision in reversed(decisions):
        if decision.decision != "note":
            rivals = later.setdefault(folded_id(decision.line_id), [])
            rival = next((other for other in rivals if same_take(decision.take_key, other.take_key)), None)
            if rival is not None:
                # The file is a history, and review adds to it: that a later row holds is how it is meant.
                log.debug("decision in row %d on %s is replaced by row %d", decision.row, decision.line_id, rival.row)
                continue
            rivals.append(decision)
        if decision.decision != "withdraw":
            kept.append(decision)
    return kept[::-1]


def same_take(one: str, other: str) -> bool:
    """One key is the other, or its beginning."""
    return one.startswith(other) or other.startswith(one)
