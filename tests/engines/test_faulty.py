"""The self-test engine: its faults are real, they strike as often as asked, and the same take meets the same fault."""

import hashlib

import numpy as np
import pytest

from replikk.dialogue.records import Segment, Voice
from replikk.engines import make_engine
from replikk.engines.faulty import FAULTS
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import EngineError

TEXT = "Se der borte, ved den store steinen, ligger nøkkelen som vi har lett etter hele dagen."


def request(number=0, *, text=TEXT, reading=0):
    key = hashlib.sha256(f"{number} {reading}".encode()).hexdigest()
    return TakeRequest(key, (Segment(text, 100),), "nb", "", Voice("v", "V", {}), reading)


def always(fault: str, **settings):
    return make_engine("faulty", {"faults": {fault: 1.0}, **settings})


def spoken(engine, wanted) -> Take | TakeFailure:
    (result,) = engine.synthesize([wanted])
    return result


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return spoken(make_engine("espeak", {}), request()).samples


def test_without_faults_it_is_the_embedded_voice(clean):
    assert np.array_equal(spoken(make_engine("faulty", {}), request()).samples, clean)


def test_dropped_words_shorten_the_clip(clean):
    assert spoken(always("drop_words"), request()).samples.size < 0.92 * clean.size


def test_a_single_word_is_spoken_in_part():
    whole = spoken(make_engine("espeak", {}), request(text="Småbarnspedagogikken"))
    part = spoken(always("drop_words"), request(text="Småbarnspedagogikken"))
    assert part.samples.size < 0.8 * whole.samples.size


def test_stop_early_cuts_the_last_third(clean):
    cut = spoken(always("stop_early"), request()).samples
    assert np.array_equal(cut, clean[: int(0.7 * clean.size)])


def test_repeat_says_a_stretch_twice(clean):
    repeated = spoken(always("repeat"), request()).samples
    assert repeated.size == clean.size + int(0.3 * clean.size)
    assert set(map(int, np.unique(repeated))) <= set(map(int, np.unique(clean)))


def test_noise_is_ten_decibels_below_the_speech(clean):
    noisy = spoken(always("noise"), request()).samples.astype(float)
    ratio_db = 10 * np.log10(np.mean(clean.astype(float) ** 2) / np.mean((noisy - clean) ** 2))
    assert ratio_db == pytest.approx(10, abs=0.3)


def test_the_wrong_line_is_another_line(clean):
    wrong = spoken(always("wrong_line"), request()).samples
    assert wrong.size != clean.size


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("crash", "the voice process stopped (signal 11)"),
        ("hang", "the voice process was stopped: no audio after"),
        ("nothing", "the engine returned no audio"),
    ],
)
def test_faults_without_audio(fault, reason):
    result = spoken(always(fault, timeout_s=0.2), request(text="Hei."))
    assert isinstance(result, TakeFailure) and result.reason.startswith(reason)


def test_shares_are_kept_and_repeat_exactly():
    settings = {"faults": {"drop_words": 0.2, "crash": 0.1, "noise": 0.3}}
    engine = make_engine("faulty", settings)
    struck = [engine.fault_of(request(i)) for i in range(2000)]
    assert struck == [make_engine("faulty", settings).fault_of(request(i)) for i in range(2000)]
    for fault, share in settings["faults"].items():
        assert struck.count(fault) / 2000 == pytest.approx(share, abs=0.04)
    assert struck.count("") / 2000 == pytest.approx(0.4, abs=0.05)
    assert struck != [make_engine("faulty", {**settings, "seed": 1}).fault_of(request(i)) for i in range(2000)]


def test_all_kinds_at_once_with_any_number_of_workers():
    settings = {"faults": dict.fromkeys(FAULTS, 0.11), "timeout_s": 0.2}
    requests = [request(i, text="Hei på deg, gamle venn.") for i in range(30)]

    def outcome(workers):
        return {
            result.key: result.samples.tobytes() if isinstance(result, Take) else result.reason
            for result in make_engine("faulty", settings).synthesize(requests, workers)
        }

    alone = outcome(1)
    assert len(alone) == 30
    assert alone == outcome(3)


def test_faults_can_be_limited_to_some_readings():
    engine = always("nothing", only_reading=[0, 1])
    assert [engine.fault_of(request(reading=n)) for n in range(4)] == ["nothing", "nothing", "", ""]


def test_other_faults_are_other_takes():
    prints = [
        make_engine("faulty", settings).fingerprint()
        for settings in (
            {},
            {"faults": {"noise": 0.1}},
            {"faults": {"noise": 0.2}},
            {"seed": 1},
            {"only_reading": [0]},
        )
    ]
    assert len(set(prints)) == 5
    assert make_engine("espeak", {}).fingerprint() not in prints
    assert make_engine("faulty", {"timeout_s": 3}).fingerprint() == prints[0]


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"fault": {}}, "fault"),
        ({"faults": []}, "faults"),
        ({"faults": {"typo": 0.1}}, "typo"),
        ({"faults": {"noise": 2}}, "noise"),
        ({"faults": {"noise": "1"}}, "noise"),
        ({"faults": {"noise": 0.7, "crash": 0.7}}, "together"),
        ({"seed": "a"}, "seed"),
        ({"only_reading": 1}, "only_reading"),
        ({"timeout_s": -1}, "timeout_s"),
    ],
)
def test_wrong_settings_are_errors(bad, named):
    with pytest.raises(EngineError, match=named):
        make_engine("faulty", bad)
