"""Where in a take to listen: the reasons of its verdict as stretches of time, each with two or three words on it.

Only what can be placed is placed. Noise, a wrong level or a pace are everywhere, and are told as reasons alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

Stretch = dict[str, Any]
"""``start_s``, ``end_s``, ``label``."""

ENDING_S = 0.15
"""Marked of a cut ending: the last 10 ms that were measured are too short to see."""
SHORTEST_S = 0.06
"""A stretch shorter than this, such as the place of a word that is not there, is widened to be seen."""
LONGEST_LABEL = 40

_ABOUT_WORDS = frozenset({
    "wrong_words", "word_errors", "character_errors", "other_words", "wrong_run", "missing_end", "missing_words",
    "repeated", "extra_start", "extra_end", "extra_words", "unclear_word", "unclear_words", "misfit",
    "direction_spoken", "reference_spoken", "loop", "other_language",
})  # fmt: skip
_WORD_LABELS = {"del": "missing", "ins": "extra", "sub": "wrong"}


def stretches(
    reasons: Iterable[Mapping[str, Any]], evidence: Mapping[str, Any], words: Sequence[Sequence[Any]]
) -> list[Stretch]:
    """What to mark in a take, in order of time. ``words`` as ``waveforms.place_words`` returns them."""
    codes = {reason["code"] for reason in reasons}
    signal = evidence["signal"]
    duration_s = signal["duration_s"]
    found = []
    if "cut_ending" in codes:
        found.append((duration_s - ENDING_S, duration_s, "cut off"))
    if "silence_start" in codes:
        found.append((0.0, signal["silence_start_s"], "silence"))
    if "silence_end" in codes:
        found.append((duration_s - signal["silence_end_s"], duration_s, "silence"))
    if "silence_inside" in codes:
        start_s = evidence["unexplained_silence_at_s"]
        found.append((start_s, start_s + evidence["unexplained_silence_s"], "silence"))
    if "long_pause" in codes:
        start_s = signal["longest_silence_at_s"]
        found.append((start_s, start_s + signal["longest_silence_s"], "long pause"))
    if "sound_after_words" in codes:
        end_s = duration_s - signal["silence_end_s"]
        found.append((max(0.0, end_s - evidence["sound_after_words_s"]), end_s, "no word any more"))
    if codes & {"silent", "nothing_heard", "no_speech", "credits"}:
        found.append((0.0, duration_s, "no words"))
    if "wrong_line" in codes:
        found.append((0.0, duration_s, "another line"))
    elif codes & _ABOUT_WORDS:
        found += _of_words(words)
    return [_widened(*stretch, duration_s) for stretch in sorted(found, key=lambda each: (each[0], each[1], each[2]))]


def _of_words(words: Sequence[Sequence[Any]]) -> list[tuple[float, float, str]]:
    """Consecutive words with the same fate are one stretch."""
    found = []
    for op, group in groupby(words, key=lambda word: word[0]):
        if op == "ok":
            continue
        run = list(group)
        said = " ".join(word[1] or word[2] for word in run)
        said = said if len(said) <= LONGEST_LABEL else said[: LONGEST_LABEL - 1].rstrip() + "…"
        found.append((run[0][3], run[-1][4], f"{_WORD_LABELS[op]}: «{said}»"))
    return found


def _widened(start_s: float, end_s: float, label: str, duration_s: float) -> Stretch:
    missing_s = max(0.0, SHORTEST_S - (end_s - start_s)) / 2
    start_s, end_s = max(0.0, start_s - missing_s), min(duration_s, end_s + missing_s)
    return {"start_s": round(min(start_s, end_s), 3), "end_s": round(end_s, 3), "label": label}
