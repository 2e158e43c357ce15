"""A line of the plan, as a record and as a row of the plan's file; and the index that spares most rows a look.

Axes: every column of the index, and the rows, are in the order of the plan. Decoding ten thousand rows and making
records of them takes longer than all that a stage then wants to know of lines it has seen before; ten columns are
decoded in a few milliseconds. So lines are decoded one by one when somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, overload

import orjson

from replikk.dialogue.records import Line
from replikk.errors import ReplikkError
from replikk.files import canonical_json


@dataclass(frozen=True)
class PlannedLine:
    """A line and the takes it asks for."""

    line: Line
    line_key: str
    takes: tuple[str, ...]
    """Take keys by round; a single one when a person has decided or a human has spoken it."""
    first_reading: int
    state: str
    """``""``, ``accepted``, ``locked`` or ``locked_stale``."""
    can_be_made: bool
    recording: str = ""
    """Path of the human recording of an ``external`` line."""
    other_keys: tuple[str, ...] = ()
    """Keys of the line as the sheet has it, and under earlier directions of people who decided."""


class PlanIndex(NamedTuple):
    """By column, what stages ask of every line."""

    ids: Sequence[str]
    takes: Sequence[Sequence[str]]
    """Take keys by round."""
    states: Sequence[str]
    statuses: Sequence[str]
    can_be_made: Sequence[bool]
    voices: Sequence[str]
    apart: Sequence[bool]
    """Whether a line's takes are not held against the voice's other lines: recordings of people, and drills."""

    def locked_take(self, number: int, locks: Mapping[str, str]) -> str | None:
        """Which of its takes a line was locked to by its sheet when it was built before; ``locks`` by line id."""
        key = locks.get(self.ids[number]) if self.statuses[number] == "locked" else None
        return key if key in self.takes[number] else None


def index_of(lines: Iterable[PlannedLine]) -> PlanIndex:
    rows: list[tuple[Any, ...]] = [
        (
            planned.line.id,
            list(planned.takes),
            planned.state,
            planned.line.status,
            planned.can_be_made,
            planned.line.voice,
            is_apart(planned),
        )
        for planned in lines
    ]
    return PlanIndex(*map(list, zip(*rows, strict=True))) if rows else joined([])


def joined(parts: Sequence[PlanIndex]) -> PlanIndex:
    """The index of several sheets, one after the other."""
    columns: list[Any] = [
        list(chain.from_iterable(part[column] for part in parts)) for column in range(len(PlanIndex._fields))
    ]
    return PlanIndex(*columns)


def is_apart(planned: PlannedLine) -> bool:
    """As in ``PlanIndex.apart``."""
    return bool(planned.recording) or planned.line.drill


def line_bytes(planned: PlannedLine) -> bytes:
    """A line as it stands in the plan's file."""
    return canonical_json({**vars(planned), "line": planned.line.to_json()}) + b"\n"


class RowLines(Sequence[PlannedLine]):
    """The lines of a plan that was read; each is decoded when it is first looked at."""

    def __init__(self, rows: list[bytes], index: PlanIndex | None) -> None:
        self.rows = rows
        """As in the file, without their newlines."""
        self.known_index = index
        """None in a file of an earlier version."""
        self._decoded: list[PlannedLine | None] = [None] * len(rows)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, number: int) -> PlannedLine: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[PlannedLine]: ...

    def __getitem__(self, number: int | slice) -> PlannedLine | Sequence[PlannedLine]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        planned = self._decoded[number]
        if planned is None:
            planned = self._decoded[number] = _planned_line(self.rows[number], number)
        return planned

    def __iter__(self) -> Iterator[PlannedLine]:
        return map(self.__getitem__, range(len(self)))


class TakeLines(Mapping[str, PlannedLine]):
    """A line that says each of some takes, by take key.

    Where there is one, a line whose text that is: a locked line that has changed asks for a take of its old text.
    """

    def __init__(self, lines: Sequence[PlannedLine], index: PlanIndex, take_keys: Iterable[str]) -> None:
        self._lines = lines
        self._numbers: dict[str, int] = {}
        wanted = set(take_keys)
        for number, takes in enumerate(index.takes):
            if wanted.isdisjoint(takes):
                continue
            for key in wanted.intersection(takes):
                if not index.can_be_made[self._numbers.setdefault(key, number)]:
                    self._numbers[key] = number

    def __getitem__(self, key: str) -> PlannedLine:
        return self._lines[self._numbers[key]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, key: object) -> bool:  # that of Mapping would decode the line
        return key in self._numbers


def _planned_line(row: bytes, number: int) -> PlannedLine:
    """Raises ReplikkError for a row that was damaged."""
    try:
        record: dict[str, Any] = orjson.loads(row)
    except ValueError as error:
        place = f"plan/lines.jsonl:{number + 2}"  # below the build folder
        raise ReplikkError(f"{place}: is not JSON; delete the file and run again") from error
    record["line"] = Line.from_json(record["line"])
    record["takes"] = tuple(record["takes"])
    record["other_keys"] = tuple(record.get("other_keys", ()))  # a delivered plan may be of an earlier version
    planned = PlannedLine.__new__(PlannedLine)
    object.__setattr__(planned, "__dict__", record)  # as in Line.from_json
    return planned
