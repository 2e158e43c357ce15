"""Finished files that were deleted, cut short or overwritten since they were made.

Like git's index: a file whose size is as recorded and whose modification time is not later than the record's own is
taken to be intact; any other is read and hashed. Damaged takes and clips are dropped from the store and a note is
appended to ``store/repairs.jsonl``. That file is an input of the rules that make takes and assets, so they run again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from replikk.files import canonical_json, read_jsonl, sha256_file
from replikk.store import Store

log = logging.getLogger(__name__)


def repairs_path(build_dir: Path) -> Path:
    return build_dir / "store" / "repairs.jsonl"


def delivered_path(build_dir: Path) -> Path:
    """What the last build delivered: one record per asset, not an output of any rule, so that it outlives failures."""
    return build_dir / "store" / "delivered.jsonl"


def delivered_plan_path(build_dir: Path) -> Path:
    """The plan of the last delivery, to say what has changed since (``replikk status --why``)."""
    return build_dir / "store" / "delivered_plan.jsonl"


def note_damage(build_dir: Path) -> list[str]:
    """Find damage, drop what is damaged, and note it; returns the paths. Makes the note file when there is none."""
    damaged = []
    store = Store(build_dir)
    for key, path in _damaged_takes(build_dir, store):
        store.forget_take(key)
        damaged.append(path)
    damaged += _damaged_assets(build_dir)
    notes = repairs_path(build_dir)
    if damaged or not notes.exists():
        notes.parent.mkdir(parents=True, exist_ok=True)
        with notes.open("ab") as file:
            for path in damaged:
                log.warning("%s: was damaged or deleted; it is made again", path)
                file.write(canonical_json({"path": str(path)}) + b"\n")
    return [str(path) for path in damaged]


def _damaged_takes(build_dir: Path, store: Store) -> Iterator[tuple[str, Path]]:
    for manifest in sorted((build_dir / "rounds").glob("*/takes.*.jsonl")):
        written_ns = manifest.stat().st_mtime_ns
        for record in read_jsonl(manifest):
            if "failed" not in record:
                key = record["key"]
                path = f"{store.root}/takes/{key[:2]}/{key}.flac"
                if not is_intact(path, record["bytes"], record["sha256"], written_ns):
                    yield key, Path(path)


def _damaged_assets(build_dir: Path) -> Iterator[Path]:
    delivered = delivered_path(build_dir)
    if not delivered.exists():
        return
    written_ns = delivered.stat().st_mtime_ns
    for record in read_jsonl(delivered):
        path = f"{build_dir}/assets/{record['path']}"
        if not is_intact(path, record["bytes"], record["sha256"], written_ns):
            yield Path(path)


def is_intact(path: str, size: int, sha256: str, recorded_ns: int) -> bool:
    """Whether a file is as it was when it was recorded, looking inside only when it has been written since."""
    try:
        stat = os.stat(path)  # noqa: PTH116 - every finished file in every build: a Path costs more than the look
    except OSError:
        return False
    if stat.st_size != size:
        return False
    return stat.st_mtime_ns <= recorded_ns or sha256_file(Path(path)) == sha256
