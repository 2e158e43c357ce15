"""Rule synthesize_takes: speak the takes of one round and shard that the store lacks.

Writes a manifest of all takes wanted, in key order: ``{"key", "bytes", "sha256"}`` for one that is there,
``{"key", "failed"}`` for one that the engine could not make. Returns before an engine is built when none is missing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from replikk.config import Config
from replikk.dialogue.decided import read_locks
from replikk.dialogue.plan import Plan, PlannedLine, read_plan
from replikk.engines import engine_of
from replikk.engines.records import Take, TakeRequest
from replikk.files import read_jsonl, write_jsonl
from replikk.locks import job_lock
from replikk.progress import Progress
from replikk.store import Store

log = logging.getLogger(__name__)


def synthesize_takes(
    config: Config,
    plan_path: Path,
    retries: Path | None,
    round_number: int,
    shard: int,
    manifest: Path,
    workers: int = 1,
) -> None:
    """Make the takes of a round (from 0) that belong to ``shard``; ``retries`` of the round before, None in round 0."""
    with job_lock(config.build_dir, f"synthesize-{shard}"):
        locks = read_locks(config.build_dir)
        plan = read_plan(plan_path)
        wanted = wanted_takes(plan, retries, round_number, shard, config.shards, locks)
        store = Store(config.build_dir)
        failed: dict[str, str] = {}
        found = {key: store.take_record(key) for key in sorted(wanted)}
        missing = {key: plan.lines[number] for key, number in wanted.items() if found[key] is None}
        if missing:
            failed = _make(config, plan, missing, round_number, store, workers)
            found.update({key: store.take_record(key) for key in missing})
        records = []
        for key, record in found.items():
            if record is None:
                records.append({"key": key, "failed": failed.get(key, "the engine returned nothing")})
            else:
                records.append({"key": key, "bytes": record["bytes"], "sha256": record["sha256"]})
        write_jsonl(manifest, records)


def wanted_takes(
    plan: Plan, retries: Path | None, round_number: int, shard: int, shards: int, locks: Mapping[str, str]
) -> dict[str, int]:
    """The takes that a round and shard must have, by key, with the number of a line that says them."""
    index = plan.index
    numbers: Iterable[int] = range(len(index.ids))
    if retries is not None:
        retried = {record["id"] for record in read_jsonl(retries)}
        numbers = [number for number in numbers if index.ids[number] in retried]
    wanted: dict[str, int] = {}
    for number in numbers:
        takes = index.takes[number]
        if round_number >= len(takes):
            continue
        if locks and index.locked_take(number, locks) in takes[:round_number]:
            continue  # it keeps that take, whatever is thought of it now
        key = takes[round_number]
        # Of the lines that share a take, one that can make it: a locked line may ask for a take of its old text.
        if int(key[:8], 16) % shards == shard and (key not in wanted or not index.can_be_made[wanted[key]]):
            wanted[key] = number
    return wanted


def _make(
    config: Config,
    plan: Plan,
    missing: dict[str, PlannedLine],
    round_number: int,
    store: Store,
    workers: int,
) -> dict[str, str]:
    """Speak what is missing and keep each take as it comes; returns the reasons of those that failed."""
    # Imported here: a round that has nothing to make must not pay for numpy.
    from replikk.stages.recordings import import_recordings

    failed = import_recordings({k: p for k, p in missing.items() if p.recording}, store)
    requests = [
        TakeRequest(
            key=key,
            segments=planned.line.voiced_segments,
            locale=planned.line.locale,
            style=planned.line.style,
            voice=plan.voices[planned.line.voice],
            reading=planned.first_reading + round_number,
        )
        for key, planned in missing.items()
        if not planned.recording and planned.can_be_made
    ]
    for key, planned in missing.items():
        if not planned.recording and not planned.can_be_made:
            failed[key] = "the locked take is not in the store and its line has changed since"
    if not requests:
        return failed
    engine = engine_of(config)
    progress = Progress(log, f"round {round_number}: takes spoken by {engine.name}", len(requests))
    for result in engine.synthesize(requests, workers):
        if isinstance(result, Take):
            store.put_take(result.key, result.samples, result.sample_rate_hz)
        else:
            log.warning("[%s] take %s: %s", missing[result.key].line.id, result.key[:12], result.reason)
            failed[result.key] = result.reason
        progress.step()
    took_s = progress.end()
    store.journal("takes").sync()
    characters = sum(len(planned.line.spoken) for planned in missing.values())
    store.note_speed("synthesize", characters, took_s)
    return failed
