"""``replikk status``: the truth about the next build, and ``--why ID``: what exactly changed in one line.

A dry run of Snakemake shows which jobs will run, not how many lines have work in them. This compares the plan with the
store and with what was delivered last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from replikk.config import Config
from replikk.dialogue.nearest import nearest
from replikk.dialogue.plan import Plan, PlannedLine, open_plan, read_plan
from replikk.errors import ReplikkError
from replikk.files import canonical_json, read_jsonl
from replikk.progress import spell_duration
from replikk.stages.damage import delivered_path, delivered_plan_path
from replikk.stages.manifest import asset_path
from replikk.stages.opening import check_rooms
from replikk.store import Store

SHOWN_IDS = 12  # ids listed per group; --json has all


@dataclass
class Status:
    """Line ids by what the next build will find."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)
    """New or changed lines whose take is in the store already: a text that was changed back, a line said twice."""
    to_make: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    """Lines whose clip the next build puts elsewhere, because their scene or locale has another name."""
    removed: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    flagged: list[str] = field(default_factory=list)
    """Of the last build, where the line is still the same and nobody has decided since."""
    locked_stale: list[str] = field(default_factory=list)
    """Locked lines that have changed since: delivered as they were, and neither new, changed nor unchanged."""
    stale_decisions: list[str] = field(default_factory=list)
    estimated_s: float | None = None
    """None when no build has been measured yet."""


def next_build(config: Config, plan: Plan) -> Status:
    """Compare the plan with the store and the last delivery."""
    delivered = read_delivered_records(config.build_dir)
    last = _last_states(config.build_dir)
    store = Store(config.build_dir)
    status = Status(stale_decisions=list(plan.stale_decisions))
    takes_to_make: dict[str, PlannedLine] = {}
    for planned in plan.lines:
        line_id, before = planned.line.id, delivered.get(planned.line.id)
        if planned.state == "locked_stale":
            status.locked_stale.append(line_id)
        elif before is None:
            status.new.append(line_id)
        elif before["take"] in planned.takes:
            status.unchanged.append(line_id)
        else:
            status.changed.append(line_id)
        if before is not None and before["path"] != _path_now(before, planned):
            status.moved.append(line_id)
        # A line that was tried again needs its first take too, but only while that take's verdict is not known.
        if store.take_record(planned.takes[0]) is None:
            status.to_make.append(line_id)
            takes_to_make.setdefault(planned.takes[0], planned)
        elif before is None or before["take"] not in planned.takes:
            status.cached.append(line_id)
        is_undecided = planned.state not in ("accepted", "locked")
        is_delivered = before is not None and before["take"] in planned.takes
        if last.get(line_id) in ("flagged", "missing") and is_undecided and is_delivered:
            status.flagged.append(line_id)
    ids = {planned.line.id for planned in plan.lines}
    status.removed = [line_id for line_id in delivered if line_id not in ids]
    status.cut = [exception["id"] for exception in plan.exceptions]
    status.estimated_s = _estimate_s(store, takes_to_make, len(status.new) + len(status.changed))
    return status


def _path_now(before: Mapping[str, Any], planned: PlannedLine) -> str:
    """Where the next build puts a clip, in the format of the last one."""
    return asset_path(planned, PurePosixPath(before["path"]).suffix)


def read_delivered_records(build_dir: Path) -> dict[str, dict[str, Any]]:
    """What the last build delivered, by line id."""
    path = delivered_path(build_dir)
    return {record["id"]: record for record in read_jsonl(path)} if path.exists() else {}


def _last_states(build_dir: Path) -> dict[str, str]:
    path = build_dir / "selection.jsonl"
    return {record["id"]: record["state"] for record in read_jsonl(path)} if path.exists() else {}


def _estimate_s(store: Store, takes_to_make: Mapping[str, PlannedLine], clips: int) -> float | None:
    """From the speed of the last builds, which every stage notes as characters of text per second."""
    if not takes_to_make and not clips:
        return 0.0
    try:
        speeds = json.loads((store.root / "speed.json").read_bytes())
        per_character = sum(
            speeds[s]["seconds"] / speeds[s]["characters"] for s in ("synthesize", "transcribe", "package")
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError, ZeroDivisionError):
        return None
    return per_character * sum(len(planned.line.spoken) for planned in takes_to_make.values())


