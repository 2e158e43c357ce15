"""Drills: lines of single letters, sounds and counting, as reading games have them.

A word error rate says nothing about "A" or "en, to, tre": recognisers guess at single sounds, and a child learns the
wrong one. Such a line goes to a person once and stays accepted by their decision.
"""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.cardinals import cardinal

COUNTED_TO = 100
WORD = re.compile(r"\w+")
DRAWN_OUT = re.compile(r"\b([^\W\d_])\1{2,}\b", re.IGNORECASE)  # "mmm"; "ee" and "oo" are in names


def is_drill(display: str) -> bool:
    """Whether a line consists of letters and numbers only, and not of one lone number, or has a drawn-out sound in it.

    >>> is_drill("A, B, C"), is_drill("en, to, tre"), is_drill("Mmm som i måne")
    (True, True, True)
    >>> is_drill("Tre!"), is_drill("M som i måne")
    (False, False)
    """
    if DRAWN_OUT.search(display):
        return True
    words = [word.casefold() for word in WORD.findall(display)]
    if not words or not all(_is_sound(word) or _is_number(word) for word in words):
        return False
    return len(words) > 1 or _is_sound(words[0])


def _is_sound(word: str) -> bool:
    """A letter, or one letter drawn out: "m", "mmm"; a word of one letter ("i", "å") alone is a sound as well."""
    return word.isalpha() and len(set(word)) == 1


def _is_number(word: str) -> bool:
    return word.isdigit() or word in _number_words()


_NUMBER_WORDS: set[str] = set()


def _number_words() -> set[str]:
    if not _NUMBER_WORDS:
        for locale in ("nb", "nn"):
            _NUMBER_WORDS.update(cardinal(n, locale) for n in range(COUNTED_TO + 1))
            _NUMBER_WORDS.add(cardinal(1, locale, neuter=True))
        _NUMBER_WORDS.update(("syv", "tyve", "tredve", "én", "éin"))
    return _NUMBER_WORDS
