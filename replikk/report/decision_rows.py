"""Rows for ``decisions.csv`` that fit the file as the user keeps it: its columns, in its order, with its separator.

A row that is copied from the report is pasted into a file that may have been saved by Norwegian Excel (``;``), with
Norwegian column names or columns of its own; a row of another shape would be a problem in the next build.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replikk.dialogue.columns import fold
from replikk.dialogue.decisions import COLUMNS
from replikk.dialogue.delimited import SEPARATORS, decode
from replikk.errors import ReplikkError

DEFAULT_COLUMNS = ("id", "take_key", "decision", "who", "when", "why")
_REQUIRED = frozenset({"id", "take_key", "decision"})


@dataclass(frozen=True)
class DecisionForm:
    """The shape of the user's ``decisions.csv``."""

    separator: str = ","
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    """By their English names; ``""`` for a column that is the user's own."""
    exists: bool = False
    """Whether there is a file with a header to paste under."""

    def row(self, line_id: str, take_key: str, decision: str) -> str:
        """One row. Ids and keys are plain letters and digits (``dialogue.ids``), so nothing needs quotation marks."""
        cells = {"id": line_id, "take_key": take_key, "decision": decision}
        return self.separator.join(cells.get(column, "") for column in self.columns)


def decision_form(path: Path) -> DecisionForm:
    """The shape of the file at ``path``; the default one when it does not exist or has no header that can be used."""
    try:
        text = decode(path.read_bytes())
    except (OSError, ReplikkError):
        return DecisionForm()
    by_header = {fold(name): column for column, names in COLUMNS.items() for name in names}
    for row in text.splitlines():
        if row.strip() and not row.startswith(("#", "sep=", '"sep=')):
            return max((_read(row, separator, by_header) for separator in SEPARATORS), key=lambda form: form.exists)
    return DecisionForm()


def _read(row: str, separator: str, by_header: dict[str, str]) -> DecisionForm:
    cells: Sequence[str] = next(csv.reader(io.StringIO(row), delimiter=separator), [])
    columns = tuple(by_header.get(fold(cell), "") for cell in cells)
    return DecisionForm(separator, columns, True) if set(columns) >= _REQUIRED else DecisionForm()
