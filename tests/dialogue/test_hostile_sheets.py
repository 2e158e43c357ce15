"""Files made to break a reader: bombs, entities, passwords, noise, and ids that want out. Problems, never a crash."""

from __future__ import annotations

import csv
import io
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.dialogue.sheets import read_sheets
from replikk.dialogue.tables import clean
from replikk.errors import Problem

SPREADSHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OPEN_DOCUMENT = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
)


def problems_of(folder: Path) -> list[Problem]:
    return read_sheets(folder)[1]


def zipped(parts: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def xlsx(sheet_data: str, strings: str = "", prolog: str = "") -> bytes:
    """A small workbook written by hand, so that it can say what no program would."""
    return zipped(
        {
            "xl/workbook.xml": f'<workbook {SPREADSHEET} xmlns:r="{OFFICE}"><sheets>'
            '<sheet name="Ark1" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": "<Relationships>"
            f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="r2" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f"{prolog}<worksheet {SPREADSHEET}><sheetData>{sheet_data}</sheetData>"
            "</worksheet>",
            "xl/sharedStrings.xml": f"<sst {SPREADSHEET}>{strings}</sst>",
        }
    )


HEADER = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("id", "text", "voice"))


def row(*cells: str, attributes: str = "") -> str:
    return f"<row{attributes}>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells) + "</row>"


def ods(rows: str, prolog: str = "") -> bytes:
    content = f"{prolog}<office:document-content {OPEN_DOCUMENT}><office:body><office:spreadsheet>"
    content += f'<table:table table:name="Ark1">{rows}</table:table></office:spreadsheet></office:body>'
    return zipped({"content.xml": content + "</office:document-content>"})


def the_problem(folder: Path, name: str, data: bytes) -> str:
    (folder / name).write_bytes(data)
    [problem] = problems_of(folder)
    return str(problem)


def test_the_handwritten_workbooks_are_sound(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(xlsx(f"<row>{HEADER}</row>" + row("a", "Hei", "kari")))
    rows, problems = read_sheets(tmp_path)
    assert [(r.id, r.text, r.row) for r in rows] == [("a", "Hei", 2)] and problems == []


# ---- archives


@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, suffix: str) -> None:
    part = "xl/worksheets/sheet1.xml" if suffix == "xlsx" else "content.xml"
    bomb = zipped({part: b" " * 250_000_000})
    assert len(bomb) < 300_000
    message = the_problem(tmp_path, f"bombe.{suffix}", bomb)
    assert "unpacks to" in message and "copy the cells into a new workbook" in message


def test_a_smaller_bomb_is_known_by_its_ratio(tmp_path: Path) -> None:
    assert "zip bomb" in the_problem(tmp_path, "a.xlsx", zipped({"xl/media/x": b"\0" * 60_000_000}))


def test_a_part_that_lies_about_its_size(tmp_path: Path) -> None:
    data = bytearray(xlsx(row("id", "text", "voice") + row("a", "x" * 9000, "kari")))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        info = archive.getinfo("xl/worksheets/sheet1.xml")
    true_size, false_size = struct.pack("<L", info.file_size), struct.pack("<L", 100)
    assert data.count(true_size) >= 2
    assert "not a readable workbook" in the_problem(tmp_path, "a.xlsx", bytes(data).replace(true_size, false_size))


def test_too_many_parts(tmp_path: Path) -> None:
    assert "10,001 parts" in the_problem(tmp_path, "a.xlsx", zipped({f"{n}": b"" for n in range(10_001)}))


OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.xlsx", OLE + bytes(600), "is password protected; save it without a password"),
        ("a.xlsx", OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "is password protected"),
        ("a.xlsx", OLE + bytes(600) + "Workbook".encode("utf-16-le"), "old .xls workbook"),
        ("a.ods", zipped({"META-INF/manifest.xml": "<m:encryption-data/>", "content.xml": b"\x00"}), "password"),
        ("a.xlsx", b"", "it is empty"),
        ("a.xlsx", b"id;text;voice\n", "cut off or no zip file"),
        ("a.xlsx", zipped({"hei.txt": "hei"}), "no workbook"),
        ("a.ods", zipped({"hei.txt": "hei"}), "no OpenDocument sheet"),
    ],
)
def test_workbooks_that_are_locked_or_something_else(tmp_path: Path, name: str, data: bytes, what: str) -> None:
    assert what in the_problem(tmp_path, name, data)


