"""What people decided about takes, applied to lines: which takes a line asks for, and which decisions are stale.

* **retake**: the named take is not wanted; the line moves on to its next reading. A retake with a new direction or
  respelling moves it on to another *version*: the line as directed, with a key and takes of its own. It is followed
  while the line can have the take that it names, so a direction never outlives the text it was given for.
* **accept**: the named take is the line's take; nothing else is made for it.
* **lock**: as accept, and it stays so when the line changes: then the old take is delivered and the line is
  ``locked_stale`` until a person decides anew.

A line that its sheet calls locked is locked to the take it was built with (``stages.select_takes`` remembers it),
unless decisions say otherwise. While the line still asks for that take, its plan is the same as before it was locked.

A decision names a take by its key (or a unique beginning of it). A take that the line, as it is now, cannot have any
more makes the decision stale: it is reported, never applied silently.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from replikk.config import MAX_ROUNDS_LIMIT
from replikk.dialogue.take_keys import find_take, take_key
from replikk.errors import StoreError

if TYPE_CHECKING:
    from replikk.dialogue.decisions import Decision


@dataclass(frozen=True)
class Direction:
    """How people who decided want a line to be spoken, where that differs from the sheet."""

    style: str = ""
    """Empty for the direction of the sheet."""
    respelling: str = ""
    """Empty for the text of the sheet."""
    respelling_row: int = 0
    """Row of the decision that gave the respelling."""


AS_IN_THE_SHEET = Direction()


@dataclass(frozen=True)
class _Version:
    """A line under one direction."""

    direction: Direction
    line_key: str
    reading: int
    """The first one that nobody refused."""


@dataclass(frozen=True)
class Decided:
    """The takes of one line."""

    takes: tuple[str, ...]
    """Take keys by round; a single one when a person has decided."""
    first_reading: int
    """How often the line was read before, as engines see it (``TakeRequest.reading``)."""
    state: str
    """``""``, ``accepted``, ``locked`` or ``locked_stale``."""
    can_be_made: bool
    """False for a stale locked take: what it said is not in the sheets any more."""
    stale: tuple[str, ...]
    """Decisions that no longer fit, as sentences."""
    direction: Direction = AS_IN_THE_SHEET
    """How the line is to be spoken."""
    line_keys: tuple[str, ...] = ()
    """Keys of the line under every direction that it was given, the sheet's first."""


def decide_takes(
    key_of_line: str,
    take_column: int,
    max_rounds: int,
    decisions: Sequence[Decision],
    sheet_lock: str | None,
    stored_take: Callable[[str], str | None],
    key_of: Callable[[Direction], str] | None = None,
) -> Decided:
    """The takes that a line asks for.

    ``take_column`` counts from 1 as in the sheet; ``sheet_lock`` is the take that a line of status ``locked`` had
    before; ``stored_take`` completes the beginning of a key to the key of a take in the store, or returns None;
    ``key_of`` is the line key under a direction, without which every line is spoken as in the sheet.
    """
    retakes = [decision for decision in decisions if decision.decision == "retake"]
    versions, unused = _versions(key_of_line, take_column - 1, retakes, key_of)
    version = versions[-1]
    line_keys = tuple(dict.fromkeys(each.line_key for each in versions))
    stale = [f"the retake of take {key[:12]} no longer fits: the line has changed since" for key in unused]

    def decided(takes: tuple[str, ...], reading: int, state: str, of: _Version, can_be_made: bool = True) -> Decided:
        return Decided(takes, reading, state, can_be_made, tuple(stale), of.direction, line_keys)

    def pinned(kind: str, wanted: str) -> Decided | None:
        """The one take that a person decided on, when the line as it is now can have it."""
        for of in reversed(versions):
            found = find_take(of.line_key, wanted, of.reading + 1, MAX_ROUNDS_LIMIT)
            if found is not None:
                state = "accepted" if kind == "accept" else "locked"
                return decided((take_key(of.line_key, *found),), sum(found), state, of)
        return None

    def stale_lock(key: str) -> Decided:
        stale[:] = ["the line has changed since its take was locked; the old take is delivered"]
        return decided((key,), version.reading, "locked_stale", version, can_be_made=False)

    pins = [(d.decision, d.take_key) for d in decisions if d.decision in ("accept", "lock")]
    for kind, wanted in reversed(pins):
        pin = pinned(kind, wanted)
        if pin is not None:
            return pin
        if kind == "lock":
            return stale_lock(stored_take(wanted) or wanted)
        stale.append(f"take {wanted[:12]} was accepted, but the line has changed since; a new take is used")
    takes = tuple(take_key(version.line_key, version.reading, round_number) for round_number in range(max_rounds))
    refused = tuple(decision.take_key for decision in retakes)
    if sheet_lock and sheet_lock not in takes and not (refused and sheet_lock.startswith(refused)):
        return pinned("lock", sheet_lock) or stale_lock(sheet_lock)
    return decided(takes, version.reading, "", version)


