"""The parts of the report that stand from the last build: of lines that passed with their first take, nearly all.

Such a line says nothing but what its rows of the plan, the selection and the manifest say. Lines that a person looks
at are told anew every time: evidence and waveforms come from the store.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from replikk.files import canonical_json
from replikk.line_memory import PART, LineMemory
from replikk.report.table import table_row
from replikk.report.told import QUIET, Told

VERSION = 2
"""Raise it when the same line would be told otherwise."""


class Remembered(NamedTuple):
    """A line that is told as in the last build."""

    told: Told
    table_row: str
    """As long as the line is neither new nor changed."""


def keep(memory: LineMemory, source: bytes, told: Told) -> None:
    """Remember a line, if it is one of those that can be."""
    if told.record["state"] != QUIET:
        return
    record = {**told.record, "mark": ""}
    facts = [told.first_words, told.delivered_words, told.takes, told.drill, told.human, table_row(record)]
    memory.keep(source, PART.join([canonical_json(record), canonical_json(facts)]))


def remembered(memory: LineMemory, sources: Iterable[tuple[int, bytes]]) -> dict[int, Remembered]:
    """By number of the line, what was told of the same source."""
    found = [(number, made) for number, source in sources if (made := memory.find(source)) is not None]
    # All in one go: decoding ten thousand small values one by one takes twice as long.
    values = orjson.loads(b"[%b]" % b",".join([made.replace(PART, b",") for _, made in found]))
    known = {}
    for (number, _), record, facts in zip(found, values[::2], values[1::2], strict=True):
        *told, row = facts
        known[number] = Remembered(Told(record, *told), row)
    return known
