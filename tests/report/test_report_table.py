"""report.csv opens in Excel, one row per line, and no cell of it is ever run."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_builder import Case, make_report

from replikk.report.table import COLUMNS, render_table, safe_cell, spell_row


def rows_of(table: bytes, separator: str = ";") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline=""), delimiter=separator))


def starts_formula(cell: str) -> bool:
    """What a spreadsheet program looks at: the first character that is no blank, full-width or not."""
    first = next((c for c in cell if unicodedata.category(c) not in ("Cc", "Cf", "Zs", "Zl", "Zp")), "")
    return bool(first) and unicodedata.normalize("NFKC", first)[0] in "=+-@"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("Hei, du!", "Hei, du!"),
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        ("+47 22 33", "'+47 22 33"),
        ("-5 °C", "'-5 °C"),
        ("−5 °C", "−5 °C"),  # a real minus sign starts no formula
        ("– Nei!", "– Nei!"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1+1", "'  =1+1"),
        ("\t=1+1", "' =1+1"),
        ("\r=1+1", "' =1+1"),
        ("\u200b=1+1", "'\u200b=1+1"),
        ("\ufeff=1+1", "'\ufeff=1+1"),
        ("＝1+1", "'＝1+1"),
        ("＋1", "'＋1"),
        ("﹣1", "'﹣1"),
        ("to\nlinjer", "to linjer"),
        ("to\r\nlinjer", "to linjer"),
        ("en\u2028to", "en to"),
        ("ja,=cmd|' /C calc'!A0", "ja,'=cmd|' /C calc'!A0"),
        ("ja; @SUM(A1)", "ja;' @SUM(A1)"),
        ("", ""),
    ],
)
def test_cells_are_safe(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


@given(st.text(alphabet=st.sampled_from("=+-@＝﹢ \t\r\n\u00a0\u200b,;|\"'aÅ1"), max_size=12))
def test_no_text_becomes_a_formula_whatever_the_separator(text: str) -> None:
    cell = safe_cell(text)
    assert not any(c in cell for c in "\r\n\t")
    for separator in ",;|":
        assert not any(starts_formula(part) for part in cell.split(separator))


@given(st.text(max_size=40))
def test_the_text_itself_survives(text: str) -> None:
    assert (
        safe_cell(text).replace("'", "").split()
        == "".join(" " if c in "\r\n\t\v\f\x00\x85\u2028\u2029" else c for c in text).replace("'", "").split()
    )


@given(st.lists(st.text(alphabet="aÅ7 \";,|=+-@\n\u00a0＝_.'\x00\u200b\u2028", max_size=6), min_size=2, max_size=5))
def test_a_row_is_spelled_as_the_csv_module_spells_its_safe_cells(cells: list[str]) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(safe_cell, cells))
    assert spell_row(cells) == out.getvalue()


def test_one_row_per_line_in_norwegian_excel() -> None:
    cases = [
        Case("a", "Måken sa ja; nei, sa båten"),
        Case("b", '=1+1 "Hei"', "flagged", ["en pluss en hei"], line={"notes": "@alle", "file": "fest.tsv", "row": 7}),
        Case("c", "M", "flagged", ["em"], ["human"], line={"drill": True}),
        Case("d", "Lyset er borte", "missing", [None]),
        Case("e", "Lyset er borte", "locked_stale", ["lyset er tent"]),
        Case("f", "Lyset er borte", "regenerated", ["nei", "lyset er borte"], ["retry", "pass"], mark="changed"),
    ]
    table = render_table(make_report(cases))
    assert table.startswith(b"\xef\xbb\xbf")
    rows = rows_of(table)
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == ["a", "b", "c", "d", "e", "f"]
    assert [row["state"] for row in rows] == [
        "passed", "flagged", "to be heard once", "missing", "locked, text changed", "regenerated",
    ]  # fmt: skip
    assert rows[0]["text"] == "Måken sa ja; nei, sa båten"
    assert rows[1]["text"] == '\'=1+1 "Hei"'
    assert rows[1]["notes"] == "'@alle"
    assert rows[1]["place"] == "fest.tsv:7"
    assert rows[1]["heard"] == "en pluss en hei"
    assert "40 % of the words are wrong" in rows[1]["reasons"]
    assert rows[1]["what to do"].startswith("Listen.")
    assert rows[0]["what to do"] == rows[5]["what to do"] == rows[5]["reasons"] == ""
    assert rows[3]["take key"] == rows[3]["clip"] == rows[3]["duration_s"] == ""
    assert rows[3]["reasons"] == "the voice process stopped"
    assert rows[5]["new or changed"] == "changed"
    assert rows[5]["takes"] == "2"
    assert "," in rows[0]["duration_s"]
    assert rows[0]["clip"] == "assets/nb/havn/a.ogg"


def test_every_cell_of_a_hostile_game_is_safe() -> None:
    evil = "=cmd|' /C calc'!A0"
    line = dict.fromkeys(("scene", "character", "style", "notes", "file"), evil) | {"remarks": (evil, evil)}
    table = render_table(make_report([Case("a", evil, "flagged", [evil], line=line)]))
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""), delimiter=separator):
            assert not any(starts_formula(cell) for cell in row), separator
