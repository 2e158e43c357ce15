"""Limits chosen from judged clips: the wanted false-alarm rate holds, limits move only where clips speak for it."""

from __future__ import annotations

import random
import re
from dataclasses import fields, replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from replikk.judges import calibration_limits
from replikk.judges.calibration import LEAST_GOOD, Calibration, calibrate, rates
from replikk.judges.calibration_limits import LIMITS, Case, most_words
from replikk.judges.calibration_plot import plot
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.intervals import wilson
from replikk.judges.records import Hearing, Transcript
from replikk.judges.signal_evidence import SignalEvidence
from replikk.judges.thresholds import BANDS, Band, Thresholds, thresholds_from_mapping
from replikk.judges.verdict import decide
from replikk.stages.calibrate import page, snippet

SCRIPT = "Hvor er den lille gule nøkkelen?"
THRESHOLDS = Thresholds()


SIGNAL = SignalEvidence(
    duration_s=3.0, speech_s=2.9, peak_dbfs=-3.0, rms_dbfs=-20.0, clipped_share=0.0, dc=0.0, silence_start_s=0.01,
    silence_end_s=0.04, longest_silence_s=0.0, longest_silence_at_s=0.0, silences=(), tail_level_db=-60.0,
    noise_floor_dbfs=-80.0, snr_db=60.0,
)  # fmt: skip


def case(name: str, good: bool, snr_db: float = 60.0, dc: float = 0.0) -> Case:
    signal = replace(SIGNAL, snr_db=snr_db, dc=dc)
    return Case(name, good, gather(LineFacts(SCRIPT), Transcript("t", SCRIPT, (), 0.0), signal))


def noisy_game(good_snr_db: float, bad_snr_db: float) -> list[Case]:
    draw = random.Random(1)
    good = [case(f"g{n}", True, round(draw.gauss(good_snr_db, 1.5), 2)) for n in range(100)]
    return good + [case(f"b{n}", False, round(draw.gauss(bad_snr_db, 1.5), 2)) for n in range(100)]


def test_false_alarms_are_brought_under_the_wanted_rate() -> None:
    """A voice with a natural hiss at 16 dB: the limit of 18 dB stops nearly all of it, bad takes lie at 6 dB."""
    found = {one.band: one for one in calibrate(noisy_game(16, 6), THRESHOLDS, 0.02)}["4-7"]
    assert found.now.false_alarms.share > 0.5
    assert found.proposed.false_alarms.share <= 0.06  # measured on the other half
    assert found.proposed.misses.share <= 0.02
    assert set(found.changes) == {"min_snr_db"}
    old, new = found.changes["min_snr_db"]
    assert old == 18 and 8 < new < 14


def test_misses_are_reduced_as_far_as_false_alarms_allow() -> None:
    found = {one.band: one for one in calibrate(noisy_game(40, 25), THRESHOLDS, 0.02)}["4-7"]
    assert found.now.misses.share == 1.0
    assert found.proposed.misses.share <= 0.05
    assert found.proposed.false_alarms.share <= 0.05


def test_the_proposal_does_what_it_says() -> None:
    cases = noisy_game(16, 6)
    text = snippet(calibrate(cases, THRESHOLDS, 0.02), 0.02)
    tuned = thresholds_from_mapping(yaml.safe_load(text)["thresholds"])
    done = rates(cases, tuned.bands["4-7"])
    assert done.false_alarms.share <= 0.02 and done.misses.hits <= 1
    assert tuned.bands["8+"] == THRESHOLDS.bands["8+"]


def test_too_few_clips_change_nothing() -> None:
    cases = [case(f"g{n}", True, 10.0) for n in range(LEAST_GOOD - 1)]
    found = calibrate(cases, THRESHOLDS, 0.02)
    assert not any(one.changes for one in found)
    assert "too few" in {one.band: one for one in found}["4-7"].remark
    assert "Nothing to change" in snippet(found, 0.02)


def test_no_clip_is_called_bad() -> None:
    found = {one.band: one for one in calibrate([case(f"g{n}", True) for n in range(40)], THRESHOLDS, 0.02)}["4-7"]
    assert found.changes == {} and "no clip is called bad" in found.remark


