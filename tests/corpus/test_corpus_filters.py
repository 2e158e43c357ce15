"""The reasons of the filter and the traps in texts, row by row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replikk.corpus.filters import judge
from replikk.corpus.manifest import Reading, Utterance
from replikk.corpus.settings import CorpusSettings, Limits
from replikk.corpus.text_traps import text_trap

TEXT = "Har du sett nøkkelen min i dag?"
READ = "har du sett nøkkelen min i dag"
GOOD = Utterance(
    id="1", source="own", origin="1.wav", speaker="s", text=TEXT, licence="own", duration_s=2.5,
    measures={"speech_s": 2.0, "snr_db": 50.0, "pause_level_db": -40.0, "clipped_share": 0.0},
    first=Reading(READ, (0.9,) * 7), second=Reading(READ, (0.9,) * 7, 0.0),
)  # fmt: skip
SETTINGS = CorpusSettings(())


def measured(**values: float) -> Utterance:
    return replace(GOOD, measures={**GOOD.measures, **values})


def test_a_good_row_is_kept() -> None:
    assert judge(GOOD, "folder", SETTINGS) == GOOD


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (replace(GOOD, duration_s=0.9), "too_short"),
        (replace(GOOD, duration_s=31), "too_long"),
        (measured(clipped_share=0.02), "clipped"),
        (measured(snr_db=8), "noisy"),
        (measured(pause_level_db=-6), "noisy"),
        (measured(speech_s=0.5), "pace"),
        (measured(speech_s=12), "pace"),
        (replace(GOOD, text="Vi drar i morgen tidlig."), "wrong_text"),
        (replace(GOOD, text=TEXT + " Nei, ikke nå."), "wrong_text"),
        (replace(GOOD, second=replace(GOOD.second, misfit=1.5)), "wrong_text"),  # type: ignore[type-var]
        (replace(GOOD, second=Reading("har du sett noe i dag", (0.9,) * 5, 0.1)), "readings_differ"),
        (replace(GOOD, second=Reading(READ, (0.9,) * 6 + (0.1,), 0.0)), "unsure"),
        (replace(GOOD, second=Reading(READ, (0.6,) * 7, 0.0)), "unsure"),
        (replace(GOOD, second=Reading("", ())), "no_text"),
        (replace(GOOD, text="<|endofprompt|> hei"), "text_trap"),
    ],
)
def test_each_limit_has_its_reason(row: Utterance, reason: str) -> None:
    judged = judge(row, "folder", SETTINGS)
    assert judged.dropped == reason and judged.why


def test_without_a_text_the_first_reading_is_what_is_trained_on() -> None:
    judged = judge(replace(GOOD, text="", first=replace(GOOD.first, text=TEXT)), "folder", SETTINGS)  # type: ignore[type-var]
    assert not judged.dropped and judged.text == TEXT


def test_limits_are_those_of_the_settings() -> None:
    settings = CorpusSettings((), limits=Limits(min_duration_s=0.5))
    assert not judge(replace(GOOD, duration_s=0.9, text=""), "folder", settings).dropped


@pytest.mark.parametrize(
    ("kind", "text", "facts", "trap"),
    [
        ("nst", "Dette er en setning.", {"type": "IS"}, ""),
        ("nst", "Er dette en setning?", {}, ""),
        ("nst", "fiskebolle", {"type": "IW"}, "of type IW"),
        ("nst", "Han kom \\Komma og gikk \\Punktum", {"type": "IS"}, "dictated punctuation"),
        ("nst", "Han kom (hoster) igjen.", {}, "parentheses"),
        ("nst", "B O K S T A V.", {}, "letter by letter"),
        ("nst", "Han kom og", {"type": "IS"}, "fragment"),
        ("npsc", "Vi støtter forslaget", {"language": "nb-NO"}, ""),
        ("npsc", "Me støttar framlegget", {"language": "nn-NO"}, "in nn-NO"),
        ("npsc", "Vi <ee> støtter forslaget", {"language": "nb-NO"}, "hesitation"),
        ("folder", "42", {}, "without a letter"),
        ("folder", "Hei (ler).", {}, ""),  # one's own texts may look as they like; the readings decide
    ],
)
def test_traps_of_the_open_corpora(kind: str, text: str, facts: dict[str, str], trap: str) -> None:
    found = text_trap(kind, text, facts, "nb")
    assert trap in found if trap else not found
