"""Limits chosen from judged clips: the wanted false-alarm rate holds, limits move only where clips speak for it."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from replikk.judges.calibration import LEAST_GOOD, Case, calibrate, rates
from replikk.judges.calibration_plot import plot
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.intervals import wilson
from replikk.judges.records import Transcript
from replikk.judges.signal_evidence import SignalEvidence
from replikk.judges.thresholds import Thresholds, thresholds_from_mapping
from replikk.stages.calibrate import page, snippet

SCRIPT = "Hvor er den lille gule nøkkelen?"
THRESHOLDS = Thresholds()


def case(name: str, good: bool, snr_db: float = 60.0, margin: float = 0.0) -> Case:
    signal = SignalEvidence(
        duration_s=3.0, speech_s=2.9, peak_dbfs=-3.0, rms_dbfs=-20.0, clipped_share=0.0, dc=0.0, silence_start_s=0.01,
        silence_end_s=0.04, longest_silence_s=0.0, longest_silence_at_s=0.0, silences=(), tail_level_db=-60.0,
        noise_floor_dbfs=-80.0, snr_db=snr_db,
    )  # fmt: skip
    return Case(name, good, gather(LineFacts(SCRIPT), Transcript("t", SCRIPT, (), margin), signal))


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
