"""What the report remembers from one build to the next, in two small files beside it.

- ``history.jsonl``: a line per build that made something: when, how long it took, on which share of it a GPU worked,
  what came of it. The page draws the last ones.
- ``accepted.json``: the takes of the last delivery in which nothing was left to review, and of the one before it, so
  that the page can say what has changed since a state that somebody was content with.

Neither is an input of anything. A build in which nothing was made adds no line, and the same delivery is compared with
the same one again, so that a report made twice is the same twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from replikk.files import canonical_json, write_atomic, write_if_changed

SHOWN_BUILDS = 30
KEPT_BUILDS = 1000
KEY_LETTERS = 16  # of a take key; takes of one line differ long before that
STAGES = ("synthesize", "transcribe", "package")


def note_build(
    path: Path, work: Sequence[Mapping[str, Any]], work_to: int, facts: Mapping[str, Any], price: float, currency: str
) -> list[dict[str, Any]]:
    """The history, with this build added if it made something.

    ``work`` is the store's record of what stages did since the last entry's ``work_to``, which moves on to the given
    one; ``price`` is what an hour of a GPU costs.
    """
    history = read_history(path)
    if work:
        ended = datetime.fromtimestamp(max(done["ended"] for done in work)).astimezone()
        gpu_s = sum(done["seconds"] for done in work if done["gpu"])
        entry = {
            "number": history[-1]["number"] + 1 if history else 1,
            "when": ended.isoformat(timespec="minutes"),
            "time_s": round(_covered_s(work), 1),
            "stages_s": {stage: round(sum(d["seconds"] for d in work if d["stage"] == stage), 1) for stage in STAGES},
            "gpu_s": round(gpu_s, 1),
            "cost": round(gpu_s / 3600 * price, 4) if price else None,
            "currency": currency,
            "work_to": work_to,
            **facts,
        }
        history = [*history, entry][-KEPT_BUILDS:]
        write_atomic(path, b"".join(canonical_json(each) + b"\n" for each in history))
    return history[-SHOWN_BUILDS:]


def read_history(path: Path) -> list[dict[str, Any]]:
    """The entries, oldest first; lines that cannot be read are passed over, because nothing depends on them."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return []
    entries = []
    for line in lines:
        try:
            entry = orjson.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("number"), int):
            entries.append(entry)
    return entries


def work_seen(path: Path) -> int:
    """Up to where the store's record of work is in the history already (bytes)."""
    history = read_history(path)
    seen = history[-1].get("work_to", 0) if history else 0
    return seen if isinstance(seen, int) else 0


def _covered_s(work: Sequence[Mapping[str, Any]]) -> float:
    """The time in which at least one stage was at work: shards run side by side, and a build may be interrupted."""
    total_s, until = 0.0, float("-inf")
    for start, end in sorted((done["ended"] - done["seconds"], done["ended"]) for done in work):
        total_s += max(0.0, end - max(start, until))
        until = max(until, end)
    return total_s


def since_accepted(path: Path, takes: Mapping[str, str | None], shippable: bool, build: int) -> dict[str, Any] | None:
    """What is new, changed and gone since the last other delivery that could be shipped; None before there was one.

    ``takes`` are the delivered take keys by line id; ``build`` is this build's number in the history.
    """
    now = {line_id: key[:KEY_LETTERS] for line_id, key in takes.items() if key}
    last, before = _read_accepted(path)
    if last is not None and last["takes"] == now:
        base = before
    else:
        base = last
        if shippable:
            kept = [{"build": build, "takes": now}, *([last] if last else [])]
            write_if_changed(path, canonical_json(kept))
    if base is None:
        return None
    old = base["takes"]
    return {
        "build": base["build"],
        "new": [line_id for line_id in now if line_id not in old],
        "changed": [line_id for line_id, key in now.items() if line_id in old and old[line_id] != key],
        "removed": sorted(line_id for line_id in old if line_id not in now),
    }


def _read_accepted(path: Path) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    try:
        kept = orjson.loads(path.read_bytes())
        good = [{"build": int(each["build"]), "takes": dict(each["takes"])} for each in kept]
    except (OSError, ValueError, TypeError, KeyError):
        return None, None
    return (good[0] if good else None), (good[1] if len(good) > 1 else None)
