"""A folder of sheets as checked rows: defaults, places in messages, and all problems of all files at once."""

from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pytest

from replikk.dialogue.sheets import SheetRow, read_sheets
from replikk.errors import DialogueError, Problem


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dialogue").mkdir()


def write(name: str, text: str) -> None:
    path = Path("dialogue") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_xlsx(name: str, **tabs: list[list[object]]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for tab, rows in tabs.items():
        sheet = book.create_sheet(tab)
        for row in rows:
            sheet.append(row)
    book.save(Path("dialogue") / name)
    return book


def read() -> tuple[list[SheetRow], list[str]]:
    rows, problems = read_sheets(Path("dialogue").absolute())
    return rows, [str(problem) for problem in problems]


def problems_of(text: str) -> list[str]:
    write("a.csv", text)
    return read()[1]


HEAD = "id;tekst;stemme;status;språk;maks sekunder;opptak;scene\n"


def test_a_full_row() -> None:
    write(
        "kjokken.csv",
        "Nøkkel;Replikk;Stemme;Figur;Regi;Uttale;Scene;Målform;Maks sekunder;Status;Opptak;Merknad;Humør;Bilde\n"
        "a_1;Hei!;kari;Kari Nordmann;si dette stille;hæi;gang;nn-NO;2,5;låst;2;ny;blid;\n",
    )
    assert read() == (
        [
            SheetRow(
                file="dialogue/kjokken.csv",
                sheet="",
                row=2,
                id="a_1",
                text="Hei!",
                voice="kari",
                character="Kari Nordmann",
                style="si dette stille",
                say="hæi",
                scene="gang",
                locale="nn",
                max_seconds=2.5,
                status="locked",
                take=2,
                notes="ny",
                extra={"Humør": "blid"},
                source="dialogue/kjokken.csv",
            )
        ],
        [],
    )


def test_defaults() -> None:
    write("kjokken.csv", "id,text,character\na,Hei,Kari\n")
    [row], problems = read()
    assert problems == []
    assert (row.scene, row.locale, row.max_seconds, row.status, row.take) == ("kjokken", "nb", None, "", 1)


def test_which_files_are_read_and_in_which_order() -> None:
    line = "id,text,voice\n{},Hei,kari\n"
    for name in ("b.csv", "a.CSV", "under/c.tsv"):
        write(name, line.format(name[0] if "/" not in name else "c").replace(",", "\t" if "tsv" in name else ","))
    for name in (
        "decisions.csv",
        "lexicon.tsv",
        "~$b.xlsx",
        ".~lock.b.csv",
        "_notat.csv",
        ".git/x.csv",
        "_gammelt/y.csv",
    ):
        write(name, "nothing of this is a sheet")
    write("les.txt", "not a sheet")
    rows, problems = read()
    assert [row.file for row in rows] == ["dialogue/a.CSV", "dialogue/b.csv", "dialogue/under/c.tsv"]
    assert problems == []


def test_spreadsheets_that_cannot_be_read_are_named() -> None:
    write("gammel.xls", "x")
    write("eple.numbers", "x")
    _, problems = read()
    assert (
        "dialogue/gammel.xls: is a .xls file, which is not read; save it as .xlsx, or start its name with _" in problems
    )
    assert len(problems) == 2


def test_a_folder_without_sheets() -> None:
    assert read()[1][0].startswith("dialogue: holds no dialogue sheet")
    [problem] = read_sheets(Path("borte"))[1]
    assert "no such folder" in problem.what


def test_tabs_are_scenes_when_there_are_several() -> None:
    head = ["id", "text", "voice"]
    write_xlsx(
        "bok.xlsx", gang=[head, ["a", "Hei", "kari"]], stue=[head, ["b", "", "kari"]], _notat=[["løst"]], Ark3=[]
    )
    rows, problems = read()
    assert [(row.scene, row.sheet, row.file) for row in rows] == [
        ("gang", "gang", "dialogue/bok.xlsx"),
        ("stue", "stue", "dialogue/bok.xlsx"),
    ]
    assert problems == ["dialogue/bok.xlsx:stue:2 [b] text: is empty; write the text, or set status to cut"]


def test_one_tab_takes_the_name_of_the_file() -> None:
    write_xlsx("bok.xlsx", Ark1=[["id", "text", "voice"], ["a", "Hei", "kari"]], Ark2=[])
    [row], problems = read()
    assert (row.scene, row.source, problems) == ("bok", "dialogue/bok.xlsx", [])


def test_a_hidden_tab_is_never_lost_in_silence() -> None:
    head = ["id", "text", "voice"]
    book = write_xlsx("bok.xlsx", gang=[head, ["a", "Hei", "kari"]], stue=[head, ["b", "Du", "kari"]])
    book["stue"].sheet_state = "hidden"
    book.save("dialogue/bok.xlsx")
    rows, [problem] = read()
    assert [row.id for row in rows] == ["a"]
    assert "the tab 'stue' is hidden" in problem and "start its name with _" in problem


def test_a_tab_without_a_header_says_how_to_set_it_aside() -> None:
    write_xlsx("bok.xlsx", gang=[["id", "text", "voice"]], notater=[["Husk å ringe Ola"]])
    assert "starts with _" in read()[1][0]


def test_hidden_rows_are_lines() -> None:
    book = write_xlsx("bok.xlsx", Ark1=[["id", "text", "voice"], ["a", "Hei", "kari"]])
    book.active.row_dimensions[2].hidden = True
    book.save("dialogue/bok.xlsx")
    assert [row.id for row in read()[0]] == ["a"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a;Hei;kari", None),
        (";;;;;;;", None),
        ("a;;kari;kutt", None),
        (";;kari", None),  # a heading or a comment: nothing is to be spoken
        (";Hei;kari", "a.csv:2 id: is missing"),
        ("a;;kari", "a.csv:2 [a] tekst: is empty"),
        ("a;Hei;", "a.csv:2 [a] stemme: is empty; write who speaks"),
        (
            "a;Hei;kari;kutet",
            "[a] status: 'kutet' is not a known value; did you mean kuttet? allowed: cut, locked, external",
        ),
        ("a;Hei;kari;ferdig", "[a] status: 'ferdig' is not a known value; write one of: cut, locked, external"),
        ("a;Hei;kari;;sv", "[a] språk: 'sv' is not a known value"),
        ("a;Hei;kari;;;to", "[a] maks sekunder: is not a positive number of seconds; write for example 2,5"),
        ("a;Hei;kari;;;0", "[a] maks sekunder: is not a positive number"),
        ("a;Hei;kari;;;;0", "[a] opptak: is not a whole number from 1"),
        ("a;Hei;kari;;;;;På skolen?", "[a] scene: 'På skolen?' names a folder, but is no safe file name"),
        ("a;Hei;kari;;;;;..", "[a] scene: '..' names a folder"),
        ("../x;Hei;kari", "[../x] id: contains a path separator"),
        ("01.mai;Hei;kari", "[01.mai] id: Excel has turned this id into a date"),
        ("1,00E+03;Hei;kari", "id: Excel has turned this id into a number"),
        ("a;=A1&B1;kari", "[a] tekst: looks like a formula"),
        ("a;#NAVN?;kari", "[a] tekst: a formula failed here (#NAVN?)"),
        ("a;#####;kari", "[a] tekst: a formula failed here"),
        ("a;Hei\x00;kari", "[a] tekst: contains the control character U+0000"),
        ("a;Hei\x1b[2J;kari", "[a] tekst: contains the control character U+001B"),
        ("a;bl\u00c3\u00a5;kari", "[a] tekst: has letters that were damaged"),
        ("a;bl\ufffd;kari", "[a] tekst: has letters that were damaged"),
        ("a;Hei; du;kari;;;;;;", "a.csv:2 [a] tekst: "),
        ("a;ja;nei;kari;;;;;x", "a.csv:2 [a]: has 9 cells, the header has 8; put a text that contains the separator"),
        ("id;tekst;stemme", "repeats the header; delete this row"),
        ("a;" + "x" * 20_001 + ";kari", "[a] tekst: is longer than 20,000 characters"),
    ],
)
def test_one_row(row: str, expected: str | None) -> None:
    problems = problems_of(HEAD + row + "\n")
    if expected is None:
        assert problems == []
    elif row == "a;Hei; du;kari;;;;;;":  # shifted, but nothing beyond the header: found as an unknown status
        assert problems == [
            "dialogue/a.csv:2 [a] status: 'kari' is not a known value; write one of: cut, locked, external"
        ]
    else:
        assert len(problems) == 1, problems
        assert expected in problems[0]


