"""A folder of dialogue sheets as checked rows, and every problem in every file at once.

Read are all CSV, TSV, XLSX, XLSM and ODS files in the folder and below it, in sorted order. Left alone are the two
tables that are no dialogue (``decisions.csv``, ``lexicon.tsv``), files, folders and tabs whose name starts with
``_``, and what programs leave behind (dot-files, ``~$`` locks). Everything else that looks like a spreadsheet and
cannot be read is a problem, because a sheet that is passed over in silence is a scene without voices.

Hidden rows and columns are read like others (a filter hides rows; a line is left out with status ``cut``). A hidden
tab is a problem: nobody can see whether it is meant.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from replikk.dialogue.ids import collisions, folded_id
from replikk.dialogue.sheet_rows import SheetRow, check_table
from replikk.dialogue.tables import SUFFIXES, SheetReadError, Table, clean, read_table
from replikk.errors import ALIKE_PROBLEMS, Problem, printable

__all__ = ["SheetRow", "read_sheets", "sheet_files", "shown_path"]

NOT_SHEETS = ("decisions.csv", "lexicon.tsv")
FOREIGN_SUFFIXES = (".xls", ".xlsb", ".xltx", ".fods", ".numbers", ".gsheet")
"""Spreadsheets that are not read; a person who puts one here expects its lines to be spoken."""


def shown_path(path: Path) -> str:
    """A path as the user knows it: below the current folder without that folder's name, else as given."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def sheet_files(folder: Path) -> tuple[list[Path], list[Problem]]:
    """The sheets in and below a folder, sorted, and what there cannot be read as one."""
    problems: list[Problem] = []
    if not folder.is_dir():
        return [], [_file_problem(folder, "there is no such folder", "create it, or set dialogue_dir in config.yaml")]

    def unreadable(error: OSError) -> None:
        what = f"cannot be opened ({error.strerror})"
        problems.append(_file_problem(Path(error.filename), what, "check the folder's rights"))

    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=unreadable):
        for name in list(folders):
            if name.startswith((".", "_")):
                folders.remove(name)
            elif (Path(place) / name).is_symlink():
                what = "is a link to a folder, which is not followed"
                problems.append(
                    _file_problem(Path(place) / name, what, "copy the folder here, or start its name with _")
                )
        for name in names:
            path = Path(place) / name
            suffix = path.suffix.lower()
            if name.startswith((".", "_", "~$")) or (path.parent == folder and name in NOT_SHEETS):
                continue
            if suffix in SUFFIXES:
                found.append(path)
            elif suffix in FOREIGN_SUFFIXES:
                what = f"is a {suffix} file, which is not read"
                problems.append(_file_problem(path, what, "save it as .xlsx, or start its name with _"))
    if not found and not problems:
        problems.append(_file_problem(folder, "holds no dialogue sheet", f"put one there: {', '.join(SUFFIXES)}"))
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix()), problems


def _file_problem(path: Path, what: str, instead: str) -> Problem:
    return Problem(printable(shown_path(path), 400), None, "", "", what, instead)


class RowName(NamedTuple):
    """What the checks across all sheets know of a row."""

    id: str
    source: str
    row: int
    scene: str


def read_sheets(
    folder: Path, *, read: Callable[[Path], list[Table]] = read_table
) -> tuple[list[SheetRow], list[Problem]]:
    """All lines of all sheets below ``folder`` in order of file, tab and row, and all problems.

    Never raises for what stands in the files. ``read`` lets a caller keep parsed tables between runs.
    """
    files, problems = sheet_files(folder)
    rows: list[SheetRow] = []
    for path in files:
        file_rows, file_problems = read_sheet(path, read=read)
        rows += file_rows
        problems += file_problems
    return rows, problems + check_across([name_of(row) for row in rows], columns_of(rows))


