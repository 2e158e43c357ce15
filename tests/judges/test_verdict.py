"""How evidence becomes pass, retry or human; and the whole chain on the embedded voice and judge."""

from __future__ import annotations

import random
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.dialogue.records import Segment, Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeRequest
from replikk.errors import ReplikkError
from replikk.judges import reasons
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.mini import damage
from replikk.judges.mini.judge import MiniJudge
from replikk.judges.reason import ERROR
from replikk.judges.records import Clip, Transcript
from replikk.judges.signal import measure_signal
from replikk.judges.signal_evidence import SignalEvidence
from replikk.judges.thresholds import BANDS, Band, Thresholds, band_of, thresholds_from_mapping
from replikk.judges.verdict import Verdict, badness, decide, failure_verdict

DEFAULT = Thresholds()
SOURCES_OF_REASONS = ("reasons.py", "sound_reasons.py", "hearing_reasons.py", "voice_reasons.py")
GOOD = SignalEvidence(
    duration_s=3.0, speech_s=2.4, peak_dbfs=-3.0, rms_dbfs=-20.0, clipped_share=0.0, dc=0.0, silence_start_s=0.01,
    silence_end_s=0.04, longest_silence_s=0.0, longest_silence_at_s=0.0, silences=(), tail_level_db=-60.0,
    noise_floor_dbfs=-80.0, snr_db=60.0,
)  # fmt: skip
SCRIPT = "Hvor er den lille gule nøkkelen til lykten?"


def judge(script: str, heard: str | None, margin: float | None = None, **changed: Any) -> Verdict:
    """The verdict on a take of ``script``; ``changed`` are facts of the line or measurements of the signal."""
    signal_names = {field.name for field in fields(SignalEvidence)}
    signal = replace(GOOD, duration_s=0.1 + len(script) / 12, speech_s=len(script) / 12)
    signal = replace(signal, **{name: value for name, value in changed.items() if name in signal_names})
    facts = LineFacts(script, **{name: value for name, value in changed.items() if name not in signal_names})
    transcript = None if heard is None else Transcript("t", heard, (), margin)
    return decide(gather(facts, transcript, signal), DEFAULT)


def codes(verdict: Verdict) -> set[str]:
    return {reason.code for reason in verdict.reasons}


# Words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("margin", [None, 0.0, 0.1])
@pytest.mark.parametrize("heard", ["hvor er den lille gule nøkkelen til lykten", SCRIPT, SCRIPT.upper()])
def test_a_good_take_passes(heard: str, margin: float | None) -> None:
    assert judge(SCRIPT, heard, margin) == Verdict("pass", ())


@pytest.mark.parametrize("margin", [None, 1.0])
@pytest.mark.parametrize(
    ("heard", "code", "text"),
    [
        ("hvor er den lille gule nøkkelen til", "missing_end", "the end is missing: «lykten» was not heard"),
        ("hvor er den gule nøkkelen til lykten", "missing_words", "«lille» was not heard"),
        (f"si dette stille {SCRIPT}", "extra_start", "«si dette stille» were said before the line"),
        (f"{SCRIPT} takk for meg", "extra_end", "«takk for meg» were said after the line"),
        ("hvor er den den lille gule nøkkelen til lykten", "repeated", "a word is said twice"),
        ("hvor er hvor er den lille gule nøkkelen til lykten", "repeated", "2 words are said twice"),
        ("", "nothing_heard", "no words were heard"),
        ("takk for maten", "wrong_line", "something else was said: «takk for maten»"),
    ],
)
def test_wrong_words_are_tried_again(heard: str, code: str, text: str, margin: float | None) -> None:
    verdict = judge(SCRIPT, heard, margin)
    assert verdict.outcome == "retry"
    assert {reason.code: reason.text for reason in verdict.reasons}[code] == text


def test_a_wrong_word_is_named() -> None:
    verdict = judge("Hvor er nøkkelen nå?", "hvor er nykkel nå", 0.9)
    assert verdict.outcome == "retry"
    assert "wrong words: «nykkel» instead of «nøkkelen»" in [reason.text for reason in verdict.reasons]


def test_a_small_misfit_overrules_spelling() -> None:
    """A judge that spells the sound in its own way has still heard the wanted sound."""
    heard = "hvor er den lille gule nøkelen til lyktn"
    assert judge(SCRIPT, heard, 0.15).outcome == "pass"
    assert codes(judge(SCRIPT, heard, 0.30)) == {"wrong_words"}
    assert codes(judge(SCRIPT, heard, 0.50)) == {"wrong_words", "misfit"}


