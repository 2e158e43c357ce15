"""Word times at the edges of the sound."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.alignment.speech_edges import fitted_to_speech
from replikk.alignment.word_times import TimedWord

RATE = 16_000


def sound(*stretches: tuple[float, float]) -> np.ndarray:
    """2 s with a tone of some level in each (start, end)."""
    samples = np.zeros(2 * RATE, np.int16)
    for start_s, end_s in stretches:
        first, after = int(start_s * RATE), int(end_s * RATE)
        samples[first:after] = 8000 * np.sin(np.arange(after - first))
    return samples


def times(words: list[TimedWord], samples: np.ndarray) -> list[tuple[float, float]]:
    return [(word.start_s, word.end_s) for word in fitted_to_speech(words, samples, RATE)]


def word(start_s: float, end_s: float) -> TimedWord:
    return TimedWord("ord", start_s, end_s)


def near(*pairs: tuple[float, float]) -> list[object]:
    return [pytest.approx(pair, abs=0.011) for pair in pairs]


def test_silence_goes_and_the_rest_of_the_sound_comes() -> None:
    samples = sound((0.2, 0.6), (1.0, 1.5))
    # The first word's times hold too much, the second's too little.
    assert times([word(0.0, 0.9), word(1.2, 1.3)], samples) == near((0.2, 0.6), (1.0, 1.5))


def test_a_stop_consonant_does_not_end_a_word() -> None:
    samples = sound((0.2, 0.5), (0.56, 0.7), (1.2, 1.3))
    assert times([word(0.25, 0.45)], samples) == near((0.2, 0.7))


def test_words_without_a_pause_change_where_it_is_quietest() -> None:
    samples = sound((0.2, 1.0))
    samples[int(0.58 * RATE) : int(0.62 * RATE)] //= 4
    ((_, end_s), (start_s, _)) = times([word(0.3, 0.4), word(0.8, 0.9)], samples)
    assert end_s == start_s == pytest.approx(0.6, abs=0.025)


def test_silent_clips_and_words_keep_their_times() -> None:
    words = [word(0.1, 0.3), word(0.3, 0.5)]
    assert times(words, np.zeros(2 * RATE, np.int16)) == near((0.1, 0.3), (0.3, 0.5))
    assert fitted_to_speech(words, np.zeros(3, np.int16), RATE) == words
    assert fitted_to_speech([], sound(), RATE) == []


@given(
    st.lists(st.tuples(st.floats(0, 0.6), st.floats(0, 0.6)), max_size=6),
    st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2)), max_size=4),
)
def test_words_stay_in_order_and_in_the_clip(gaps: list[tuple[float, float]], parts: list[tuple[float, float]]) -> None:
    at_s, words = 0.0, []
    for gap_s, length_s in gaps:
        words.append(word(at_s + gap_s, at_s + gap_s + length_s))
        at_s += gap_s + length_s
    fitted = times(words, sound(*((min(pair), max(pair)) for pair in parts)))
    assert all(0 <= start_s <= end_s <= 2.0 for start_s, end_s in fitted)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(fitted))
