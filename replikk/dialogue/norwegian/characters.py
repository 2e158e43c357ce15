"""The first and the last step: characters in, characters out.

``clean`` brings text to NFC and to a small alphabet that the rules can rely on: one kind of space, ``-`` for
hyphens, ``–`` for dashes, ``−`` for the minus sign, plain quotes, ASCII digits, ``1/2`` for ½. ``tidy`` removes
what no voice can say and mends the spaces around punctuation. Both are single passes of translation and of
regular expressions without nested repeats, so that a hostile cell of a million characters costs a second.
"""

from __future__ import annotations

import re
import unicodedata

_PLAIN = {
    **dict.fromkeys("“”„‟«»″＂〝〞", '"'),
    **dict.fromkeys("‘’‚‛′´`ʼ＇‹›", "'"),
    **dict.fromkeys("‐‑⁃﹣－", "-"),
    **dict.fromkeys("–‒", "–"),
    **dict.fromkeys("—―⸺⸻", " – "),
    "…": "...",
    "⁄": "/",
    "∕": "/",
    "·": "×",
    "⋅": "×",
    "✕": "×",
    "✖": "×",
    "➕": "+",
    "➖": "−",
    "➗": "÷",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "％": "%",
    "º": "°",
    "µ": "μ",
    "№": " nummer ",
    "￥": "¥",
    "！": "!",
    "？": "?",
    "，": ",",
    "．": ".",
    "：": ":",
    "；": ";",
    "。": ".",
    "、": ",",
}

KEPT_SYMBOLS = frozenset("+=<>%‰°€$£¥§&@#/×÷−±≈≠√∞^*²³μ~")
"""Symbols that a later rule may put into words; the last step drops what is left."""
_KEPT_PUNCTUATION = frozenset(".,!?:;'\"()-–")
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")


class _Cleaner(dict[int, str]):
    """Maps each character once, on first use: ``str.translate`` then runs at the speed of C."""

    def __missing__(self, code: int) -> str:
        replacement = _clean_character(chr(code))
        self[code] = replacement
        return replacement


def _clean_character(c: str) -> str:
    if c in _PLAIN:
        return _PLAIN[c]
    if c in KEPT_SYMBOLS or c in _KEPT_PUNCTUATION:
        return c
    if c in _INVISIBLE:
        return ""
    category = unicodedata.category(c)
    if category == "Nd":
        return str(unicodedata.decimal(c))
    if category in ("No", "Nl"):
        return _other_number(c)
    if category[0] == "L":
        plain = unicodedata.normalize("NFKC", c)
        # Full-width letters and ligatures become letters; a compatibility form with digits in it does not.
        return plain if plain.isalpha() else " "
    if category[0] == "M":
        # NFC has already joined what can be joined; variation selectors and stray accents are not spoken.
        return c if category == "Mc" else ""
    return " "


def _other_number(c: str) -> str:
    plain = unicodedata.normalize("NFKC", c).replace("⁄", "/")
    if "/" in plain:
        return f" {plain} "  # ½: "3½" is "3 1/2"
    if unicodedata.decomposition(c).startswith("<super>"):
        return "^" + plain
    if plain.isascii() and plain.isalnum():
        return f" {plain} " if plain.isdigit() else plain  # ① and Ⅳ
    value = unicodedata.numeric(c, None)
    return f" {int(value)} " if value is not None and value == int(value) and 0 <= value < 10**15 else " "


_CLEANER = _Cleaner()
_SPACES = re.compile(r"\s+")
_INCHES = re.compile(r"(?<=\d) ?″")
_POSITION = re.compile(r"(?<=\d)° ?(\d{1,2}(?:,\d{1,4})?) ?['′’](?: ?(\d{1,2}(?:,\d{1,4})?) ?[\"″”])?")
"""Minutes and seconds of a degree, as on a map."""


def _in_units(match: re.Match[str]) -> str:
    return f"° {match[1]} min" + (f" {match[2]} s" if match[2] else "")


def clean(text: str) -> str:
    """NFC, one alphabet of spaces, quotes, dashes and digits. Lone surrogates and control characters are blanks."""
    text = _POSITION.sub(_in_units, unicodedata.normalize("NFC", text))
    text = _INCHES.sub(" tommer", text)  # elsewhere the sign is a quotation mark
    return _SPACES.sub(" ", text.translate(_CLEANER)).strip()


_DROPPED = re.compile(r"[^\w\s.,!?:;'\"()–-]|[_\d²³]")
_DASH_BETWEEN_LETTERS = re.compile(r"(?<=\w)–(?=\w)")
_LOOSE_DASH = re.compile(r"[-–]{2,}|–|(?<!\w)-")
_LONG_DOTS = re.compile(r"\.{4,}")
_BEFORE_PUNCTUATION = re.compile(r" +(?=[.,!?:;)])")
_AFTER_OPENING = re.compile(r"(?<=\() +")
_EMPTY_PAIR = re.compile(r"\( ?\)|\"\"")
_COMMAS = re.compile(r",[ ,]*,")
_COMMA_BEFORE = re.compile(r",[ ,]*(?=[.!?:;])")
_COMMA_AFTER = re.compile(r"(?<=[.!?:;(])(?: ,)+|(?<=\(),+")
_EDGE = re.compile(r"^[\s,;:]+")
_UNTIDY = re.compile(
    r"[^\w\s.,!?:;'\"()-]|[_\d²³]|(?<!\w)-|--|[^\S ]|  | [.,!?:;)]"
    r"|\( |\(\)|\"\"|,[ ,]*[,.!?:;]|[.!?:;(] ,|\(,|\.{4}|^[\s,;:]|\s$"
)
"""Finds any reason to do the work below; most lines have none."""


def tidy(text: str) -> str:
    """Drop what is not spoken, turn a spaced dash into a comma, put spaces right. The result is a fixed point."""
    if not _UNTIDY.search(text):
        return unicodedata.normalize("NFC", text)
    text = _DROPPED.sub(" ", text)
    text = _DASH_BETWEEN_LETTERS.sub("-", text)
    text = _LOOSE_DASH.sub(" , ", text)
    for _ in range(4):  # each round can only shorten the text; two rounds settle all that people write
        before = text
        text = _SPACES.sub(" ", text)
        text = _COMMA_AFTER.sub("", text)  # "Vent! – Nei" needs no comma
        text = _BEFORE_PUNCTUATION.sub("", text)
        text = _LONG_DOTS.sub("...", text)
        text = _AFTER_OPENING.sub("", text)
        text = _EMPTY_PAIR.sub(" ", text)
        text = _COMMAS.sub(",", text)
        text = _COMMA_BEFORE.sub("", text)
        text = _EDGE.sub("", text).strip()
        if text == before:
            break
    return unicodedata.normalize("NFC", text)
