"""The nearest known name, for the "what to write instead" of a message.

Optimal string alignment counts a swapped pair of letters as one slip, which is what fingers do. Names are compared
without regard to case; rapidfuzz comes with jiwer and stays fast with ten thousand known names.
"""

from __future__ import annotations

from collections.abc import Iterable

SIMILAR = 0.6
"""Lowest similarity (0 to 1) worth suggesting: one slip in a word of three letters, two in a word of five."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like ``word``, or None when nothing is near enough to be what was meant."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    names = list(known)
    if not word or not names:
        return None
    found = process.extractOne(
        word[:200], names, scorer=OSA.normalized_similarity, processor=str.casefold, score_cutoff=SIMILAR
    )
    return None if found is None else str(found[0])
