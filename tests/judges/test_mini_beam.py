"""The beam: words of the text for spellings that sound alike, but never instead of what was said."""

import numpy as np
import pytest

from replikk.judges.mini.beam import WordCosts, beam_search
from replikk.judges.mini.beam_settings import BeamSettings
from replikk.judges.mini.text import INDEX, SYMBOLS

SETTINGS = BeamSettings()


def heard(spelling: str, doubts: dict[int, dict[str, float]] | None = None, sure: float = 0.999) -> np.ndarray:
    """Log-probabilities of a clip in which ``spelling`` was heard, a blank after each symbol.

    ``doubts``: place in the spelling -> probabilities of the symbols there (``_`` is nothing).
    """
    rows = []
    for place, symbol in enumerate(spelling):
        row = np.full(len(SYMBOLS), (1 - sure) / (len(SYMBOLS) - 1))
        row[INDEX[symbol]] = sure
        for other, probability in (doubts or {}).get(place, {}).items():
            row[INDEX[other]] = probability
        rows += [row / row.sum(), np.eye(len(SYMBOLS))[0] * 0.999 + 1e-5]
    return np.log(np.array(rows)).astype(np.float32)


@pytest.mark.parametrize(
    "text", ["hei", "hei du", "sammen", "aa", "en gutt i båten", "kryptologen ble våken", "zxqwert plupp"]
)
def test_clear_speech_is_spelled_as_heard_whatever_was_wanted(text):
    assert beam_search(heard(text), [], SETTINGS) == text
    assert beam_search(heard(text), ["noe", "helt", "annet"], SETTINGS) == text


@pytest.mark.parametrize(
    ("spelling", "doubt", "wanted"),
    [
        ("skarvende", {7: {"d": 0.6, "_": 0.4}}, "skarvene"),  # a letter that may be silent
        ("vort", {1: {"o": 0.7, "å": 0.3}}, "vårt"),
        ("kråkene", {2: {"å": 0.55, "o": 0.45}}, "krokene"),
    ],
)
def test_doubt_goes_to_the_wanted_word(spelling, doubt, wanted):
    assert beam_search(heard(spelling, doubt), [wanted], SETTINGS) == wanted


@pytest.mark.parametrize(("said", "wanted"), [("skarvane", "skarvene"), ("lampen", "lampet"), ("hatten", "katten")])
def test_one_clear_wrong_letter_is_not_read_as_intended(said, wanted):
    assert beam_search(heard(said), [wanted], SETTINGS) == said


def test_faint_doubts_do_not_add_up_against_a_long_word():
    wanted = "skjærgårdsferieminner"
    doubts = {place: {wanted[place]: 0.4, "e": 0.6} for place in (4, 6, 9, 16) if wanted[place] != "e"}
    assert beam_search(heard(wanted, doubts), [wanted], SETTINGS) == wanted


def test_a_lone_letter_is_a_word_only_where_it_is_wanted():
    # The letter's name and the word sound the same: 'ær' and 'er'.
    doubt = {0: {"e": 0.2, "_": 0.8}}
    assert beam_search(heard("er", doubt), ["er"], SETTINGS) == "er"
    assert beam_search(heard("er", doubt), ["r"], SETTINGS) == "r"


def test_silence_is_no_text():
    silence = np.full((50, len(SYMBOLS)), -12.0, np.float32)
    silence[:, 0] = -0.0002
    assert beam_search(silence, ["hei"], SETTINGS) == ""


def test_texts_have_single_inner_spaces():
    assert beam_search(heard(" en  to "), [], SETTINGS) == "en to"


def test_a_word_costs_the_same_whichever_way_it_is_spelled_out():
    costs = WordCosts(["båten"], SETTINGS)
    assert costs.begun("båt") == costs.finished("båten") == 0
    assert costs.finished("gutten") == -SETTINGS.known_word
    assert costs.finished("plupp") == -SETTINGS.other_word - 5 * SETTINGS.other_letter
    assert costs.finished("båte") < -SETTINGS.known_word  # a beginning is no word
