"""One file of any format as rows of text: letters, separators, true row numbers, and what spreadsheets do to cells."""

from __future__ import annotations

import csv
import datetime
import io
import unicodedata
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from odf.office import Annotation
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableProperties
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import LineBreak, P, S, Span
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from python_calamine import CalamineWorkbook

from replikk.dialogue import tables
from replikk.dialogue.tables import SheetReadError, clean, column_letters, range_name, read_table

LINES = [["id", "text", "voice"], ["a", "Hei på deg, Åse; så fint!", "kari"], ["b", "Æ, ø og «å».", "ola"]]


def as_csv(rows: list[list[str]], separator: str = ";") -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=separator).writerows(rows)
    return buffer.getvalue()


def read_csv(folder: Path, data: str | bytes, name: str = "a.csv") -> tables.Table:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    [table] = read_table(path)
    return table


# ---- text files


@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "mac_roman"])
def test_separators_and_encodings(tmp_path: Path, separator: str, encoding: str) -> None:
    table = read_csv(tmp_path, as_csv(LINES, separator).encode(encoding))
    assert [cells for _, cells in table.rows] == LINES
    assert [number for number, _ in table.rows] == [1, 2, 3]


def test_a_file_of_an_old_mac_ends_its_lines_with_one_sign(tmp_path: Path) -> None:
    table = read_csv(tmp_path, as_csv(LINES).replace("\n", "\r").encode("mac_roman"))
    assert [cells for _, cells in table.rows] == LINES


def test_a_spanish_word_makes_no_mac_file(tmp_path: Path) -> None:
    table = read_csv(tmp_path, "id;text\na;«¿Qué?» sa Bjørn på øya.\n".encode("cp1252"))
    assert table.rows[1] == (2, ["a", "«¿Qué?» sa Bjørn på øya."])


def test_letters_in_two_pieces_become_one(tmp_path: Path) -> None:
    table = read_csv(tmp_path, unicodedata.normalize("NFD", as_csv(LINES)))
    assert [cells for _, cells in table.rows] == LINES


def test_the_separator_that_names_most_columns_wins_over_commas_in_texts(tmp_path: Path) -> None:
    table = read_csv(tmp_path, "id;text;voice\na;ja, nei, kanskje, jo, tja;kari\n")
    assert table.rows[1] == (2, ["a", "ja, nei, kanskje, jo, tja", "kari"])


def test_the_line_with_which_excel_names_the_separator(tmp_path: Path) -> None:
    table = read_csv(tmp_path, "sep=,\r\nid,text\r\na,x;y\r\n")
    assert table.rows == [(1, ["id", "text"]), (2, ["a", "x;y"])]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    table = read_csv(tmp_path, 'id;text\r\na;"to\r\nlinjer"\r\n\r\n;\r\nb;en\r\n')
    assert table.rows == [(1, ["id", "text"]), (2, ["a", "to\nlinjer"]), (5, ["b", "en"])]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    assert read_csv(tmp_path, f"id;text{end}a;x{end}").rows == [(1, ["id", "text"]), (2, ["a", "x"])]


def test_words_that_pandas_takes_for_nothing_stay_words(tmp_path: Path) -> None:
    words = ["No", "NA", "null", "nan", "None", "True", "007", "1.0", "-", "1e3"]
    assert read_csv(tmp_path, as_csv([["id", "text"], words])).rows[1] == (2, words)


def test_outer_spaces_go_and_typographic_quotes_stay(tmp_path: Path) -> None:
    table = read_csv(tmp_path, as_csv([["id", "text"], ["\u00a0a\u200b", "  “Hei” – sa ’n…\u202f"]]))
    assert table.rows[1] == (2, ["a", "“Hei” – sa ’n…"])


def test_an_exporters_wrapping_against_excel_is_taken_off(tmp_path: Path) -> None:
    assert read_csv(tmp_path, 'id;text\n"=""007""";x\n').rows[1] == (2, ["007", "x"])


@pytest.mark.parametrize(
    ("text", "row", "what"),
    [
        ('id;text\na;"Hei\nb;Ha det\nc;Takk\n', 2, "never closed"),
        ('id;text\na;x\nb;"Hei" sa hun\nc;y\n', 3, "inside a quoted text"),
        ('id;text\na;"Hei\nb;Ha det"\nc;Takk\n', 2, "following rows"),
        ('id;text\na;"Hei\nb;"Ha det"\nc;Takk\n', 2, "not closed in its cell"),
    ],
)
def test_rows_lost_in_quotation_marks(tmp_path: Path, text: str, row: int, what: str) -> None:
    [fault] = read_csv(tmp_path, text).faults
    assert fault.row == row and what in fault.what and "quotation marks" in fault.instead


