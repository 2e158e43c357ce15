"""Any text in the judge's letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.judges.mini.text import INDEX, SYMBOLS, encode, normalise
from replikk.judges.mini.words import number_words


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Hei, Kari!", "hei kari"),
        ("Én, to!", "en to"),
        ("Müller og Zoë på kafé", "myller og zoe på kafe"),
        ("Ärlig Öst", "ærlig øst"),
        ("A\u030a pa\u030a", "å på"),  # NFD, as macOS writes it
        ("Lars' bil", "lars bil"),
        ("e-post", "e post"),
        ("kaffe\u00adkopp", "kaffekopp"),  # soft hyphen
        ("… – ?!", ""),
        ("", ""),
        ("2026", "to tusen og tjueseks"),
        ("007", "null null sju"),
        ("side 12.", "side tolv"),
        ("½ liter 🎉", "liter"),
        ("snake_case", "snake case"),
        ("Kong Haakon og AASE på Grønaasen", "kong håkon og åse på grønåsen"),
        ("Jaa, Jaabæk!", "jaa jåbæk"),  # drawn out, not a name
        ("Aaron kjører Saab", "aaron kjører saab"),
        ("en kanadaavtale, jaaa, Aaaah!", "en kanadaavtale jaaa aaaah"),
    ],
)
def test_text_becomes_letters(text, letters):
    assert normalise(text) == letters


@given(st.text())
def test_every_text_can_be_encoded(text):
    normalised = normalise(text)
    assert normalise(normalised) == normalised
    assert "  " not in normalised and normalised == normalised.strip()
    assert all(0 < symbol < len(SYMBOLS) for symbol in encode(normalised))


def test_blank_is_no_letter():
    assert "_" not in normalise("a_b")
    assert INDEX["_"] == 0


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "null"),
        (21, "tjueen"),
        (100, "ett hundre"),
        (105, "ett hundre og fem"),
        (1000, "ett tusen"),
        (1814, "ett tusen åtte hundre og fjorten"),
        (2026, "to tusen og tjueseks"),
        (999_999, "ni hundre og nittini tusen ni hundre og nittini"),
    ],
)
def test_numbers_in_words(number, said):
    assert number_words(number) == said