def test_twice_the_same_id_in_one_file_and_across_files() -> None:
    write("a.csv", "id,text,voice\nx,Hei,kari\nx,Du,kari\n")
    write("b.csv", "id,text,voice\ny,Hei,kari\nX,Du,kari\n")
    assert read()[1] == [
        "dialogue/a.csv:3 [x] id: this id is used already in dialogue/a.csv:2; give one of the two lines another id",
        "dialogue/b.csv:3 [X] id: differs only in case from 'x' in dialogue/a.csv:2, "
        "which is the same file on Windows; give one of the two lines another id",
    ]


def test_scenes_that_differ_only_in_case_are_one_folder_on_windows() -> None:
    [problem] = problems_of("id;text;voice;scene\na;x;kari;Gang\nb;x;kari;gang\nc;x;kari;gang\n")
    assert "a.csv:3 [b] scene: 'gang' differs only in case from 'Gang' in dialogue/a.csv:2" in problem


def test_a_file_name_that_cannot_be_a_scene() -> None:
    write("På kjøkkenet!.csv", "id;text;voice\na;x;kari\nb;x;kari\n")
    [problem] = read()[1]
    assert "but 'På kjøkkenet!' is no safe file name because of ! (only" in problem
    assert "its name is the scene" in problem and "write for example Paa_kjoekkenet" in problem
    write("På kjøkkenet!.csv", "id;text;voice;scene\na;x;kari;kjokken\n")
    assert read()[1] == []