def test_a_zip_with_a_password(tmp_path: Path) -> None:
    data = bytearray(xlsx(row("id")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    assert "is password protected" in the_problem(tmp_path, "a.xlsx", bytes(data))


def real_workbook() -> bytes:
    book = openpyxl.Workbook()
    for cells in (["id", "text", "voice"], ["a", "Hei på deg", "kari"], [1, 2.5, True]):
        book.active.append(cells)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


REAL_WORKBOOK = real_workbook()  # once: its bytes hold the time of day


@given(
    st.lists(st.tuples(st.integers(0, len(REAL_WORKBOOK) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, len(REAL_WORKBOOK)) | st.just(len(REAL_WORKBOOK)),
)
@settings(max_examples=80, deadline=None)
def test_a_real_workbook_with_damaged_bytes(
    tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, int]], length: int
) -> None:
    damaged = bytearray(REAL_WORKBOOK)
    for at, value in damage:
        damaged[at] = value
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "a.xlsx").write_bytes(damaged[:length])
    rows, problems = read_sheets(folder)
    assert rows or problems


# ---- XML

ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    sheet = f'<?xml version="1.0" encoding="{encoding}"?>{ENTITIES}<worksheet {SPREADSHEET}/>'.encode(encoding)
    source = zipfile.ZipFile(io.BytesIO(xlsx("")))
    parts = {name: source.read(name) for name in source.namelist()} | {"xl/worksheets/sheet1.xml": sheet}
    assert "DOCTYPE" in the_problem(tmp_path, "a.xlsx", zipped(parts))


def test_entities_in_ods(tmp_path: Path) -> None:
    cell = "<table:table-row><table:table-cell><text:p>&c;</text:p></table:table-cell></table:table-row>"
    assert "DOCTYPE" in the_problem(tmp_path, "a.ods", ods(cell, ENTITIES))


@pytest.mark.parametrize(
    "sheet_data",
    [
        '<row r="1"><c t="s"><v>99</v></c></row>',
        '<row r="1"><c t="s"><v>-1</v></c></row>',
        '<row r="x"/>',
        '<row r="2"/><row r="1"/>',
        '<row r="1"><c r="1A"><v>1</v></c></row>',
        '<row r="1"><c><v>1e999</v></c></row>',
        '<row r="1"><c><v>nan</v></c></row>',
        '<row r="1"><c><v>hei</v></c></row>',
        '<row r="1"><c s="7"><v>1</v></c></row>',
        f'<row r="{"9" * 5000}"/>',
        '<row r="1"><c>',
        '<mergeCell ref="A"/>',
    ],
)
def test_nonsense_in_the_xml_is_a_problem(tmp_path: Path, sheet_data: str) -> None:
    assert "not a readable workbook" in the_problem(tmp_path, "a.xlsx", xlsx(sheet_data))


def test_half_a_surrogate_pair_is_left_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(xlsx(f"<row>{HEADER}</row>" + row("a", "x_xD800_y_x0041_", "kari")))
    assert [r.text for r in read_sheets(tmp_path)[0]] == ["x_xD800_yA"]


# ---- small files that claim to be large (calamine ends the process on the first two)


def test_one_cell_in_the_far_corner(tmp_path: Path) -> None:
    far = f'<row>{HEADER}</row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    assert "row 1048576 has something in column XFD" in the_problem(tmp_path, "a.xlsx", xlsx(far))


def test_one_long_text_shared_by_many_cells(tmp_path: Path) -> None:
    cells = "".join('<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>' for _ in range(20_000))
    data = xlsx(f"<row>{HEADER}</row>{cells}", f"<si><t>{'x' * 19_000}</t></si>")
    assert len(data) < 200_000
    assert "holds more than a dialogue sheet can" in the_problem(tmp_path, "a.xlsx", data)


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (
            '<table:table-row table:number-rows-repeated="1000000000"><table:table-cell><text:p>x</text:p>'
            "</table:table-cell></table:table-row>",
            "is repeated 1,000,000,000 times",
        ),
        (
            '<table:table-row><table:table-cell table:number-columns-repeated="1000000000"><text:p>x</text:p>'
            "</table:table-cell></table:table-row>",
            "has something in column",
        ),
        (
            '<table:table-row table:number-rows-repeated="-1"><table:table-cell/></table:table-row>',
            "not a readable workbook",
        ),
        (
            "<table:table-row>"
            + "".join(
                f"<table:table-cell><text:p>{name}</text:p></table:table-cell>" for name in ("id", "text", "voice")
            )
            + "</table:table-row><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
            '<table:table-cell><text:p>x<text:s text:c="2000000000"/>x</text:p></table:table-cell>'
            "<table:table-cell><text:p>kari</text:p></table:table-cell></table:table-row>",
            "longer than 20,000 characters",
        ),
    ],
)
def test_counts_that_claim_billions_in_ods(tmp_path: Path, rows: str, what: str) -> None:
    assert what in the_problem(tmp_path, "a.ods", ods(rows))


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "ods"])
def test_a_million_characters_in_one_cell(tmp_path: Path, suffix: str) -> None:
    million = "x" * 1_000_000
    if suffix == "csv":
        data = f"id;text;voice\na;{million};kari\nb;Hei;kari\n".encode()
    elif suffix == "xlsx":
        data = xlsx(f"<row>{HEADER}</row>" + row("a", million, "kari") + row("b", "Hei", "kari"))
    else:
        data = ods(
            "".join(
                "<table:table-row>"
                + "".join(f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells)
                + "</table:table-row>"
                for cells in (("id", "text", "voice"), ("a", million, "kari"), ("b", "Hei", "kari"))
            )
        )
    message = the_problem(tmp_path, f"a.{suffix}", data)
    assert "[a] text: is longer than 20,000 characters" in message and len(message) < 500
    assert [r.id for r in read_sheets(tmp_path)[0]] == ["a", "b"]


