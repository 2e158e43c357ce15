"""How long a Norwegian text takes to say, estimated from its spelling.

Counts syllables (single vowels, the diphthongs and doubled vowels as one) and the marks at which a reader pauses. Used
to cut long lines and to see whether a transcript belongs to a recording; for both a third more or less does not matter.
Torch-free: it runs while a build is planned.
"""

from __future__ import annotations

import re
import unicodedata

SYLLABLES_PER_SECOND = 4.6
"""Read Norwegian runs at 4 to 5.5 syllables a second, its pauses left out; a slow estimate keeps pieces short."""
CLAUSE_PAUSE_S = 0.2
SENTENCE_PAUSE_S = 0.4

_NUCLEUS = re.compile(r"ei|øy|au|ai|oi|oy|ui|eu|aa|ee|oo|[aeiouyæøåäö]")
_SENTENCE_MARKS = re.compile(r"[.!?…]+(?=\W|$)")
_CLAUSE_MARKS = re.compile(r"[,;:](?=\s|$)|(?:^|\s)[–—-](?=\s|$)")
_WORD = re.compile(r"[^\W_]+")
_MARKS_AT_END = " .!?…,;:–—-\"»”'"
_LATIN_END = 0x24F  # letters beyond the Latin blocks carry their vowels inside: each counts as a syllable


def syllables(text: str) -> int:
    """Syllables of a text; one a letter in words without vowels ("tv", "kg"), two a digit."""
    count = 0
    for word in _WORD.findall(_plain(text)):
        nuclei = len(_NUCLEUS.findall(word))
        digits = sum(c.isdigit() for c in word)
        foreign = sum(ord(c) > _LATIN_END for c in word)
        count += nuclei + 2 * digits + foreign or len(word)
    return count


def speaking_time_s(text: str) -> float:
    """Estimated seconds for a text with the pauses at its marks, the one at its end left out."""
    inner = text.rstrip(_MARKS_AT_END)
    sentences, clauses = len(_SENTENCE_MARKS.findall(inner)), len(_CLAUSE_MARKS.findall(inner))
    return syllables(text) / SYLLABLES_PER_SECOND + sentences * SENTENCE_PAUSE_S + clauses * CLAUSE_PAUSE_S


def _plain(text: str) -> str:
    """Lower case; accents that make no letter of their own (é, ò) taken off, å, ä and ö kept."""
    lowered = unicodedata.normalize("NFC", text).casefold()
    return "".join(c if c in "åäö" else unicodedata.normalize("NFD", c)[0] for c in lowered)
