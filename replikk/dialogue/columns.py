"""The columns of a dialogue sheet: their names in Norwegian and English, and the values they allow.

Header names are matched without regard to case, accents, spaces and punctuation, so that ``Maks. sekunder``,
``max_seconds`` and ``MAX SECONDS`` are one column. A header that is not known is the user's own: its cells are
carried to the manifest untouched.
"""

from __future__ import annotations

import logging
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from replikk.dialogue.nearest import nearest
from replikk.errors import Problem

logger = logging.getLogger(__name__)

ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "nøkkel", "key", "linje-id", "line id", "replikk-id"),
    "text": ("text", "tekst", "replikk", "line", "dialogue"),
    "voice": ("voice", "stemme"),
    "character": ("character", "figur", "rolle", "karakter", "speaker"),
    "style": ("style", "regi", "tone", "stil", "direction"),
    "say": ("say", "uttale", "si", "spoken", "spoken text"),
    "scene": ("scene", "scene-navn", "scene name"),
    "locale": ("locale", "språk", "målform", "language"),
    "max_seconds": ("max seconds", "maks sekunder", "maxsek", "makssek"),
    "status": ("status",),
    "take": ("take", "opptak", "tagning"),
    "notes": ("notes", "merknad", "notat", "kommentar", "comment"),
}
"""Column of a SheetRow: the header names that mean it."""

STATUSES = {
    "": "",
    "cut": "cut",
    "kuttet": "cut",
    "kutt": "cut",
    "locked": "locked",
    "låst": "locked",
    "external": "external",
    "ekstern": "external",
    "eksternt": "external",
}
LOCALES = {
    "": "nb",
    "nb": "nb",
    "no": "nb",
    "nb-no": "nb",
    "no-no": "nb",
    "nob": "nb",
    "norsk": "nb",
    "bokmål": "nb",
    "nn": "nn",
    "nn-no": "nn",
    "nno": "nn",
    "nynorsk": "nn",
}
HEADER_WITHIN = 10
"""The header stands in one of the first ten rows; titles may stand above it."""


def fold(name: str) -> str:
    """A header or a value as it is compared: lower case, no accents, letters and digits only."""
    plain = unicodedata.normalize("NFD", name.casefold()).replace("ø", "o").replace("æ", "ae")
    return "".join(c for c in plain if c.isalnum())


_COLUMN_BY_FOLDED = {fold(alias): column for column, aliases in ALIASES.items() for alias in aliases}
_STATUS_BY_FOLDED = {fold(name): value for name, value in STATUSES.items()}
_LOCALE_BY_FOLDED = {fold(name): value for name, value in LOCALES.items()}


def column_of(header: str) -> str | None:
    """The column that a header names, or None for one of the user's own."""
    return _COLUMN_BY_FOLDED.get(fold(header)) if len(header) <= 100 else None


@dataclass(frozen=True)
class Header:
    """Where the columns of one table are."""

    row: int
    """Row number of the header."""
    position: dict[str, int]
    """Known column: its place in a row, from 0."""
    shown: dict[str, str]
    """Known column: its name as the user wrote it."""
    extra: dict[int, str]
    """Place in a row: the user's own column name."""
    width: int
    """Number of columns up to the last named one."""

    def label(self, column: str) -> str:
        """What to call a column in a message: the user's own word for it."""
        return self.shown.get(column, column)


def find_header(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, list[str]] | None:
    """The first of the first ten rows that names id and text; failing that, the one that names most columns."""
    best: tuple[int, list[str]] | None = None
    best_count = 0
    for number, cells in rows:
        if number > HEADER_WITHIN:
            break
        known = {column for cell in cells if (column := column_of(cell))}
        if {"id", "text"} <= known:
            return number, cells
        if len(known) > best_count:
            best, best_count = (number, cells), len(known)
    return best


def read_header(number: int, cells: Sequence[str], file: str) -> tuple[Header, list[Problem]]:
    """Which column is where, and what is wrong with the header row: missing, doubled and misspelt names."""
    position: dict[str, int] = {}
    shown: dict[str, str] = {}
    extra: dict[int, str] = {}
    problems: list[Problem] = []
    for place, cell in enumerate(cells):
        column = column_of(cell)
        if not cell:
            continue
        if column is None:
            if cell in extra.values():
                problems.append(
                    Problem(file, number, "", cell, "two columns have this name", "give one of them another name")
                )
            extra[place] = cell
        elif column in position:
            problems.append(
                Problem(
                    file,
                    number,
                    "",
                    cell,
                    f"means the same column as {shown[column]!r}: {column}",
                    "keep one of the two, or give one a name of its own",
                )
            )
        else:
            position[column], shown[column] = place, cell

    missing = [column for column in ("id", "text") if column not in position]
    if "voice" not in position and "character" not in position:
        missing.append("voice")
    for column in missing:
        wanted = ALIASES[column] + (ALIASES["character"] if column == "voice" else ())
        guesses = [(own, guess) for own in extra.values() if (guess := nearest(own, wanted))]
        what = "no column for the voice or the character" if column == "voice" else f"no column {column!r}"
        instead = f"write one of: {', '.join(wanted)}"
        if guesses:
            instead = f"write {guesses[0][1]!r} instead of {guesses[0][0]!r}, or {instead[6:]}"
        problems.append(Problem(file, number, "", column, what, instead))
    _warn_of_near_misses(file, number, extra, position)
    width = max((place for place, cell in enumerate(cells) if cell), default=-1) + 1
    return Header(number, position, shown, extra, width), problems


def _warn_of_near_misses(file: str, number: int, extra: dict[int, str], position: dict[str, int]) -> None:
    """``satus`` is allowed as a column of the user's own, but is more likely a slip that would speak cut lines."""
    for own in extra.values():
        guess = nearest(
            own, [alias for column, aliases in ALIASES.items() if column not in position for alias in aliases]
        )
        if guess and len(own) >= 4 and abs(len(own) - len(guess)) <= 1 and _shares_most_letters(own, guess):
            logger.warning("%s:%s: column %r is kept as one of your own; did you mean %r?", file, number, own, guess)


def _shares_most_letters(own: str, guess: str) -> bool:
    from rapidfuzz.distance import OSA

    return OSA.distance(fold(own), fold(guess)) <= 1


@lru_cache(maxsize=1024)
def status_of(cell: str) -> str | None:
    """``""``, ``cut``, ``locked`` or ``external``; None when the cell says something else."""
    return _STATUS_BY_FOLDED.get(fold(cell)) if cell == "" or fold(cell) else None


@lru_cache(maxsize=1024)
def locale_of(cell: str) -> str | None:
    """``nb`` or ``nn``; an empty cell is ``nb``; None when the cell says something else."""
    return _LOCALE_BY_FOLDED.get(fold(cell)) if cell == "" or fold(cell) else None


def seconds_of(cell: str) -> float | None:
    """A positive number of seconds, with decimal point or comma; None when the cell is something else."""
    if not re.fullmatch(r"\d{1,9}(?:[.,]\d{1,9})?", cell, re.ASCII):
        return None
    seconds = float(cell.replace(",", "."))
    return seconds if seconds > 0 and math.isfinite(seconds) else None


def take_of(cell: str) -> int | None:
    """A take number from 1; None when the cell is something else."""
    if not re.fullmatch(r"\d{1,6}", cell, re.ASCII):
        return None
    return int(cell) or None