def test_a_rate_that_cannot_be_reached_is_said() -> None:
    """Somebody accepted half of the clips although each says something else than its script."""
    said = Transcript("t", "noe helt annet enn det", (), 0.0)
    odd = [Case(f"o{n}", True, gather(LineFacts(SCRIPT), said, SIGNAL)) for n in range(20)]
    cases = [*odd, *(case(f"g{n}", True) for n in range(20)), *(case(f"b{n}", False, 6.0) for n in range(20))]
    found = {one.band: one for one in calibrate(cases, THRESHOLDS, 0.02)}["4-7"]
    assert found.changes == {} and found.proposed.false_alarms.hits == 20
    assert found.remark.startswith("20 of 40 good clips are still stopped") and "wrong_line" in found.remark
    assert found.remark in page([found], 0.02, cases)


def test_a_constant_offset_is_a_measure_like_the_others() -> None:
    cases = [case(f"g{n}", True, dc=0.12) for n in range(40)] + [case(f"b{n}", False, dc=0.3) for n in range(40)]
    found = {one.band: one for one in calibrate(cases, THRESHOLDS, 0.02)}["4-7"]
    assert found.changes == {"max_dc": (0.1, 0.12)}


def test_every_limit_may_move_or_is_said_to_stay() -> None:
    stay = {field.name for field in fields(Band)} - set(LIMITS)
    page = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text(encoding="utf-8")
    (told,) = [paragraph for paragraph in page.split("\n\n") if "Not moved are" in paragraph]
    assert set(re.findall("`([a-z_]+)`", told[told.index("Not moved are") :])) == stay
    assert all(f"``{limit}``" in (calibration_limits.__doc__ or "") for limit in stay)


# Limits that count words ---------------------------------------------------------------------------------------------

LONG = "Hvor er den lille gule nøkkelen til den gamle lykten?"
SAID = "hvor er den lille gule nøkkelen til den gamle lykten"


def counted(
    good: str, bad: str, thresholds: Thresholds = THRESHOLDS, hearing: Hearing | None = None
) -> tuple[Calibration, str]:
    """What is found and proposed, where every fourth good clip is heard as ``good`` and every bad one as ``bad``."""

    def heard_as(name: str, is_good: bool, text: str) -> Case:
        return Case(name, is_good, gather(LineFacts(LONG), Transcript("t", text, (), None, hearing), SIGNAL))

    cases = [heard_as(f"g{n}", True, SAID if n % 4 else good) for n in range(80)]
    cases += [heard_as(f"b{n}", False, bad) for n in range(40)]
    found = calibrate(cases, thresholds, 0.02)
    return {one.band: one for one in found}["8+"], snippet(found, 0.02)


@pytest.mark.parametrize(
    ("good", "bad", "changes"),
    [
        (f"ja {SAID}", "vent nå litt " + SAID, {"max_extra_words": (0, 1)}),
        (SAID.replace("lille ", ""), SAID.replace("lille gule nøkkelen ", ""), {"max_missing_words": (0, 1)}),
        (SAID.replace("gamle", "gavle"), SAID.replace("gamle lykten", "gavle lyktene"), {"max_other_words": (0, 1)}),
        # A word that is said twice is a word too many as well.
        (SAID.replace("lille", "lille lille"), "hvor er den " + SAID,
         {"max_extra_words": (0, 1), "max_repeated_words": (0, 1)}),
    ],
)  # fmt: skip
def test_counts_are_moved_by_whole_words_where_good_clips_speak_for_it(
    good: str, bad: str, changes: dict[str, tuple[int, int]]
) -> None:
    found, text = counted(good, bad)
    assert found.now.false_alarms.share == 0.25 and found.proposed.false_alarms.hits == 0
    assert found.proposed.misses.hits == 0
    assert found.changes == changes
    # As it can be copied into config.yaml, which takes nothing but whole numbers here.
    tuned = thresholds_from_mapping(yaml.safe_load(text)["thresholds"]).bands["8+"]
    assert all(getattr(tuned, limit) == new and isinstance(new, int) for limit, (_, new) in changes.items())