def test_a_misfit_counts_even_when_the_words_look_right() -> None:
    assert judge(SCRIPT, SCRIPT, 0.5).outcome == "pass"  # 20 nats: a few sounds that the voice swallows
    assert codes(judge(SCRIPT, SCRIPT, 1.0)) == {"misfit"}


def test_a_sound_alike_explains_some_misfit_but_no_missing_word() -> None:
    script = "Glasset på bordet er fullt og varmt"
    assert judge(script, "glasset på bordet er fult og varmt", 0.45).outcome == "pass"
    assert codes(judge(script, "glasset på er fult og varmt", 0.45)) == {"missing_words"}
    assert codes(judge(script, "glasset på bordet er tomt og varmt", 0.45)) == {"wrong_words", "misfit"}


def test_respelt_words_explain_some_misfit() -> None:
    script, margin = "Her er enn err kå på lufta", 1.5
    assert codes(judge(script, script, margin + 1.0)) == {"misfit"}
    assert judge(script, "her er NRK på lufta", margin, respelt=(("NRK", "enn err kå"),)).outcome == "pass"


def test_a_small_misfit_does_not_overrule_another_text() -> None:
    assert judge(SCRIPT, "takk for maten", 0.0).outcome == "retry"


def test_the_misfit_of_one_missing_word_weighs_the_same_in_a_monologue() -> None:
    long = " ".join([SCRIPT] * 10)
    margin = 0.05 + 25 / len(long)  # 25 nats for one word, thinned out over ten lines
    assert margin < 0.15
    assert codes(judge(long, long.replace("gule", "", 1), margin)) == {"misfit", "missing_words"}


def test_a_judge_without_margin_is_taken_at_its_word() -> None:
    one_wrong = "Hvor er den lille gule nøkkelen til lykta?"
    assert judge(SCRIPT, one_wrong).outcome == "pass"  # one letter of one word in eight
    assert judge(SCRIPT, "Hvor er den lille gule sykkelen til hytta?").outcome == "retry"
    assert judge("Takk for maten.", "Takk for katten.").outcome == "retry"


def test_a_short_word_that_is_nearly_right_is_for_a_person() -> None:
    verdict = judge("Hysj!", "hyss", None)
    assert verdict.outcome == "human" and codes(verdict) == {"unclear_word"}
    assert judge("Nei!", "nei", 0.0).outcome == "pass"
    assert judge("Nei!", "stopp", None).outcome == "retry"
    assert judge("Nei!", "stopp", 5.0).outcome == "retry"
    assert judge("Fullt.", "fult").outcome == "human"  # a homophone


def test_names_and_lexicon_forms_are_right() -> None:
    assert judge("Måkelina kommer hjem", "Måkkelina kommer hjem", cast_names=("Måkelina",)).outcome == "pass"
    assert judge("Enn err kå sender nå", "NRK sender nå", respelt=(("NRK", "enn err kå"),)).outcome == "pass"


# What no machine can judge ------------------------------------------------------------------------


@pytest.mark.parametrize("heard", ["a", "", "hå", None])
def test_drills_go_to_a_person(heard: str | None) -> None:
    verdict = judge("A", heard, 3.0, drill=True)
    assert verdict.outcome == "human" and codes(verdict) == {"drill"}


def test_a_silent_drill_is_tried_again() -> None:
    assert judge("A", "a", drill=True, speech_s=0.0).outcome == "retry"


def test_recordings_are_judged_by_their_signal() -> None:
    assert judge(SCRIPT, None, recording=True).outcome == "pass"
    assert codes(judge(SCRIPT, None, recording=True, snr_db=9.0)) == {"noise"}


def test_a_take_that_no_judge_heard_does_not_pass() -> None:
    verdict = judge(SCRIPT, None)
    assert verdict.outcome == "human" and codes(verdict) == {"not_heard"}


def test_errors_win_over_doubts() -> None:
    verdict = judge("A", None, drill=True, clipped_share=0.2)
    assert verdict.outcome == "retry" and codes(verdict) == {"clipping"}


