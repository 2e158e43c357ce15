"""Words that the library reads wrongly as they are written are spoken so that the embedded judge hears them."""

import hashlib

import pytest

from replikk.dialogue.norwegian.speakable import speakable
from replikk.dialogue.records import Segment, Voice
from replikk.engines import make_engine
from replikk.engines.espeak_spelling import respell
from replikk.engines.records import Take, TakeRequest
from replikk.judges import make_judge
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.records import Clip
from replikk.judges.signal import measure_signal
from replikk.judges.thresholds import thresholds_from_mapping
from replikk.judges.verdict import Verdict, decide

READINGS = 4
"""The first and three more: as many as a build makes of a line by default."""


@pytest.mark.parametrize(
    ("planned", "given"),
    [
        ("Skru på te ve-en i stua nå.", "Skru på te ve'en i stua nå."),
        ("Ess emm ess-ene", "Ess emm ess'ene"),
        ("pe se-ar og te ve-ane", "pe se'ar og te ve'ane"),
        ("te ve-ens lyd", "te ve'ens lyd"),
        ("Jaaa! Aaaah.", "Ja-a! A-ah."),
        ("Jaa, ja vel. Men jaa!", "Ja-a, ja vel. Men ja-a!"),
        # What is read right stays: compounds, other words, names with aa.
        ("te ve-serien", "te ve-serien"),
        ("idé-en", "idé-en"),
        ("to pe se-er", "to pe se-er"),  # the judge hears the apostrophe as "ser"
        ("J-jeg", "J-jeg"),
        ("Haakon og Aase", "Haakon og Aase"),
        ("Herr Jaabæk", "Herr Jaabæk"),
        ("", ""),
    ],
)
def test_what_the_library_is_given(planned: str, given: str) -> None:
    assert respell(planned) == given


@pytest.mark.parametrize("variant", ["f2", "m3"])
@pytest.mark.parametrize(
    "line",
    [
        "Skru på TV-en i stua nå.",
        "Alle TV-ene er på salg.",
        "PC-en er treg i dag.",
        "Han har to PC-er hjemme.",
        "GPS-en viser feil vei.",
        "Jeg leste SMS-en din i går.",
        "Alle SMS-ene er borte.",
        "USB-en ligger på bordet.",
        "Vi hører på CD-er hver kveld.",
        "PDF-en er sendt.",
        "NRK-en er stengt.",
        "TV-serien begynner nå.",
        "Jaaa, det er fint!",
        "Aaah, så godt!",
        "Jaa, det er fint!",
        "Men jaa, det er fint!",
        "Haakon bor i huset ved havet.",
        "Kong Haakon hilser på Mette-Marit.",
        "Aase kommer i morgen.",
        "Haavard og Aase reiste til Aalesund.",
        "Paal og Staale spiller fotball.",
    ],
)
def test_the_embedded_judge_passes_a_reading_of_it(line: str, variant: str) -> None:
    verdicts = [judged(line, variant, reading) for reading in range(READINGS)]
    assert any(verdict.outcome == "pass" for verdict in verdicts), verdicts


def judged(line: str, variant: str, reading: int) -> Verdict:
    spoken = speakable(line, "nb")
    key = hashlib.sha256(f"{line} {variant} {reading}".encode()).hexdigest()
    voice = Voice("kari", "Kari", {"variant": variant})
    (take,) = make_engine("espeak", {}).synthesize([TakeRequest(key, (Segment(spoken),), "nb", "", voice, reading)])
    assert isinstance(take, Take), take
    (heard,) = make_judge("mini", {}).transcribe([Clip(key, take.samples, take.sample_rate_hz, spoken, "espeak", "nb")])
    facts = LineFacts(
        script=spoken, pauses_ms=(0,), locale="nb", respelt=(), cast_names=(), drill=False, max_seconds=None
    )
    return decide(gather(facts, heard, measure_signal(take.samples, take.sample_rate_hz)), thresholds_from_mapping({}))