def test_norwegian_letters_and_blanks_in_the_name_of_a_scene_are_rewritten() -> None:
    head = ["id", "text", "voice"]
    write_xlsx("bok.xlsx", Åpning=[head, ["a", "Hei", "kari"]], slutt=[head, ["b", "Du", "kari"]])
    write("sjøen.csv", "id;text;voice\nc;x;kari\n")
    write("øya/fjære.csv", "id;text;voice;scene\nd;x;kari;\ne;x;kari;Grønn_å\nf;x;kari;Kapittel 1\n")
    rows, problems = read()
    assert problems == []
    assert {row.id: row.scene for row in rows} == {
        "a": "Aapning", "b": "slutt", "c": "sjoeen", "d": "fjaere", "e": "Groenn_aa",
        "f": "Kapittel_1",
    }  # fmt: skip


def test_what_excel_did_to_workbook_cells() -> None:
    book = write_xlsx(
        "bok.xlsx",
        Ark1=[
            ["id", "text", "voice", "max_seconds", "notes"],
            [12.0, "Hei", "kari", 2.5, datetime.date(2024, 1, 1)],
            [datetime.datetime(2024, 5, 1), "Hei", "kari"],
            [1.5, 2.5, "kari"],
            ["c", True, "kari"],
            ["d", "=A1", "kari"],
            ["e", datetime.time(8, 30), "kari"],
            ["f", 0.5, "kari"],
            ["g", "Hei", "kari", datetime.time(0, 1)],
        ],
    )
    book.active["B8"].number_format = "0%"
    book.save("dialogue/bok.xlsx")
    rows, problems = read()
    assert (rows[0].id, rows[0].max_seconds, rows[2].text) == ("12", 2.5, "2,5")
    text_again = "format the column as text and write the cell again"
    assert problems == [
        "dialogue/bok.xlsx:3 [2024-05-01] id: Excel has turned this id into a date or a time (2024-05-01); "
        "format the column as text and write the id again",
        "dialogue/bok.xlsx:4 [1.5] id: is stored as the number 1.5, so what was written may have lost digits; "
        "format the column as text and write the id again",
        f"dialogue/bok.xlsx:5 [c] text: Excel has turned this cell into a truth value (TRUE); {text_again}",
        "dialogue/bok.xlsx:6 [d] text: a formula without a saved result; "
        "open the file in the spreadsheet program and save it again, or write the finished text",
        f"dialogue/bok.xlsx:7 [e] text: Excel has turned this cell into a date or a time (08:30:00); {text_again}",
        "dialogue/bok.xlsx:8 [f] text: is stored as the number 0.5 and only looks like what was written; " + text_again,
        "dialogue/bok.xlsx:9 [g] max_seconds: Excel has turned this cell into a date or a time (00:01:00); "
        + text_again,
    ]