# The sound ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"rms_dbfs": -60.0}, "too_quiet"),
        ({"clipped_share": 0.02}, "clipping"),
        ({"snr_db": 12.0}, "noise"),
        ({"dc": -0.2}, "offset"),
        ({"tail_level_db": -3.0}, "cut_ending"),
        ({"silence_start_s": 0.9}, "silence_start"),
        ({"silence_end_s": 1.4}, "silence_end"),
        ({"silences": ((1.0, 1.8),)}, "silence_inside"),
        ({"pauses_ms": (400, 0), "silences": ((1.0, 3.0),)}, "long_pause"),
        ({"pauses_ms": (900, 0)}, "missing_pause"),
        ({"max_seconds": 2.0}, "too_long"),
        ({"duration_s": 1.2, "speech_s": 1.0}, "too_fast"),
        ({"duration_s": 15.0, "speech_s": 15.0}, "too_slow"),
        ({"speech_s": 0.0}, "silent"),
    ],
)
def test_faults_of_the_sound(changed: dict[str, Any], code: str) -> None:
    verdict = judge(SCRIPT, SCRIPT, 0.0, **changed)
    assert verdict.outcome == "retry"
    assert codes(verdict) == {code}
    reason = verdict.reasons[0]
    assert reason.measured is not None and reason.threshold is not None
    assert reason.text and not reason.text.endswith(".")


def test_noise_at_the_end_is_no_cut_ending() -> None:
    assert codes(judge(SCRIPT, SCRIPT, 0.0, snr_db=10.0, tail_level_db=-9.0)) == {"noise"}


def test_a_wanted_pause_at_the_end_is_no_silence() -> None:
    assert judge(SCRIPT, SCRIPT, 0.0, pauses_ms=(2000,), silence_end_s=2.1, duration_s=6.0).outcome == "pass"


def test_failures() -> None:
    verdict = failure_verdict("the voice process stopped (signal 11)")
    assert verdict.outcome == "retry"
    assert verdict.reasons[0].text == "there is no audio: the voice process stopped (signal 11)"


TEXTS = st.sampled_from(["", "hei", "hvor er den", SCRIPT, SCRIPT + " nei", "takk for maten", "å a å"])


@given(
    TEXTS, st.none() | TEXTS, st.none() | st.floats(0, 10), st.booleans(), st.booleans(),
    st.floats(-120, 6), st.floats(0, 100), st.floats(0, 10),
)  # fmt: skip
def test_a_take_with_an_error_never_passes(
    script: str, heard: str | None, margin: float | None, drill: bool, recording: bool,
    tail_level_db: float, snr_db: float, speech_s: float,
) -> None:  # fmt: skip
    signal = replace(GOOD, tail_level_db=tail_level_db, snr_db=snr_db, speech_s=speech_s)
    transcript = None if heard is None else Transcript("t", heard, (), margin)
    evidence = gather(LineFacts(script, drill=drill, recording=recording), transcript, signal)
    verdict = decide(evidence, DEFAULT)
    errors = [reason for reason in verdict.reasons if reason.severity == ERROR]
    assert (verdict.outcome == "retry") == bool(errors)
    assert (verdict.outcome == "pass") == (not verdict.reasons)
    assert badness(evidence, verdict) >= 0
    assert decide(evidence, DEFAULT) == verdict


# The best of the failed ---------------------------------------------------------------------------


def bad(script: str, heard: str, margin: float | None = None, **signal: Any) -> float:
    evidence = gather(LineFacts(script), Transcript("t", heard, (), margin), replace(GOOD, **signal))
    return badness(evidence, decide(evidence, DEFAULT))


def test_badness_orders_takes() -> None:
    order = [
        bad(SCRIPT, SCRIPT, 0.0),
        bad(SCRIPT, SCRIPT, 0.05),
        bad(SCRIPT, SCRIPT, 0.0, tail_level_db=0.0),
        bad(SCRIPT, "hvor er den lille gule", 2.0),
        bad(SCRIPT, "takk for maten", 9.0),
        bad(SCRIPT, "", 10.0),
        bad(SCRIPT, "", 10.0, speech_s=0.0),
    ]
    assert order == sorted(order) and len(set(order)) == len(order)
    assert bad("Hysj!", "hyss") < bad("Hysj!", "stopp")


# Thresholds ---------------------------------------------------------------------------------------


def test_bands() -> None:
    assert [band_of(words) for words in (0, 1, 2, 3, 4, 7, 8, 500)] == [
        "1", "1", "2-3", "2-3", "4-7", "4-7", "8+", "8+",
    ]  # fmt: skip


def test_configured_limits() -> None:
    tuned = thresholds_from_mapping({"default": {"min_snr_db": 30}, "bands": {1: {"min_snr_db": 25}, "8+": None}})
    assert tuned.for_words(1).min_snr_db == 25  # YAML reads a bare 1 as a number
    assert tuned.for_words(9).min_snr_db == 30
    assert tuned.fingerprint() != DEFAULT.fingerprint()
    assert thresholds_from_mapping({}) == DEFAULT
    assert thresholds_from_mapping({"default": {"min_snr_db": 18}}).fingerprint() == DEFAULT.fingerprint()


