"""``decisions.csv`` as text: rows are put at its end or taken out, and everything else stays as it is.

People keep this file in git and open it in spreadsheet programs, so its columns, their order, its separator, its
letters' encoding, its line ends and its comments are theirs. What is written is read back by the build's own reader
before it is accepted: every decision that was there must still be there, and the new ones must say what they said.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from replikk.dialogue.columns import fold
from replikk.dialogue.decisions import COLUMNS, Decision, decisions_in
from replikk.dialogue.delimited import decode, find_separator, read_delimited, unwrapped
from replikk.dialogue.small_tables import MISSING_IN_HEADER
from replikk.dialogue.tables import SheetReadError, clean
from replikk.errors import Problem, ReplikkError
from replikk.report.decision_rows import DEFAULT_COLUMNS
from replikk.spreadsheets import plain_cell, safe_cell

FIELDS = {
    "id": "line_id",
    "take_key": "take_key",
    "decision": "decision",
    "who": "who",
    "when": "when",
    "why": "why",
    "style": "style",
    "respelling": "respelling",
}
"""Columns of the file to fields of ``Decision``."""
_NORWEGIAN = {"who": "hvem", "when": "når", "why": "hvorfor", "style": "regi", "respelling": "uttale"}
"""Names of columns that are added to a file with a Norwegian header."""
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class UnwritableRowsError(ReplikkError):
    """The file, as it is, cannot take rows or give them back; a person must mend it first."""


def tidy(text: str) -> str:
    """A text as it comes back from a cell: on one line, no white space around it."""
    return plain_cell(clean(safe_cell(clean(text))))


def read_rows(data: bytes, file: str) -> tuple[list[Decision], list[Problem]]:
    """Every decision in the file's bytes, and what is wrong with it; ``file`` names it in problems."""
    try:
        return decisions_in(read_delimited(data), file)
    except SheetReadError as error:
        return [], [Problem(file, None, "", "", error.what, error.instead)]


def append_rows(data: bytes, decisions: Sequence[Decision], file: str) -> bytes:
    """The file with decisions at its end; ``data`` is empty when there is none yet. Texts are to be ``tidy``.

    Raises UnwritableRowsError when the file cannot be read, or would not be read back as it is meant.
    """
    before = _readable(data, file)
    page = _take_apart(data, file)
    used = [column for column, name in FIELDS.items() if any(getattr(each, name) for each in decisions)]
    page = _with_columns(page, used)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=page.separator, lineterminator=page.line_end)
    for decision in decisions:
        cells = {column: safe_cell(getattr(decision, name)) for column, name in FIELDS.items()}
        writer.writerow([cells.get(column, "") for column in page.columns])
    body = page.body + ("" if page.body.endswith(("\n", "\r")) else page.line_end) + out.getvalue()
    return _accepted(replace(page, body=body), [*before, *decisions], file)


def remove_rows(data: bytes, rows: Collection[int], file: str) -> bytes:
    """The file without the rows of these numbers (``Decision.row``). Raises as ``append_rows`` does."""
    before = _readable(data, file)
    page = _take_apart(data, file)
    kept = [record for number, record in enumerate(_records(page, file), start=1) if number not in rows]
    body = "".join("".join(lines) for _, lines in kept)
    return _accepted(replace(page, body=body), [each for each in before if each.row not in rows], file)


# The file taken apart ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Page:
    """The file as text, and its form."""

    mark: bytes
    """Byte order mark."""
    encoding: str
    head: str
    """A line ``sep=;``, or nothing."""
    body: str
    separator: str
    line_end: str
    columns: tuple[str, ...]
    """Of the header, by their English names; ``""`` for a column that is the user's own."""
    header_row: int
    """Number of the header among the records."""
    norwegian: bool = False

    def data(self) -> bytes:
        """The bytes of the file. Letters that its encoding does not have make it UTF-8 with byte order mark.

        So does the first letter beyond ASCII: without the mark, Excel in Norway takes UTF-8 for cp1252.
        """
        text = self.head + self.body
        try:
            return self.mark + text.encode(self.encoding)
        except UnicodeEncodeError:
            return codecs.BOM_UTF8 + text.encode("utf-8", "replace")


