"""What ``voices.yaml`` may say about an embedded voice, and how a wrong value is explained."""

import pytest

from replikk.dialogue.records import Voice
from replikk.engines import make_engine


@pytest.fixture(scope="module")
def engine():
    return make_engine("espeak", {})


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"variant": "m3"},
        {"variant": "Mr serious"},
        {"variant": "f2", "pitch": 0, "range": 99, "rate_wpm": 110, "word_gap": 0, "volume": 20},
        {"variant": "f2", "pitch": 99, "range": 0, "rate_wpm": 220, "word_gap": 10, "volume": 120},
    ],
)
def test_good_settings(engine, settings):
    assert engine.check_voice(Voice("v", "V", settings)) == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"varient": "f2"}, "varient: the voice espeak has no such setting; did you mean variant?"),
        ({"rate": 150}, "rate: the voice espeak has no such setting; did you mean rate_wpm?"),
        ({"xyzzy": 1}, "xyzzy: the voice espeak has no such setting; use variant, pitch, range, rate_wpm,"),
        ({1: 2}, "1: the voice espeak has no such setting"),
        ({"pitch": "50"}, "pitch: '50' is not a whole number; write a number from 0 to 99"),
        ({"pitch": 50.5}, "pitch: 50.5 is not a whole number"),
        ({"pitch": True}, "pitch: True is not a whole number"),
        ({"pitch": None}, "pitch: None is not a whole number"),
        ({"pitch": 100}, "pitch: 100 is outside the limits; write a number from 0 to 99"),
        ({"range": -1}, "range: -1 is outside the limits"),
        ({"rate_wpm": 109}, "rate_wpm: 109 is outside the limits; write a number from 110 to 220"),
        ({"rate_wpm": 221}, "rate_wpm: 221 is outside the limits"),
        ({"word_gap": 11}, "word_gap: 11 is outside the limits"),
        ({"volume": 121}, "volume: 121 is outside the limits"),
        ({"variant": "f22"}, "variant: there is no 'f22'; did you mean f2?"),
        ({"variant": "Anika"}, "variant: there is no 'Anika'; did you mean anika?"),
        ({"variant": "../f2"}, "variant: there is no '../f2'"),
        ({"variant": ""}, "variant: there is no ''"),
        ({"variant": 2}, "variant: 2 is not a name"),
        ({"variant": ["f2"]}, "variant: ['f2'] is not a name"),
        ({"variant": "Lee"}, "variant: the judge cannot understand 'Lee'"),
        ({"variant": "zac"}, "variant: the judge cannot understand 'zac'"),
        ({"variant": "Demonic"}, "variant: the judge cannot understand 'Demonic'"),
    ],
)
def test_a_wrong_setting_is_explained(engine, settings, sentence):
    (problem,) = engine.check_voice(Voice("v", "V", settings))
    assert problem.startswith(sentence)


def test_all_problems_at_once(engine):
    voice = Voice("v", "V", {"pitch": 200, "fart": 1, "variant": "nobody"})
    assert len(engine.check_voice(voice)) == 3