# ---- noise, and ids that want out


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.ods"])
def test_noise_gives_problems(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("noise")
    (folder / name).write_bytes(data)
    assert problems_of(folder)


@given(
    st.lists(
        st.sampled_from(['"', ";", ",", "\n", "\r", "\t", "\0", "a", "æ", "=", " ", "\ufeff", "id", "x"]), max_size=60
    )
)
@settings(max_examples=150, deadline=None)
def test_noise_below_a_sound_header(tmp_path_factory: pytest.TempPathFactory, pieces: list[str]) -> None:
    folder = tmp_path_factory.mktemp("noise")
    body = "".join(pieces)
    (folder / "a.csv").write_bytes(f"id;text;voice\n{body}".encode())
    rows, problems = read_sheets(folder)
    if not problems:  # then nothing that has an id or a text may have been passed over
        records = csv.reader(io.StringIO(body, newline=""), delimiter=";")
        assert len(rows) == sum(any(clean(cell) for cell in record[:2]) for record in records)


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "/etc/passwd",
        "..",
        "C:\\x",
        "\\\\server\\x",
        "a/../../b",
        "~/x",
        "con",
        "x\u202egpj",
        "a\tb;",
        "$(rm)",
        "%00",
    ],
)
def test_ids_and_scenes_that_want_to_leave_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(
        f'id;text;voice;scene\n"{name}";Hei;kari;ok\nb;Hei;kari;"{name}"\n', encoding="utf-8"
    )
    columns = {problem.column for problem in problems_of(tmp_path)}
    assert columns == {"id", "scene"}


def test_messages_are_one_safe_line_each(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('id;text;voice\n"\x1b[31m\nrm -rf\u202e";"";kari\n', encoding="utf-8")
    book = openpyxl.Workbook()
    book.active.append(["id", "text", "voice"])
    book.active.title = "\u202eark"
    book.create_sheet("b").append(["x"])
    book.save(tmp_path / "b.xlsx")
    messages = [str(problem) for problem in problems_of(tmp_path)]
    assert messages and all(message.isprintable() for message in messages)


@pytest.mark.parametrize("formula", ['=HYPERLINK("http://x")', "=cmd|' /C calc'!A0", "=1+1", "=@SUM(A1)"])
def test_formulas_in_csv_are_never_taken_for_text(tmp_path: Path, formula: str) -> None:
    quoted = formula.replace('"', '""')
    (tmp_path / "a.csv").write_text(f'id;text;voice\na;"{quoted}";kari\n', encoding="utf-8")
    assert ["looks like a formula" in problem.what for problem in problems_of(tmp_path)] == [True]
