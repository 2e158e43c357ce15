"""The readings that a judge accepts for a written number, and the words that it must not tell apart."""

from __future__ import annotations

import pytest

from replikk.dialogue.norwegian.equivalents import equivalent_words
from replikk.dialogue.norwegian.readings import readings
from replikk.dialogue.norwegian.speakable import speakable


@pytest.mark.parametrize(
    ("written", "first", "also"),
    [
        (
            "1984",
            "nitten åttifire",
            ["ett tusen ni hundre og åttifire", "nitten hundre og åttifire", "en ni åtte fire"],
        ),
        ("1905", "nitten null fem", ["nitten hundre og fem"]),
        ("2024", "tjue tjuefire", ["to tusen og tjuefire"]),
        ("14.30", "fjorten tretti", ["halv tre", "fjorten tredve"]),
        ("14:15", "fjorten femten", ["kvart over to"]),
        ("07:45", "sju førtifem", ["kvart på åtte", "syv førtifem", "null sju førtifem"]),
        ("14:03", "fjorten null tre", ["tre over to", "tre minutter over to"]),
        ("13.27", "tretten tjuesju", ["tre på halv to", "tjuesju over ett"]),
        ("2.0", "to punkt null", ["to punktum null", "to null"]),
        ("150", "hundre og femti", ["halvannet hundre"]),
        ("2500000", "to millioner fem hundre tusen", ["to og en halv million", "to og en halv millioner"]),
        (
            "22334455",
            "tjueto millioner tre hundre og trettifire tusen fire hundre og femtifem",
            ["tjueto trettitre førtifire femtifem"],
        ),
        (
            "81549300",
            "åttien millioner fem hundre og førtini tusen tre hundre",
            ["åtte hundre og femten førtini tre hundre"],
        ),
        ("12:55", "tolv femtifem", ["fem på ett"]),
        ("09:25", "ni tjuefem", ["fem på halv ti"]),
        ("08:00", "klokka åtte", ["åtte"]),
        ("3,5", "tre komma fem", ["tre og en halv", "tre og et halvt"]),
        ("1,5", "en komma fem", ["halvannen"]),
        ("2,75", "to komma syttifem", ["to komma sju fem", "to og tre fjerdedeler"]),
        ("7", "sju", ["syv"]),
        ("20", "tjue", ["tyve"]),
        ("27", "tjuesju", ["syvogtyve", "sjuogtjue", "tjuesyv"]),
        ("1", "en", ["ett"]),
        ("100", "hundre", ["ett hundre", "et hundre"]),
        ("1500", "ett tusen fem hundre", ["femten hundre"]),
        ("7.", "sju", ["sjuende", "syvende"]),
        ("17.5.", "syttende mai", ["syttende i femte", "den syttende mai"]),
        ("25,50 kr", "tjuefem kroner og femti øre", ["tjuefem femti", "tjuefem kroner og femti"]),
        ("5 km", "fem kilometer", []),
    ],
)
def test_readings_in_bokmaal(written: str, first: str, also: list[str]) -> None:
    found = readings(written, "nb")
    assert found[0] == first == speakable(written, "nb").rstrip(".")
    assert set(also) <= set(found)


@pytest.mark.parametrize(
    ("written", "first", "also"),
    [
        ("1", "ein", ["eitt", "ei"]),
        ("14.30", "fjorten tretti", ["halv tre"]),
        ("1,5", "ein komma fem", ["ein og ein halv", "halvannan"]),
        ("7.", "sju", ["sjuande"]),
    ],
)
def test_readings_in_nynorsk(written: str, first: str, also: list[str]) -> None:
    found = readings(written, "nn")
    assert found[0] == first
    assert set(also) <= set(found)
    assert not any("syv" in reading or "tyve" in reading for reading in found)


def test_readings_do_not_accept_another_number() -> None:
    assert not set(readings("14.30", "nb")) & set(readings("15.30", "nb"))
    assert not set(readings("17", "nb")) & set(readings("70", "nb"))
    assert not set(readings("2,5", "nb")) & set(readings("3,5", "nb"))


def test_nothing_to_say_has_no_reading() -> None:
    assert readings("🎉", "nb") == []


def test_equivalent_words() -> None:
    bokmaal, nynorsk = equivalent_words("nb"), equivalent_words("nn")
    assert {"sju", "syv"} in bokmaal
    assert {"tjue", "tyve"} in bokmaal
    assert {"fram", "frem"} in bokmaal
    assert {"ein", "éin"} in nynorsk
    assert not any({"en", "ett"} <= pair for pair in bokmaal)
    for pairs in (bokmaal, nynorsk):
        words = [word for pair in pairs for word in pair]
        assert all(len(pair) >= 2 for pair in pairs)
        assert len(words) == len(set(words)), "a word in two rows would join them silently"
        assert all(word == word.lower().strip() for word in words)
