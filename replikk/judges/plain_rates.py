"""Plain error rates, as others publish them: jiwer over lower-case text without punctuation.

They know nothing of readings, forms or names. They stand beside the comparison's own, so that its figures can be set
against those of other people and nobody has to take the accept-sets on trust.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_DROPPED = re.compile(r"[^\w\s]|_")


def plain_text(text: str) -> str:
    """NFC, lower case, no punctuation, single blanks."""
    return " ".join(_DROPPED.sub(" ", unicodedata.normalize("NFC", text).lower()).split())


def plain_counts(script: str, heard: str) -> tuple[int, int]:
    """(words of the script, wrong, missing and extra words), for rates over many lines."""
    wanted, got = plain_text(script), plain_text(heard)
    words = len(wanted.split())
    if wanted == got:
        return words, 0
    if not wanted:
        return 0, len(got.split())
    import jiwer

    found = jiwer.process_words(wanted, got)
    return words, found.substitutions + found.deletions + found.insertions


def plain_rates(scripts: Sequence[str], heards: Sequence[str]) -> list[tuple[float, float]]:
    """(word error rate, character error rate) of every pair; for an empty script 0, or 1 when anything was heard."""
    import jiwer

    found: list[tuple[float, float]] = []
    for script, heard in zip(map(plain_text, scripts), map(plain_text, heards), strict=True):
        if script == heard:
            found.append((0.0, 0.0))
        elif not script:
            found.append((1.0, 1.0))  # jiwer counts the words instead of a rate
        else:
            found.append((jiwer.wer(script, heard), jiwer.cer(script, heard)))
    return found
