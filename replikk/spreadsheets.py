"""Texts in cells that spreadsheet programs open: no text of a person may be run as a formula there.

A guard is an apostrophe in front, as spreadsheet programs themselves write it. Tables that people only read keep it;
a table that people and programs both write (``decisions.csv``) is read without it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# What spreadsheet programs take for the start of a formula; OWASP "CSV injection" lists them, tab and CR included,
# which cannot occur here because white space is flattened.
_FORMULA = "=+-@"
_PLAIN = re.compile(r"[^\W_][^,;|\r\n\t\v\f\x00\x85\u2028\u2029]*")
"""A cell that nothing can be wrong with, told quickly."""
_BLANK_CATEGORIES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_SEPARATOR = re.compile(r"([,;|])")


@lru_cache(maxsize=4096)  # most cells are one of few: states, voices, styles, lengths
def safe_cell(text: str) -> str:
    """A text on one line that no spreadsheet program runs.

    >>> [safe_cell(text) for text in ("Hei", "=1+1", "\\u00a0@SUM(A1)", "＝1+1", "a\\nb", "ja,=1")]
    ['Hei', "'=1+1", "'\\xa0@SUM(A1)", "'＝1+1", 'a b', "ja,'=1"]
    """
    if not text or _PLAIN.fullmatch(text):
        return text
    flat = re.sub(r"[\r\n\t\v\f\x00\x85\u2028\u2029]+", " ", text)
    return "".join(f"'{part}" if _starts_formula(part) else part for part in _SEPARATOR.split(flat))


def _starts_formula(text: str) -> bool:
    """Whether the first character that is no blank is a formula sign, full-width and small forms included."""
    first = next((c for c in text if unicodedata.category(c) not in _BLANK_CATEGORIES), "")
    return bool(first) and unicodedata.normalize("NFKC", first)[0] in _FORMULA


def plain_cell(text: str) -> str:
    """The text that ``safe_cell`` guarded.

    >>> [plain_cell(text) for text in ("Hei", "'=1+1", "ja,'=1", "'n Sindre", "rock 'n' roll")]
    ['Hei', '=1+1', 'ja,=1', "'n Sindre", "rock 'n' roll"]
    """
    if "'" not in text:
        return text
    parts = _SEPARATOR.split(text)
    return "".join(part[1:] if part.startswith("'") and _starts_formula(part[1:]) else part for part in parts)
