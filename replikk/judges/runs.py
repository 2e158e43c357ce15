"""Runs of words in an alignment: wrong ones at the ends and in a row, and phrases that are said twice."""

from __future__ import annotations

from collections.abc import Sequence

_FEW_WORDS = 100
"""Longer texts are worth an array."""
_LONGEST_PHRASE = 5_000
"""No take says more words than these twice."""


def edge_run(ops: Sequence[str]) -> tuple[int, int]:
    """(expected, heard) words of the wrong run at the beginning of ``ops``; both 0 when nothing at all is right."""
    expected = heard = 0
    for op in ops:
        if op == "ok":
            return expected, heard
        expected += op != "ins"
        heard += op != "del"
    return 0, 0


def longest_wrong_run(ops: Sequence[str], alike: Sequence[bool]) -> int:
    longest = run = 0
    for op, sounds_right in zip(ops, alike, strict=True):
        run = 0 if op == "ok" or sounds_right else run + 1
        longest = max(longest, run)
    return longest


def _repeats(keys: Sequence[str]) -> dict[tuple[str, ...], int]:
    """Phrases that are said again at once, each with how often again; the longest phrase first at every place."""
    found: dict[tuple[str, ...], int] = {}
    longest = _longest_repeats(keys)
    at = 0
    while at < len(keys):
        length = longest[at]
        if length:
            phrase = tuple(keys[at : at + length])
            found[phrase] = found.get(phrase, 0) + 1
        at += length or 1
    return found


def _longest_repeats(keys: Sequence[str]) -> list[int]:
    """For every place the length of the longest phrase there that is said again at once; 0 for none.

    A phrase is said again where as many words in a row as it has have their like that far behind them: one pass over
    the words for every length, so that a text of thousands of words is no trap.
    """
    longest = [0] * len(keys)
    if len(set(keys)) == len(keys):
        return longest
    if len(keys) > _FEW_WORDS:
        return _longest_repeats_of_many(keys)
    for length in range(1, len(keys) // 2 + 1):
        run = 0
        for at in range(len(keys) - length - 1, -1, -1):
            run = run + 1 if keys[at] == keys[at + length] else 0
            if run >= length:
                longest[at] = length
    return longest


def _longest_repeats_of_many(keys: Sequence[str]) -> list[int]:
    import numpy as np

    numbers: dict[str, int] = {}
    words = np.array([numbers.setdefault(key, len(numbers)) for key in keys])
    longest = np.zeros(len(keys), dtype=np.int64)
    for length in range(1, min(len(keys) // 2, _LONGEST_PHRASE) + 1):
        alike = np.concatenate(([0], np.cumsum(words[:-length] == words[length:])))
        longest[np.flatnonzero(alike[length:] - alike[:-length] == length)] = length
    found: list[int] = longest.tolist()
    return found


def repeated_words(expected: Sequence[str], heard: Sequence[str]) -> int:
    wanted = _repeats(expected)
    return sum(len(phrase) * max(0, times - wanted.get(phrase, 0)) for phrase, times in _repeats(heard).items())
