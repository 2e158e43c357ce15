"""Rows into and out of the file that people keep: nothing else in it changes, and what is written is what is read."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from replikk.dialogue.decisions import Decision
from replikk.review.rows import UnwritableRowsError, append_rows, read_rows, remove_rows, tidy

KEY = "0123456789abcdef" * 4
ACCEPT = Decision("a_1", KEY, "accept", "Åse", "2026-05-17T12:00:00+02:00", "bra")
RETAKE = Decision("a_2", KEY, "retake", style="stille, nesten hviskende", respelling="Hei; hei!")


def told(decisions: list[Decision]) -> list[Decision]:
    return [replace(decision, row=0) for decision in decisions]


def read(data: bytes) -> list[Decision]:
    return told(read_rows(data, "decisions.csv")[0])


def test_a_new_file_has_the_columns_that_it_needs():
    plain = append_rows(b"", [replace(ACCEPT, who="Ase")], "decisions.csv")
    assert plain.decode() == f"id,take_key,decision,who,when,why\na_1,{KEY},accept,Ase,{ACCEPT.when},bra\n"
    directed = append_rows(b"", [RETAKE], "decisions.csv")
    assert directed.splitlines()[0] == b"id,take_key,decision,who,when,why,style,respelling"
    assert read(directed) == [RETAKE]


@pytest.mark.parametrize(
    ("before", "header"),
    [
        (b"id,take_key,decision\n", b"id,take_key,decision,who,when,why"),
        (b"id,take_key,decision", b"id,take_key,decision,who,when,why"),  # no line end
        (b"id;take_key;decision;mine\r\n", b"id;take_key;decision;mine;who;when;why"),
        (b"# ours\n\nwhen\tid\tdecision\ttake_key\n", b"when\tid\tdecision\ttake_key\twho\twhy"),
        (b"sep=;\r\nid;take_key;decision\r\n", b"id;take_key;decision;who;when;why"),
        (b"# only a comment\n", b"id,take_key,decision,who,when,why"),
        (codecs.BOM_UTF8 + "id;nøkkel;avgjørelse\r\n".encode(), "id;nøkkel;avgjørelse;hvem;når;hvorfor".encode()),
    ],
)
def test_the_header_keeps_its_form_and_gets_the_columns_that_are_missing(before, header):
    after = append_rows(before, [ACCEPT], "decisions.csv")
    assert header in after.splitlines() or codecs.BOM_UTF8 + header in after.splitlines()
    assert read(after) == [ACCEPT]
    line_end = b"\r\n" if b"\r\n" in before else b"\n"
    assert after.count(b"\n") == after.count(line_end)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_letters_stay_in_the_encoding_of_the_file_while_it_has_them(encoding):
    before = f"id;nøkkel;avgjørelse;hvem;når;hvorfor\r\nø_1;{KEY};lås;Bjørn;i går;æ\r\n".replace("ø_1", "o_1")
    after = append_rows(before.encode(encoding), [ACCEPT], "decisions.csv")
    assert after.decode(encoding).startswith(before)
    wide = append_rows(before.encode(encoding), [replace(ACCEPT, why="日本 👍")], "decisions.csv")
    assert [decision.why for decision in read(wide)] == ["æ", "日本 👍"]
    assert wide.decode("utf-16" if encoding == "utf-16" else "utf-8").count("Bjørn") == 1


def test_the_first_letter_beyond_ascii_brings_the_mark_that_excel_needs():
    assert append_rows(b"", [ACCEPT], "decisions.csv").startswith(codecs.BOM_UTF8)


def test_a_row_is_taken_out_with_all_its_lines_and_nothing_else():
    before = (
        f'# mine\r\nid,take_key,decision,why\r\na_1,{KEY},note,"over\r\nto linjer"\r\n\r\na_2,{KEY},accept,\r\n'
    ).encode()
    rows = {decision.line_id: decision.row for decision in read_rows(before, "")[0]}
    assert (
        remove_rows(before, {rows["a_1"]}, "").decode()
        == f"# mine\r\nid,take_key,decision,why\r\n\r\na_2,{KEY},accept,\r\n"
    )
    assert b"linjer" in remove_rows(before, {rows["a_2"]}, "")
    assert remove_rows(before, set(), "") == before


@pytest.mark.parametrize(
    "damaged",
    [
        b'id,take_key,decision\na_1,"01234567,accept\n',  # a quotation mark that never closes
        b"name,text\na,b\n",  # another table
        b"id,take_key,decision\na_9,01234567,accept,,,,,extra\n",  # a cell that would come under a new column
        "id,take_key,decision\nø,01234567,accept\n".encode() + b"\xff",  # two encodings in one
    ],
)
def test_a_file_that_cannot_be_written_into_is_said_to_be_so(damaged):
    with pytest.raises(UnwritableRowsError, match=r"decisions\.csv"):
        append_rows(damaged, [RETAKE, ACCEPT], "decisions.csv")


texts = st.text(max_size=40).map(tidy)
ids = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,20}", fullmatch=True)
decisions = st.builds(
    Decision,
    line_id=ids,
    take_key=st.text("0123456789abcdef", min_size=64, max_size=64),
    decision=st.sampled_from(["accept", "retake", "lock", "note", "withdraw"]),
    who=texts,
    when=texts,
    why=texts,
    style=texts,
    respelling=texts,
)
separators = st.sampled_from([",", ";", "\t"])


@given(
    st.lists(decisions, max_size=4),
    st.lists(decisions, min_size=1, max_size=4),
    separators,
    st.sampled_from(["utf-8", "utf-16"]),
)
@example([], [replace(ACCEPT, why="'=1+1", who="a'=b;'-c", style='"', respelling='";"')], ",", "utf-8")
@example([], [replace(ACCEPT, why="id;take_key;decision;who;when;why;style")], ",", "utf-8")
def test_whatever_is_said_comes_back_and_can_be_taken_out_again(old, new, separator, encoding):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\r\n")
    writer.writerow(["decision", "mine", "take_key", "id"])
    writer.writerows([decision.decision, "x", decision.take_key, decision.line_id] for decision in old)
    before = out.getvalue().encode(encoding)
    try:
        after = append_rows(before, new, "decisions.csv")
    except UnwritableRowsError:  # said, and not written: a text that makes the table look like another one
        assert any(";" in decision.why or "\t" in decision.why for decision in new) or any(
            sign in field
            for decision in new
            for field in vars(decision).values()
            if isinstance(field, str)
            for sign in ",;\t\"'"
        )
        return
    assert read(after) == [*read(before), *new]
    kept = [decision.row for decision in read_rows(after, "")[0]][len(old) :]
    assert read(remove_rows(after, kept, "decisions.csv")) == read(before)
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in _cells(after, encoding, separator))


def _cells(data: bytes, encoding: str, separator: str) -> list[str]:
    text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]
