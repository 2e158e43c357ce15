"""What recognisers make up, and what explains it."""

from __future__ import annotations

import time

import pytest

from replikk.judges.compare import compare
from replikk.judges.hallucinations import compression_ratio, signs


def codes(script: str, heard: str, locale: str = "nb") -> list[str]:
    return [sign.code for sign in signs(script, heard, compare(script, heard, locale=locale, other_forms=True))]


@pytest.mark.parametrize(
    "heard",
    [
        "Teksting av Ola Nordmann", "Tekstet av Ola Nordmann", "Undertekster av Ai-Media",
        "undertekster fra amara org", "Takk for at du så på!", "Tusen takk for at dere så på", "Thanks for watching!",
        "Subtitles by the Amara.org community",
        "Scandinavian Text Service 2019", "Norsk tekst av Kari Nordmann",
        "Norske tekster: NRK", "Teksting: Ola Nordmann", "Tekst: Kari Nordmann",
        "Oversettelse: Kari Nordmann", "Textning Kari Nordmann www.sdimedia.com", "Tak fordi du så med",
    ],
)  # fmt: skip
def test_credits_on_silence(heard: str) -> None:
    assert "credits" in codes("Hvem er der?", heard)


def test_credits_that_the_script_has_are_no_sign() -> None:
    assert codes("Teksting av filmen er jobben min.", "teksting av filmen er jobben hans") == []


def test_nothing_heard() -> None:
    assert codes("Kom hit!", "") == ["nothing_heard"]
    assert codes("Kom hit!", " … ") == ["nothing_heard"]
    assert codes("", "") == []


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ("Kom hit nå!", "kom hit nå kom hit nå kom hit nå kom hit nå"),
        ("Nei.", "nei nei nei nei nei"),
        ("Vi går hjem i kveld.", "vi går hjem i kveld hjem i kveld hjem i kveld hjem i kveld hjem i kveld"),
        ("Hallo?", "ja ja ja ja ja ja ja ja ja ja ja ja"),
    ],
)
def test_loops(script: str, heard: str) -> None:
    assert "loop" in codes(script, heard)


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ("Nei, nei, nei, nei!", "nei nei nei nei ja"),
        ("En, to, tre, en, to, tre, en, to, tre!", "en to tre en to tre en to fire"),
    ],
)
def test_a_script_may_repeat_itself(script: str, heard: str) -> None:
    assert "loop" not in codes(script, heard)


@pytest.mark.parametrize(
    ("script", "heard", "language"),
    [
        ("Det er noe rart i kjelleren.", "der er noget mærkeligt i kælderen", "Danish"),
        ("Jeg vet ikke hva det er.", "jeg ved ikke hvad det er", "Danish"),
        ("Hva gjør du med meg?", "hvad gør du med mig", "Danish"),
        ("Jeg vet ikke hvor hun er.", "jag vet inte var hon är", "Swedish"),
        ("Han er ikke her, og det er noe rart.", "han är inte här och det är något konstigt", "Swedish"),
        ("Jeg vet ikke hvor hun er.", "I don't know where she is", "English"),
        ("Hvor er nøkkelen?", "Where is the key?", "English"),
    ],
)
def test_drift_into_another_language(script: str, heard: str, language: str) -> None:
    found = signs(script, heard, compare(script, heard, locale="nb", other_forms=True))
    assert [sign.code for sign in found] == ["other_language"]
    assert f"it sounds like {language}" in found[0].text


@pytest.mark.parametrize(
    ("script", "heard", "locale"),
    [
        ("Jeg vet ikke hvor hun er.", "jeg vet ikke hvor han var", "nb"),
        ("Eg veit ikkje kva ho heiter.", "jeg vet ikke hva hun heter", "nn"),
        ("Vi må hjem før det blir mørkt.", "vi må hjem til mor i kveld", "nb"),
        ("Ta med nok mat til alle.", "ta med litt vann til oss", "nb"),
        ("Han sa: Where is the key?", "han sa where is the door key", "nb"),
    ],
)
def test_wrong_norwegian_is_no_other_language(script: str, heard: str, locale: str) -> None:
    assert "other_language" not in codes(script, heard, locale)


def test_the_same_text_needs_no_explanation() -> None:
    assert codes("Nei nei nei nei nei nei.", "nei nei nei nei nei nei") == []
    assert codes("Thank you for watching!", "thank you for watching") == []


def test_compression_ratio() -> None:
    assert compression_ratio("") == 0.0
    assert (
        compression_ratio("kom hit nå " * 50)
        > 10
        > 2
        > compression_ratio("Hvor er den lille gule nøkkelen til lykten?")
    )


def test_a_long_text_of_one_word_is_gone_through_once() -> None:
    """Twenty thousand words, ten of them missing: over a minute when every place was gone through anew."""
    script, heard = " ".join(["hei"] * 20_000), " ".join(["hei"] * 19_990)
    comparison = compare(script, heard, locale="nb")
    started_s = time.process_time()
    assert [sign.code for sign in signs(script, heard, comparison)] == []
    assert time.process_time() - started_s < 10