def _versions(
    key_of_line: str, reading: int, retakes: Sequence[Decision], key_of: Callable[[Direction], str] | None
) -> tuple[list[_Version], list[str]]:
    """The line as in the sheet and under every direction that retakes gave it, the one that holds last.

    Also the takes of retakes that are takes of none of them. Of several directions for one version, each part is the
    last one given. A retake's direction is followed once: who goes back to an earlier direction gets a new reading.
    """
    direction, key = AS_IN_THE_SHEET, key_of_line
    versions: list[_Version] = []
    used: set[int] = set()
    followed: set[int] = set()
    while True:
        next_reading, hits = _next_reading(key, reading, [retake.take_key for retake in retakes])
        versions.append(_Version(direction, key, next_reading))
        used |= hits
        directed = [n for n in sorted(hits - followed) if retakes[n].style or retakes[n].respelling]
        if not directed or key_of is None:
            return versions, [retake.take_key for n, retake in enumerate(retakes) if n not in used]
        followed.update(directed)
        direction = _redirected(direction, [retakes[n] for n in directed])
        key = key_of(direction)


def _redirected(direction: Direction, retakes: Iterable[Decision]) -> Direction:
    for retake in retakes:
        direction = Direction(
            style=" ".join(retake.style.split()) or direction.style,
            respelling=retake.respelling or direction.respelling,
            respelling_row=retake.row if retake.respelling else direction.respelling_row,
        )
    return direction


def _next_reading(key_of_line: str, reading: int, retakes: Sequence[str]) -> tuple[int, set[int]]:
    """The first reading from ``reading`` on that nobody asked to retake, and which retakes name a take of the line.

    A take that the writer's column has moved on past still counts as one of the line.
    """
    hits: set[int] = set()
    if not retakes:  # nearly all lines: no key to compute
        return reading, hits
    at = 0
    while True:
        keys = [take_key(key_of_line, at, round_number) for round_number in range(MAX_ROUNDS_LIMIT)]
        here = {n for n, wanted in enumerate(retakes) if any(key.startswith(wanted) for key in keys)}
        hits |= here
        if at >= reading and not here:
            return at, hits
        at += 1


def locks_path(build_dir: Path) -> Path:
    """Where the takes of lines that their sheet calls locked are remembered."""
    return build_dir / "store" / "locks.json"


def read_locks(build_dir: Path) -> dict[str, str]:
    """Take keys by line id of the lines that are locked in the sheet and were built before.

    Raises StoreError when the file is damaged: without it, locked lines that have changed would be spoken anew.
    """
    path = locks_path(build_dir)
    try:
        locks = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError:
        locks = None
    if not isinstance(locks, dict):
        raise StoreError(
            f"{path}: is damaged; bring it back from a backup, or delete it: then lines that their sheet calls locked "
            "are locked to the take of the next build"
        )
    return {str(line_id): str(key) for line_id, key in locks.items()}