def test_all_mistakes_in_the_limits_are_told_at_once() -> None:
    mapping = {
        "max_wer": 0.1,
        "default": {"max_were": 0.1, "max_cer": "low", "max_missing_words": 0.5, "max_wer": -1, "max_dc": float("nan")},
        "bands": {"5": {}, "1": ["max_wer"], "2-3": {7: 1}},
    }
    with pytest.raises(ReplikkError) as caught:
        thresholds_from_mapping(mapping)
    message = str(caught.value)
    for part in (
        "'max_wer' under thresholds.default", "did you mean 'max_wer'?", "max_cer: is 'low'; write a number",
        "whole number of words", "is -1; write 0 or more", "max_dc: is nan", "no band '5'", "thresholds.bands.1: is",
        "there is no limit '7'",
    ):  # fmt: skip
        assert part in message, part
    assert len(message.splitlines()) == 9


@pytest.mark.parametrize("name", BANDS)
def test_every_limit_can_be_set_in_every_band(name: str) -> None:
    for field in fields(Band):
        changed = thresholds_from_mapping({"bands": {name: {field.name: 1}}})
        assert getattr(changed.bands[name], field.name) == 1


def test_the_documentation_names_every_limit_with_its_defaults_and_every_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    documented = {row[0].strip("`"): row[1:5] for row in rows if len(row) == 6}
    for field in fields(Band):
        general, *special = documented[field.name]
        assert float(general.replace("−", "-")) == field.default
        for name, cell in zip(("1", "2-3", "4-7"), special, strict=True):
            assert getattr(DEFAULT.bands[name], field.name) == (float(cell) if cell else field.default)
    folder = Path(reasons.__file__).parent
    source = "".join((folder / name).read_text(encoding="utf-8") for name in SOURCES_OF_REASONS)
    found = set(re.findall(r'(?:Reason\(|code, where =)\s*"(\w+)"', source)) | {"no_audio", "credits"}
    found |= {"direction_spoken", "reference_spoken"}
    assert len(found) > 25
    assert {code for code in found if f"`{code}`" not in page} == set()


# The whole chain: embedded voice, embedded judge, verdict -----------------------------------------

LINES = (
    "Katten sov i vinduet mens regnet falt over byen.", "Kan du hente den gamle lykten fra kjelleren?",
    "Vi må hjem før det blir helt mørkt ute.", "Bestemor fant en rusten nøkkel under trappa.",
    "Sett kursen mot fyret, og hold roret stødig!", "Jeg tror at noen har gjemt kartet i båten.",
)  # fmt: skip
VOICES = ({"variant": "f2"}, {"variant": "m3", "pitch": 40, "rate_wpm": 140})


def speak(texts: list[str]) -> list[np.ndarray]:
    requests = [
        TakeRequest(f"{n:064x}", (Segment(text),), "nb", "", Voice("v", "", dict(VOICES[n % 2])), 0)
        for n, text in enumerate(texts)
    ]
    takes = [take for take in EspeakEngine({}).synthesize(requests, 1) if isinstance(take, Take)]
    return [take.samples for take in sorted(takes, key=lambda take: take.key)]


def outcomes(lines: list[str], clips: list[np.ndarray]) -> list[str]:
    found = []
    for line, samples in zip(lines, clips, strict=True):
        clip = Clip("t", samples, 22_050, line, "espeak", "nb")
        transcript = next(iter(MiniJudge({}).transcribe([clip])))
        found.append(decide(gather(LineFacts(line), transcript, measure_signal(samples, 22_050)), DEFAULT).outcome)
    return found


def test_the_embedded_pair_tells_good_takes_from_damaged_ones() -> None:
    """A small sample of what ``scripts/measure_judge.py`` measures at length."""
    draw = random.Random(11)
    lines = [line for line in LINES for _ in VOICES]
    clean = speak(lines)
    assert outcomes(lines, clean).count("pass") >= len(lines) - 1

    def said(change: Any) -> list[np.ndarray]:
        return speak([" ".join(change(line.split(), draw)) for line in lines])

    damaged = {
        "truncated": [damage.truncate(samples, 0.3) for samples in clean],
        "end cut off": [damage.truncate(samples, 0.1) for samples in clean],
        "muted": [damage.mute(samples, 0.25, draw) for samples in clean],
        "one word dropped": said(damage.drop_one),
        "two words repeated": said(damage.repeat_two),
        "two words swapped": said(damage.swap_two),
        "wrong line": [*clean[2:], *clean[:2]],
        "silence": [np.zeros_like(samples) for samples in clean],
    }
    missed = {kind: outcomes(lines, clips).count("pass") for kind, clips in damaged.items()}
    assert sum(missed.values()) <= 1, missed
