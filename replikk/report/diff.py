"""Script against transcript as a few runs of words, ready to be marked up: what was right, wrong, missing, extra."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

LABELS = {"sub": "wrong word", "del": "missing", "ins": "extra"}

CONTEXT_WORDS = 10
"""Right words shown on either side of a long right stretch; the whole script stands above the comparison."""


@dataclass(frozen=True)
class Run:
    """Consecutive words with the same fate."""

    op: str
    """``ok``, ``sub``, ``del`` or ``ins``."""
    expected: str
    heard: str
    words: int
    skipped: int = 0
    """Words in the middle of a long right run that are not shown."""
    tail: str = ""
    """The end of a run whose middle is not shown."""

    @property
    def label(self) -> str:
        """What a person reads beside the colour; empty for what is right."""
        if self.op == "ok":
            return ""
        label = LABELS[self.op]
        if self.words == 1:
            return label
        return "wrong words" if self.op == "sub" else f"{label}, {self.words} words"


def runs(alignment: Iterable[Sequence[str]]) -> list[Run]:
    """(op, expected, heard) per word, as ``judges.compare`` makes them, joined to runs.

    >>> for run in runs([("ok", "hei", "hei"), ("ok", "du", "du"), ("sub", "der", "her"), ("ins", "", "ja")]):
    ...     print((run.op, run.expected, run.heard, run.label))
    ('ok', 'hei du', 'hei du', '')
    ('sub', 'der', 'her', 'wrong word')
    ('ins', '', 'ja', 'extra')
    """
    joined = []
    for op, group in groupby(alignment, key=lambda step: step[0]):
        steps = list(group)
        expected = " ".join(step[1] for step in steps if step[1])
        if op == "ok" and len(words := expected.split()) > 3 * CONTEXT_WORDS:
            joined.append(_shortened(words))
            continue
        heard = " ".join(step[2] for step in steps if step[2])
        joined.append(Run(op, expected, heard, len(steps)))
    return joined


def _shortened(words: Sequence[str]) -> Run:
    head, tail = " ".join(words[:CONTEXT_WORDS]), " ".join(words[-CONTEXT_WORDS:])
    return Run("ok", head, "", len(words), skipped=len(words) - 2 * CONTEXT_WORDS, tail=tail)
