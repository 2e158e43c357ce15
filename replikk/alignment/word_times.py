"""Words with times: of a known text from CTC probabilities, and of a script's words from what a judge heard.

A judge's times belong to the words as it wrote them. A game wants those of the words as they were written: they go over
by the comparison's steps, and a word that was not heard gets its share of the gap between its neighbours. What a clip
loses at its start when it is trimmed is taken off, so that times fit the delivered file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replikk.alignment.ctc import align_labels

FORMAT = 1


@dataclass(frozen=True)
class TimedWord:
    """A word and when it is said, in seconds from the start of the clip."""

    text: str
    start_s: float
    end_s: float
    confidence: float | None = None
    """0 to 1; None where the time was not heard but guessed from the neighbours."""


@dataclass(frozen=True)
class TimedLetter:
    letter: str
    start_s: float
    end_s: float


def ctc_letters(
    log_probabilities: NDArray[np.float64], text: str, symbols: dict[str, int], frame_s: float, blank: int = 0
) -> list[TimedLetter] | None:
    """When each letter (and space) of ``text`` begins and ends; None where the clip is too short for the text.

    [frames, symbols]; ``symbols`` maps letters to their outputs. A recogniser emits a letter in a frame or two and
    blanks around it: a letter lasts until the next one of its word begins. Raises ValueError for an unknown letter.
    """
    unknown = sorted(set(text) - set(symbols))
    if unknown:
        raise ValueError(f"the recogniser has no symbol for {unknown[0]!r}")
    spans = align_labels(log_probabilities, [symbols[letter] for letter in text], blank)
    if spans is None:
        return None
    letters = []
    for place, (letter, span) in enumerate(zip(text, spans, strict=True)):
        ends_word = place + 1 == len(text) or text[place + 1] == " " or letter == " "
        after = span.last + 1 if ends_word else max(span.last + 1, spans[place + 1].first)
        letters.append(TimedLetter(letter, round(span.first * frame_s, 3), round(after * frame_s, 3)))
    return letters


def ctc_words(
    log_probabilities: NDArray[np.float64], text: str, symbols: dict[str, int], frame_s: float, blank: int = 0
) -> list[TimedWord] | None:
    """As ``ctc_letters``, of the words of ``text``, which single spaces separate; with confidences."""
    spans = align_labels(log_probabilities, [symbols[letter] for letter in text], blank)
    letters = ctc_letters(log_probabilities, text, symbols, frame_s, blank)
    if letters is None or spans is None:
        return None
    words = []
    start = 0
    for word in text.split(" ") if text else []:
        end = start + len(word)
        sure = float(np.exp(np.mean([span.mean_log_probability for span in spans[start:end]])))
        words.append(TimedWord(word, letters[start].start_s, letters[end - 1].end_s, round(sure, 3)))
        start = end + 1
    return words


def script_times(
    script_words: Sequence[str],
    heard: Sequence[TimedWord],
    steps: Sequence[tuple[str, str, str]],
    duration_s: float,
) -> list[TimedWord]:
    """The script's words with times from what was heard.

    ``steps``: how the script becomes what was heard, as ``Comparison.alignment``: (``ok``, ``sub``, ``del`` or
    ``ins``, expected, heard). Either side of a step may hold several words, or parts of one (a compound written
    apart), or a number in another writing. So the steps are walked through by letters, in proportion where there are
    more or fewer of them than in the words.
    """
    known = _letter_times(heard)
    sounds_in_steps = max(1, sum(_count(got) for _, _, got in steps))
    wanted: list[tuple[float, float, float] | None] = []  # of each letter of the script
    at = 0
    for operation, expected, got in steps:
        letters, sounds = _count(expected), _count(got)
        if operation == "ins" or not letters:
            at += sounds
            continue
        times = known[at * len(known) // sounds_in_steps : (at + sounds) * len(known) // sounds_in_steps]
        at += sounds
        wanted += _shared_out(times, letters) if times else [None] * letters
    words: list[TimedWord] = []
    letters_in_words = max(1, sum(_count(text) for text in script_words))
    place = 0
    for text in script_words:
        first = place * len(wanted) // letters_in_words
        place += _count(text)
        times_of = [time for time in wanted[first : place * len(wanted) // letters_in_words] if time is not None]
        if times_of:
            start_s, end_s = min(t[0] for t in times_of), max(t[1] for t in times_of)
            words.append(TimedWord(text, start_s, end_s, min(t[2] for t in times_of)))
        else:
            words.append(TimedWord(text, -1.0, -1.0))
    return _between_neighbours(words, duration_s)


def _shared_out(times: list[tuple[float, float, float]], letters: int) -> list[tuple[float, float, float] | None]:
    """Times for so many letters: each has a share of ``times``, at least one of them, and together they have all."""
    bounds = [number * len(times) // letters for number in range(letters + 1)]
    shares = [times[first : max(after, first + 1)] for first, after in pairwise(bounds)]
    return [(share[0][0], share[-1][1], min(time[2] for time in share)) for share in shares]


def _count(text: str) -> int:
    return sum(character.isalnum() for character in text)


def _letter_times(heard: Sequence[TimedWord]) -> list[tuple[float, float, float]]:
    """(start, end, confidence) of each letter: the word's time in equal shares."""
    times = []
    for word in heard:
        count = _count(word.text)
        share = (word.end_s - word.start_s) / count if count else 0.0
        for number in range(count):
            start_s = word.start_s + number * share
            times.append((start_s, start_s + share, word.confidence or 0.0))
    return times


