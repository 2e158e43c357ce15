"""Finished files that were deleted, cut short or overwritten since they were made.

Like git's index: a file whose size is as recorded and whose modification time is not later than the record's own is
taken to be intact; any other is read and hashed. Damaged takes are dropped from the store and a note is appended to
``store/repairs.jsonl``. That file is an input of the rules that make takes and assets, so they run again. A manifest
that cannot be read any more is dropped, and its rule makes it anew.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from replikk.config import Config
from replikk.errors import ReplikkError
from replikk.files import canonical_json, read_jsonl, sha256_file
from replikk.store import Store

log = logging.getLogger(__name__)

NAMED = 6  # so many files in messages: a folder that somebody has emptied is thousands


def repairs_path(build_dir: Path) -> Path:
    return build_dir / "store" / "repairs.jsonl"


def delivered_path(build_dir: Path) -> Path:
    """What the last build delivered: one record per asset, not an output of any rule, so that it outlives failures."""
    return build_dir / "store" / "delivered.jsonl"


def delivered_plan_path(build_dir: Path) -> Path:
    """The plan of the last delivery, to say what has changed since (``replikk status --why``)."""
    return build_dir / "store" / "delivered_plan.jsonl"


def takes_manifests(config: Config) -> list[Path]:
    """The manifests of takes of this build's rounds and shards; those of an earlier number of them say nothing."""
    rounds = config.build_dir / "rounds"
    paths = [
        rounds / str(n) / f"takes.{shard}.jsonl" for n in range(config.max_rounds) for shard in range(config.shards)
    ]
    return [path for path in paths if path.exists()]


def note_damage(config: Config) -> list[str]:
    """Find damage, drop what is damaged, and note it; returns the paths. Makes the note file when there is none."""
    build_dir = config.build_dir
    damaged: list[Path] = []
    store = Store(build_dir)
    for manifest in takes_manifests(config):
        try:
            takes = list(_damaged_takes(manifest, store))
        except ReplikkError:
            manifest.unlink()
            damaged.append(manifest)
            continue
        for key, path in takes:
            store.forget_take(key)
            damaged.append(path)
    damaged += _damaged_assets(build_dir)
    notes = repairs_path(build_dir)
    if damaged or not notes.exists():
        notes.parent.mkdir(parents=True, exist_ok=True)
        with notes.open("ab") as file:
            for path in damaged:
                file.write(canonical_json({"path": str(path)}) + b"\n")
    for path in damaged[:NAMED]:
        log.warning("%s: was damaged or deleted; it is made again", path)
    if len(damaged) > NAMED:
        more = len(damaged) - NAMED
        log.warning("… and %d more; they are all named in %s", more, notes)
    return [str(path) for path in damaged]


def _damaged_takes(manifest: Path, store: Store) -> Iterator[tuple[str, Path]]:
    written_ns = manifest.stat().st_mtime_ns
    for record in read_jsonl(manifest):
        if "failed" not in record:
            key = record["key"]
            path = f"{store.root}/takes/{key[:2]}/{key}.flac"
            if not is_intact(path, record["bytes"], record["sha256"], written_ns):
                yield key, Path(path)


def _damaged_assets(build_dir: Path) -> list[Path]:
    delivered = delivered_path(build_dir)
    if not delivered.exists():
        # Without this memory no damage could be found: rule package_assets must write it anew.
        return [delivered] if (build_dir / "assets" / "manifest.json").exists() else []
    written_ns = delivered.stat().st_mtime_ns
    damaged = []
    try:
        for record in read_jsonl(delivered):
            files = [(record["path"], record["bytes"], record["sha256"]), *record.get("beside", ())]
            if subtitles := record.get("subtitles"):
                files.append((subtitles["path"], subtitles["bytes"], subtitles["sha256"]))
            for below, size, sha256 in files:
                path = f"{build_dir}/assets/{below}"
                if not is_intact(path, size, sha256, written_ns):
                    damaged.append(Path(path))
    except ReplikkError:
        delivered.unlink()
        return [delivered]
    return damaged


def is_intact(path: str, size: int, sha256: str, recorded_ns: int) -> bool:
    """Whether a file is as it was when it was recorded, looking inside only when it has been written since."""
    try:
        stat = os.stat(path)  # noqa: PTH116 - every finished file in every build: a Path costs more than the look
    except OSError:
        return False
    if stat.st_size != size:
        return False
    return stat.st_mtime_ns <= recorded_ns or sha256_file(Path(path)) == sha256
