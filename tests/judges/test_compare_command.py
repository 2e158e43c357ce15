"""``replikk compare``: what it prints, what it reads, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from replikk.cli import main
from replikk.commands.compare import Known, Pair, compare_pairs, read_pairs
from replikk.errors import DialogueError, ReplikkError
from replikk.judges.plain_rates import plain_rates


@pytest.fixture(autouse=True)
def outside_any_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    status = main(["compare", *arguments])
    printed = capsys.readouterr()
    return status, [json.loads(line) for line in printed.out.splitlines()], printed.err


def test_one_pair(capsys: pytest.CaptureFixture[str]) -> None:
    status, records, words = run(capsys, "Toget går kl. 14.30.", "toget går klokka halv fire", "--locale", "nb")
    assert status == 0
    assert records[0]["same"] is False and 0 < records[0]["wer"] < 1 and records[0]["cer"] > 0
    assert ["sub", "14.30", "halv fire"] in records[0]["alignment"]
    assert "different" in words and "«14.30» was heard as «halv fire»" in words


def test_what_was_accepted_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    _, records, words = run(
        capsys, "Boka fra 1984 hos NRK, Haakon!", "boken fra nitten åttifire hos enn err kå håkon", "--locale", "nb"
    )
    assert records[0]["same"] is True and records[0]["wer"] == records[0]["cer"] == 0
    assert records[0]["plain_wer"] > 0
    kinds = {item["script"]: item["kind"] for item in records[0]["accepted"]}
    assert kinds == {"Boka": "form", "1984": "number", "NRK": "letters", "Haakon": "spelling"}
    assert words.startswith("same") and "«boken» for «Boka» (form)" in words


def test_a_table_gives_one_record_per_row_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pairs.tsv").write_text(
        "id\tscript\theard\na1\tHan er her.\than er her\na2\tHan er her.\thun er her\na3\tHan er her.\t\n", "utf-8"
    )
    status, records, words = run(capsys, "--tsv", "pairs.tsv", "--locale", "nb")
    assert status == 0 and words == ""
    assert [(record["id"], record["same"]) for record in records] == [("a1", True), ("a2", False), ("a3", False)]
    assert {"id", "same", "wer", "cer", "alignment"} <= set(records[0])
    assert records[2]["reasons"][0]["code"] == "nothing_heard"


def test_columns_in_any_order_quotes_windows_lines_and_a_locale_per_row() -> None:
    table = '\ufeffheard\tID\tlocale\tscript\r\n"sa ""hei"""\t1\t\tNei\r\neg\t2\tnn\t"Eg", sa ho\r\n\r\n'
    Path("t.tsv").write_bytes(table.encode())
    assert read_pairs(Path("t.tsv"), "nb") == [
        Pair("1", "Nei", 'sa "hei"', "nb"),  # as spreadsheet programs wrap a cell
        Pair("2", '"Eg", sa ho', "eg", "nn"),  # a quotation, not a wrapped cell
    ]


def test_a_cell_of_several_lines_is_one_cell() -> None:
    table = 'id\tscript\theard\tlocale\n1\t"Hei\ndu ""der"""\thei du der\tnb-NO\n2\t"Nei\tnei\tNN\n3\t"Å\tå\tnb\n'
    Path("t.tsv").write_text(table, "utf-8")
    assert read_pairs(Path("t.tsv"), "") == [
        Pair("1", 'Hei\ndu "der"', "hei du der", "nb"),
        Pair("2", '"Nei', "nei", "nn"),  # a quotation that is not closed
        Pair("3", '"Å', "å", "nb"),
    ]


def test_a_script_with_markup_is_what_its_sheet_would_say() -> None:
    pairs = [
        Pair("1", "[b]Løp![/b] {w=0.5}De kommer.", "løp de kommer", "nb"),
        Pair("2", "*hvisker* Kom hit.", "kom hit", "nb"),
        Pair("3", "(Hvisker) Kom hit.", "hvisker kom hit", "nb"),  # as it stands there
        Pair("4", "[b]Løp![/b] De kommer.", "løp du kommer", "nb"),
        Pair("5", "Er 2 < 3?", "er to mindre enn tre", "nb"),
    ]
    assert [record["same"] for record in compare_pairs(pairs, Known())] == [True, True, True, False, True]


def test_rows_that_cannot_be_used_are_told_all_at_once() -> None:
    Path("t.tsv").write_text("id\tscript\theard\tlocale\n1\ta\tb\tc\td\n2\ta\tb\tsv\n3\n", "utf-8")
    with pytest.raises(DialogueError) as caught:
        read_pairs(Path("t.tsv"), "")
    assert [problem.row for problem in caught.value.problems] == [2, 3, 4]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id\tscript\n1\ta\n", "has no column 'heard'"),
        (b"", "has no column 'id'"),
        (b"id\tscript\theard\tscript\n", "'script' twice"),
        (b"id\tscript\theard\n1\t\xff\tb\n", "is not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_files_that_cannot_be_read(content: bytes | None, message: str) -> None:
    if content is not None:
        Path("t.tsv").write_bytes(content)
    with pytest.raises(ReplikkError, match=message):
        read_pairs(Path("t.tsv"), "")


def test_mistakes_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys)[0] == 1
    assert run(capsys, "bare en tekst")[0] == 1
    assert run(capsys, "en", "to", "--tsv", "t.tsv")[0] == 1
    assert run(capsys, "en", "to", "--config", "elsewhere.yaml")[0] == 1
    assert run(capsys, "en", "to", "--lexicon", "none.tsv")[0] == 1


def test_names_and_lexicon(capsys: pytest.CaptureFixture[str]) -> None:
    Path("lexicon.tsv").write_text("written\tspoken\nsjalusi\tsjalosi\n", "utf-8")
    line, heard = "Måkelina drar ned sjalusi.", "måkkelina drar ned sjalosi"
    assert run(capsys, line, heard)[1][0]["same"] is False
    _, records, _ = run(capsys, line, heard, "--cast", "Måkelina", "--lexicon", "lexicon.tsv")
    assert records[0]["same"] is True
    assert [item["kind"] for item in records[0]["accepted"]] == ["name", "lexicon"]


def test_a_project_gives_its_names_and_lexicon(capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").write_text("dialogue_dir: dialogue\n", "utf-8")
    Path("dialogue").mkdir()
    Path("dialogue/voices.yaml").write_text(
        "voices:\n  ylva:\n    label: Ylva\n    espeak: {variant: f2}\ncast_names: [Trollgarn]\n", "utf-8"
    )
    assert run(capsys, "Trollgarn kommer", "trolgarn kommer")[1][0]["same"] is True
    assert run(capsys, "Trallgarn kommer", "trolgarn kommer")[1][0]["same"] is False


def test_without_a_locale_both_written_standards_are_right() -> None:
    pair = Pair("1", "Jeg vet ikke hva hun heter.", "eg veit ikkje kva ho heiter", "")
    assert compare_pairs([pair], Known())[0]["same"] is True
    assert compare_pairs([Pair("1", pair.script, pair.heard, "nb")], Known())[0]["same"] is False


def test_plain_rates_are_those_of_jiwer() -> None:
    rates = plain_rates(["Kom hit, nå!", "En to tre fire", "", ""], ["kom hit nå", "en to fem fire", "hei", ""])
    assert rates == [(0.0, 0.0), (0.25, pytest.approx(3 / 14)), (1.0, 1.0), (0.0, 0.0)]
