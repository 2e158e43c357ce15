"""Runs of words in an alignment: wrong ones at the ends and in a row, and phrases that are said twice."""

from __future__ import annotations

from collections.abc import Sequence


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
    at = 0
    while at < len(keys):
        step = 1
        for length in range((len(keys) - at) // 2, 0, -1):
            if keys[at] == keys[at + length] and keys[at : at + length] == keys[at + length : at + 2 * length]:
                phrase = tuple(keys[at : at + length])
                found[phrase] = found.get(phrase, 0) + 1
                step = length
                break
        at += step
    return found


def repeated_words(expected: Sequence[str], heard: Sequence[str]) -> int:
    wanted = _repeats(expected)
    return sum(len(phrase) * max(0, times - wanted.get(phrase, 0)) for phrase, times in _repeats(heard).items())
