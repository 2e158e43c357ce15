"""Header names in two languages, the header row itself, and the values that columns allow."""

from __future__ import annotations

import logging
import unicodedata

import pytest

from replikk.dialogue.columns import (
    ALIASES,
    column_of,
    find_header,
    fold,
    locale_of,
    read_header,
    seconds_of,
    status_of,
    take_of,
)


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("id", "id"),
        ("Nøkkel", "id"),
        (unicodedata.normalize("NFD", "NØKKEL"), "id"),
        ("Linje-ID", "id"),
        ("linje_id", "id"),
        ("Replikk", "text"),
        ("TEKST:", "text"),
        ("stemme", "voice"),
        ("Figur", "character"),
        ("Rolle", "character"),
        ("regi", "style"),
        ("spoken_text", "say"),
        ("si", "say"),
        ("scene navn", "scene"),
        (unicodedata.normalize("NFD", "Språk"), "locale"),
        ("målform", "locale"),
        ("Maks. sekunder", "max_seconds"),
        ("max_seconds", "max_seconds"),
        ("Opptak", "take"),
        ("Kommentar", "notes"),
        ("humør", None),
        ("", None),
        ("x" * 1_000_000, None),
    ],
)
def test_header_names(header: str, column: str | None) -> None:
    assert column_of(header) == column


def test_no_alias_means_two_columns() -> None:
    folded = [fold(alias) for aliases in ALIASES.values() for alias in aliases]
    assert sorted(set(folded)) == sorted(folded)


def test_title_rows_above_the_header_are_passed_over() -> None:
    rows = [(1, ["Manus til spillet"]), (3, ["Figur:", "alle"]), (5, ["id", "tekst", "stemme"]), (6, ["a", "b", "c"])]
    assert find_header(rows) == rows[2]


def test_the_header_is_within_ten_rows() -> None:
    assert find_header([(11, ["id", "text", "voice"])]) is None
    assert find_header([(1, ["hei", "du"])]) is None


def messages(cells: list[str]) -> list[str]:
    return [str(problem) for problem in read_header(1, cells, "a.csv")[1]]


def test_missing_columns_with_the_nearest_own_name() -> None:
    assert messages(["id", "tekts", "stemme"]) == [
        "a.csv:1 text: no column 'text'; write 'tekst' instead of 'tekts', or one of: "
        "text, tekst, replikk, line, dialogue"
    ]
    assert len(messages(["merknad"])) == 3


def test_voice_or_character_is_enough() -> None:
    assert messages(["id", "text", "figur"]) == []
    assert messages(["id", "text", "figur", "stemme"]) == []
    [message] = messages(["id", "text", "regi"])
    assert "no column for the voice or the character" in message and "stemme" in message


def test_two_columns_for_one_meaning() -> None:
    [message] = messages(["id", "text", "stemme", "voice"])
    assert message.startswith("a.csv:1 voice: means the same column as 'stemme': voice; keep one")


def test_two_own_columns_of_one_name() -> None:
    [message] = messages(["id", "text", "voice", "humør", "humør"])
    assert "two columns have this name" in message


def test_a_likely_slip_in_an_optional_column_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        header, problems = read_header(1, ["id", "text", "voice", "satus", "bilde"], "a.csv")
    assert problems == [] and header.extra == {3: "satus", 4: "bilde"}
    assert [record.getMessage() for record in caplog.records] == [
        "a.csv:1: column 'satus' is kept as one of your own; did you mean 'status'?"
    ]


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("", ""),
        ("cut", "cut"),
        ("Kuttet", "cut"),
        ("kutt", "cut"),
        ("LÅST", "locked"),
        ("ekstern", "external"),
        ("ferdig", None),
        ("?", None),
    ],
)
def test_status(cell: str, status: str | None) -> None:
    assert status_of(cell) == status


@pytest.mark.parametrize(
    ("cell", "locale"),
    [
        ("", "nb"),
        ("no", "nb"),
        ("nb-NO", "nb"),
        ("nb_no", "nb"),
        ("Bokmål", "nb"),
        ("nn-NO", "nn"),
        ("nynorsk", "nn"),
        ("sv", None),
        ("--", None),
    ],
)
def test_locale(cell: str, locale: str | None) -> None:
    assert locale_of(cell) == locale


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("2", 2.0),
        ("2,5", 2.5),
        ("2.5", 2.5),
        ("0", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("2 s", None),
        ("٣", None),
        ("9" * 400, None),
    ],
)
def test_seconds(cell: str, seconds: float | None) -> None:
    assert seconds_of(cell) == seconds


@pytest.mark.parametrize(
    ("cell", "take"), [("1", 1), ("12", 12), ("0", None), ("-1", None), ("1,5", None), ("to", None)]
)
def test_take(cell: str, take: int | None) -> None:
    assert take_of(cell) == take