def read_sheet(path: Path, *, read: Callable[[Path], list[Table]] = read_table) -> tuple[list[SheetRow], list[Problem]]:
    """The lines of one file and its problems, without those that show only beside other files."""
    try:
        tables = read(path)
    except SheetReadError as error:
        return [], [_file_problem(path, error.what, error.instead)]
    return _check_file(path, tables)


def name_of(row: SheetRow) -> RowName:
    return RowName(row.id, row.source, row.row, row.scene)


def columns_of(rows: Iterable[SheetRow]) -> dict[str, Mapping[str, str]]:
    """By sheet, the names that its header gives to the known columns."""
    return {row.source: row.columns for row in rows}


def check_across(rows: list[RowName], columns: Mapping[str, Mapping[str, str]]) -> list[Problem]:
    """Problems between the rows of all sheets. ``columns`` of those that were read (``columns_of``)."""
    return [
        replace(problem, column=columns.get(problem.file, {}).get(problem.column, problem.column))
        for problem in _duplicates(rows) + _scene_spellings(rows)
    ]


def _check_file(path: Path, tables: list[Table]) -> tuple[list[SheetRow], list[Problem]]:
    file = printable(shown_path(path), 400)
    if path.suffix.lower() in (".csv", ".tsv"):
        return check_table(tables[0], file, file, clean(path.stem), text_file=True)
    filled = [table for table in tables if table.rows and not table.sheet.startswith("_")]
    if not filled:
        if any(table.rows for table in tables):
            return [], []
        return [], [Problem(file, None, "", "", "is empty", "fill it, or start its name with _")]
    rows: list[SheetRow] = []
    problems: list[Problem] = []
    for table in filled:
        several = len(filled) > 1
        source = f"{file}:{printable(table.sheet, 100)}" if several else file
        if table.hidden:
            what = f"the tab {printable(table.sheet, 100)!r} is hidden, so it is not read"
            problems.append(Problem(source, None, "", "", what, "show it, or start its name with _"))
            continue
        tab_rows, tab_problems = check_table(
            table, file, source, table.sheet if several else clean(path.stem), text_file=False
        )
        rows += tab_rows
        problems += tab_problems
    return rows, problems


def _duplicates(rows: list[RowName]) -> list[Problem]:
    """Ids that would be the same file, in one sheet or across all of them."""
    named = [row for row in rows if row.id]
    problems = []
    found = [(named[first], named[later]) for first, later in collisions(row.id for row in named)]
    shared = Counter((one.source, other.source) for one, other in found if one.id == other.id)
    for one, other in found:
        where = f"{one.source}:{one.row}"
        if one.id == other.id and one.source != other.source and shared[one.source, other.source] >= ALIKE_PROBLEMS:
            # A copy of a sheet: in the same words for all rows, so that it is told once.
            what = f"this id is used already in {one.source}"
            instead = "give one of the two lines another id; or is one of the two a copy? Then take it away"
            problems.append(Problem(other.source, other.row, other.id[:120], "id", what, instead))
            continue
        if one.id == other.id:
            what = f"this id is used already in {where}"
        else:
            what = f"differs only in case from {printable(one.id, 120)!r} in {where}, which is the same file on Windows"
        problems.append(
            Problem(other.source, other.row, other.id[:120], "id", what, "give one of the two lines another id")
        )
    return problems


def _scene_spellings(rows: list[RowName]) -> list[Problem]:
    """Scenes that differ only in case are two folders here and one on Windows."""
    first: dict[str, RowName] = {}
    reported: set[str] = set()
    problems = []
    for row in rows:
        earlier = first.setdefault(folded_id(row.scene), row)
        if earlier.scene != row.scene and row.scene not in reported:
            reported.add(row.scene)
            what = f"{printable(row.scene, 60)!r} differs only in case from {printable(earlier.scene, 60)!r}"
            what += f" in {earlier.source}:{earlier.row}"
            problems.append(Problem(row.source, row.row, row.id[:120], "scene", what, "spell the scene in one way"))
    return problems
