"""A judge that writes freely: its own doubts count, and its word error rate alone decides nothing."""

from __future__ import annotations

from typing import Any

import pytest

from replikk.judges.evidence import LineFacts, gather
from replikk.judges.other_words import is_other_word
from replikk.judges.records import HeardWord, Hearing, Transcript
from replikk.judges.signal_evidence import SignalEvidence
from replikk.judges.thresholds import Thresholds, thresholds_from_mapping
from replikk.judges.verdict import Verdict, decide

SCRIPT = "Hvor er den lille gule nøkkelen til den gamle lykten?"
ONE_WRONG = "hvor er den lille gule nøkkelen til den gamle lykten".replace("gamle", "gavle")
GOOD = SignalEvidence(
    duration_s=4.2, speech_s=4.1, peak_dbfs=-3.0, rms_dbfs=-20.0, clipped_share=0.0, dc=0.0, silence_start_s=0.01,
    silence_end_s=0.04, longest_silence_s=0.0, longest_silence_at_s=0.0, silences=(), tail_level_db=-60.0,
    noise_floor_dbfs=-80.0, snr_db=60.0,
)  # fmt: skip
SURE = {
    "no_speech": 0.01, "mean_log_probability": -0.1, "compression_ratio": 1.0, "own_language": 0.98,
    "wanted_deficit_nats": 0.0,
}  # fmt: skip


def judged(heard: str, script: str = SCRIPT, words: tuple[HeardWord, ...] = (), **hearing: Any) -> Verdict:
    transcript = Transcript("t", heard, words, None, Hearing(**{**SURE, **hearing}))
    return decide(gather(LineFacts(script), transcript, GOOD), Thresholds())


def codes(verdict: Verdict) -> set[str]:
    return {reason.code for reason in verdict.reasons}


def test_a_sure_judge_that_heard_the_line() -> None:
    assert judged(SCRIPT) == Verdict("pass", ())


def test_one_wrong_word_in_a_long_line_is_within_the_rates_but_not_when_the_judge_is_sure() -> None:
    assert judged(ONE_WRONG, wanted_deficit_nats=4.0).outcome == "pass"
    assert codes(judged(ONE_WRONG, wanted_deficit_nats=25.0)) == {"wrong_words"}


def test_a_text_as_likely_as_the_other_is_for_a_person_unless_a_second_ear_heard_it() -> None:
    heard = "hvor er den lille gule nykkelen til den gavle lykten"
    assert judged(heard, wanted_deficit_nats=12.0).outcome == "retry"
    doubtful = judged(heard, wanted_deficit_nats=0.3)
    assert (doubtful.outcome, codes(doubtful)) == ("human", {"unclear_words"})
    assert judged(heard, wanted_deficit_nats=0.3, second_ear_margin=0.1).outcome == "pass"
    assert judged(heard, wanted_deficit_nats=0.3, second_ear_margin=2.0).outcome == "human"


def test_a_repaired_text_is_given_away_by_the_second_ear() -> None:
    verdict = judged(SCRIPT, second_ear_margin=1.5, second_ear_text="hvor er den lille nøkkelen")
    assert (verdict.outcome, codes(verdict)) == ("human", {"ears_disagree"})


@pytest.mark.parametrize(
    ("heard", "hearing", "code"),
    [
        ("", {"no_speech": 0.99, "mean_log_probability": -1.4}, "nothing_heard"),
        (SCRIPT, {"no_speech": 0.9, "mean_log_probability": -1.4}, "no_speech"),
        ("Teksting av Ola Normann", {"no_speech": 0.7}, "credits"),
        ("Takk for at du så på!", {}, "credits"),
        ("hvor er " * 12, {}, "loop"),
        (SCRIPT, {"cut_off": True}, "ran_on"),
        ("Hvor er hva meget noget den lille af nøglen", {}, "other_language"),
        ("Var är inte det och den lilla nyckeln", {}, "other_language"),
        ("Where is the little yellow key for the old lamp", {}, "other_language"),
        (f"{SCRIPT} {SCRIPT}", {}, "repeated"),
    ],
)
def test_hallucinations(heard: str, hearing: dict[str, Any], code: str) -> None:
    verdict = judged(heard, **hearing)
    assert verdict.outcome == "retry"
    assert code in codes(verdict)


