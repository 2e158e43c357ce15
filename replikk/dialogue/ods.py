"""ODS as tables of text.

OpenDocument stores both a value and the text that the person saw, so a number keeps its shown digits. Equal
neighbours are stored once with a count; counts are only followed for filled cells, and only up to the limits, because a
few bytes can claim a billion cells. Comments, drawings and tracked changes inside a table are not text of a cell.
Reference: OpenDocument 1.3 part 3, chapters 6 (text) and 9 (tables).
"""

from __future__ import annotations

import re

from replikk.dialogue.archives import damaged, open_archive, parse_xml, protected, read_part
from replikk.dialogue.tables import (
    MAX_CELL_CHARACTERS,
    MAX_COLUMNS,
    MAX_ROWS,
    Mark,
    SheetReadError,
    Table,
    TableBuilder,
    column_letters,
)

_PREFIXES = {
    "urn:oasis:names:tc:opendocument:xmlns:table:1.0": "table",
    "urn:oasis:names:tc:opendocument:xmlns:text:1.0": "text",
    "urn:oasis:names:tc:opendocument:xmlns:office:1.0": "office",
    "urn:oasis:names:tc:opendocument:xmlns:style:1.0": "style",
    "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0": "calcext",
}
ERROR_TEXT = re.compile(r"#(?:REF!|NAME\?|NAVN\?|VALUE!|VERDI!|N/A|I/T|DIV/0!|NULL!|NUM!)|(?:Err|Feil):\d{3}")
"""What Excel and LibreOffice show for a failed formula, in English and Norwegian."""


def read_ods(data: bytes) -> list[Table]:
    """All tabs in their order, hidden ones included. Raises SheetReadError."""
    archive = open_archive(data)
    if b"encryption-data" in read_part(archive, "META-INF/manifest.xml"):
        raise protected()
    content = read_part(archive, "content.xml")
    archive.close()
    if not content:
        raise damaged("it is a zip file, but no OpenDocument sheet")
    tables = _Reader().read(content)
    if not tables:
        raise damaged("it has no tab")
    return tables


def _count(attributes: dict[str, str], name: str) -> int:
    count = int(attributes.get(name, "1"))
    if count < 1:
        raise damaged(f"{name} is {count}")
    return count


