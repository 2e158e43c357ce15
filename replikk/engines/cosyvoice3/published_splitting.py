"""Text normalisation and splitting as the published toolkit does it when neither of its two normalisers is installed.

Kept for comparison with the published model and for people who move from it; the build does not use it. For
Norwegian it is wrong twice: digits are spelled out in English, and pieces are counted in tokens rather than seconds.
``replikk.dialogue`` normalises, ``pieces.py`` cuts.

Rules: a text with Chinese characters is counted in characters and freed of blanks between them, any other in tokens and
its digits spelled out; both are cut at marks and packed into pieces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

_CHINESE = re.compile(r"[一-鿿]")
_CHINESE_MARKS = "。？！；：、.?!;"
_OTHER_MARKS = ".?!;:"
_CLOSING_QUOTES = '"”'

_LONGEST, _LONG_ENOUGH, _SHORTEST = 80, 60, 20

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_THOUSANDS = ("", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion")


def published_pieces(text: str, encode: Callable[[str], Sequence[object]], *, split: bool = True) -> list[str]:
    """The pieces of a text; with ``split=False`` one piece, as for the transcript of a reference.

    ``encode`` gives the tokens of a text. A text that holds ``<|`` and ``|>`` is returned as it is, in one piece.
    """
    if ("<|" in text and "|>" in text) or not text:
        return [text]
    text = text.strip()
    chinese = _CHINESE.search(text) is not None
    if chinese:
        text, marks, final = _normalised_chinese(text), _CHINESE_MARKS, "。"
    else:
        text, marks, final = re.sub(r"\d+", lambda run: english_number(run[0]), text), _OTHER_MARKS, "."
    if not split:
        return [text]
    if text and text[-1] not in marks:
        text += final
    pieces = _packed(_sentences(text, marks), lambda piece: len(piece if chinese else encode(piece)))
    return [piece for piece in pieces if not _only_marks(piece)]


def english_number(digits: str) -> str:
    """English words of a run of digits: ``21`` twenty-one, ``1234`` one thousand, two hundred and thirty-four."""
    number = int(digits)
    if number == 0:
        return _ONES[0]
    if number >= 1000 ** len(_THOUSANDS):
        return digits
    groups = []
    for name in _THOUSANDS:
        number, group = divmod(number, 1000)
        if group:
            groups.append((group, name))
    words = [f"{_below_thousand(group)} {name}".strip() for group, name in reversed(groups)]
    if len(words) > 1 and groups[0][1] == "" and groups[0][0] < 100:
        return ", ".join(words[:-1]) + " and " + words[-1]
    return ", ".join(words)


def _below_thousand(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    below = _ONES[rest] if rest < 20 else _TENS[rest // 10] + (f"-{_ONES[rest % 10]}" if rest % 10 else "")
    if not hundreds:
        return below
    return f"{_ONES[hundreds]} hundred" + (f" and {below}" if rest else "")


def _normalised_chinese(text: str) -> str:
    text = text.replace("\n", "")
    text = "".join(
        character
        for place, character in enumerate(text)
        if character != " " or (_ascii_beside(text, place - 1) and _ascii_beside(text, place + 1))
    )
    text = text.replace("²", "平方").replace("³", "立方")
    text = text.replace(".", "。").replace(" - ", "，")
    text = re.sub("[（）【】`]", "", text).replace("——", " ")
    return re.sub("[，,、]+$", "。", text)


def _ascii_beside(text: str, place: int) -> bool:
    return 0 <= place < len(text) and text[place].isascii() and text[place] != " "


def _sentences(text: str, marks: str) -> list[str]:
    """Cut after each mark; a quote that closes right after it stays with the sentence."""
    sentences, start, place = [], 0, 0
    while place < len(text):
        if text[place] in marks:
            end = place + 1
            if end < len(text) and text[end] in _CLOSING_QUOTES:
                end += 1
            sentences.append(text[start:end])
            start = place = end
        else:
            place += 1
    return sentences + ([text[start:]] if text[start:] else [])


def _packed(sentences: Sequence[str], length: Callable[[str], int]) -> list[str]:
    pieces: list[str] = []
    current = ""
    for sentence in sentences:
        if length(current + sentence) > _LONGEST and length(current) > _LONG_ENOUGH:
            pieces.append(current)
            current = ""
        current += sentence
    if current:
        if pieces and length(current) < _SHORTEST:
            pieces[-1] += current
        else:
            pieces.append(current)
    return pieces


def _only_marks(piece: str) -> bool:
    """Nothing but punctuation and symbols, or nothing at all."""
    return all(unicodedata.category(character)[0] in "PS" for character in piece)
