"""Times of the words that a player reads, from those of the words that were spoken.

Both are the same line in two spellings: *14.30* was spoken as *halv tre*, a name as its respelling in the lexicon.
Equal words are matched, and what lies between them shares its time by letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from replikk.alignment.word_times import TimedWord, script_times


def shown_words(text: str) -> list[str]:
    """The words of a text with their punctuation; a dash or an ellipsis on its own belongs to the word before it."""
    words: list[str] = []
    for token in text.split():
        if words and not (_key(token) and _key(words[-1])):  # one of the two is no word
            words[-1] += f" {token}"
        else:
            words.append(token)
    return words


def shown_times(text: str, spoken: Sequence[TimedWord], duration_s: float) -> list[TimedWord]:
    """The words of ``text`` with times from the ``spoken`` ones, in order.

    A word without a confidence was not heard; its time is guessed from its neighbours.
    """
    words = shown_words(text)
    shown_keys, spoken_keys = [_key(word) for word in words], [_key(word.text) for word in spoken]
    if shown_keys == spoken_keys:  # nearly all lines
        return [replace(timed, text=word) for word, timed in zip(words, spoken, strict=True)]
    steps = [
        (operation, " ".join(words[first:after]), " ".join(word.text for word in spoken[got:got_after]))
        for operation, first, after, got, got_after in SequenceMatcher(
            None, shown_keys, spoken_keys, autojunk=False
        ).get_opcodes()
    ]
    names = {"equal": "ok", "replace": "sub", "delete": "del", "insert": "ins"}
    timed = script_times(words, spoken, [(names[step], shown, said) for step, shown, said in steps], duration_s)
    # The confidence of a word that was not heard counts as 0 among those that a shown word is made of.
    return [replace(word, confidence=word.confidence or None) for word in timed]


def _key(word: str) -> str:
    return "".join(character for character in word.casefold() if character.isalnum())
