"""Word tables are written as running text: easy to read, easy to extend, one word more is one word more in a diff."""

from __future__ import annotations


def listed(text: str) -> tuple[str, ...]:
    """The words of a table, in order."""
    return tuple(text.split())