def _between_neighbours(words: list[TimedWord], duration_s: float) -> list[TimedWord]:
    """Words that were not heard (start below 0) share the gap between those that were, by their letters."""
    placed: list[TimedWord] = []
    number = 0
    while number < len(words):
        if words[number].start_s >= 0:
            start_s = max(words[number].start_s, placed[-1].end_s if placed else 0.0)
            end_s = max(start_s, words[number].end_s)
            placed.append(replace(words[number], start_s=round(start_s, 3), end_s=round(end_s, 3)))
            number += 1
            continue
        last = number
        while last < len(words) and words[last].start_s < 0:
            last += 1
        gap_start_s = placed[-1].end_s if placed else 0.0
        gap_end_s = max(gap_start_s, words[last].start_s if last < len(words) else _whole_ms(duration_s))
        total = sum(max(1, _count(word.text)) for word in words[number:last])
        for word in words[number:last]:
            end_s = gap_start_s + (gap_end_s - gap_start_s) * max(1, _count(word.text)) / total
            total -= max(1, _count(word.text))
            placed.append(replace(word, start_s=round(gap_start_s, 3), end_s=round(end_s, 3)))
            gap_start_s = end_s
        number = last
    return placed


def shifted(words: Sequence[TimedWord], by_s: float, duration_s: float) -> list[TimedWord]:
    """Times in a clip that begins ``by_s`` later and lasts ``duration_s``; what falls outside is moved to its edge."""
    end_s = _whole_ms(duration_s)

    def inside(time_s: float) -> float:
        return round(min(max(time_s - by_s, 0.0), end_s), 3)

    return [replace(word, start_s=inside(word.start_s), end_s=inside(word.end_s)) for word in words]


def _whole_ms(duration_s: float) -> float:
    """The last millisecond of a clip: its length is known more finely than words are, and none may end after it."""
    return math.floor(duration_s * 1000 + 1e-6) / 1000


def words_json(line_id: str, path: str, duration_s: float, words: Sequence[TimedWord]) -> dict[str, Any]:
    """The content of a ``.words.json`` beside a clip."""
    return {
        "format": FORMAT,
        "id": line_id,
        "clip": path,
        "duration_s": round(duration_s, 3),
        "words": [
            {"word": word.text, "start_s": word.start_s, "end_s": word.end_s, "confidence": word.confidence}
            for word in words
        ],
    }