def test_a_loop_that_the_rates_would_not_explain() -> None:
    heard = " ".join(["den lille gule nøkkelen"] * 5)
    assert "loop" in codes(judged(heard, compression_ratio=4.0))


def test_doubt_about_the_language_counts_only_where_words_differ() -> None:
    assert judged(SCRIPT, own_language=0.1).outcome == "pass"
    assert codes(judged(ONE_WRONG, own_language=0.1, wanted_deficit_nats=3.0)) == {"other_language"}


def test_sound_after_the_last_word() -> None:
    words = tuple(HeardWord(word, 0.0, 2.5, 0.9) for word in SCRIPT.split())
    assert codes(judged(SCRIPT, words=words)) == {"sound_after_words"}
    words = tuple(HeardWord(word, 0.0, 4.0, 0.9) for word in SCRIPT.split())
    assert judged(SCRIPT, words=words).outcome == "pass"


LONG = "Kan du si meg hvor den arkeologiske utstillingen i den gamle landsbyen er?"


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ("hvor", "når"),
        ("meg", "deg"),
        ("gamle", "gavle"),
        ("landsbyen", "landsbyene"),
        ("utstillingen", "innstillingen"),
        ("arkeologiske", "arkeologisk"),
    ],
)
def test_another_word_in_a_long_line_is_seen_where_the_judge_gives_no_likelihoods(wanted: str, heard: str) -> None:
    """Within every rate: one word of thirteen."""
    [reason] = judged(LONG.replace(wanted, heard), script=LONG, wanted_deficit_nats=None).reasons
    assert (reason.code, reason.measured, reason.threshold) == ("other_words", 1, 0)
    assert reason.text == f"another word heard: «{heard}» instead of «{wanted}»"
    # One that gives them is believed.
    assert judged(LONG.replace(wanted, heard), script=LONG, wanted_deficit_nats=4.0).outcome == "pass"


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [("arkeologiske", "arkiologiske"), ("utstillingen", "utstilingen"), ("at den", "å den"), ("Kan", "Can")],
)
def test_a_slip_in_writing_is_no_other_word(wanted: str, heard: str) -> None:
    script = LONG.replace("hvor den", "at den")
    assert wanted in script
    assert judged(script.replace(wanted, heard), script=script, wanted_deficit_nats=None).outcome == "pass"


def test_a_monologue_may_have_one_other_word_for_every_25() -> None:
    """A judge without likelihoods gets about so many wrong of speech that is right."""
    script = " ".join([LONG] * 4)
    assert len(script.split()) // 25 == 2
    one = script.replace("meg", "deg", 1)
    two = one.replace("gamle", "gavle", 1)
    three = two.replace("hvor", "når", 1)
    found = [judged(heard, script=script, wanted_deficit_nats=None).reasons for heard in (one, two, three)]
    told = [[(r.measured, r.threshold) for r in reasons if r.code == "other_words"] for reasons in found]
    assert told == [[], [], [(3, 2)]]


def test_how_many_other_words_may_pass_is_a_limit() -> None:
    thresholds = thresholds_from_mapping({"bands": {"8+": {"max_other_words": 1}}})
    for heard, outcome in (
        (LONG.replace("meg", "deg"), "pass"),
        (LONG.replace("meg", "deg").replace("er?", "var"), "retry"),
    ):
        transcript = Transcript("t", heard, (), None, Hearing())
        assert decide(gather(LineFacts(LONG), transcript, GOOD), thresholds).outcome == outcome


@pytest.mark.parametrize(
    ("one", "other", "different"),
    [
        ("han", "hun", True),
        ("ikke", "ikkje", True),  # the accept-sets were asked before: here it is another word
        ("femtifire", "femtifem", True),
        ("trettifem", "trettisem", True),
        ("25", "26", True),
        ("22 33 44 55", "22334465", True),
        ("fullt", "fult", False),
        ("en", "et", False),
        ("og", "å", False),
        ("bilen", "biler", True),
        ("uforutsigbare", "uforutsibare", False),
        ("sannsynlighetsregning", "sansynlighetsrekning", False),
        ("forklarer", "forklaret", True),
        ("Ålesund", "alesund", True),
        ("", "noe", True),
    ],
)
def test_two_words_or_one_word_and_a_slip(one: str, other: str, different: bool) -> None:
    assert is_other_word(one, other) is different
