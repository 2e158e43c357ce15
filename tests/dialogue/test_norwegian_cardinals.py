"""Numbers as words, taken alone: ``cardinal``, ``ordinal``, ``year`` and ``fraction``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.dialogue.norwegian.cardinals import cardinal, fraction, ordinal, year


@pytest.mark.parametrize(
    ("n", "nb", "nn"),
    [
        (0, "null", "null"),
        (1, "en", "ein"),
        (17, "sytten", "sytten"),
        (21, "tjueen", "tjueein"),
        (100, "hundre", "hundre"),
        (105, "hundre og fem", "hundre og fem"),
        (201, "to hundre og en", "to hundre og ein"),
        (1000, "tusen", "tusen"),
        (1005, "tusen og fem", "tusen og fem"),
        (1100, "ett tusen ett hundre", "eitt tusen eitt hundre"),
        (1984, "ett tusen ni hundre og åttifire", "eitt tusen ni hundre og åttifire"),
        (21_000, "tjueett tusen", "tjueeitt tusen"),
        (101_000, "hundre og ett tusen", "hundre og eitt tusen"),
        (1_000_000, "en million", "ein million"),
        (21_000_000, "tjueen millioner", "tjueein millionar"),
        (1_000_001, "en million og en", "ein million og ein"),
        (10**9, "en milliard", "ein milliard"),
        (2 * 10**12, "to billioner", "to billionar"),
        (10**15, "en billiard", "ein billiard"),
        (-40, "minus førti", "minus førti"),
    ],
)
def test_cardinal(n: int, nb: str, nn: str) -> None:
    assert cardinal(n, "nb") == nb
    assert cardinal(n, "nn") == nn


def test_cardinal_neuter() -> None:
    assert [cardinal(n, "nb", neuter=True) for n in (1, 21, 101, 2)] == ["ett", "tjueett", "hundre og ett", "to"]
    assert [cardinal(n, "nn", neuter=True) for n in (1, 21, 101, 2)] == ["eitt", "tjueeitt", "hundre og eitt", "to"]


def test_cardinal_beyond_its_words_is_read_digit_by_digit() -> None:
    assert cardinal(10**15 + 2, "nb").split() == ["en", *["null"] * 14, "to"]
    assert len(cardinal(10**5000, "nb").split()) == 5001  # more digits than str() of an integer allows


@pytest.mark.parametrize(
    ("n", "nb", "nn"),
    [
        (1, "første", "første"),
        (2, "andre", "andre"),
        (7, "sjuende", "sjuande"),
        (11, "ellevte", "ellevte"),
        (17, "syttende", "syttande"),
        (20, "tjuende", "tjuande"),
        (21, "tjueførste", "tjueførste"),
        (30, "trettiende", "trettiande"),
        (99, "nittiniende", "nittiniande"),
        (100, "hundrede", "hundrede"),
        (101, "hundre og første", "hundre og første"),
        (200, "to hundrede", "to hundrede"),
        (1000, "tusende", "tusende"),
        (1814, "ett tusen åtte hundre og fjortende", "eitt tusen åtte hundre og fjortande"),
        (1_000_000, "millionte", "millionte"),
        (3_000_000, "tre millionte", "tre millionte"),
        (10**9, "milliardte", "milliardte"),
    ],
)
def test_ordinal(n: int, nb: str, nn: str) -> None:
    assert ordinal(n, "nb") == nb
    assert ordinal(n, "nn") == nn


@pytest.mark.parametrize(
    ("n", "spoken"),
    [
        (872, "åtte hundre og syttito"),
        (1030, "ti tretti"),
        (1814, "atten fjorten"),
        (1900, "nitten hundre"),
        (1905, "nitten null fem"),
        (2000, "to tusen"),
        (2009, "to tusen og ni"),
        (2010, "tjue ti"),
        (2099, "tjue nittini"),
        (2100, "to tusen ett hundre"),
    ],
)
def test_year(n: int, spoken: str) -> None:
    assert year(n, "nb") == spoken


@pytest.mark.parametrize(
    ("numerator", "denominator", "nb", "nn"),
    [
        (1, 2, "en halv", "ein halv"),
        (3, 2, "tre halve", "tre halve"),
        (1, 3, "en tredjedel", "ein tredel"),
        (2, 3, "to tredjedeler", "to tredelar"),
        (3, 4, "tre fjerdedeler", "tre firedelar"),
        (9, 10, "ni tideler", "ni tidelar"),
        (1, 100, "en hundredel", "ein hundredel"),
    ],
)
def test_fraction(numerator: int, denominator: int, nb: str, nn: str) -> None:
    assert fraction(numerator, denominator, "nb") == nb
    assert fraction(numerator, denominator, "nn") == nn


@given(st.integers(-(10**20), 10**20), st.sampled_from(["nb", "nn"]))
def test_every_number_has_words_of_its_own(n: int, locale: str) -> None:
    for said in (cardinal(n, locale), ordinal(n, locale)):
        assert said.replace(" ", "").isalpha()
        assert "  " not in said


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=2, unique=True))
def test_different_numbers_are_said_differently(pair: list[int]) -> None:
    assert cardinal(pair[0], "nb") != cardinal(pair[1], "nb")
    assert ordinal(pair[0], "nb") != ordinal(pair[1], "nb")