class _Reader:
    """The state of one pass over content.xml."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.builder: TableBuilder | None = None
        self.table_hidden = False
        self.hidden_styles: set[str] = set()
        self.style = ""
        self.names: dict[str, str] = {}
        self.row = 0
        self.row_repeat = 1
        self.row_hidden = False
        self.place = 0
        self.cells: dict[int, tuple[str, Mark | None]] = {}
        self.cell: dict[str, str] | None = None
        self.pieces: list[str] = []
        self.length = 0
        self.paragraphs = 0
        self.depth_in_cell = 0
        self.skip_from = 0
        """Depth in the cell at which something that is not its text began; 0 outside of such."""

    def read(self, content: bytes) -> list[Table]:
        parse_xml(content, self.start, self.end, self.text)
        return self.tables

    def short(self, name: str) -> str:
        known = self.names.get(name)
        if known is None:
            space, _, local = name.rpartition("}")
            known = self.names[name] = f"{_PREFIXES.get(space, '?')}:{local}"
        return known

    def start(self, name: str, raw_attributes: dict[str, str]) -> None:
        tag = self.short(name)
        if self.cell is not None:
            self.start_in_cell(tag, raw_attributes)
            return
        attributes = {self.short(key): value for key, value in raw_attributes.items()}
        if tag in ("table:table-cell", "table:covered-table-cell") and self.builder is not None:
            self.cell = attributes
            self.pieces.clear()
            self.length = self.paragraphs = self.depth_in_cell = self.skip_from = 0
        elif tag == "table:table-row" and self.builder is not None:
            self.row_repeat = _count(attributes, "table:number-rows-repeated")
            self.row_hidden = attributes.get("table:visibility", "visible") != "visible"
            self.place = 0
        elif tag == "table:table" and self.builder is None:
            self.builder = TableBuilder(attributes.get("table:name", ""))
            self.table_hidden = attributes.get("table:style-name", "") in self.hidden_styles
            self.row = 0
        elif tag == "style:style":
            self.style = attributes.get("style:name", "")
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self.hidden_styles.add(self.style)

    def start_in_cell(self, tag: str, raw_attributes: dict[str, str]) -> None:
        self.depth_in_cell += 1
        if self.skip_from:
            return
        if self.depth_in_cell == 1:
            if tag != "text:p":  # a comment, a picture, a table in the table
                self.skip_from = 1
                return
            if self.paragraphs:
                self.add("\n")
            self.paragraphs += 1
        elif tag == "text:s":
            attributes = {self.short(key): value for key, value in raw_attributes.items()}
            self.add(" " * min(_count(attributes, "text:c"), MAX_CELL_CHARACTERS))
        elif tag == "text:tab":
            self.add("\t")
        elif tag == "text:line-break":
            self.add("\n")
        elif tag in ("office:annotation", "text:note", "text:ruby-text"):
            self.skip_from = self.depth_in_cell

    def text(self, piece: str) -> None:
        if self.cell is not None and self.paragraphs and self.depth_in_cell and not self.skip_from:
            self.add(re.sub(r"[ \t\r\n]+", " ", piece))  # spaces and breaks that count are elements of their own

    def add(self, piece: str) -> None:
        if self.length <= MAX_CELL_CHARACTERS:  # one character over is enough to see that it is too long
            self.pieces.append(piece)
            self.length += len(piece)

    def end(self, name: str) -> None:
        tag = self.short(name)
        if self.cell is not None:
            if self.depth_in_cell:
                if self.skip_from == self.depth_in_cell:
                    self.skip_from = 0
                self.depth_in_cell -= 1
            else:
                self.end_cell(self.cell)
                self.cell = None
        elif self.builder is None:
            return
        elif tag == "table:table-row":
            self.end_row(self.builder)
        elif tag == "table:table":
            self.tables.append(self.builder.table(hidden=self.table_hidden))
            self.builder = None

    def end_cell(self, attributes: dict[str, str]) -> None:
        repeat = _count(attributes, "table:number-columns-repeated")
        text, mark = _value("".join(self.pieces), attributes)
        columns = _count(attributes, "table:number-columns-spanned")
        rows = _count(attributes, "table:number-rows-spanned")
        if (columns > 1 or rows > 1) and self.builder is not None:
            first = self.row + 1
            self.builder.merged.append((first, self.place, first + rows - 1, self.place + columns - 1))
        if text or mark:
            if self.place + repeat > MAX_COLUMNS:
                raise SheetReadError(
                    f"row {self.row + 1} has something in column {column_letters(min(self.place + repeat, 99_999))}",
                    "delete what stands far out to the right",
                )
            for place in range(self.place, self.place + repeat):
                self.cells[place] = (text, mark)
        self.place += repeat

    def end_row(self, builder: TableBuilder) -> None:
        if self.cells:
            if self.row_repeat > MAX_ROWS:
                raise SheetReadError(
                    f"row {self.row + 1} is repeated {self.row_repeat:,} times", "delete the rows below the dialogue"
                )
            for number in range(self.row + 1, self.row + self.row_repeat + 1):
                builder.add_row(number, self.cells)
                if self.row_hidden:
                    builder.hidden_rows.append(number)
            self.cells.clear()
        self.row += self.row_repeat


def _value(shown: str, attributes: dict[str, str]) -> tuple[str, Mark | None]:
    """The text and the mark of a cell, from its type and what was shown."""
    formula = "table:formula" in attributes
    kind = attributes.get("office:value-type", "")
    if attributes.get("calcext:value-type") == "error" or (formula and ERROR_TEXT.fullmatch(shown.strip())):
        return shown, "error"
    if kind == "string":
        return shown or attributes.get("office:string-value", ""), None
    if kind in ("date", "time"):
        return shown or attributes.get(f"office:{kind}-value", ""), "date"
    if kind == "boolean":
        return shown or attributes.get("office:boolean-value", ""), "boolean"
    if kind in ("float", "percentage", "currency"):
        stored = attributes.get("office:value", "")
        text = shown.strip() or stored
        if re.search(r"\d[eE][+-]?\d", text):
            return text, "scientific"
        if re.fullmatch(r"-?\d{1,15}", text):
            return text, None
        if re.fullmatch(r"-?\d+[.,]\d+", text):
            return text, "fraction"
        # The shown text of a percentage or an amount is what the writer meant.
        return text, "digits" if re.fullmatch(r"-?\d+", text) else None
    if formula and not shown:
        return "", "uncalculated"
    return shown, None