def test_rows_after_a_broken_one_are_still_read(tmp_path: Path) -> None:
    table = read_csv(tmp_path, 'id;text\na;"Hei" sa hun\nb;"ja" "nei"\nc;y\n')
    assert [fault.row for fault in table.faults] == [2, 3]
    assert table.rows[-1] == (4, ["c", "y"])


def test_a_poem_in_one_cell_is_no_lost_row(tmp_path: Path) -> None:
    assert read_csv(tmp_path, 'id,text\na,"Se, her,\nja, der,\nog der"\n').faults == []


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("blåbær".encode() + b"\xe5", "mixes UTF-8"),
        (b"\x81\x8d\xe5", "neither UTF-8 nor cp1252"),
        (b"\xff\xfea", "damaged letters"),
    ],
)
def test_damaged_letters_are_a_problem_of_the_file(tmp_path: Path, data: bytes, what: str) -> None:
    with pytest.raises(SheetReadError, match=what):
        read_csv(tmp_path, data)


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), max_size=8), st.sampled_from(";,\t"))
@settings(max_examples=60, deadline=None)
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], separator: str
) -> None:
    table = read_csv(tmp_path_factory.mktemp("csv"), as_csv([["id", "text", "voice"], *rows], separator))
    read = {number: [*cells, "", "", ""][:3] for number, cells in table.rows}
    for number, row in enumerate(rows, start=2):
        wrapped_against_excel = any(cell.startswith('="') for cell in row)
        assert wrapped_against_excel or read.get(number, ["", "", ""]) == [clean(cell) for cell in row]


# ---- workbooks


