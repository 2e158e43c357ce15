"""A voice as its own lines show it: what is an outlier, whose voice it is, and what one changed line does to others."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.judges.evidence import LineFacts, gather
from replikk.judges.records import Transcript
from replikk.judges.signal_evidence import SignalEvidence
from replikk.judges.spoken_takes import SpokenTake, read_take_rows, spoken_take, take_row
from replikk.judges.thresholds import Thresholds, thresholds_from_mapping
from replikk.judges.verdict import badness, decide
from replikk.judges.voice_profiles import (
    LEAST_TAKES,
    Profiles,
    Sample,
    VoiceFit,
    fit,
    pace_letters,
    profiles_of,
    sample_of,
)
from replikk.judges.voice_reasons import voice_reasons
from replikk.judges.voice_screen import may_be_outliers
from replikk.judges.voice_traits import VoiceTraits

LIMITS = Thresholds()
BAND = LIMITS.for_words(6)
DIMENSIONS = 30


def take(draw: random.Random, voice: int = 0, **changed: object) -> Sample:
    """A take of one of several voices: the same spread, centres that lie ``voice`` apart in every dimension."""
    timbre = tuple(draw.gauss(voice * 0.8, 0.3) for _ in range(DIMENSIONS))
    pitch_hz = 150 * 2 ** ((voice * 3 + draw.gauss(0, 0.7)) / 12)
    traits = VoiceTraits(draw.gauss(-20, 1.2), 30 * 0.08 * draw.uniform(0.9, 1.1), pitch_hz, timbre)
    moods = changed.pop("moods", frozenset())
    return Sample(replace(traits, **changed), 30.0, moods)  # type: ignore[arg-type]


def game(count: int = 30, voices: int = 3, seed: int = 1) -> dict[str, list[Sample]]:
    draw = random.Random(seed)
    return {f"voice{number}": [take(draw, number) for _ in range(count)] for number in range(voices)}


def codes(found: VoiceFit | None) -> set[str]:
    return {reason.code for reason in voice_reasons(found, None, BAND)}


def test_a_take_like_the_others_has_nothing_against_it() -> None:
    samples = game()
    profiles = profiles_of(samples)
    for voice, takes in samples.items():
        assert [codes(fit(profiles, voice, one)) for one in takes] == [set()] * len(takes)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"level_dbfs": -8.0}, "level_outlier"),
        ({"level_dbfs": -32.0}, "level_outlier"),
        ({"speaking_s": 4.8}, "slow_outlier"),
        ({"speaking_s": 1.2}, "fast_outlier"),
        ({"pitch_hz": 75.0}, "pitch_outlier"),
    ],
)
def test_outliers(changed: dict[str, object], code: str) -> None:
    assert code in codes(fit(profiles_of(game()), "voice0", take(random.Random(2), **changed)))


def test_another_voice_of_the_game_is_named() -> None:
    found = fit(profiles_of(game()), "voice0", take(random.Random(3), voice=2, pitch_hz=150.0))
    assert found is not None
    reasons = {reason.code: reason.text for reason in voice_reasons(found, None, BAND)}
    assert reasons["other_voice"] == "it sounds more like the voice 'voice2' than like its own"


def test_two_voices_with_the_same_settings_are_never_told_apart() -> None:
    draw = random.Random(4)
    samples = {name: [take(draw) for _ in range(40)] for name in ("one", "twin")}
    profiles = profiles_of(samples)
    assert not any("other_voice" in codes(fit(profiles, "one", one)) for one in samples["twin"])


def test_a_few_bad_takes_do_not_hide_a_fault() -> None:
    """Medians and median deviations: a fifth of the sample may be wrong."""
    samples, draw = game(), random.Random(5)
    samples["voice0"][:6] = [take(draw, voice=2, level_dbfs=-5.0, speaking_s=6.0) for _ in range(6)]
    profiles = profiles_of(samples)
    assert codes(fit(profiles, "voice0", samples["voice0"][10])) == set()
    assert {"level_outlier", "slow_outlier", "other_voice"} <= codes(fit(profiles, "voice0", samples["voice0"][0]))


def test_little_is_said_of_a_voice_with_few_takes_and_of_silence() -> None:
    profiles = profiles_of(game(count=LEAST_TAKES - 1))
    assert fit(profiles, "voice0", take(random.Random(6))) is None
    silent = take(random.Random(6), speaking_s=0.0, timbre=None, pitch_hz=None)
    assert fit(profiles_of(game()), "voice0", silent) is None
    assert fit(profiles_of({}), "nobody", take(random.Random(6))) is None


def test_a_whisper_is_not_asked_whose_voice_it_is() -> None:
    whispered = take(random.Random(7), voice=2, moods=frozenset({"whisper"}))
    found = fit(profiles_of(game()), "voice0", whispered)
    assert found is not None
    assert (found.nearest_voice, found.pitch_deviation_semitones) == ("", None)


def test_a_text_of_few_letters_says_little_of_a_voice() -> None:
    """«Huff! Huff! Huff!» is one sound, and not what a voice sounds like on average."""
    profiles = profiles_of(game())
    between = replace(take(random.Random(9), voice=1).traits, pitch_hz=150.0)
    between = replace(between, timbre=tuple(value - 0.35 for value in between.timbre or ()))
    many = fit(profiles, "voice0", sample_of("Hvor er den lille nøkkelen?", between))
    few = fit(profiles, "voice0", sample_of("Huff! Huff! Huff!", between))
    assert many is not None and few is not None
    assert many.other_voice_nats - few.other_voice_nats == pytest.approx(3 * 16)
    other = fit(profiles, "voice0", sample_of("Huff! Huff! Huff!", take(random.Random(9), voice=2).traits))
    assert "other_voice" in codes(other)


def test_a_direction_is_held_against_its_like() -> None:
    samples, draw = game(), random.Random(8)
    shout = frozenset({"shout"})
    loud = [take(draw, level_dbfs=-10.0, moods=shout) for _ in range(LEAST_TAKES)]
    alone = fit(profiles_of(samples), "voice0", loud[0])
    assert alone is not None and not alone.like_direction
    samples["voice0"] += loud
    among = fit(profiles_of(samples), "voice0", loud[0])
    assert among is not None and among.like_direction
    assert abs(among.level_deviation_db) < abs(alone.level_deviation_db)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), changed=st.integers(0, 47))
def test_one_changed_line_moves_other_verdicts_by_a_hair(seed: int, changed: int) -> None:
    """Whatever is put in the place of one of 48 takes, medians move by less than half a standard deviation."""
    samples = game(count=48, voices=2, seed=seed)
    other = take(random.Random(seed), level_dbfs=0.0, speaking_s=9.0, pitch_hz=400.0)
    edited = {**samples, "voice0": [*samples["voice0"][:changed], other, *samples["voice0"][changed + 1 :]]}
    probe = take(random.Random(seed + 1))
    before, after = fit(profiles_of(samples), "voice0", probe), fit(profiles_of(edited), "voice0", probe)
    assert before is not None and after is not None
    assert abs(before.level_deviation_db - after.level_deviation_db) < 0.6
    assert abs((before.pitch_deviation_semitones or 0) - (after.pitch_deviation_semitones or 0)) < 0.4
    assert math.isclose(before.pace_ratio, after.pace_ratio, rel_tol=0.05)


SCRIPT = "Hvor er den lille gule nøkkelen?"
HEARD = st.sampled_from([SCRIPT, "hvor er den lille nøkkelen", "takk for maten", "hvor er den lille gule nøklene", ""])
MEASURED = st.floats(-100, 100)
FITS = st.builds(
    VoiceFit, takes=st.integers(8, 48), level_deviation_db=MEASURED, level_spread_db=st.floats(0, 10),
    pitch_deviation_semitones=st.none() | MEASURED, pitch_spread_semitones=st.floats(0, 10),
    pace_ratio=st.floats(0.01, 100), nearest_voice=st.sampled_from(["", "ola"]), other_voice_nats=MEASURED,
    like_direction=st.booleans(),
)  # fmt: skip


@settings(deadline=None)
@given(heard=HEARD, margin=st.none() | st.floats(0, 3), snr_db=st.floats(0, 60), found=FITS)
def test_other_lines_never_have_a_take_made_or_chosen(
    heard: str, margin: float, snr_db: float, found: VoiceFit
) -> None:
    """Whatever they say: whether a line is spoken again, and how bad a failed take is, is settled without them.

    So a changed line can never have another one spoken anew; it can only send it to a person's ear, or not.
    """
    sound = SignalEvidence(2.7, 2.4, -3.0, -20.0, 0.0, 0.0, 0.01, 0.04, 0.0, 0.0, (), -60.0, -80.0, snr_db)
    evidence = gather(LineFacts(SCRIPT), Transcript("t", heard, (), margin), sound)
    alone, beside = decide(evidence, Thresholds()), decide(evidence, Thresholds(), found)
    assert (beside.outcome == "retry") == (alone.outcome == "retry")
    if alone.outcome == "retry":
        assert beside == alone and badness(evidence, beside) == badness(evidence, alone)
    elif alone.outcome == "human":
        assert beside.outcome == "human" and set(beside.reasons) >= set(alone.reasons)


def test_pace_counts_vowels_and_pauses() -> None:
    assert pace_letters("Hei, du!") == 5 + 3 + 4 + 2  # letters, vowels, one pause inside, the line itself
    assert pace_letters("Hipp … hipp ...") == pace_letters("Hipp, hipp.")
    assert pace_letters("") > 0


def test_profiles_need_no_numpy() -> None:
    """A build with one changed line judges one take, and must not pay for it."""
    script = "import sys, replikk.stages.bench, replikk.judges.voice_reasons; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# Many takes at once --------------------------------------------------------------------------------------------------


def doubted(profiles: Profiles, takes: list[SpokenTake], limits: Thresholds = LIMITS) -> list[int]:
    """The takes that something speaks against, each looked at by itself."""
    found = [fit(profiles, one.voice, one.sample()) for one in takes]
    return [n for n, one in enumerate(takes) if [*voice_reasons(found[n], None, limits.for_words(one.words))]]


def odd_take(draw: random.Random, voices: int) -> SpokenTake:
    """Of any voice, also of one that nobody knows, with something changed that may or may not lie beyond a limit."""
    number = draw.randrange(voices)
    changes: list[dict[str, object]] = [
        {},
        {"level_dbfs": draw.uniform(-40, -5)},
        {"speaking_s": draw.choice([0.0, draw.uniform(0.5, 6)])},
        {"pitch_hz": draw.choice([None, draw.uniform(60, 500)])},
        {"timbre": draw.choice([None, (), tuple(draw.gauss(0, 1) for _ in range(DIMENSIONS))])},
    ]
    moods = draw.choice([frozenset(), frozenset({"whisper"}), frozenset({"quiet", "calm"})])
    one = replace(
        take(draw, draw.choice([number, draw.randrange(voices)]), moods=moods, **draw.choice(changes)),
        different_letters=draw.randrange(1, 12),
    )
    return spoken_take(f"voice{draw.choice([number, number, 99])}", draw.randrange(0, 12), one)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_the_screen_lets_no_outlier_pass(seed: int, voices: int) -> None:
    draw = random.Random(seed)
    samples = {
        f"voice{number}": [
            take(draw, number, moods=draw.choice([frozenset(), frozenset({"whisper"})]))
            for _ in range(draw.choice([3, 12, 20]))
        ]
        for number in range(voices)
    }
    profiles = profiles_of(samples)
    takes = [odd_take(draw, voices) for _ in range(60)]
    assert set(doubted(profiles, takes)) <= set(may_be_outliers(profiles, takes, LIMITS))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("pace", [0, 0.001, 0.7, 1, 1e6])
@pytest.mark.parametrize("others", [0, 1e6])
def test_the_screen_lets_no_outlier_pass_whatever_the_limits(pace: float, others: float) -> None:
    names = ("other_voice_nats", "level_deviation_db", "pitch_deviation_semitones", "outlier_sigmas")
    limits = {"max_pace_ratio": pace, **{f"max_{name}": others for name in names}}
    thresholds = thresholds_from_mapping({"default": limits, "bands": {"1": limits, "2-3": limits, "4-7": limits}})
    draw, profiles = random.Random(8), profiles_of(game())
    takes = [odd_take(draw, 4) for _ in range(60)]
    assert set(doubted(profiles, takes, thresholds)) <= set(may_be_outliers(profiles, takes, thresholds))


def test_the_screen_leaves_most_takes_out() -> None:
    """Otherwise it would be no use: nearly all takes of a game are like their voice."""
    samples = game(count=200)
    takes = [spoken_take(voice, 6, one) for voice, some in samples.items() for one in some]
    far = spoken_take("voice1", 6, take(random.Random(3), 1, level_dbfs=-3.0))
    found = may_be_outliers(profiles_of(samples), [*takes, far], LIMITS)
    assert found[-1] == len(takes) and len(found) < 0.02 * len(takes)


def test_nothing_to_screen() -> None:
    assert may_be_outliers(profiles_of(game()), [], LIMITS) == []


def test_a_take_is_remembered_to_the_last_bit() -> None:
    draw = random.Random(5)
    takes = [odd_take(draw, 3) for _ in range(50)]
    back = read_take_rows([take_row(one) for one in takes])
    assert [one.sample() for one in back] == [one.sample() for one in takes]
    assert [one[:3] for one in back] == [one[:3] for one in takes]
