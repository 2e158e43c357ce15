"""Texts that are not what was said, word by word: the known traps of the open corpora, and of any text.

NST (as the National Library's own cleaning of it has it): besides sentences it holds single words, numbers and
spelling, told by ``type``; dictated punctuation is written ``\\Komma`` and ``\\Punktum``; notes stand in parentheses;
and a sentence without a full stop or a question mark is a fragment. NPSC: ``<ee>`` and other marks of hesitation and
noise, and sentences in the other written standard, whose normalised and translated columns are not what was said and
are never read.

Everywhere: control tokens of the prompt template, and texts without a letter.
"""

from __future__ import annotations

import re

_MARKS = re.compile(r"<[^>]*>")
_BRACKETS = re.compile(r"[()\[\]{}]")
_LETTER = re.compile(r"[^\W\d_]")
_LETTER_BY_LETTER = re.compile(r"^(?:\w\s+){3,}\w\s*$")
_LANGUAGES = {"nb": "nb-NO", "nn": "nn-NO"}


def text_trap(kind: str, text: str, facts: dict[str, str], locale: str) -> str:
    """What is wrong with a given text, in words; empty for a good one. ``kind`` is that of the source."""
    if "<|" in text or "|>" in text:
        return "control token in the text"
    if not _LETTER.search(text):
        return "text without a letter"
    if kind == "nst":
        return _nst(text, facts)
    if kind == "npsc":
        language = facts.get("language", "")
        if language and language != _LANGUAGES[locale]:
            return f"in {language}, wanted is {_LANGUAGES[locale]}"
        if _MARKS.search(text):
            return "marks of hesitation or noise"
    return ""


def _nst(text: str, facts: dict[str, str]) -> str:
    kind = facts.get("type", "")
    if kind and "IS" not in kind:
        return f"no sentence but of type {kind}"
    if "\\" in text:
        return "dictated punctuation"
    if _BRACKETS.search(text):
        return "parentheses"
    if _LETTER_BY_LETTER.match(text.rstrip(".?!")):
        return "spelt letter by letter"
    if not text.rstrip("\"'»” ").endswith((".", "?", "!")):
        return "no full stop or question mark: a fragment"
    return ""
