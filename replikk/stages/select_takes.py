"""Rule select_takes: choose the take of each line.

The first take that passed; the take that a person accepted or locked; otherwise the least bad of all takes, flagged.
A flagged take is never hidden: its state says so from here to the manifest, the report and the release switch.

States: ``passed`` (first take), ``regenerated`` (a later take passed), ``flagged`` (needs a human ear), ``accepted``,
``locked``, ``locked_stale`` (locked, but its line has changed since), ``missing`` (no take could be made at all).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.dialogue.decided import locks_path
from replikk.dialogue.plan import PlannedLine, read_plan
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
                by_line.setdefault(record["id"], []).append(record)
        plan = read_plan(plan_path)
        chosen = [choose(planned, by_line.get(planned.line.id, [])) for planned in plan.lines]
        write_jsonl(selection, chosen)
        _remember_locks(config.build_dir, plan.lines, chosen)


def choose(planned: PlannedLine, takes: list[dict[str, Any]]) -> dict[str, Any]:
    """The selection record of one line from the verdicts on its takes, in the order of the rounds."""
    heard = [take for take in takes if take["badness"] is not None]
    best = next((take for take in heard if take["outcome"] == "pass"), None)
    if not heard:
        state, best = "missing", None
    elif planned.state:
        state, best = planned.state, heard[0]
    elif best is None:
        state, best = "flagged", min(heard, key=_badness)
    else:
        state = "passed" if best["round"] == 0 else "regenerated"
    return {
        "id": planned.line.id,
        "state": state,
        "take": best["take"] if best else None,
        "outcome": best["outcome"] if best else "retry",
        "takes": [{name: value for name, value in take.items() if name != "id"} for take in takes],
    }


def _badness(take: dict[str, Any]) -> tuple[bool, float]:
    # A take that is only inconclusive is better than any that is known to be wrong.
    return take["outcome"] == "retry", take["badness"]


def _remember_locks(build_dir: Path, lines: tuple[PlannedLine, ...], chosen: list[dict[str, Any]]) -> None:
    """A line that the sheet calls locked keeps the take it had when it was first built so."""
    locks = {
        planned.line.id: record["take"]
        for planned, record in zip(lines, chosen, strict=True)
        if planned.line.status == "locked" and record["take"]
    }
    path = locks_path(build_dir)
    if locks or path.exists():
        write_if_changed(path, canonical_json(locks))
