"""What people decided about takes, applied to lines: which takes a line asks for, and which decisions are stale.

* **retake**: the named take is not wanted; the line moves on to its next reading.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from replikk.config import MAX_ROUNDS_LIMIT
from replikk.dialogue.take_keys import find_take, take_key
from replikk.errors import StoreError

if TYPE_CHECKING:
    from replikk.dialogue.decisions import Decision


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


def decide_takes(
    key_of_line: str,
    take_column: int,
    max_rounds: int,
    decisions: Sequence[Decision],
    sheet_lock: str | None,
    stored_take: Callable[[str], str | None],
) -> Decided:
    """The takes that a line asks for.

    ``take_column`` counts from 1 as in the sheet; ``sheet_lock`` is the take that a line of status ``locked`` had
    before; ``stored_take`` completes the beginning of a key to the key of a take in the store, or returns None.
    """
    retakes = [decision.take_key for decision in decisions if decision.decision == "retake"]
    reading, unused = _next_reading(key_of_line, take_column - 1, retakes)
    # The writer's column may have moved on past a take that was refused.
    unused = [key for key in unused if find_take(key_of_line, key, reading, MAX_ROUNDS_LIMIT) is None]
    stale = [f"the retake of take {key[:12]} no longer fits: the line has changed since" for key in unused]
    readings = reading + 1

    pins = [(d.decision, d.take_key) for d in decisions if d.decision in ("accept", "lock")]
    for kind, wanted in reversed(pins):
        pinned = _pinned(key_of_line, kind, wanted, readings, stale)
        if pinned is not None:
            return pinned
        if kind == "lock":
            return _stale_lock(stored_take(wanted) or wanted, reading)
        stale.append(f"take {wanted[:12]} was accepted, but the line has changed since; a new take is used")
    takes = tuple(take_key(key_of_line, reading, round_number) for round_number in range(max_rounds))
    if sheet_lock and sheet_lock not in takes and not any(sheet_lock.startswith(refused) for refused in retakes):
        return _pinned(key_of_line, "lock", sheet_lock, readings, stale) or _stale_lock(sheet_lock, reading)
    return Decided(takes, reading, "", True, tuple(stale))


def _pinned(key_of_line: str, kind: str, wanted: str, readings: int, stale: Sequence[str]) -> Decided | None:
    """The one take that a person decided on, when the line as it is now can have it."""
    found = find_take(key_of_line, wanted, readings, MAX_ROUNDS_LIMIT)
    if found is None:
        return None
    pinned_reading, pinned_round = found
    return Decided(
        takes=(take_key(key_of_line, pinned_reading, pinned_round),),
        first_reading=pinned_reading + pinned_round,
        state="accepted" if kind == "accept" else "locked",
        can_be_made=True,
        stale=tuple(stale),
    )


def _stale_lock(key: str, reading: int) -> Decided:
    return Decided(
        takes=(key,),
        first_reading=reading,
        state="locked_stale",
        can_be_made=False,
        stale=("the line has changed since its take was locked; the old take is delivered",),
    )


def _next_reading(key_of_line: str, reading: int, retakes: Sequence[str]) -> tuple[int, list[str]]:
    """The first reading that nobody asked to retake, and the retakes that name no take of this line."""
    unused = list(retakes)
    refused = bool(unused)  # nearly all lines: no key to compute
    while refused:
        refused = False
        for round_number in range(MAX_ROUNDS_LIMIT):
            key = take_key(key_of_line, reading, round_number)
            hits = [wanted for wanted in unused if key.startswith(wanted)]
            if hits:
                refused = True
                unused = [wanted for wanted in unused if wanted not in hits]
        reading += refused
    return reading, unused


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