def _take_apart(data: bytes, file: str) -> _Page:
    text = decode(data)
    start, separator = find_separator(text)
    mark, encoding = next(((mark, name) for mark, name in _BYTE_ORDER_MARKS if data.startswith(mark)), (b"", ""))
    if not encoding:
        encoding = "ascii" if data.isascii() else "utf-8" if _is_utf8(data) else "cp1252"
    first_line = next(iter(io.StringIO(text, newline="")), "\n")
    line_end = "\r\n" if first_line.endswith("\r\n") else "\r" if first_line.endswith("\r") else "\n"
    page = _Page(mark, encoding, text[:start], text[start:], separator, line_end, (), 0)
    by_header = {fold(name): column for column, names in COLUMNS.items() for name in names}
    for number, (cells, _) in enumerate(_records(page, file), start=1):
        if any(cells) and not cells[0].startswith("#"):
            columns = tuple(by_header.get(fold(cell), "") if fold(cell) else "" for cell in cells)
            decision = cells[columns.index("decision")] if "decision" in columns else ""
            norwegian = bool(decision) and fold(decision) != "decision"
            return replace(page, columns=columns, header_row=number, norwegian=norwegian)
    # Nothing but comments: the header comes first.
    gap = "" if not page.body or page.body.endswith(("\n", "\r")) else line_end
    separator = separator if page.head else ","
    header = separator.join(DEFAULT_COLUMNS) + line_end
    body = page.body + gap
    records = len(_records(replace(page, body=body), file))
    return replace(page, body=body + header, separator=separator, columns=DEFAULT_COLUMNS, header_row=records + 1)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _records(page: _Page, file: str) -> list[tuple[list[str], list[str]]]:
    """The records of the body, numbered as the reader numbers them: cells, and the lines of text they stand in."""
    lines = list(io.StringIO(page.body, newline=""))
    reader = csv.reader(iter(lines), delimiter=page.separator, strict=True)
    found, start = [], 0
    try:
        for record in reader:
            found.append(([clean(unwrapped(cell)) for cell in record] or [""], lines[start : reader.line_num]))
            start = reader.line_num
    except csv.Error as error:
        raise UnwritableRowsError(
            f"{file}: cannot be written into ({error}); mend its quotation marks first"
        ) from error
    return found


def _with_columns(page: _Page, wanted: Sequence[str]) -> _Page:
    """The page with these columns in its header; those it lacks come last."""
    missing = [column for column in wanted if column not in page.columns]
    if not missing:
        return page
    names = [_NORWEGIAN.get(column, column) if page.norwegian else column for column in missing]
    lines = list(io.StringIO(page.body, newline=""))
    records = _records(page, "")
    last = sum(len(record_lines) for _, record_lines in records[: page.header_row]) - 1
    header = lines[last].rstrip("\r\n")
    lines[last] = page.separator.join([header, *names]) + (lines[last][len(header) :] or page.line_end)
    return replace(page, body="".join(lines), columns=(*page.columns, *missing))


# What is accepted ----------------------------------------------------------------------------------------------------


def _readable(data: bytes, file: str) -> list[Decision]:
    """The decisions of a file that can be written into: problems of single rows are none of ours."""
    decisions, problems = read_rows(data, file)
    blocking = [problem for problem in problems if not problem.column or problem.what == MISSING_IN_HEADER]
    if blocking:
        listed = "\n".join(str(problem) for problem in blocking)
        raise UnwritableRowsError(f"{listed}\nnothing was written: mend the file first")
    return decisions


def _accepted(page: _Page, wanted: Sequence[Decision], file: str) -> bytes:
    """The bytes of the page, if they are read as exactly the wanted decisions."""
    data = page.data()
    found, _ = read_rows(data, file)
    if [replace(each, row=0) for each in found] != [replace(each, row=0) for each in wanted]:
        raise UnwritableRowsError(
            f"{file}: would not be read as it is meant, so nothing was written; its header or its quotation marks do "
            "not fit its rows: open and save it once in a spreadsheet program"
        )
    return data
