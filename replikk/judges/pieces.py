"""The displayed words of a text, and what the signs around them tell: full stops, capitals, a minus."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from replikk.judges.words import SEPARATORS, SPEAKABLE_SYMBOLS, is_word, strip_edges

_MINUS = re.compile(r"(?:(?<=\s)|^)[-−](?=\d)")
_ODD_SEPARATOR = re.compile(r"[\\|–—―…/]|\.\.|(?<!\w)-|-(?!\w)")
"""Anything but a blank that may be between two words."""
_AFTER_FULL_STOP = re.compile(r"[.!?:…]")


class Piece(NamedTuple):
    """A displayed word of a text, with what its neighbourhood tells."""

    word: str
    full_stop: bool
    """Whether a full stop follows at once: an ordinal, an abbreviation, or the end of the sentence."""
    opens: bool
    """Whether it may begin a sentence: its capital says nothing."""


def pieces_of(text: str) -> list[Piece]:
    text = unicodedata.normalize("NFC", text)
    if "-" in text or "−" in text:
        text = _MINUS.sub("minus ", text)
    if not _ODD_SEPARATOR.search(text):
        pieces, opens = [], True
        for raw in text.split():
            word, full_stop, leads, ends = _edges(raw)
            if word:
                pieces.append(Piece(word, full_stop, opens or leads))
                opens = ends
        return pieces
    pieces, opens, at = [], True, 0
    for found in [*SEPARATORS.finditer(text), None]:
        word, full_stop, leads, ends = _edges(text[at : found.start()] if found else text[at:])
        if word:
            pieces.append(Piece(word, full_stop, opens or leads))
            opens = ends
        if found:
            opens = opens or not found[0].isspace()
            at = found.end()
    return pieces


@lru_cache(maxsize=65536)
def _edges(raw: str) -> tuple[str, bool, bool, bool]:
    """(word, whether a full stop follows, whether punctuation leads, whether the sentence ends); no word: empty."""
    word = strip_edges(raw)
    if not is_word(word):
        return "", False, False, False
    place = raw.index(word)
    tail = raw[place + len(word) :]
    return word, tail.startswith("."), place > 0, _AFTER_FULL_STOP.search(tail) is not None


def is_shouted(pieces: Sequence[Piece]) -> bool:
    """Whether capitals say nothing, as two words beside each other are all in capitals."""
    upper = [len(piece.word) > 1 and piece.word.isupper() for piece in pieces]
    return any(one and other for one, other in pairwise(upper))


def is_odd(word: str) -> bool:
    return any(c.isdigit() or c in SPEAKABLE_SYMBOLS for c in word)
