"""Wrong words that change what is said, where the judge's spelling is all that there is.

Rates cannot see them: *han* for *hun*, *50* for *15* or *min* for *din* is one word of eight and two letters of forty.
So a judge that cannot say how likely the wanted words are is held to its words one by one: another word is another word
in a line of any length. What no accept-set allows may still be the slip of a judge, and that alone is left to rates:

- two spellings of one sound (``sounds_alike``);
- one letter in eight inside a long word (*arkeologisk*, *arkiologisk*), which is seldom another word. The first letter
  and the ending count in full, because they make other words (*landsbyen*, *landsbyene*), and so do numbers;
- one unstressed word for another (*en*, *et*; *at*, *å*), which are hardly spoken and mostly guessed.
"""

from __future__ import annotations

from collections.abc import Iterable

from replikk.judges.keys import NUMBER_WORD
from replikk.judges.words import sounds_alike, split_words, word_key

_UNSTRESSED = frozenset(("en", "ein", "ei", "et", "eit", "at", "å", "og", "som", "så", "da", "då", "jo", "vel"))
_LETTERS_OF_A_SLIP = 8
_ENDING_LETTERS = 2
_WORDS_PER_MISHEARING = 25
"""In a monologue one other word for so many passes beside ``max_other_words``: judges without likelihoods get about one
word in thirty wrong of speech that is right, and eighty words would hardly ever pass."""

Wrong = tuple[str, str, str]
"""A step of ``Comparison.alignment``."""


def other_words(alignment: Iterable[Wrong]) -> list[Wrong]:
    """The substitutions by which another word was said."""
    return [step for step in alignment if step[0] == "sub" and is_other_word(step[1], step[2])]


def mishearings(words_expected: int) -> int:
    """How many other words a judge may hear in so long a text that was spoken right."""
    return words_expected // _WORDS_PER_MISHEARING


def words_beyond_slips(alignment: Iterable[Wrong], words_expected: int) -> int:
    """What ``max_other_words`` is held against; below 0 where a monologue has fewer than it may."""
    return len(other_words(alignment)) - mishearings(words_expected)


def is_other_word(expected: str, heard: str) -> bool:
    """Whether these displayed words, which differ, are two words rather than a word and a slip in writing it."""
    one, other = ("".join(map(word_key, split_words(shown))) for shown in (expected, heard))
    if sounds_alike(expected, heard) or {one, other} <= _UNSTRESSED:
        return False
    if any(_is_number(key) for key in (one, other)):
        return True
    return not _is_slip(one, other)


def _is_number(key: str) -> bool:
    return any(character.isdigit() for character in key) or NUMBER_WORD.fullmatch(key) is not None


def _is_slip(one: str, other: str) -> bool:
    from rapidfuzz.distance import OSA

    allowed = len(one) // _LETTERS_OF_A_SLIP
    if not allowed or one[0] != other[:1] or one[-_ENDING_LETTERS:] != other[-_ENDING_LETTERS:]:
        return False
    return OSA.distance(one, other, score_cutoff=allowed) <= allowed