def test_merged_cells_matter_in_the_rows_and_columns_of_lines() -> None:
    book = write_xlsx(
        "bok.xlsx",
        Ark1=[["Manus"], ["id", "text", "voice", "notes", "humør"], ["a", "Hei", "kari"], ["b", "Du", "kari"]],
    )
    book.active.merge_cells("A1:E1")
    book.active.merge_cells("D3:E4")
    book.save("dialogue/bok.xlsx")
    assert read()[1] == []
    book.active.merge_cells("C3:C4")
    book.save("dialogue/bok.xlsx")
    problems = read()[1]
    assert "dialogue/bok.xlsx:3 voice: the cells C3:C4 are merged" in problems[0]
    assert "[b] voice: is empty" in problems[1]


def test_content_without_a_column_name_is_reported_once() -> None:
    write_xlsx("bok.xlsx", Ark1=[["id", "text", "voice"], *([f"l{n}", "Hei", "kari", None, "løst"] for n in range(5))])
    assert read()[1] == ["dialogue/bok.xlsx:2: column E has content but no name; name it in row 1, or delete it"]


def test_all_problems_of_all_files_at_once_in_the_common_form() -> None:
    write("a.csv", "id;text;voice\n;Hei;kari\nb;;kari\n")
    write("b.csv", "id;tekst\nc;Hei\n")
    write("c.xlsx", "not a workbook")
    _, problems = read_sheets(Path("dialogue"))
    assert all(isinstance(problem, Problem) and problem.instead for problem in problems)
    assert {problem.file for problem in problems} == {"dialogue/a.csv", "dialogue/b.csv", "dialogue/c.xlsx"}
    assert str(DialogueError(problems)).startswith(
        "4 problems in the dialogue files:\n  dialogue/a.csv:2 id: is missing"
    )


def test_an_empty_sheet_is_a_problem() -> None:
    assert problems_of("")[0].startswith("dialogue/a.csv: is empty")
    assert problems_of("id;text;voice\n") == []


def test_a_caller_can_bring_its_own_reader() -> None:
    from replikk.dialogue.tables import Table

    write("a.csv", "ikke lest")
    kept = [Table("", [(1, ["id", "text", "voice"]), (2, ["x", "Hei", "kari"])])]
    [row], problems = read_sheets(Path("dialogue"), read=lambda path: kept)
    assert (row.id, problems) == ("x", [])


def test_a_doubled_column_is_one_problem_and_the_rows_are_not_too_wide() -> None:
    assert [p for p in problems_of("id;text;voice;text\na1;Hei;kari;Ho\n") if "header" in p or "cells" in p] == []
    assert len(problems_of("id;text;voice;text\na1;Hei;kari;Ho\n")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "sep=|\nid|text|voice\na1|Hei, du; der|kari\n",
        "id|text|voice\na1|Hei, du; der|kari\n",
        "sep=^\nid^text^voice\na1^Hei, du; der^kari\n",
    ],
)
def test_other_separators(text: str) -> None:
    write("a.csv", text)
    rows, problems = read()
    assert problems == [] and [row.text for row in rows] == ["Hei, du; der"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_that_lost_its_mark(encoding: str) -> None:
    Path("dialogue/a.csv").write_bytes("id;text;voice\na1;Hei på øya;kari\n".encode(encoding))
    rows, problems = read()
    assert problems == [] and [row.text for row in rows] == ["Hei på øya"]