def test_counts_become_stricter_where_bad_clips_passed() -> None:
    loose = thresholds_from_mapping({"bands": {"8+": {"max_missing_words": 3, "max_extra_words": 2, "max_wer": 0.4}}})
    two_missing = SAID.replace("lille ", "").replace("gamle ", "")
    found, _ = counted(SAID.replace("lille ", ""), two_missing, loose)
    assert found.now.misses.share == 1 and found.proposed.misses.hits == 0
    assert found.changes == {"max_missing_words": (3, 1)}  # good clips lack one
    found, _ = counted(SAID, f"{SAID} ja", loose)
    assert found.changes == {"max_extra_words": (2, 0)}


def test_no_count_goes_below_zero() -> None:
    found, _ = counted(SAID, SAID)  # bad for a reason that nobody measured
    assert found.now.misses.share == 1 and found.changes == {}


def test_counts_are_not_moved_where_nothing_is_held_against_them() -> None:
    """Other words are counted only for judges that give no likelihoods."""
    found, _ = counted(SAID.replace("gamle", "gavle"), SAID, hearing=Hearing(wanted_deficit_nats=12.0))
    assert set(found.changes) == {"max_wanted_deficit_nats"}


@pytest.mark.parametrize(
    "accepted", ["ja men nå må du " + SAID, f"{SAID} {SAID}", "hvor er den på det i tre som fem ti"]
)
def test_no_clip_moves_a_limit_to_where_a_whole_line_would_pass(accepted: str) -> None:
    """Somebody accepted clips with five words too many, with the line said twice, with most of its words wrong."""
    found, _ = counted(accepted, SAID.replace("lille ", ""))
    assert found.changes == {}
    assert found.proposed.false_alarms.share == 0.25


LINES = {
    "1": ("Nøkkelen", "Lykten"),
    "2-3": ("Gamle nøkkelen", "Stille natt"),
    "4-7": ("Den lille gule nøkkelen", "Vi drar hjem nå"),
    "8+": ("Hvor er den lille gule nøkkelen til lykten", "Vi drar hjem til far i den natten"),
}
DIRECTION = "si dette stille og ettertenksomt"


@pytest.mark.parametrize("name", BANDS)
def test_with_the_words_limits_as_loose_as_they_may_become_whole_line_faults_are_stopped(name: str) -> None:
    most = {limit: most_words(limit, name) for limit in LIMITS if limit.endswith(("_words", "_fours"))}
    assert len(most) == 7
    loose = {"max_wer": 0.499, "max_cer": 0.499, "max_wanted_deficit_nats": 1e9, "max_characters_per_s": 1e9}
    kept = {limit: max(count, getattr(THRESHOLDS.bands[name], limit)) for limit, count in most.items()}
    thresholds = thresholds_from_mapping({"bands": {name: {**kept, **loose}}})
    line, other = LINES[name]
    half = " ".join(line.split()[: len(line.split()) // 2])
    for heard in (f"{line} {line}", other, "", half, f"{DIRECTION} {line}", f"{line} {other}"):
        facts = LineFacts(line, direction=DIRECTION)
        for hearing in (None, Hearing(wanted_deficit_nats=50.0)):
            evidence = gather(facts, Transcript("t", heard, (), None, hearing), SIGNAL)
            assert decide(evidence, thresholds).outcome != "pass", heard
    assert decide(gather(LineFacts(line), Transcript("t", line, (), None), SIGNAL), thresholds).outcome == "pass"


def test_page_and_plot() -> None:
    cases = noisy_game(16, 6)
    found = calibrate(cases, THRESHOLDS, 0.02)
    text = page(found, 0.02, cases)
    assert "200 clips, 100 good and 100 bad" in text and "min_snr_db 18 →" in text
    root = ElementTree.fromstring(plot(found, 0.02))
    assert root.tag.endswith("svg") and len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 4


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (1, 100, 0.0018, 0.0545)],
)
def test_wilson_intervals(hits: int, total: int, low: float, high: float) -> None:
    found = wilson(hits, total)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(0, 500), st.integers(0, 500))
def test_an_interval_holds_its_share(one: int, other: int) -> None:
    found = wilson(min(one, other), max(one, other))
    assert 0 <= found.low <= found.share <= found.high <= 1
