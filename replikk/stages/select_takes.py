"""Rule select_takes: choose the take of each line.

The first take that passed; the take that a person accepted or locked; otherwise the least bad of all takes, flagged.
A flagged take is never hidden: its state says so from here to the manifest, the report and the release switch. What
the sheet calls locked is locked to a take that was good when it was built; locking makes no take good.

States: ``passed`` (first take), ``regenerated`` (a later take passed), ``flagged`` (needs a human ear), ``accepted``,
``locked``, ``locked_stale`` (locked, but its line has changed since), ``missing`` (no take could be made at all).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from replikk.config import Config
from replikk.dialogue.decided import locks_path, read_locks
from replikk.dialogue.plan import Plan, read_plan
from replikk.dialogue.plan_rows import PlanIndex
from replikk.errors import StoreError
from replikk.files import canonical_json, read_jsonl, write_if_changed, write_jsonl
from replikk.locks import job_lock

log = logging.getLogger(__name__)

SHIPPABLE = frozenset({"passed", "regenerated", "accepted", "locked"})


def select_takes(config: Config, plan_path: Path, verdict_paths: list[Path], selection: Path) -> None:
    """Choose among the verdicts of all rounds; writes one record per line, in plan order."""
    with job_lock(config.build_dir, "select"):
        by_line: dict[str, list[dict[str, Any]]] = {}
        for path in verdict_paths:
            for record in read_jsonl(path):
                by_line.setdefault(record.pop("id"), []).append(record)
        index = read_plan(plan_path).index
        locks = read_locks(config.build_dir)
        chosen = []
        for number, line_id in enumerate(index.ids):
            takes, locked = by_line.get(line_id, []), index.locked_take(number, locks)
            if not _is_complete(index.takes[number], takes, locked):
                # A manifest that lost lines looks to Snakemake like one that was meant so.
                raise StoreError(
                    f"{config.build_dir / 'rounds'}: was damaged, verdicts on [{line_id}] are missing; "
                    "delete that folder and run again: finished takes are kept"
                )
            state = index.states[number]
            chosen.append(choose(line_id, takes, state, index.statuses[number] == "locked", locked))
        write_jsonl(selection, chosen)
        _remember_locks(config.build_dir, index, chosen, locks)


class Selection(Mapping[str, dict[str, Any]]):
    """The selection records by line id, in plan order; each is decoded when it is looked at."""

    def __init__(self, ids: Sequence[str], rows: list[bytes]) -> None:
        self.rows = rows
        """As they stand in the file, without their newlines."""
        self._row_of = dict(zip(ids, rows, strict=True))
        self._decoded: dict[str, dict[str, Any]] = {}

    def __getitem__(self, line_id: str) -> dict[str, Any]:
        if line_id not in self._decoded:
            self._decoded[line_id] = orjson.loads(self._row_of[line_id])
        return self._decoded[line_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._row_of)

    def __len__(self) -> int:
        return len(self._row_of)


def read_selection(path: Path, plan: Plan) -> Selection:
    """What ``select_takes`` has chosen. Raises StoreError when a line of the plan has no record."""
    rows = path.read_bytes().removesuffix(b"\n").split(b"\n")
    ids = plan.index.ids
    if len(rows) > len(ids):
        raise StoreError(f"{path}: was damaged, it has more lines than the plan; delete the file and run again")
    for number, line_id in enumerate(ids):
        # Keys are sorted: the id comes first.
        if number == len(rows) or not rows[number].startswith(b'{"id":%b,' % orjson.dumps(line_id)):
            raise StoreError(f"{path}: was damaged, it lacks [{line_id}]; delete the file and run again")
    return Selection(plan.index.ids, rows)


def _is_complete(wanted: Sequence[str], takes: list[dict[str, Any]], locked: str | None) -> bool:
    """Whether every take that had to be judged was judged."""
    keys = [take["take"] for take in takes]
    if not keys or keys != [*wanted[: len(keys)]]:
        return False
    return takes[-1]["outcome"] != "retry" or len(keys) == len(wanted) or locked in keys


def choose(
    line_id: str, takes: list[dict[str, Any]], state: str = "", is_locked: bool = False, locked: str | None = None
) -> dict[str, Any]:
    """The selection record of one line from the verdicts on its takes (without its id), in the order of the rounds.

    ``state`` is what people decided, ``is_locked`` what the sheet says; ``locked`` is the take that the line was locked
    to by its sheet, when it still asks for that one.
    """
    heard = [take for take in takes if take["badness"] is not None]
    # Lists, not generators: a fifth of the time of this stage.
    kept = next(iter([take for take in heard if take["take"] == locked]), None) if locked else None
    best = next(iter([take for take in heard if take["outcome"] == "pass"]), None)
    if not heard:
        state, best = "missing", None
    elif state:
        best = heard[0]
    elif kept is not None:
        state, best = "locked", kept
    elif best is None:
        state, best = "flagged", min(heard, key=_badness)
    elif is_locked:
        state = "locked"
    else:
        state = "passed" if best["round"] == 0 else "regenerated"
    return {
        "id": line_id,
        "state": state,
        "take": best["take"] if best else None,
        "outcome": best["outcome"] if best else "retry",
        "takes": takes,
    }


def _badness(take: dict[str, Any]) -> tuple[bool, float]:
    # A take that is only inconclusive is better than any that is known to be wrong.
    return take["outcome"] == "retry", take["badness"]


def _remember_locks(build_dir: Path, index: PlanIndex, chosen: list[dict[str, Any]], before: Mapping[str, str]) -> None:
    """A line that the sheet calls locked keeps the take it had when it was first built so.

    A flagged take is not locked; and what a line is locked to is not forgotten because its take is lost.
    """
    locks = {}
    for line_id, status, record in zip(index.ids, index.statuses, chosen, strict=True):
        if status == "locked":
            approved = record["state"] in ("locked", "locked_stale", "accepted")
            locks[line_id] = record["take"] if approved else before.get(line_id)
    locks = {line_id: key for line_id, key in locks.items() if key}
    path = locks_path(build_dir)
    if locks or path.exists():
        write_if_changed(path, canonical_json(locks))
