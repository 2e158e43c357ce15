"""Word times: from what a judge heard to the words of the script, and on to the delivered clip."""

from __future__ import annotations

import itertools

import pytest

from replikk.alignment.word_times import TimedWord, script_times, shifted, words_json
from replikk.judges.compare import compare


def heard(*words: tuple[str, float, float]) -> list[TimedWord]:
    return [TimedWord(text, start_s, end_s, 0.9) for text, start_s, end_s in words]


def timed(script: str, words: list[TimedWord], duration_s: float = 3.0) -> list[TimedWord]:
    comparison = compare(script, " ".join(word.text for word in words), locale="nb")
    return script_times(script.split(), words, comparison.alignment, duration_s)


def test_equal_words_keep_their_times_and_the_scripts_writing() -> None:
    result = timed("Hei, Ola!", heard(("hei", 0.1, 0.4), ("ola", 0.5, 0.9)))
    assert [(w.text, w.start_s, w.end_s) for w in result] == [("Hei,", 0.1, 0.4), ("Ola!", 0.5, 0.9)]


def test_a_word_that_was_not_heard_lies_between_its_neighbours_and_says_so() -> None:
    result = timed("Vi tar den grønne døra", heard(("vi", 0.1, 0.3), ("tar", 0.3, 0.6), ("døra", 1.2, 1.5)))
    assert [word.confidence for word in result] == [0.9, 0.9, None, None, 0.9]
    assert result[2].start_s == 0.6 and result[3].end_s == 1.2
    assert result[3].end_s - result[3].start_s > result[2].end_s - result[2].start_s  # by their letters


def test_nothing_heard_spreads_the_script_over_the_clip() -> None:
    result = timed("en to", [], 1.0)
    assert [(w.start_s, w.end_s) for w in result] == [(0.0, 0.5), (0.5, 1.0)]
    assert timed("", heard(("hei", 0, 1))) == []


@pytest.mark.parametrize(
    ("script", "words", "starts_s"),
    [
        # A compound that the judge wrote apart, and one that it wrote together.
        ("Iskrem er god", [("is", 0, 0.2), ("krem", 0.2, 0.5), ("er", 0.5, 0.7), ("god", 0.7, 1.0)], [0.0, 0.5, 0.7]),
        ("Is krem er godt", [("iskrem", 0.0, 0.6), ("er", 0.6, 0.7), ("godt", 0.7, 1.0)], [0.0, 0.2, 0.6, 0.7]),
        # Words that were put in have no place in the script.
        ("Kom nå", [("ja", 0.0, 0.3), ("kom", 0.4, 0.6), ("nå", 0.6, 0.9)], [0.4, 0.6]),
    ],
)  # fmt: skip
def test_words_cut_differently(script: str, words: list[tuple[str, float, float]], starts_s: list[float]) -> None:
    assert [word.start_s for word in timed(script, heard(*words))] == pytest.approx(starts_s, abs=0.02)


@pytest.mark.parametrize(
    "script",
    ["Klokka 14.30 møter vi 3 venner", "I 1984 kosta det 25 kr", "Å, nei! Æ og ø", "123", "f.eks. TV-serien", "–"],
)
def test_any_script_gets_times_in_order(script: str) -> None:
    said = ["nitten", "åtti", "fire", "kosta", "det", "vi", "venner"]
    words = heard(*((word, 0.3 * n, 0.3 * n + 0.25) for n, word in enumerate(said)))
    result = timed(script, words)
    assert [word.text for word in result] == script.split()
    times = [time for word in result for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert all(0 <= time <= 3.0 for time in times)


@pytest.mark.parametrize("duration_s", [1.4497, 2.27, 1.001, 0.0])
def test_no_word_ends_after_its_clip(duration_s: float) -> None:
    """Clips are measured more finely than words: rounding may not put the end of a word behind that of its clip."""
    word = shifted([TimedWord("sist", 0.1, 9.0)], 0.0, duration_s)[0]
    assert word.start_s <= word.end_s <= duration_s
    assert word.end_s == pytest.approx(duration_s, abs=0.001)
    guessed = script_times(["aldri", "hørt"], [], [("del", "aldri hørt", "")], duration_s)[-1]
    assert guessed.end_s <= duration_s


def test_times_follow_a_clip_that_was_trimmed() -> None:
    words = shifted([TimedWord("en", 0.1, 0.4), TimedWord("to", 0.5, 1.2)], 0.2, 0.9)
    assert [(word.start_s, word.end_s) for word in words] == [(0.0, 0.2), (0.3, 0.9)]
    content = words_json("a.1", "a/a1.ogg", 0.9, words)
    assert content["words"][1] == {"word": "to", "start_s": 0.3, "end_s": 0.9, "confidence": None}
    assert all(a["end_s"] <= b["start_s"] for a, b in itertools.pairwise(content["words"]))
