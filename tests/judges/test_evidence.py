"""What is known of a take as a reading of one line: words, pace, and which silences have an explanation."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from replikk.judges.evidence import Evidence, LineFacts, gather
from replikk.judges.records import HeardWord, Transcript
from replikk.judges.signal_evidence import SignalEvidence

GOOD = SignalEvidence(
    duration_s=3.0, speech_s=2.4, peak_dbfs=-3.0, rms_dbfs=-20.0, clipped_share=0.0, dc=0.0, silence_start_s=0.01,
    silence_end_s=0.04, longest_silence_s=0.0, longest_silence_at_s=0.0, silences=(), tail_level_db=-60.0,
    noise_floor_dbfs=-80.0, snr_db=60.0,
)  # fmt: skip


def heard(text: str, margin: float | None = 0.0, confidence: float = 0.9) -> Transcript:
    return Transcript("t", text, tuple(HeardWord(word, 0.0, 0.1, confidence) for word in text.split()), margin)


def with_silences(*silences: tuple[float, float]) -> SignalEvidence:
    return replace(GOOD, silences=silences, duration_s=3.0 + sum(end - start for start, end in silences))


def test_everything_survives_json() -> None:
    evidence = gather(LineFacts("Vi har 25 epler.", (300, 0), max_seconds=4.0), heard("vi har tjuefem epler"), GOOD)
    assert Evidence.from_json(json.loads(json.dumps(evidence.to_json()))) == evidence
    unheard = gather(LineFacts("Hei."), None, GOOD)
    assert Evidence.from_json(json.loads(json.dumps(unheard.to_json()))) == unheard


def test_the_words_are_those_of_the_script() -> None:
    evidence = gather(LineFacts("Vi har 25 epler – nå!"), heard("ja"), GOOD)
    assert evidence.words == 5
    assert evidence.heard == "ja"
    assert evidence.comparison is not None and evidence.comparison.words_expected == 5


def test_without_a_judge_there_is_nothing_heard() -> None:
    evidence = gather(LineFacts("Hei på deg."), None, GOOD)
    assert (evidence.heard, evidence.comparison, evidence.margin) == (None, None, None)
    assert evidence.characters_per_s > 0


def test_pace_leaves_silence_out() -> None:
    line = LineFacts("Hvor er den lille gule nøkkelen?")  # 26 letters
    assert gather(line, None, GOOD).characters_per_s == pytest.approx(26 / 2.95, abs=0.01)
    assert gather(line, None, with_silences((1.0, 2.0))).characters_per_s == pytest.approx(26 / 2.95, abs=0.01)
    assert gather(line, None, replace(GOOD, speech_s=0.0)).characters_per_s == 0


@pytest.mark.parametrize(
    ("script", "pauses_ms", "silences", "excess", "missing", "unexplained"),
    [
        ("Vi går hjem nå", (0,), [(1.0, 1.4)], 0.0, 0.0, 0.4),
        ("Vi går, nå", (0,), [(1.0, 1.4)], 0.4, 0.0, 0.0),  # a comma explains it, however long
        ("Vi går, nå", (0,), [(1.0, 1.4), (2.0, 2.9)], 0.9, 0.0, 0.4),
        ("Vi går nå", (1000, 0), [(1.0, 2.1)], 0.1, 0.0, 0.0),
        ("Vi går nå", (1000, 0), [(1.0, 1.4)], 0.0, 0.6, 0.0),
        ("Vi går nå", (1000, 0), [], 0.0, 1.0, 0.0),
        ("Vi går nå", (500, 2000, 0), [(1.0, 1.5), (2.0, 4.0)], 0.0, 0.0, 0.0),
        ("Vi går nå", (0, 3000), [], 0.0, 0.0, 0.0),  # the pause at the end is the end of the clip
        ("Vi går nå.", (0,), [(1.0, 1.4)], 0.0, 0.0, 0.4),  # the final full stop explains nothing inside
        ("Nei – ikke nå", (0,), [(1.0, 1.4)], 0.4, 0.0, 0.0),
        ("E-post nå", (0,), [(1.0, 1.4)], 0.0, 0.0, 0.4),
        ("Vi går nå", (100, 0), [], 0.0, 0.0, 0.0),  # too short to be told from a consonant
    ],
)
def test_which_silences_are_explained(
    script: str,
    pauses_ms: tuple[int, ...],
    silences: list[tuple[float, float]],
    excess: float,
    missing: float,
    unexplained: float,
) -> None:
    evidence = gather(LineFacts(script, pauses_ms), heard(script), with_silences(*silences))
    assert evidence.pause_excess_s == pytest.approx(excess, abs=1e-3)
    assert evidence.pause_missing_s == pytest.approx(missing, abs=1e-3)
    assert evidence.unexplained_silence_s == pytest.approx(unexplained, abs=1e-3)


def test_where_the_unexplained_silence_is() -> None:
    evidence = gather(LineFacts("Vi går, nå"), None, with_silences((0.5, 0.9), (1.0, 1.3)))
    assert evidence.unexplained_silence_at_s == 1.0


def test_the_least_sure_word() -> None:
    words = (HeardWord("hei", 0, 1, 0.9), HeardWord("du", 1, 2, 0.4))
    assert gather(LineFacts("Hei du"), Transcript("t", "hei du", words, None), GOOD).least_confidence == 0.4
    assert gather(LineFacts("Hei du"), Transcript("t", "", (), None), GOOD).least_confidence is None
