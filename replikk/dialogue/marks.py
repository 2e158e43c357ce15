"""What a spreadsheet does to cells behind the writer's back, as messages, and the columns where it does no harm."""

from __future__ import annotations

from replikk.dialogue.tables import MAX_CELL_CHARACTERS, Mark
from replikk.errors import printable

_MESSAGES: dict[Mark, tuple[str, str]] = {
    "date": (
        "Excel has turned this {cell} into a date or a time ({shown})",
        "format the column as text and write the {cell} again",
    ),
    "scientific": (
        "Excel has turned this {cell} into the number {shown}",
        "format the column as text and write the {cell} again",
    ),
    "fraction": (
        "is stored as the number {shown}, so what was written may have lost digits",
        "format the column as text and write the {cell} again",
    ),
    "formatted": (
        "is stored as the number {shown} and only looks like what was written",
        "format the column as text and write the {cell} again",
    ),
    "digits": (
        "is a number of more than 15 digits, of which Excel loses the last",
        "format the column as text and write the {cell} again",
    ),
    "boolean": (
        "Excel has turned this {cell} into a truth value ({shown})",
        "format the column as text and write the {cell} again",
    ),
    "error": ("a formula failed here ({shown})", "write the finished text instead of a formula"),
    "uncalculated": (
        "a formula without a saved result",
        "open the file in the spreadsheet program and save it again, or write the finished text",
    ),
    "long": (f"is longer than {MAX_CELL_CHARACTERS:,} characters", "split it into several lines"),
}
# Where a mark does no harm: numbers are welcome in number columns, anything but a lost cell in notes.
_HARMLESS: dict[Mark, tuple[str, ...]] = {
    "date": ("notes",),
    "boolean": ("notes",),
    "scientific": ("notes", "max_seconds", "take"),
    "fraction": ("notes", "max_seconds", "take", "text", "say", "style"),
    "formatted": ("notes", "max_seconds", "take"),
    "digits": ("notes",),
}


def mark_problem(mark: Mark, kind: str, shown: str) -> tuple[str, str]:
    """(what is wrong, what to do) about a marked cell; ``kind`` is what to call it: id or cell."""
    what, instead = _MESSAGES[mark]
    words = {"cell": kind, "shown": printable(shown, 40)}
    return what.format(**words), instead.format(**words)


def harmless_columns(mark: Mark) -> tuple[str, ...]:
    """The columns in which this mark is no problem."""
    return _HARMLESS.get(mark, ())