def save_xlsx(path: Path, *rows: list[object]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return book


def test_xlsx_values_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = save_xlsx(
        path, ["id", "text"], [12.0, "Hei\r\ndu"], ["007", 2.5], [7, True], [datetime.date(2024, 5, 1), "x"]
    )
    sheet = book.active
    sheet["A4"].number_format = "000"
    sheet["A6"], sheet["A6"].number_format = 1000, "0.00E+00"
    sheet["A7"], sheet["A7"].number_format = 0.5, "0%"
    sheet["A8"], sheet["A9"], sheet["A10"] = "=1+1", "#REF!", 12345678901234567
    sheet["A12"] = CellRichText("Hei ", TextBlock(InlineFont(b=True), "på"), " deg")
    book.save(path)
    [table] = read_table(path)
    assert dict(table.rows) == {
        1: ["id", "text"],
        2: ["12", "Hei\ndu"],
        3: ["007", "2.5"],
        4: ["007", "TRUE"],
        5: ["2024-05-01", "x"],
        6: ["1000"],
        7: ["0.5"],
        8: [""],
        9: ["#REF!"],
        10: [table.rows[9][1][0]],
        12: ["Hei på deg"],
    }
    assert table.marks == {
        (3, 1): "fraction",
        (4, 1): "boolean",
        (5, 0): "date",
        (6, 0): "scientific",
        (7, 0): "formatted",
        (8, 0): "uncalculated",
        (9, 0): "error",
        (10, 0): "scientific" if "e" in table.rows[9][1][0] else "digits",
    }


def test_xlsx_tabs_merged_and_hidden(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = save_xlsx(path, ["id", "text"], ["a", "x"], ["b", "y"])
    book.active.merge_cells("A2:A3")
    book.active.row_dimensions[3].hidden = True
    book.create_sheet("Skjult").append(["id"])
    book["Skjult"].sheet_state = "veryHidden"
    book.create_chartsheet("Diagram")
    book.save(path)
    first, second = read_table(path)
    assert first.merged == [(2, 0, 3, 0)] and first.hidden_rows == [3] and not first.hidden
    assert (second.sheet, second.hidden) == ("Skjult", True)


def ods_cell(text: str = "", *extra: object, **attributes: object) -> TableCell:
    cell = TableCell(**({"valuetype": "string"} | attributes))
    if text:
        cell.addElement(P(text=text))
    for element in extra:
        cell.addElement(element)
    return cell


def save_ods(path: Path, *rows: list[TableCell] | TableRow) -> OpenDocumentSpreadsheet:
    document = OpenDocumentSpreadsheet()
    table = Table(name="Ark1")
    for row in rows:
        if isinstance(row, list):
            cells, row = row, TableRow()
            for cell in cells:
                row.addElement(cell)
        table.addElement(row)
    document.spreadsheet.addElement(table)
    document.save(path)
    return document


def test_ods_values_as_text(tmp_path: Path) -> None:
    comment = Annotation()
    comment.addElement(P(text="bare en kommentar"))
    rich = P(text="Hei")
    for piece in (S(c=3), Span(text="på"), LineBreak(), Span(text="deg")):
        rich.addElement(piece)
    blank = TableRow(numberrowsrepeated="5")
    blank.addElement(TableCell(numbercolumnsrepeated="1000"))
    repeated = TableRow(numberrowsrepeated="2")
    repeated.addElement(ods_cell("lik", numbercolumnsrepeated="2"))
    path = tmp_path / "a.ods"
    save_ods(
        path,
        [ods_cell("id"), ods_cell("text")],
        [ods_cell("", comment, rich, P(text="to")), ods_cell("007", valuetype="float", value="7")],
        blank,
        [TableCell(), ods_cell("1. mai", valuetype="date", datevalue="2024-05-01")],
        repeated,
        [ods_cell("1,00E+03", valuetype="float", value="1000"), ods_cell("50 %", valuetype="percentage", value="0.5")],
        [ods_cell("#NAVN?", formula="of:=FEIL()"), TableCell(formula="of:=1+1")],
        [ods_cell("ok", formula="of:=A1"), ods_cell("SANN", valuetype="boolean", booleanvalue="true")],
    )
    [table] = read_table(path)
    assert table.rows == [
        (1, ["id", "text"]),
        (2, ["Hei   på\ndeg\nto", "007"]),
        (8, ["", "1. mai"]),
        (9, ["lik", "lik"]),
        (10, ["lik", "lik"]),
        (11, ["1,00E+03", "50 %"]),
        (12, ["#NAVN?", ""]),
        (13, ["ok", "SANN"]),
    ]
    assert table.marks == {
        (8, 1): "date",
        (11, 0): "scientific",
        (12, 0): "error",
        (12, 1): "uncalculated",
        (13, 1): "boolean",
    }


def test_ods_merged_and_hidden(tmp_path: Path) -> None:
    path = tmp_path / "a.ods"
    hidden_row = TableRow(visibility="collapse")
    hidden_row.addElement(CoveredTableCell())
    hidden_row.addElement(ods_cell("y"))
    document = save_ods(path, [ods_cell("a", numberrowsspanned="2"), ods_cell("x")], hidden_row)
    style = Style(name="skjult", family="table")
    style.addElement(TableProperties(display="false"))
    document.automaticstyles.addElement(style)
    document.spreadsheet.addElement(Table(name="Skjult", stylename=style))
    document.save(path)
    first, second = read_table(path)
    assert first.merged == [(1, 0, 2, 0)] and first.hidden_rows == [2] and not first.hidden
    assert first.rows == [(1, ["a", "x"]), (2, ["", "y"])]
    assert second.hidden


printable_cells = st.text(st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=15).filter(
    lambda text: not text.startswith(("=", "#")) and "_x" not in text
)


@given(
    st.lists(st.lists(printable_cells | st.integers(-(10**6), 10**6), min_size=3, max_size=3), min_size=1, max_size=6)
)
@settings(max_examples=40, deadline=None)
def test_calamine_reads_the_same_text_from_xlsx(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str | int]]
) -> None:
    path = tmp_path_factory.mktemp("xlsx") / "a.xlsx"
    save_xlsx(path, ["anker", "x", "y"], *rows)
    [table] = read_table(path)
    ours = {(n, place): cell for n, row in table.rows for place, cell in enumerate(row) if cell}
    theirs = {}
    for n, row in enumerate(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)):
        for place, value in enumerate(row):
            text = str(int(value)) if isinstance(value, float) else str(value)
            if clean(text):
                theirs[n + 1, place] = clean(text)
    assert ours == theirs


def test_names_of_columns_and_ranges() -> None:
    assert [column_letters(place) for place in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
    assert range_name(5, 0, 7, 5) == "A5:F7"


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(SheetReadError, match="cannot be read"):
        read_table(tmp_path / "borte.csv")
