"""The judge's alphabet, and any text in it: lower-case Norwegian letters and single spaces.

Foreign letters become the Norwegian letter that sounds most alike (é is e, ü is y, ö is ø); everything that is not a
letter separates words, except the apostrophe, which is dropped (``Lars'`` is one word). Digits that reach the judge
although the dialogue room spells numbers out are spelled out here. In names *aa* is *å* (Haakon), as the voice says it
and as the judge therefore hears it; not in names from elsewhere (Aaron), nor in *jaa*, which begins sentences, nor in
other words (*kanadaavtale*).
"""

from __future__ import annotations

import re
import unicodedata

from replikk.judges.mini.words import UNITS, number_words

LETTERS = "abcdefghijklmnopqrstuvwxyzæøå"
SYMBOLS = "_ " + LETTERS
"""The network's outputs in order: the CTC blank (0), the space between words (1), the letters."""
BLANK, SPACE = 0, 1
INDEX = {symbol: index for index, symbol in enumerate(SYMBOLS)}

_ALIKE = str.maketrans(
    {"ä": "æ", "ö": "ø", "ü": "y", "ÿ": "y", "œ": "ø", "ß": "ss", "ð": "d", "þ": "t", "ł": "l", "đ": "d", "ø": "ø"}
)
_OWN = frozenset("æøå")
_NAME = re.compile(r"\b[A-ZÆØÅ]\w*")
_OTHER_NAMES = (
    "aaron", "isaac", "isaak", "baal", "kanaan", "saab", "saar", "aachen", "maastricht", "haag", "afrikaans",
    "kanadaa", "kinaa", "koreaa", "indiaa", "afrikaa", "amerikaa",
)  # fmt: skip
"""Beginnings of words with *aa* that nobody says *å* in; the voice does, and lines with them are flagged."""


def normalise(text: str) -> str:
    """``text`` in the judge's letters: ``"Én, to!"`` is ``"en to"``; may be empty."""
    composed = _NAME.sub(_name, unicodedata.normalize("NFC", text)).lower()
    composed = re.sub(r"\d+", _spell_digits, composed).translate(_ALIKE)
    kept: list[str] = []
    for character in composed:
        if character in INDEX and character != "_":
            kept.append(character)
        elif character in "'’`´" or unicodedata.combining(character) or unicodedata.category(character) == "Cf":
            continue  # soft hyphens and direction marks are inside words, too
        else:
            base = unicodedata.normalize("NFKD", character)
            letters = [c for c in base if c in INDEX and c not in "_ "]
            kept.extend(letters or [" "])
    return " ".join("".join(kept).split())


def encode(text: str) -> list[int]:
    """Network symbols of a normalised text."""
    return [INDEX[character] for character in text]


def _name(match: re.Match[str]) -> str:
    name = match[0].lower()
    return name if "aaa" in name or name == "jaa" or name.startswith(_OTHER_NAMES) else name.replace("aa", "å")


def _spell_digits(match: re.Match[str]) -> str:
    digits = match[0]
    # isdecimal also takes digits of other scripts; int() reads them all. A long or zero-led row is read digit by digit.
    if len(digits) > 6 or (len(digits) > 1 and int(digits[0]) == 0):
        return " " + " ".join(UNITS[int(digit)] for digit in digits) + " "
    return " " + number_words(int(digits)) + " "
