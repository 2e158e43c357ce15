"""Directions in a writer's own words, and what the embedded voice does with them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.dialogue.records import Segment, Voice
from replikk.dialogue.styles import MOODS, loudness_offset_lu, moods
from replikk.engines import make_engine
from replikk.engines.espeak_delivery import library_parameters
from replikk.engines.espeak_styles import StyleEffect, style_effects
from replikk.engines.records import TakeRequest

KEY = "0f" * 32


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        # Bokmål
        ("", ""),
        ("si dette stille og ettertenksomt", "quiet thoughtful"),
        ("med entusiasme", "excited"),
        ("hvisker", "whisper"),
        ("HVISKENDE", "whisper"),
        ("*hvisker*", "whisper"),
        ("roper høyt", "shout"),
        ("rolig, men bestemt", "calm firm"),
        ("lavt og langsomt", "quiet slow"),
        ("glad og litt overrasket", "happy surprised"),
        ("trist", "sad"),
        ("sint / irritert", "angry"),
        ("redd, skjelvende", "scared"),
        ("fort!", "fast"),
        ("undrende", "wondering"),
        ("med dyp stemme", "deep"),
        ("med lys stemme", "bright"),
        ("nøytralt", "neutral"),
        ("streng, men snill", "firm warm"),
        ("brummende og mekanisk", "deep flat"),
        ("fornærmet", "angry"),
        # Nynorsk
        ("kviskrar", "whisper"),
        ("seint og ettertenksamt", "slow thoughtful"),
        ("med djup røyst", "deep"),
        ("spørjande", "wondering"),
        # English
        ("whispering, scared", "whisper scared"),
        ("softly and slowly", "quiet slow"),
        ("shouting", "shout"),
        ("excited", "excited"),
        # a negation is not an order
        ("ikke rop", ""),
        ("stille, ikke trist", "quiet"),
        ("uten å hviske, men rolig", "calm"),
        ("rop ikke", ""),
        ("don't shout", ""),
        ("don’t shout", ""),
        # words that only look alike
        ("fortvilet", "sad"),
        ("fortrolig", "quiet"),
        ("angrende", ""),
        ("reddet", ""),
        ("tenker høyt", "thoughtful"),
        ("leser høyt", ""),
        ("med fast stemme", "firm"),
        ("Lars", ""),
        # written with decomposed letters
        ("trist, gra\u030atende", "sad"),
    ],
)
def test_moods(style, expected):
    assert moods(style) == frozenset(expected.split())


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("", []),
        ("stille", []),
        ("syngende", ["syngende"]),
        ("stille, som en robot", ["som en robot"]),
        ("med sørlandsdialekt og stille", ["med sørlandsdialekt"]),
        ("si dette, stille", []),
        ("ikke rop", []),
        ("<b>Synger</b>", ["<b>Synger<", "b>"]),
        ("Nøytral", []),
    ],
)
def test_what_cannot_be_followed_is_named(style, expected):
    assert make_engine("espeak", {}).unfollowed_styles(style) == expected


@pytest.mark.parametrize(
    ("style", "offset_lu"),
    [
        ("", 0.0),
        ("hvisker", -4.0),
        ("stille", -2.0),
        ("rop", 3.0),
        ("hvisker stille", -4.0),
        ("rop stille", 0.0),
        ("glad", 0.0),
        ("ikke rop", 0.0),
    ],
)
def test_loudness_offset(style, offset_lu):
    assert loudness_offset_lu(style) == offset_lu


ONE_WORD_PER_MOOD = [
    *("hvisk", "stille", "rolig", "tankefull", "ivrig", "glad", "rop", "trist", "sint"),
    *("redd", "streng", "trøtt", "overrasket", "undrende", "sakte", "fort", "dyp", "lys", "varmt", "mekanisk"),
]


def test_every_mood_has_an_effect():
    found = [moods(word) for word in ONE_WORD_PER_MOOD]
    assert all(len(one) == 1 for one in found)
    assert frozenset().union(*found) == MOODS - {"neutral"}
    assert all(style_effects(word) != StyleEffect() for word in ONE_WORD_PER_MOOD)


def test_styles_combine():
    both = style_effects("trist og sakte")
    assert both.rate_factor < style_effects("trist").rate_factor
    assert both.rate_factor < style_effects("sakte").rate_factor
    assert both.pitch_shift == style_effects("trist").pitch_shift
    assert style_effects("hvisker, redd").whisper
    assert style_effects("stille") != style_effects("stille og glad") != style_effects("glad")


@given(st.lists(st.sampled_from(ONE_WORD_PER_MOOD), max_size=12))
def test_combinations_stay_within_safe_limits(words):
    request = TakeRequest(KEY, (Segment("Hei"),), "nb", " og ".join(words), Voice("v", "V", {"rate_wpm": 200}), 0)
    drawn = library_parameters(request)
    assert 110 <= drawn["rate_wpm"] <= 220 and 20 <= drawn["volume"] <= 120
    assert 0 <= drawn["pitch"] <= 99 and 0 <= drawn["pitch_range"] <= 99


@given(st.text(st.characters(codec=None), max_size=80))
def test_any_text_may_be_a_direction(style):
    assert moods(style) <= MOODS
    assert loudness_offset_lu(style) in (-4.0, -2.0, 0.0, 3.0)


def speech(style: str, variant: str = "f2") -> np.ndarray:
    text = "Hei, jeg heter Kari, og jeg bor i en liten by ved havet."
    request = TakeRequest(KEY, (Segment(text),), "nb", style, Voice("v", "V", {"variant": variant}), 0)
    (take,) = make_engine("espeak", {}).synthesize([request])
    return take.samples.astype(np.float64)


def fundamental_hz_and_voiced_share(samples: np.ndarray) -> tuple[float, float]:
    """Median pitch by autocorrelation over 60 ms windows, and the share of them that is periodic at all."""
    size = 1323
    threshold = 0.5 * np.sqrt(np.mean(samples**2))
    found, voiced = [], []
    for start in range(0, samples.size - size, size // 2):
        window = samples[start : start + size]
        if np.sqrt(np.mean(window**2)) < threshold:
            continue
        window = window * np.hanning(size)
        correlation = np.correlate(window, window, "full")[size - 1 :]
        lag = 55 + int(np.argmax(correlation[55:367]))  # 400 Hz to 60 Hz
        voiced.append(correlation[lag] / correlation[0] > 0.6)
        found.append(22_050 / lag)
    return float(np.median(found)), float(np.mean(voiced))


class TestHeard:
    @pytest.mark.parametrize("variant", ["f2", "m3"])
    def test_a_whisper_has_no_voice_in_it(self, variant):
        assert fundamental_hz_and_voiced_share(speech("", variant))[1] > 0.7
        assert fundamental_hz_and_voiced_share(speech("hvisker", variant))[1] < 0.25

    def test_slow_is_longer_and_fast_is_shorter(self):
        assert speech("sakte").size > 1.1 * speech("").size > 1.1 * 1.1 * speech("fort").size

    def test_pitch_follows_the_direction(self):
        deep, neutral, bright = (
            fundamental_hz_and_voiced_share(speech(style))[0] for style in ("dyp stemme", "", "lys stemme")
        )
        assert deep * 1.08 < neutral < bright / 1.08

    def test_quiet_is_quieter(self):
        assert np.sqrt(np.mean(speech("stille") ** 2)) < 0.75 * np.sqrt(np.mean(speech("") ** 2))
