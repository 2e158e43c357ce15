"""Times of the words that a player reads, from those of the words that were spoken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.alignment.shown_words import shown_times, shown_words
from replikk.alignment.word_times import TimedWord


def spoken(text: str) -> list[TimedWord]:
    """A second for each word."""
    return [TimedWord(word, float(n), n + 1.0, 0.9) for n, word in enumerate(text.split())]


def spans(text: str, said: str) -> list[tuple[str, float, float]]:
    words = spoken(said)
    return [(w.text, w.start_s, w.end_s) for w in shown_times(text, words, float(len(words)))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hei, Ola!", ["Hei,", "Ola!"]),
        ("Nei – ikke nå …", ["Nei –", "ikke", "nå …"]),
        ("– Hei", ["– Hei"]),
        ("…", ["…"]),
        ("", []),
    ],
)
def test_a_dash_is_no_word(text: str, words: list[str]) -> None:
    assert shown_words(text) == words


def test_equal_words_keep_their_times_in_the_shown_writing() -> None:
    assert spans("Hei, OLA!", "hei ola") == [("Hei,", 0, 1), ("OLA!", 1, 2)]


def test_a_number_has_the_time_of_all_its_words() -> None:
    shown = spans("Klokka er 14.30 nå", "klokka er halv tre nå")
    assert shown == [("Klokka", 0, 1), ("er", 1, 2), ("14.30", 2, 4), ("nå", 4, 5)]


def test_a_respelling_and_its_word_stand_for_each_other() -> None:
    assert spans("Hei Kjell-Åge, kom", "hei sjell åge kom") == [("Hei", 0, 1), ("Kjell-Åge,", 1, 3), ("kom", 3, 4)]


def test_a_word_that_is_not_spoken_is_guessed() -> None:
    shown = shown_times("Kom nå (igjen)", spoken("kom nå"), 3.0)
    assert (shown[2].start_s, shown[2].end_s, shown[2].confidence) == (2.0, 3.0, None)


def test_what_was_guessed_of_the_spoken_words_is_guessed_of_the_shown_ones() -> None:
    words = [TimedWord("halv", 0.0, 1.0, 0.9), TimedWord("tre", 1.0, 2.0, None)]
    assert [word.confidence for word in shown_times("14.30", words, 2.0)] == [None]


@given(st.text("ab1.– …æ ", max_size=30), st.text("ab1.–æ ", max_size=30))
def test_any_two_texts_give_times_in_order(text: str, said: str) -> None:
    words = spoken(said)
    shown = shown_times(text, words, float(len(words)))
    assert [word.text for word in shown] == shown_words(text)
    times = [time for word in shown for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert all(0 <= time <= len(words) for time in times)
