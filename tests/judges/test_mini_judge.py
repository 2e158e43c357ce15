"""The embedded judge listening to the embedded voice."""

import itertools

import numpy as np
import pytest

from replikk.errors import JudgeError
from replikk.judges import make_judge
from replikk.judges.mini import damage
from replikk.judges.mini.features import SAMPLE_RATE_HZ
from replikk.judges.mini.hearing import Order, Studio
from replikk.judges.mini.listening import MARGIN_LIMIT
from replikk.judges.records import Clip

VOICES = {
    "kari": {"variant": "f2"},
    "ola": {"variant": "m3", "pitch": 40, "rate_wpm": 140},
    "hvisker": {"variant": "whisper", "rate_wpm": 138},
}
LINE = "Bak fossefallet skjuler det seg en hemmelig grotte, og der bor kråkene."


@pytest.fixture(scope="module")
def judge():
    return make_judge("mini", {})


@pytest.fixture(scope="module")
def studio():
    return Studio(VOICES)


def clip(samples, wanted=LINE, engine="espeak", rate=SAMPLE_RATE_HZ):
    return Clip("0" * 64, samples, rate, wanted, engine, "nb")


@pytest.fixture(scope="module")
def takes(studio):
    """Voice -> the line as that voice speaks it."""
    return dict(zip(VOICES, studio.speak([Order(LINE, voice) for voice in VOICES]), strict=True))


@pytest.mark.parametrize("voice", VOICES)
def test_it_hears_what_was_said(judge, takes, voice):
    (heard,) = judge.transcribe([clip(takes[voice])])
    assert heard.text == "bak fossefallet skjuler det seg en hemmelig grotte og der bor kråkene"
    assert 0 <= heard.margin < 0.35
    assert heard.take_key == "0" * 64


def test_words_have_times_in_order_and_confidence(judge, takes):
    (heard,) = judge.transcribe([clip(takes["kari"])])
    assert " ".join(word.text for word in heard.words) == heard.text
    assert all(word.start_s < word.end_s and 0 < word.confidence <= 1 for word in heard.words)
    assert all(a.end_s <= b.start_s for a, b in itertools.pairwise(heard.words))
    assert heard.words[-1].end_s <= len(takes["kari"]) / SAMPLE_RATE_HZ + 0.05


@pytest.mark.parametrize("spoil", ["last word cut", "gap", "silence", "other line"])
def test_damage_shows_in_the_margin(judge, studio, takes, spoil):
    sound = takes["ola"]
    damaged = {
        "last word cut": lambda: damage.truncate(sound, 0.1),
        "gap": lambda: np.concatenate([sound[:30_000], np.zeros(12_000, np.int16), sound[42_000:]]),
        "silence": lambda: np.zeros_like(sound),
        "other line": lambda: studio.speak([Order("Jeg vil heller ha en kopp te.", "ola")])[0],
    }[spoil]()
    (heard,) = judge.transcribe([clip(damaged)])
    assert heard.margin > 0.35


@pytest.mark.parametrize(
    ("said", "place", "word"),
    [
        (LINE.replace("grotte", "hytte"), 7, "hytte"),  # another word that it knows
        (LINE.replace("grotte", "plutte"), 7, "plutte"),  # a word that nobody knows
        (LINE.replace("kråkene", "kråpene"), 11, "kråpene"),  # one letter
    ],
)
def test_a_planted_error_is_heard_as_it_was_spoken(judge, studio, said, place, word):
    (samples,) = studio.speak([Order(said, "kari")])
    (heard,) = judge.transcribe([clip(samples)])
    assert heard.text.split()[place] == word


def test_a_missing_word_of_a_long_line_is_missed(judge, studio):
    (samples,) = studio.speak([Order(LINE.replace("hemmelig ", ""), "kari")])
    (heard,) = judge.transcribe([clip(samples)])
    assert "hemmelig" not in heard.text and heard.margin > 0.35


def test_a_transcript_does_not_depend_on_its_neighbours(judge, takes):
    alone = [next(iter(judge.transcribe([clip(samples)]))) for samples in takes.values()]
    together = list(judge.transcribe([clip(samples) for samples in reversed(takes.values())]))
    assert together[::-1] == alone


def test_a_take_at_another_sample_rate_is_heard(judge, takes):
    from scipy.signal import resample_poly

    at_16_khz = np.round(resample_poly(takes["kari"].astype(float), 320, 441)).astype(np.int16)
    (heard,) = judge.transcribe([clip(at_16_khz, rate=16_000)])
    assert heard.text.endswith("kråkene") and heard.margin < 0.35


@pytest.mark.parametrize("samples", [0, 1, 100, 5000])
def test_next_to_nothing_is_no_text(judge, samples):
    (heard,) = judge.transcribe([clip(np.zeros(samples, np.int16))])
    assert (heard.text, heard.words) == ("", ())
    assert heard.margin == MARGIN_LIMIT


def test_a_line_without_words_has_no_margin_to_lose(judge):
    (heard,) = judge.transcribe([clip(np.zeros(5000, np.int16), wanted="…")])
    assert heard.margin < 0.35


@pytest.mark.parametrize("engine", ["external", "cosyvoice3", "speech-api", ""])
def test_audio_of_other_engines_is_refused(judge, engine):
    assert not judge.accepts(engine)
    with pytest.raises(JudgeError, match=r"take 000000000000: .*made for that engine"):
        list(judge.transcribe([clip(np.zeros(10, np.int16), engine=engine)]))


def test_it_listens_to_the_embedded_voice_and_its_faulty_sister(judge):
    assert judge.accepts("espeak") and judge.accepts("faulty")


def test_unknown_settings_are_refused():
    with pytest.raises(JudgeError, match="no setting 'beam'"):
        make_judge("mini", {"beam": 5})


def test_the_fingerprint_is_stable_and_names_the_judge(judge):
    assert judge.fingerprint() == make_judge("mini", {}).fingerprint()
    assert judge.fingerprint().startswith("mini ")
