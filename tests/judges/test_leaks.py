"""Directions and reference transcripts that were spoken aloud, and what only looks like it."""

from __future__ import annotations

import pytest

from replikk.judges.compare import compare
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.leaks import find_leak, repeated_fours
from replikk.judges.reasons import reasons_against
from replikk.judges.records import Transcript
from replikk.judges.signal_evidence import SignalEvidence
from replikk.judges.thresholds import Thresholds

SCRIPT = "Hvor er den lille gule nøkkelen?"
DIRECTION = "si dette stille og ettertenksomt"
REFERENCE = "Det ordner seg, skal du se. Vi tar tauet først, så båten."
GOOD = SignalEvidence(
    duration_s=3.0, speech_s=2.4, peak_dbfs=-3.0, rms_dbfs=-20.0, clipped_share=0.0, dc=0.0, silence_start_s=0.01,
    silence_end_s=0.04, longest_silence_s=0.0, longest_silence_at_s=0.0, silences=(), tail_level_db=-60.0,
    noise_floor_dbfs=-80.0, snr_db=60.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("heard", "words", "source"),
    [
        (f"{DIRECTION} {SCRIPT}", 5, "direction"),
        (f"dette stille og {SCRIPT}", 3, "direction"),
        (f"{SCRIPT} skal du se vi tar tauet", 6, "reference"),
        (f"you are a helpful assistant {SCRIPT}", 5, "direction"),
        (SCRIPT, 0, ""),
        (f"takk for maten {SCRIPT}", 0, ""),
        ("", 0, ""),
        (DIRECTION, 5, "direction"),
    ],
)
def test_what_was_read_aloud(heard: str, words: int, source: str) -> None:
    facts = LineFacts(SCRIPT, direction=DIRECTION, reference_transcript=REFERENCE)
    evidence = gather(facts, Transcript("t", heard, (), None), GOOD)
    assert (evidence.leaked_words, evidence.leaked_from) == (words, source)
    codes = {reason.code for reason in reasons_against(evidence, Thresholds().for_words(6))}
    assert (f"{source}_spoken" in codes) == (words > 1)


def test_words_that_the_script_shares_with_a_direction_are_no_leak() -> None:
    script = "Si dette stille, ellers våkner de."
    found = compare(script, "si dette stille ellers vokner de nå", locale="nb")
    assert find_leak(found.alignment, {"direction": (DIRECTION,)}).words == 0


@pytest.mark.parametrize(
    ("text", "fours"), [("", 0), ("en to tre fire", 0), ("en to tre fire en to tre fire", 1), ("hei " * 6, 2)]
)
def test_stretches_of_four(text: str, fours: int) -> None:
    assert repeated_fours(text.split()) == fours
