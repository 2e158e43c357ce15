"""Small parts: how numbers are said, how differences are joined, how a row for decisions.csv looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from replikk.dialogue.decisions import read_decisions
from replikk.report.decision_rows import DecisionForm, decision_form
from replikk.report.diff import CONTEXT_WORDS, runs
from replikk.report.measures import measures
from replikk.report.wording import ADVICE, STATE_LABELS, STATE_MEANINGS, count_of, spell_length, spell_share, state_of

KEY = "5e" + "1234567890" * 6 + "12"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.0, "0.0 s"),
        (12.34, "12.3 s"),
        (59.96, "1:00 min"),
        (245.0, "4:05 min"),
        (3599.7, "1:00:00 h"),
        (7390.0, "2:03:10 h"),
    ],
)
def test_lengths(seconds: float | None, text: str) -> None:
    assert spell_length(seconds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "–"),
        (0.0, "0 %"),
        (0.00001, "0.1 %"),
        (0.5, "50.0 %"),
        (0.99999, "99.9 %"),
        (1.0, "100 %"),
        (1.5, "150.0 %"),
    ],
)
def test_shares_are_never_rounded_to_all_or_nothing(share: float | None, text: str) -> None:
    assert spell_share(share) == text


def test_counts() -> None:
    assert [count_of(n, "clip", "clips") for n in (0, 1, 12_345)] == ["0 clips", "1 clip", "12 345 clips"]


def test_every_state_has_its_words() -> None:
    assert set(STATE_LABELS) == set(STATE_MEANINGS) == set(ADVICE)
    assert state_of({"state": "flagged", "hear_once": True}) == "hear_once"
    assert state_of({"state": "flagged", "hear_once": False}) == "flagged"


@pytest.mark.parametrize(
    ("alignment", "joined"),
    [
        ([], []),
        ([("ok", "en", "en"), ("ok", "to", "to")], [("ok", "en to", "en to", "")]),
        ([("sub", "en", "ei")], [("sub", "en", "ei", "wrong word")]),
        ([("sub", "en", "ei"), ("sub", "to", "tå")], [("sub", "en to", "ei tå", "wrong words")]),
        ([("del", "en", "")], [("del", "en", "", "missing")]),
        ([("ins", "", "en"), ("ins", "", "to")], [("ins", "", "en to", "extra, 2 words")]),
    ],
)
def test_words_of_one_fate_are_joined(alignment: list[tuple[str, str, str]], joined: list[tuple[str, ...]]) -> None:
    assert [(run.op, run.expected, run.heard, run.label) for run in runs(alignment)] == joined


def test_long_stretches_of_right_words_are_shortened_at_both_ends() -> None:
    [run] = runs([("ok", f"ord{n}", f"ord{n}") for n in range(100)])
    assert run.expected.split()[-1] == f"ord{CONTEXT_WORDS - 1}"
    assert run.tail.split()[0] == f"ord{100 - CONTEXT_WORDS}"
    assert run.skipped == 100 - 2 * CONTEXT_WORDS


def test_measures_say_what_there_is_and_nothing_else() -> None:
    evidence = {
        "comparison": {"wer": 0.25, "cer": 0.1, "extra_words_end": 1, "repeated_words": 0},
        "margin": -0.5,
        "signal": {"tail_level_db": -31.25, "clipped_share": 0.0, "duration_s": 2.5},
    }
    assert dict(measures(evidence)) == {
        "word error rate": "25.0 %",
        "character error rate": "10.0 %",
        "extra words at the end": "1 word",
        "wanted text against best reading": "−0.50 nats per letter",
        "length": "2.5 s",
        "last 10 ms against the speech": "−31.2 dB",
        "clipped samples": "none",
    }
    freely = {"hearing": {"own_language": 0.42, "second_ear_text": "x" * 500, "first_text": None}, "repeated_fours": 2}
    shown = dict(measures(freely))
    assert shown["sure that it is Norwegian"] == "42.0 %" and shown["stretches of four words said again"] == "2"
    assert "a first, smaller judge heard" not in shown and len(shown["the second ear heard"]) < 210
    assert measures(None) == []
    assert measures({"comparison": None, "signal": {}}) == []


# Rows for decisions.csv --------------------------------------------------------------------------------------------


def test_without_a_file_the_row_has_the_usual_columns(tmp_path: Path) -> None:
    form = decision_form(tmp_path / "decisions.csv")
    assert form == DecisionForm()
    assert form.row("havn_001", KEY, "accept") == f"havn_001,{KEY},accept,,,"


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"id,take_key,decision,who,when,why\n",
        b"id;take_key;decision\n",
        "\ufeffId;Opptak;Avgjørelse;Hvem;Når;Hvorfor\r\n".encode(),
        "Avgjørelse;Hvorfor;Opptak;Id\n".encode("cp1252"),
        b"id\ttake_key\tdecision\twhy\n",
        b"# what we decided\n\nid,take_key,decision,our own column,why\n",
        b"sep=;\nid;take_key;decision;who\n",
        b'"id";"take_key";"decision"\n',
    ],
)
def test_a_copied_row_can_be_pasted_under_any_header(tmp_path: Path, file: bytes) -> None:
    """Whatever the file looks like, the next build reads the pasted row as what the button said."""
    path = tmp_path / "decisions.csv"
    path.write_bytes(file)
    form = decision_form(path)
    header = b"" if form.exists else (form.separator.join(form.columns) + "\n").encode()
    path.write_bytes(file + header + (form.row("havn_001", KEY, "retake") + "\n").encode())
    decisions, problems = read_decisions(path)
    assert problems == []
    assert [(d.line_id, d.take_key, d.decision) for d in decisions] == [("havn_001", KEY, "retake")]


@pytest.mark.parametrize("file", [b"\xff\xfe\x00", b"nonsense\n", b"\x00" * 10])
def test_a_file_that_cannot_be_read_is_no_reason_to_fail(tmp_path: Path, file: bytes) -> None:
    path = tmp_path / "decisions.csv"
    path.write_bytes(file)
    assert decision_form(path) == DecisionForm()
