"""The errors a user can meet, one small family.

Every message names the line id or the file first, then what is wrong, then what to do instead. Problems in what
people write are collected (``Problem``) and raised together, so that one run shows all of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_SENTENCE = 600  # what we say ourselves; values from sheets are cut before they get into it
SHOWN_PROBLEMS = 1000  # a sheet that is wrong in every row is wrong in one way
ALIKE_PROBLEMS = 4  # so many of the same words are told once, with the places of the others
SHOWN_PLACES = 10


class ReplikkError(Exception):
    """Something the user can understand and mend; the message stands alone, without a traceback."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in one file that a person wrote."""

    file: str
    """Path as the user knows it, relative to where they started the build where possible."""
    row: int | None
    """Row number as the spreadsheet program shows it (the header is row 1); None for the whole file."""
    line_id: str
    column: str
    what: str
    instead: str

    @property
    def place(self) -> str:
        return self.file if self.row is None else f"{self.file}:{self.row}"

    def __str__(self) -> str:
        place = self.place
        if self.line_id:
            place += f" [{printable(self.line_id)}]"
        if self.column:
            place += f" {printable(self.column)}"
        return f"{place}: {printable(self.what, LONGEST_SENTENCE)}; {printable(self.instead, LONGEST_SENTENCE)}"


class DialogueError(ReplikkError):
    """All problems of all dialogue files at once, raised before any audio is made."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.row or 0, p.column, p.what))
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        shown = list(itertools.islice(_shown(self.problems), SHOWN_PROBLEMS))
        told = sum(len(alike) for alike in shown)
        lines = [f"  {alike[0]}{_elsewhere(alike[1:])}" for alike in shown]
        if count > told:
            lines.append(f"  … and {count - told} more")
        super().__init__("\n".join([f"{head} in the dialogue files:", *lines]))


def _shown(problems: list[Problem]) -> Iterator[list[Problem]]:
    """Problems that are told together: one name that is wrong in a hundred rows is one mistake to mend."""
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        alike.setdefault((problem.column, problem.what, problem.instead), []).append(problem)
    for several in alike.values():
        if len(several) < ALIKE_PROBLEMS:
            yield from ([problem] for problem in several)
        else:
            yield several


def _elsewhere(others: list[Problem]) -> str:
    if not others:
        return ""
    places = ", ".join(other.place for other in others[:SHOWN_PLACES])
    more = f" and {len(others) - SHOWN_PLACES} more" if len(others) > SHOWN_PLACES else ""
    return f"\n    the same in {len(others)} more rows: {places}{more}"


class StoreError(ReplikkError):
    """The store of finished takes cannot be used (locked, unwritable, full)."""


class EngineError(ReplikkError):
    """A speech engine cannot work at all (missing library, unknown voice setting)."""


class JudgeError(ReplikkError):
    """A judge cannot work at all, or was handed audio it must not judge."""


class AudioError(ReplikkError):
    """A clip cannot be read, measured or encoded."""


def printable(text: str, limit: int = 200) -> str:
    """One line of text that is safe to show: control characters escaped, over-long values cut."""
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: limit + 1])
    return shown if len(text) <= limit else shown[:limit] + "…"
