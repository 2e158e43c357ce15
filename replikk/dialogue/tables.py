"""One sheet file of any format as rows of text: the records, the limits, and the choice of reader.

Everything is text here, because a speaker called "No" and an id called "007" must stay what they are. What a
spreadsheet did to a cell (turned it into a date, left a formula without a value) travels beside the text as a mark,
because only the next step knows whether it matters in that column.

Neither pandas nor calamine reads the files. pandas cannot tell the row of a ragged or broken CSV record. calamine
gives an empty cell for a formula error, glues the words around a line break in ODS, and ends the whole process
(not an exception) on a workbook of a few kilobytes that names one far cell or repeats one long string. The readers
here hold cells sparsely, share repeated strings, and stop at the limits below; the tests compare them with calamine.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from replikk.errors import ReplikkError

MAX_FILE_BYTES = 200_000_000
"""Of a text file, and of all unpacked parts of a workbook together; 50,000 lines are about 10 MB."""
MAX_ROWS = 250_000
"""Filled rows of one table: five times the largest game we know how to build."""
MAX_COLUMNS = 512
MAX_CELLS = 5_000_000
MAX_CELL_CHARACTERS = 20_000
"""About twenty minutes of speech; Excel itself stops at 32,767."""

Mark = Literal["date", "scientific", "fraction", "formatted", "digits", "boolean", "error", "uncalculated", "long"]

SUFFIXES = (".csv", ".tsv", ".xlsx", ".xlsm", ".ods")

# Outer white space that Excel and web pages leave: all that Unicode calls space, and the zero-width ones.
_OUTER = " \t\n\r\v\f\u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff\u200b\u2060" + "".join(
    map(chr, range(0x2000, 0x200B))
)


class SheetReadError(ReplikkError):
    """A whole file or tab cannot be read; ``what`` and ``instead`` are the halves of a Problem."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(f"{what}; {instead}")
        self.what, self.instead = what, instead


@dataclass(frozen=True)
class Fault:
    """Something wrong with the form of a file, found before its columns are known."""

    row: int | None
    what: str
    instead: str


@dataclass(frozen=True)
class Table:
    """One tab of a workbook, or one text file."""

    sheet: str
    """Name of the tab; empty for a text file."""
    rows: list[tuple[int, list[str]]]
    """Filled rows only: (row number as the spreadsheet program shows it, cells from column A)."""
    marks: dict[tuple[int, int], Mark] = field(default_factory=dict)
    """(row number, place in the row from 0): what the spreadsheet did to that cell."""
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Merged cells: (first row, first place, last row, last place)."""
    hidden_rows: list[int] = field(default_factory=list)
    hidden: bool = False
    """The tab is hidden."""
    faults: list[Fault] = field(default_factory=list)


def read_table(path: Path) -> list[Table]:
    """All tables of one file, hidden tabs included.

    Raises SheetReadError when the file as a whole cannot be read; never anything else for bad content.
    """
    from replikk.dialogue import delimited, ods, xlsx

    suffix = path.suffix.lower()
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise SheetReadError(
                f"is larger than {MAX_FILE_BYTES // 1_000_000} MB", "split it, or check that it is a dialogue sheet"
            )
        data = path.read_bytes()
    except OSError as error:
        raise SheetReadError(
            f"cannot be read ({error.strerror or error})", "check that it exists and that you may read it"
        ) from error
    if suffix in (".csv", ".tsv"):
        return [delimited.read_delimited(data, prefer_tab=suffix == ".tsv")]
    if suffix in (".xlsx", ".xlsm"):
        return xlsx.read_xlsx(data)
    if suffix == ".ods":
        return ods.read_ods(data)
    raise SheetReadError("is of a kind that cannot be read", f"save it as one of {', '.join(SUFFIXES)}")


def clean(text: str) -> str:
    """A cell as it is used: composed letters (NFC), ``\\n`` line ends, no outer white space."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip(_OUTER)


class TableBuilder:
    """Gathers the cells of one table and holds the limits, whatever the format."""

    def __init__(self, sheet: str) -> None:
        self.sheet = clean(sheet)
        self.rows: list[tuple[int, list[str]]] = []
        self.marks: dict[tuple[int, int], Mark] = {}
        self.merged: list[tuple[int, int, int, int]] = []
        self.hidden_rows: list[int] = []
        self.faults: list[Fault] = []
        self._cells = 0
        self._characters = 0

    def add_row(self, number: int, cells: dict[int, tuple[str, Mark | None]]) -> None:
        """Take the filled cells of one row: place from 0 to (text, mark). Raises SheetReadError at a limit."""
        texts: dict[int, str] = {}
        marks: dict[int, Mark] = {}
        for place, (text, mark) in cells.items():
            if len(text) > MAX_CELL_CHARACTERS:
                # The beginning is kept, so that no second message calls the cell empty.
                text, mark = text[:100], "long"
            self._characters += len(text)
            text = clean(text)
            if text or mark:
                texts[place] = text
                if mark:
                    marks[place] = mark
        if not texts:
            return
        last = max(texts)
        if last >= MAX_COLUMNS:
            raise SheetReadError(
                f"row {number} has something in column {column_letters(last)}",
                "delete what stands far out to the right",
            )
        row = [""] * (last + 1)
        for place, text in texts.items():
            row[place] = text
        self.rows.append((number, row))
        for place, mark in marks.items():
            self.marks[number, place] = mark
        self._cells += len(row)
        if len(self.rows) > MAX_ROWS or self._cells > MAX_CELLS or self._characters > MAX_FILE_BYTES:
            raise SheetReadError(
                f"holds more than a dialogue sheet can (row {number})",
                f"split it; the limits are {MAX_ROWS:,} rows and {MAX_CELLS:,} cells a sheet",
            )

    def table(self, *, hidden: bool = False) -> Table:
        """What was gathered."""
        return Table(self.sheet, self.rows, self.marks, self.merged, self.hidden_rows, hidden, self.faults)


def column_letters(place: int) -> str:
    """``A`` for 0, ``AA`` for 26."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def range_name(first_row: int, first_place: int, last_row: int, last_place: int) -> str:
    """``A5:F5``, as a spreadsheet program names a range."""
    return f"{column_letters(first_place)}{first_row}:{column_letters(last_place)}{last_row}"
