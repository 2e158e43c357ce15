"""Words that an engine was given but should not have said: a direction, or the transcript of a reference recording.

Cloning engines read such texts as part of their prompt and sometimes speak them. The judge hears them as words too many
or in the place of others; what tells a leak is that they stand in the prompt in the same order, and not in the script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from replikk.judges.words import split_words, word_key

SYSTEM_PROMPT = "You are a helpful assistant."
"""What stands before every direction of CosyVoice 3."""


class Leak(NamedTuple):
    """The longest run of words from a prompt."""

    words: int
    """Words in a row; 0 for none."""
    source: str
    """``direction`` or ``reference``; empty for none."""
    text: str


NO_LEAK = Leak(0, "", "")


def find_leak(alignment: Iterable[tuple[str, str, str]], prompts: Mapping[str, Sequence[str]]) -> Leak:
    """The longest run of words heard beside the script that stands so in a prompt; ``prompts`` are texts by source."""
    runs = _strange_runs(alignment)
    if not runs:
        return NO_LEAK
    best = NO_LEAK
    for source, texts in prompts.items():
        for text in texts:
            prompt = [word_key(word) for word in split_words(text)]
            for run in runs:
                start, length = _longest_common([word_key(word) for word in run], prompt)
                if length > best.words:
                    best = Leak(length, source, " ".join(run[start : start + length]))
    return best


def _strange_runs(alignment: Iterable[tuple[str, str, str]]) -> list[list[str]]:
    """Words heard that the script does not have there, in runs between right ones."""
    runs: list[list[str]] = [[]]
    for op, _, heard in alignment:
        if op == "ok":
            runs.append([])
        else:
            runs[-1] += split_words(heard)
    return [run for run in runs if run]


def _longest_common(words: Sequence[str], prompt: Sequence[str]) -> tuple[int, int]:
    """(start in ``words``, length) of the longest stretch that both have."""
    start = length = 0
    before = [0] * (len(prompt) + 1)
    for at, word in enumerate(words):
        now = [0] * (len(prompt) + 1)
        for place, other in enumerate(prompt):
            if word == other:
                now[place + 1] = before[place] + 1
                if now[place + 1] > length:
                    start, length = at - now[place + 1] + 1, now[place + 1]
        before = now
    return start, length


def repeated_fours(words: Sequence[str]) -> int:
    """Stretches of four words that were said before in the same text."""
    fours = Counter(zip(*(words[offset:] for offset in range(4)), strict=False))
    return sum(times - 1 for times in fours.values())
