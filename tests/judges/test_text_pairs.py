"""Pairs of script and transcript, right and wrong, in ``text_pairs.tsv``: what must pass and what must be seen.

The wrong ones differ in one meaningful word, or are what recognisers make up. The table is data to be added to: a pair
that was judged wrongly somewhere goes in first, and the rule that it asks for comes second.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from replikk.dialogue.norwegian import speakable
from replikk.judges.compare import Comparison, compare

TABLE = Path(__file__).with_name("text_pairs.tsv")
ROWS = [row.split("\t") for row in TABLE.read_text(encoding="utf-8").splitlines()[1:]]


def heard(row: list[str]) -> Comparison:
    _, locale, script, text, _ = row
    return compare(script, text, locale=locale, other_forms=True)


@pytest.mark.parametrize("kind", sorted({row[0] for row in ROWS}))
def test_every_pair_of_the_table(kind: str) -> None:
    wrong = []
    for row in ROWS:
        if row[0] == kind and (heard(row).wer == 0) != (row[4] == "yes"):
            wrong.append((row, heard(row).alignment))
    assert not wrong


def test_the_table_is_large_and_balanced() -> None:
    assert len(ROWS) >= 300
    assert len({tuple(row[1:4]) for row in ROWS}) == len(ROWS), "a pair stands there twice"
    assert {len(row) for row in ROWS} == {5}
    answers = Counter(row[4] for row in ROWS)
    assert set(answers) == {"yes", "no"} and min(answers.values()) > len(ROWS) // 3
    assert {row[1] for row in ROWS} == {"nb", "nn", ""}


@pytest.mark.parametrize("row", [row for row in ROWS if row[4] == "no"], ids=lambda row: f"{row[2]} / {row[3]}")
def test_a_wrong_word_stays_wrong_with_the_rest_of_the_line_written_otherwise(row: list[str]) -> None:
    """Case, punctuation and context hide nothing."""
    _, locale, script, text, _ = row
    found = compare(f"Hør: {script.upper()} Slutt.", f"hør {text} slutt", locale=locale, other_forms=True)
    assert found.wer > 0


def test_a_wrong_pair_is_wrong_for_a_strict_judge_too() -> None:
    for row in ROWS:
        if row[4] == "no":
            assert compare(row[2], row[3], locale=row[1]).wer > 0, row


def test_one_wrong_word_is_one_step_of_the_alignment() -> None:
    found = compare("Jeg vil ikke hjem nå.", "jeg vil hjem nå", locale="nb", other_forms=True)
    assert [step for step in found.alignment if step[0] != "ok"] == [("del", "ikke", "")]
    found = compare("Han ble født i 1984 i Bergen.", "han ble født i 1985 i Bergen", locale="nb", other_forms=True)
    assert [step for step in found.alignment if step[0] != "ok"] == [("sub", "1984", "1985")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2])
def test_what_the_planner_would_have_said_is_right(row: list[str]) -> None:
    locale = row[1] or "nb"
    said = speakable(row[2], locale)
    for heard in (said, re.sub(r"[.,!?:]", "", said).lower()):
        assert compare(row[2], heard, locale=locale).wer == 0, heard
