"""One table as checked rows: what each cell means, and everything that is wrong with it.

A row with problems is still handed on where its cells can be told apart, so that the checks that follow (voices,
placeholders) can report theirs in the same run. What is left out of the rows, and why, is a problem each time, with
two exceptions: rows without id, text and say (comments and empty rows), and what stands above the header.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from replikk.dialogue.columns import (
    HEADER_WITHIN,
    LOCALES,
    STATUSES,
    Header,
    column_of,
    find_header,
    locale_of,
    read_header,
    seconds_of,
    status_of,
    take_of,
)
from replikk.dialogue.delimited import MOJIBAKE
from replikk.dialogue.ids import damaged_id, folder_of_scene, safe_id_problems
from replikk.dialogue.marks import harmless_columns, mark_problem
from replikk.dialogue.nearest import nearest
from replikk.dialogue.ods import ERROR_TEXT
from replikk.dialogue.tables import Mark, Table, column_letters, range_name
from replikk.errors import Problem, printable

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SheetRow:
    """One line as a sheet has it, its cells checked one by one; voices and text are checked by those who know them."""

    file: str
    sheet: str
    """Tab of the workbook; empty for CSV and TSV."""
    row: int
    """Row number as the spreadsheet program shows it."""
    id: str
    text: str
    voice: str
    character: str
    style: str
    say: str
    scene: str
    locale: str
    """``nb`` or ``nn``."""
    max_seconds: float | None
    status: str
    """``""``, ``cut``, ``locked`` or ``external``."""
    take: int
    notes: str
    extra: dict[str, str] = field(default_factory=dict)
    """The user's own columns, by their header; empty cells are left out."""
    source: str = ""
    """What messages call the file: with the tab where the workbook has several."""
    columns: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Known column: its name as the header of the sheet writes it; one mapping for all rows of a sheet."""


_NAMES = ("voice", "character", "scene", "locale", "status", "take", "max_seconds")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_SUSPECT = re.compile(f"{_CONTROL.pattern}|\ufffd|{MOJIBAKE.pattern}")
_FORMULA = re.compile(r"=\s*[\w\"'(+\-@$\[{]")


def check_table(
    table: Table, file: str, source: str, default_scene: str, *, text_file: bool
) -> tuple[list[SheetRow], list[Problem]]:
    """The lines of one table and all its problems. ``source`` is the file's name in messages."""
    problems = [Problem(source, fault.row, "", "", fault.what, fault.instead) for fault in table.faults]
    found = find_header(table.rows)
    if found is None:
        instead = "write a first row with at least: id, text, voice"
        if not text_file:
            instead += "; a tab that is no dialogue gets a name that starts with _"
        what = f"none of the first {HEADER_WITHIN} rows names a column" if table.rows else "is empty"
        problems.append(Problem(source, None, "", "", what, instead))
        return [], problems
    header, header_problems = read_header(*found, source)
    problems += header_problems
    if not {"id", "text"} <= header.position.keys():
        return [], problems
    problems += _merged_problems(table, header, source)
    hidden = [str(number) for number in table.hidden_rows if number > header.row]
    if hidden:
        logger.info("%s: hidden rows are lines like all others: %s", source, ", ".join(hidden[:20]))

    marks: dict[int, dict[int, Mark]] = {}
    for (number, place), mark in table.marks.items():
        marks.setdefault(number, {})[place] = mark
    named = {place for place, cell in enumerate(found[1]) if cell}
    unnamed_reported: set[int] = set()
    scenes_reported: set[str] = set()
    rows: list[SheetRow] = []
    for number, cells in table.rows:
        if number <= header.row:
            continue
        if text_file and len(cells) > header.width:
            problems.append(
                Problem(
                    source,
                    number,
                    cells[header.position["id"]][:120],  # wider than the header, so the id's place is there
                    "",
                    f"has {len(cells)} cells, the header has {header.width}",
                    "put a text that contains the separator in quotation marks",
                )
            )
            continue
        for place, text in enumerate(cells):
            if text and place not in named and place not in unnamed_reported:
                unnamed_reported.add(place)
                what = f"column {column_letters(place)} has content but no name"
                problems.append(Problem(source, number, "", "", what, f"name it in row {header.row}, or delete it"))
        check = _RowCheck(source, number, cells, marks.get(number, {}), header, text_file)
        row = check.row(file, table.sheet, default_scene, scenes_reported)
        problems += check.problems
        if row is not None:
            rows.append(row)
    return rows, problems


