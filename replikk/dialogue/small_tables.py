"""The small tables beside the sheets (lexicon, decisions): rows by column name, in any case and in both languages.

The reading itself (separators, letters, quotes) is that of the sheets. A row whose first cell starts with ``#`` is a
comment. Columns that nobody knows are the writer's own and are left alone, unless their name looks like a slip of a
known one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from replikk.dialogue.columns import fold
from replikk.dialogue.nearest import nearest
from replikk.dialogue.tables import SheetReadError, Table, read_table
from replikk.errors import Problem

MISSING_IN_HEADER = "is missing in the header"

NamedRow = tuple[int, dict[str, str]]
"""Row number as the spreadsheet program shows it, and cells by column; a missing cell is empty."""


def read_named_rows(
    path: Path, columns: Mapping[str, Sequence[str]], required: Sequence[str]
) -> tuple[list[NamedRow], list[Problem]]:
    """The rows of a table. ``columns``: name to the headers that mean it. A missing file has no rows."""
    file = str(path)
    if not path.exists():
        return [], []
    try:
        table = read_table(path)[0]
    except SheetReadError as error:
        return [], [Problem(file, None, "", "", error.what, error.instead)]
    return named_rows(table, file, columns, required)


def named_rows(
    table: Table, file: str, columns: Mapping[str, Sequence[str]], required: Sequence[str]
) -> tuple[list[NamedRow], list[Problem]]:
    """As ``read_named_rows`` of a table that has been read; ``file`` names it in problems."""
    problems = [Problem(file, fault.row, "", "", fault.what, fault.instead) for fault in table.faults]
    rows = [(number, cells) for number, cells in table.rows if not cells[0].startswith("#")]
    if not rows:
        return [], problems
    header_row, header = rows[0]
    by_header = {fold(name): column for column, names in columns.items() for name in names}
    place_of: dict[str, int] = {}
    for place, name in enumerate(header):
        column = by_header.get(fold(name)) if fold(name) else None
        if column is None:
            unseen = [alias for known, names in columns.items() for alias in names if known not in place_of]
            close = nearest(name, unseen) if len(name) > 3 else None
            if close is not None and by_header[fold(close)] not in {by_header.get(fold(other)) for other in header}:
                problems.append(Problem(file, header_row, "", name, "is no known column", f"did you mean '{close}'?"))
        elif column in place_of:
            problems.append(
                Problem(file, header_row, "", name, f"is the second column for '{column}'", "keep one of the two")
            )
        else:
            place_of[column] = place
    missing = [column for column in required if column not in place_of]
    for column in missing:
        problems.append(
            Problem(
                file,
                header_row,
                "",
                column,
                MISSING_IN_HEADER,
                f"write a column {' or '.join(columns[column])}",
            )
        )
    if missing:
        return [], problems
    return [
        (number, {column: cells[place] if place < len(cells) else "" for column, place in place_of.items()})
        for number, cells in rows[1:]
        if any(cells)
    ], problems
