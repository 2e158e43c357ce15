"""``replikk prune``: what the store holds that nothing needs any more. Shows it; removes it only when told to.

Needed is: every take that the plan asks for, every take of the last rounds (the report shows them all), what was
delivered, what a decision names, and the clips and records that belong to these.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from replikk.config import Config
from replikk.dialogue.decided import read_locks
from replikk.dialogue.decisions import read_decisions
from replikk.dialogue.plan import open_plan, read_plan
from replikk.files import read_jsonl
from replikk.journal import Journal
from replikk.locks import hold_build_lock, job_lock
from replikk.stages.damage import delivered_path, takes_manifests
from replikk.store import Store

_HALF_WRITTEN = ".tmp-*"


@dataclass(frozen=True)
class Pruned:
    """Files that nothing needs."""

    takes: tuple[Path, ...]
    clips: tuple[Path, ...]
    leftovers: tuple[Path, ...]
    """Half-written files, and folders of checkpoints and releases, of what was killed."""

    @property
    def files(self) -> tuple[Path, ...]:
        return (*self.takes, *self.clips, *self.leftovers)

    @property
    def size_bytes(self) -> int:
        inside = (file for path in self.files for file in (path.rglob("*") if path.is_dir() else [path]))
        return sum(file.stat().st_size for file in inside if file.is_file())


def prune(config: Config, remove: bool = False) -> Pruned:
    """Find what is not needed and, with ``remove``, delete it. Raises StoreError while a build is running."""
    with contextlib.ExitStack() as locks:
        locks.enter_context(hold_build_lock(config.build_dir))
        # A job may outlive its build, and what it is writing must not be taken away.
        for path in sorted((config.build_dir / "store" / "locks").glob("*.lock")):
            locks.enter_context(job_lock(config.build_dir, path.stem))
        store = Store(config.build_dir)
        takes, clips = _needed(config)
        pruned = Pruned(
            takes=_others(store.root / "takes", takes),
            clips=_others(store.root / "clips", clips),
            leftovers=tuple(sorted(_leftovers(config.build_dir))),
        )
        if remove:
            for path in pruned.files:
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
            _compact(store, takes, clips)
        return pruned


def _needed(config: Config) -> tuple[set[str], set[str]]:
    """Keys of the takes and of the clips that something needs."""
    build_dir = config.build_dir
    plan = read_plan(open_plan(config).path)
    takes = {key for planned in plan.lines for key in planned.takes}
    for manifest in takes_manifests(config):
        takes.update(record["key"] for record in read_jsonl(manifest))
    takes.update(read_locks(build_dir).values())
    clips = set()
    if delivered_path(build_dir).exists():
        for record in read_jsonl(delivered_path(build_dir)):
            takes.add(record["take"])
            clips.add(record["clip"])
    decisions, _ = read_decisions(config.dialogue_dir / "decisions.csv")
    named = tuple(decision.take_key for decision in decisions if decision.take_key)
    if named:
        takes.update(key for key in Store(build_dir).journal("takes") if key.startswith(named))
    return takes, clips


def _leftovers(folder: Path) -> Iterator[Path]:
    """What lies inside a half-written folder goes with it."""
    for path in folder.rglob(_HALF_WRITTEN):
        if not any(part.match(_HALF_WRITTEN) for part in path.relative_to(folder).parents):
            yield path


def _others(folder: Path, needed: Iterable[str]) -> tuple[Path, ...]:
    keys = set(needed)
    return tuple(path for path in sorted(folder.glob("??/*")) if path.is_file() and path.stem not in keys)


def _compact(store: Store, takes: set[str], clips: set[str]) -> None:
    """Journals of files keep the records of files that are still there; transcripts those of takes that are."""
    store.journal("takes").keep(takes)
    store.journal("clips").keep(clips)
    for path in sorted(store.root.glob("transcripts-*.journal")):
        Journal(path).keep(takes)
    for name in ("evidence", "verdicts", "measures", "traits", "waveforms", "words"):
        journal = store.journal(name)
        journal.keep({key for key in journal if (journal.get(key) or {}).get("take") in takes})