def _merged_problems(table: Table, header: Header, source: str) -> Iterator[Problem]:
    """Only the first of merged cells has a value; in a column that matters the other lines would lose theirs."""
    columns = {place: column for column, place in header.position.items() if column != "notes"}
    for first_row, first, last_row, last in table.merged:
        hit = [columns[place] for place in sorted(columns) if first <= place <= last]
        if hit and last_row > header.row:
            name = range_name(first_row, first, last_row, last)
            what = f"the cells {name} are merged"
            yield Problem(
                source,
                first_row,
                "",
                header.label(hit[0]),
                what,
                "unmerge them and fill in each row; headings go in notes",
            )


class _RowCheck:
    """The checks of one row, gathering its problems."""

    def __init__(
        self, source: str, number: int, cells: list[str], marks: dict[int, Mark], header: Header, text_file: bool
    ) -> None:
        self.source, self.number, self.marks = source, number, marks
        self.cells = cells + [""] * (header.width - len(cells))
        self.header, self.text_file = header, text_file
        self.id = " ".join(self.cell("id").split()) if "\n" not in self.cell("id") else self.cell("id")
        self.problems: list[Problem] = []

    def cell(self, column: str) -> str:
        place = self.header.position.get(column)
        return "" if place is None else self.cells[place]

    def mark(self, column: str) -> Mark | None:
        return self.marks.get(self.header.position.get(column, -1)) if self.marks else None

    def problem(self, column: str, what: str, instead: str) -> None:
        label = self.header.label(column) if column else ""
        self.problems.append(Problem(self.source, self.number, self.id[:120], label, what, instead))

    def row(self, file: str, sheet: str, default_scene: str, scenes_reported: set[str]) -> SheetRow | None:
        """The row as a line; None for a comment and for a repeated header."""
        text, say = self.cell("text"), self.cell("say")
        if not (self.id or text or say or any(self.mark(column) for column in ("id", "text", "say"))):
            return None
        if column_of(self.id) == "id" and column_of(text) == "text":
            self.problem("", "repeats the header", "delete this row")
            return None
        self.check_cells()
        self.check_id()
        values = {column: " ".join(self.cell(column).split()) for column in _NAMES}
        status = self.value("status", status_of(values["status"]), values["status"], STATUSES) or ""
        locale = self.value("locale", locale_of(values["locale"]), values["locale"], LOCALES) or "nb"
        max_seconds = None
        if values["max_seconds"] and (max_seconds := seconds_of(values["max_seconds"])) is None:
            self.unless_marked("max_seconds", "is not a positive number of seconds", "write for example 2,5")
        take = 1
        if values["take"] and (take := take_of(values["take"]) or 0) == 0:
            self.unless_marked("take", "is not a whole number from 1", "write 1, or 2 for another reading")
        if not text and status != "cut":
            self.unless_marked("text", "is empty", "write the text, or set status to cut")
        if not values["voice"] and not values["character"] and status != "cut":
            column = "voice" if "voice" in self.header.position else "character"
            if column in self.header.position:
                self.unless_marked(column, "is empty", "write who speaks")
        named = values["scene"] or default_scene
        scene = folder_of_scene(named)
        if named not in scenes_reported:
            scenes_reported.add(named)
            self.check_scene(named, from_column=bool(values["scene"]))
        return SheetRow(
            file=file,
            sheet=sheet,
            row=self.number,
            id=self.id,
            text=self.decimal_comma("text", text),
            voice=values["voice"],
            character=values["character"],
            style=self.decimal_comma("style", self.cell("style")),
            say=self.decimal_comma("say", say),
            scene=scene,
            locale=locale,
            max_seconds=max_seconds,
            status=status,
            take=take,
            notes=self.cell("notes"),
            extra={name: cell for place, name in self.header.extra.items() if (cell := self.cells[place])},
            source=self.source,
            columns=self.header.shown,
        )

    def decimal_comma(self, column: str, text: str) -> str:
        """A number cell ``1.5`` was written, and is shown, as ``1,5`` in Norwegian."""
        return text.replace(".", ",") if self.marks and self.mark(column) == "fraction" else text

    def unless_marked(self, column: str, what: str, instead: str) -> None:
        """Report, unless what the spreadsheet did to the cell is reported already."""
        mark = self.mark(column)
        if mark is None or column in harmless_columns(mark):
            self.problem(column, what, instead)

    def value(self, column: str, value: str | None, cell: str, known: dict[str, str]) -> str | None:
        if value is None:
            guess = nearest(cell, [name for name in known if name])
            allowed = ", ".join(dict.fromkeys(value for value in known.values() if value))
            instead = f"did you mean {guess}? allowed: {allowed}" if guess else f"write one of: {allowed}"
            self.unless_marked(column, f"{printable(cell, 40)!r} is not a known value", instead)
        return value

    def check_id(self) -> None:
        if not self.id:
            self.unless_marked("id", "is missing", "give every line an id of its own; it names the clip's file")
        elif self.mark("id") is None:
            if damage := damaged_id(self.id):
                self.problem("id", *damage)
            elif unsafe := safe_id_problems(self.id):
                self.problem("id", " and ".join(what for what, _ in unsafe), unsafe[0][1])

    def check_scene(self, scene: str, *, from_column: bool) -> None:
        if from_column and self.mark("scene") is not None:
            return
        unsafe = safe_id_problems(folder_of_scene(scene))
        if not unsafe:
            return
        what, instead = " and ".join(what for what, _ in unsafe), unsafe[0][1]
        if from_column:
            self.problem("scene", f"{printable(scene, 60)!r} names a folder, but {what}", instead)
        else:
            advice = f"rename it ({instead}), or add a column scene"
            what = f"its name is the scene and names a folder, but {printable(scene, 60)!r} {what}"
            self.problems.append(Problem(self.source, None, "", "", what, advice))

    def check_cells(self) -> None:
        """What can be wrong with any cell, whatever its column."""
        for place, mark in self.marks.items():
            column = next((column for column, at in self.header.position.items() if at == place), None)
            if column is None:
                if mark == "long" and place in self.header.extra:
                    self.problem(self.header.extra[place], *mark_problem(mark, "cell", ""))
            elif column not in harmless_columns(mark):
                kind = "id" if column == "id" else "cell"
                self.problem(column, *mark_problem(mark, kind, self.cells[place]))
        for column, place in self.header.position.items():
            cell = self.cells[place]
            if not cell or cell[0] not in "=#" or place in self.marks:
                continue
            if self.text_file and _FORMULA.match(cell):
                self.problem(column, "looks like a formula, not like its result", "write the finished text")
            elif ERROR_TEXT.fullmatch(cell) or re.fullmatch("#{3,}", cell):
                self.problem(column, f"a formula failed here ({cell[:20]})", "write the finished text")
        if _SUSPECT.search("\t".join(self.cells)):
            self.check_letters()

    def check_letters(self) -> None:
        labels = {place: column for column, place in self.header.position.items()} | self.header.extra
        for place, cell in enumerate(self.cells):
            if place not in labels or not (match := _SUSPECT.search(cell)):
                continue
            found = match[0]
            if _CONTROL.match(found):
                what = f"contains the control character U+{ord(found):04X}"
                self.problem(labels[place], what, "delete it; the file may be damaged")
            else:
                advice = "save the file as CSV UTF-8 and mend the letters"
                self.problem(labels[place], f"has letters that were damaged when it was saved ({found!r})", advice)
