"""What a person decided: the words that are understood, take keys, and which row holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from replikk.dialogue.decisions import Decision, read_decisions

HEADER = "id,take_key,decision,who,when,why\n"
KEY = "0123456789abcdef" * 4


def read(tmp_path: Path, content: str, encoding: str = "utf-8") -> tuple[list[Decision], list[str]]:
    path = tmp_path / "decisions.csv"
    path.write_bytes(content.encode(encoding))
    decisions, problems = read_decisions(path)
    return decisions, [str(problem).removeprefix(str(path)) for problem in problems]


def test_a_row_is_read_whole(tmp_path: Path) -> None:
    decisions, problems = read(
        tmp_path, HEADER.strip() + f',style,respelling\ngreet_01,{KEY},accept,Vigdis,2026-11-20,"Bra, nå",mykt,Heii\n'
    )
    assert problems == []
    assert decisions == [Decision("greet_01", KEY, "accept", "Vigdis", "2026-11-20", "Bra, nå", "mykt", "Heii", row=2)]


@pytest.mark.parametrize(
    ("word", "decision"),
    [
        ("accept", "accept"),
        ("Godta", "accept"),
        ("GODKJENT", "accept"),
        ("retake", "retake"),
        ("nytt opptak", "retake"),
        ("ta om igjen", "retake"),
        ("lås", "lock"),
        ("Låst", "lock"),
        ("lock", "lock"),
        ("notat", "note"),
    ],
)
def test_decisions_have_english_and_norwegian_names(tmp_path: Path, word: str, decision: str) -> None:
    decisions, problems = read(tmp_path, f"{HEADER}a,{KEY[:8]},{word},,,\n")
    assert problems == [] and decisions[0].decision == decision


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_what_excel_writes_is_read(tmp_path: Path, encoding: str) -> None:
    content = f"id;nøkkel;avgjørelse;hvem;når;hvorfor\r\na;{KEY.upper()};lås;Åse;i går;æ\r\n\r\n"
    decisions, problems = read(tmp_path, content, encoding)
    assert problems == []
    assert decisions == [Decision("a", KEY, "lock", "Åse", "i går", "æ", row=2)]


def test_no_file_and_an_empty_one_are_no_decisions(tmp_path: Path) -> None:
    assert read_decisions(tmp_path / "none.csv") == ([], [])
    assert read(tmp_path, "") == ([], [])
    assert read(tmp_path, HEADER) == ([], [])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f",{KEY},accept,,,", ":2 id: is empty"),
        (f"a,{KEY},acept,,,", ":2 [a] decision: 'acept' is no decision; did you mean 'accept'?"),
        (f"a,{KEY},,,,", ":2 [a] decision: is empty; write accept, retake, lock, note or withdraw"),
        ("a,,retake,,,", ":2 [a] take_key: is empty; copy the key"),
        ("a,1234567,accept,,,", ":2 [a] take_key: '1234567' looks like a number"),
        ('a,"1,23E+45",accept,,,', ":2 [a] take_key: '1,23e+45' looks like a number"),
        ("a,abc123f,accept,,,", ":2 [a] take_key: 'abc123f' is too short"),
        (f"a,{KEY}0,accept,,,", ":2 [a] take_key: '0123456789abcdef"),
        ("a,../../x,accept,,,", ":2 [a] take_key: '../../x' is not a take key"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(tmp_path: Path, row: str, message: str) -> None:
    decisions, problems = read(tmp_path, f"{HEADER}{row}\nb,{KEY},accept,,,\n")
    assert len(problems) == 1 and problems[0].startswith(message)
    assert [decision.line_id for decision in decisions] == ["b"]


def test_missing_columns_are_named(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "id,decison\na,accept\n")
    assert any("did you mean 'decision'" in problem for problem in problems)
    assert any("take_key: is missing in the header" in problem for problem in problems)


def test_a_note_needs_no_take_and_replaces_nothing(tmp_path: Path) -> None:
    decisions, problems = read(tmp_path, f"{HEADER}a,{KEY},accept,,,\na,,note,,,litt tørr\na,{KEY},note,,,hør igjen\n")
    assert problems == []
    assert [decision.decision for decision in decisions] == ["accept", "note", "note"]


def test_of_several_decisions_on_one_take_the_last_row_holds(tmp_path: Path) -> None:
    rows = [
        f"a,{KEY},accept,,,",
        f"b,{KEY},accept,,,",
        f"A,{KEY[:10]},retake,,,",  # the same take of the same line, named by the beginning of its key
        f"a,{'f' * 64},accept,,,",
        f"b,{KEY},accept,,,enig",
    ]
    decisions, problems = read(tmp_path, HEADER + "\n".join(rows) + "\n")
    assert problems == []
    assert [(decision.row, decision.decision) for decision in decisions] == [
        (4, "retake"),
        (5, "accept"),
        (6, "accept"),
    ]


def test_a_withdrawal_takes_back_what_was_decided_on_its_take(tmp_path: Path) -> None:
    rows = [f"a,{KEY},lock,,,", f"b,{KEY},accept,,,", f"a,{KEY[:12]},trekk tilbake,,,", f"b,{'f' * 64},withdraw,,,"]
    decisions, problems = read(tmp_path, HEADER + "\n".join(rows) + "\n")
    assert problems == []
    assert [(decision.line_id, decision.decision) for decision in decisions] == [("b", "accept")]


def test_a_decision_after_a_withdrawal_holds(tmp_path: Path) -> None:
    rows = [f"a,{KEY},lock,,,", f"a,{KEY},angre,,,", f"a,{KEY},accept,,,"]
    decisions, _ = read(tmp_path, HEADER + "\n".join(rows) + "\n")
    assert [(decision.row, decision.decision) for decision in decisions] == [(4, "accept")]


def test_the_guard_against_formulas_is_not_part_of_a_text(tmp_path: Path) -> None:
    content = f"{HEADER.strip()},style,respelling\na,{KEY},retake,'@kari,,'- for fort,'=stille,\"nei,'- hei\"\n"
    decisions, problems = read(tmp_path, content)
    assert problems == []
    assert (decisions[0].who, decisions[0].why) == ("@kari", "- for fort")
    assert (decisions[0].style, decisions[0].respelling) == ("=stille", "nei,- hei")