def show_status(config: Config, why: str | None = None, as_json: bool = False) -> str:
    """The text of ``replikk status``. Raises ReplikkError for bad sheets and settings, and for an unknown id."""
    check_rooms(config)
    plan = read_plan(open_plan(config).path)
    if why is not None:
        return _why(config, plan, why)
    status = next_build(config, plan)
    if as_json:
        return json.dumps(vars(status), ensure_ascii=False, indent=1)
    lines = [f"{len(plan.lines)} lines from {plan.rows} rows"]
    groups = (
        ("locked, but the line has changed", status.locked_stale),
        ("new", status.new),
        ("changed", status.changed),
        ("  of these already in the store", status.cached),
        ("unchanged", status.unchanged),
        ("to be spoken", status.to_make),
        ("to be moved to another folder", status.moved),
        ("cut or skipped", status.cut),
        ("to be removed", status.removed),
        ("flagged in the last build", status.flagged),
    )
    quiet = ("unchanged",)
    for name, ids in groups:
        names = (
            ""
            if name in quiet or not ids
            else "  " + ", ".join(ids[:SHOWN_IDS]) + ("…" if len(ids) > SHOWN_IDS else "")
        )
        lines.append(f"{len(ids):>7}  {name}{names}")
    lines += [f"decision: {sentence}" for sentence in status.stale_decisions]
    if not status.to_make:
        lines.append("nothing to be spoken")
    elif status.estimated_s is None:
        lines.append("time: not known before the first build")
    else:
        lines.append(
            f"time: about {spell_duration(status.estimated_s)} of work for the first takes, plus a few seconds of start"
        )
    return "\n".join(lines)


def _why(config: Config, plan: Plan, line_id: str) -> str:
    """What changed in a line since it was delivered, ingredient by ingredient of its key."""
    by_id = {planned.line.id: planned for planned in plan.lines}
    planned = by_id.get(line_id)
    if planned is None:
        variants = [planned.line.id for planned in plan.lines if planned.line.source_id == line_id]
        if variants:  # one row, a clip for each value of its placeholders
            return "\n".join(_why(config, plan, variant) for variant in variants)
        for exception in plan.exceptions:
            if exception["id"] == line_id:
                return f"[{line_id}] has no clip: {exception['reason']} ({exception['place']})"
        near = nearest(line_id, by_id)
        raise ReplikkError(
            f"[{line_id}]: there is no such line; " + (f"did you mean '{near}'?" if near else "see the sheets")
        )
    before = read_delivered_records(config.build_dir).get(line_id)
    place = f"{planned.line.file}:{planned.line.row}"
    if before is None:
        return f"[{line_id}] ({place}) is new: no build has delivered it yet"
    if before["take"] in planned.takes and before["line_key"] == planned.line_key:
        if planned.state == "locked_stale":  # and a build has delivered it so: there is no other text to compare with
            return (
                f"[{line_id}] ({place}) is locked, and has changed since: the take of its lock is delivered. To have "
                "it spoken as it is now, take the lock away (its row in decisions.csv, or in the sheet)"
            )
        unchanged = f"[{line_id}] ({place}) is unchanged: nothing that can change its sound differs"
        after = _path_now(before, planned)
        return unchanged if after == before["path"] else f"{unchanged}; its clip moves: {before['path']} → {after}"
    old = read_plan(delivered_plan_path(config.build_dir))
    old_line = next((planned.line for planned in old.lines if planned.line.id == line_id), planned.line)
    changes = list(_differences("", old.ingredients_of(old_line), plan.ingredients_of(planned.line)))
    if not changes:
        changes = ["another reading was asked for (column take, or a decision)"]
    kept = ["it is locked: the old take is delivered"] if planned.state == "locked_stale" else []
    return "\n".join([f"[{line_id}] ({place}) has changed:", *(f"  {change}" for change in [*changes, *kept])])


def _differences(name: str, old: Any, new: Any) -> Any:
    """One sentence per ingredient that differs, going into mappings."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _differences(f"{name}.{key}" if name else str(key), old.get(key), new.get(key))
    elif canonical_json(old) != canonical_json(new):
        yield f"{name}: {_shown(name, old)} → {_shown(name, new)}"


def _shown(name: str, value: Any) -> str:
    if name == "spoken" and isinstance(value, (list, tuple)):
        return "«" + " ".join(f"{text} [{pause} ms]" if pause else text for text, pause in value) + "»"
    return json.dumps(value, ensure_ascii=False)
