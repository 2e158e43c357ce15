"""What must hold for any text: words only, nothing raised, a fixed point, and time that grows with length."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.dialogue.norwegian import VERSION
from replikk.dialogue.norwegian.readings import readings
from replikk.dialogue.norwegian.speakable import speakable

locales = st.sampled_from(["nb", "nn"])

SNIPPETS = [
    *["17. mai", "kl. 14.30", "25,50 kr", "kr 100,-", "5 km/t", "-5 °C", "3,5", "½", "1/2", "12 500", "1800-tallet"],
    *["6-åring", "2 + 2 = 4", "8-10", "3–1", "f.eks.", "osv.", "NRK", "A4", "Harald V", "H.C.", "J-jeg", "22 33 44 55"],
    *[
        "2.0",
        "ola@firma.no",
        "www.nrk.no",
        "§ 5",
        "#3",
        "%",
        "²",
        "…",
        "–",
        "-",
        "«",
        "»",
        "'",
        '"',
        "(",
        ")",
        ".",
        ",",
    ],
    *[
        "!",
        "?",
        ":",
        ";",
        "/",
        "&",
        "+",
        "=",
        "1",
        "0",
        "1984",
        "i",
        "den",
        "Og",
        "hest",
        "B",
        "b",
        "Å",
        "mmm",
        "STOPP",
    ],
    *["🎉", "\u0301", "\u200b", "٣", "①", "Ⅳ", "x", "*", "<", ">", "_", "kr", "s.", "min.", "til", "en", "0/0"],
]
"""Pieces that the rules look for, put together at random: the joints are where rules trip over one another."""


def noise(gaps: list[str]) -> st.SearchStrategy[str]:
    pieces = st.lists(st.tuples(st.sampled_from(SNIPPETS), st.sampled_from(gaps)))
    return pieces.map(lambda chosen: "".join(piece + gap for piece, gap in chosen))


def assert_speakable(spoken: str) -> None:
    assert not any((c.isnumeric() and not c.isalpha()) or c.isdigit() for c in spoken), spoken
    unexpected = {c for c in spoken if not (c.isalpha() or c in " .,!?:;'\"()-")}
    assert not unexpected, unexpected
    assert spoken == unicodedata.normalize("NFC", spoken)
    assert spoken == spoken.strip()
    assert "  " not in spoken


@given(st.text(), locales)
@settings(max_examples=300, deadline=None)
def test_any_text_becomes_words(text: str, locale: str) -> None:
    assert_speakable(speakable(text, locale))


@given(st.text(st.characters(codec=None, categories=["Cs", "Cc", "Cf", "Co", "Nd", "No", "Nl", "Mn", "So"])), locales)
@settings(max_examples=200, deadline=None)
def test_surrogates_controls_and_foreign_digits(text: str, locale: str) -> None:
    assert_speakable(speakable(text, locale))


@given(noise(["", " ", "\n"]), locales)
@settings(max_examples=300, deadline=None)
def test_pieces_glued_together_become_words(text: str, locale: str) -> None:
    assert_speakable(speakable(text, locale))


@given(noise([" ", "  ", "\n", ", ", ". "]), locales)
@settings(max_examples=400, deadline=None)
def test_what_is_spoken_stays_as_it_is(text: str, locale: str) -> None:
    spoken = speakable(text, locale)
    assert_speakable(spoken)
    assert speakable(spoken, locale) == spoken


WORDS = st.sampled_from(
    [
        "jeg",
        "du",
        "hest",
        "løper",
        "på",
        "åker",
        "spørsmål",
        "Kari",
        "ærlig",
        "e-post",
        "å",
        "i",
        "og",
        "så",
        "nei",
        "NEI",
        "tjueen",
        "is",
    ]
)
SENTENCE = st.lists(WORDS, min_size=1).map(" ".join)


@given(st.lists(st.tuples(SENTENCE, st.sampled_from([", ", ". ", "! ", "? ", "... ", ": "])), min_size=1), locales)
@settings(deadline=None)
def test_plain_text_is_not_touched(sentences: list[tuple[str, str]], locale: str) -> None:
    text = "".join(words + mark for words, mark in sentences).strip()
    assert speakable(text, locale) == text


@given(st.integers(0, 10**18), locales)
@settings(deadline=None)
def test_grouped_and_plain_numbers_are_said_alike(n: int, locale: str) -> None:
    if 1000 <= n < 10_000 or n >= 10**16:
        return  # four digits together may be a year; very long ones are read digit by digit, in groups when written so
    plain = speakable(str(n), locale)
    assert speakable(f"{n:,}".replace(",", " "), locale) == plain
    assert speakable(f"{n:,}".replace(",", "\u00a0"), locale) == plain
    assert speakable(f"{n:,}".replace(",", "\u2009"), locale) == plain


@given(st.text(max_size=60), locales)
@settings(deadline=None)
def test_readings_start_with_what_is_spoken(text: str, locale: str) -> None:
    found = readings(text, locale)
    spoken = speakable(text, locale).rstrip(".")
    assert found[:1] == ([spoken] if spoken else [])
    assert len(found) == len(set(found))
    for reading in found:
        assert_speakable(reading)


HOSTILE = [
    *[
        "1",
        "1 ",
        "123 ",
        "1.",
        "1-",
        "12:",
        "1/",
        "1,",
        "- ",
        "-",
        "a--",
        "A.",
        "a.",
        "A1",
        "½",
        "²",
        "=",
        "(",
        "@a",
        ".no",
    ],
    *[
        "kr 1 ",
        "1-2–",
        "1 000",
        "Harald I ",
        "17. mai",
        "kl. 1",
        "🎉",
        "a\u0301",
        "\ud800",
        "<b>",
        "[[",
        ", ;",
        "http://",
    ],
    *["vant 1-2 ", "1 1/1 ", "a@a-a."],
]


@pytest.mark.parametrize("piece", HOSTILE, ids=ascii)
def test_hostile_repeats_end(piece: str) -> None:
    """What regular expressions fear; a rule that searches in squares would take minutes here."""
    assert_speakable(speakable(piece * (40_000 // len(piece)), "nb"))


def test_a_huge_hostile_cell_ends() -> None:
    assert_speakable(speakable(" ".join(piece * 6_000 for piece in HOSTILE)[:200_000], "nn"))
    assert_speakable(speakable(" ".join(HOSTILE) * 1_000, "nb"))


def test_digits_of_every_script_are_spoken() -> None:
    assert speakable("٣ ३ ３ ③", "nb") == "tre tre tre tre"


@pytest.mark.parametrize("text", ["", " ", "🎉", "...", "—", "\u200b", "***", "[]"])
def test_nothing_to_say(text: str) -> None:
    assert not any(c.isalnum() for c in speakable(text, "nb"))


def test_the_version_is_a_positive_number() -> None:
    assert isinstance(VERSION, int)
    assert VERSION >= 1
