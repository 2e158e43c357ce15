"""Rule package_assets: the chosen take of every line as a clip for the game, and the manifest of all clips.

A clip is encoded once per take, delivery settings and tags, and kept in the store. In ``build/assets`` a clip whose
bytes are the same is not touched, so that game engines do not import it again; clips of lines that are gone disappear.
Beside the clips lie the times of their words (``word_files``). ``manifest.json`` depends on the inputs of the build
only, never on what was built before; what is new or changed since the last delivery goes into ``changes.json``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replikk.audio.delivery import Delivered, DeliverySettings, fingerprint
from replikk.config import Config
from replikk.dialogue.plan import read_plan
from replikk.engines import engine_licence
from replikk.errors import DialogueError
from replikk.files import canonical_json, read_jsonl, write_atomic, write_if_changed, write_jsonl
from replikk.locks import job_lock
from replikk.progress import Progress
from replikk.stages.clips import ClipOrder, encode, order_clips
from replikk.stages.damage import delivered_path, delivered_plan_path, is_intact
from replikk.stages.leftovers import remove_others
from replikk.stages.manifest import manifest_of
from replikk.stages.pool import carried_out
from replikk.stages.select_takes import read_selection
from replikk.stages.word_files import PackedClip, WordFiles, place_word_files
from replikk.store import Store

log = logging.getLogger(__name__)


def package_assets(
    config: Config,
    plan_path: Path,
    selection_path: Path,
    manifest_path: Path,
    changes_path: Path,
    workers: int = 1,
) -> None:
    """Encode what is not encoded yet, place every clip, remove the others, write manifest and changes."""
    with job_lock(config.build_dir, "package"):
        settings = delivery_settings(config)
        plan = read_plan(plan_path)
        selection = read_selection(selection_path, plan)
        store = Store(config.build_dir)
        orders = order_clips(plan, selection, settings, store)
        before, before_ns = read_delivered(config.build_dir)
        clips = _in_place(orders, config.build_dir, store, before, before_ns)
        others = {line_id: order for line_id, order in orders.items() if line_id not in clips}
        clips.update(_encode_missing(others, settings, store, workers))
        for order in others.values():
            _place(config.build_dir, store, order, settings)
        packed = [
            PackedClip(planned, orders[line_id], clips[line_id], _evidence_of(selection[line_id]))
            for planned in plan.lines
            if (line_id := planned.line.id) in clips
        ]
        files = place_word_files(config, plan, packed, settings, store, before, before_ns, workers)
        remove_others(config.build_dir / "assets", [order.path for order in orders.values()] + files.paths)

        manifest = manifest_of(
            plan, selection, clips, orders, settings, fingerprint(settings), engine_licence(config), files
        )
        write_if_changed(manifest_path, canonical_json(manifest))
        delivered = _delivered(packed, selection, files)
        write_atomic(changes_path, canonical_json(changes_between(before, delivered)))
        write_atomic(delivered_plan_path(config.build_dir), plan_path.read_bytes())
        write_jsonl(delivered_path(config.build_dir), delivered.values())


def delivery_settings(config: Config) -> DeliverySettings:
    """The settings of the packager. Raises DialogueError with everything that is wrong in them."""
    settings, problems = DeliverySettings.from_mapping(config.delivery)
    if problems:
        raise DialogueError(problems)
    return settings


def read_delivered(build_dir: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """What the last build delivered, by line id, and when that was recorded (ns); empty before the first."""
    path = delivered_path(build_dir)
    if not path.exists():
        return {}, 0
    return {record["id"]: record for record in read_jsonl(path)}, path.stat().st_mtime_ns


def changes_between(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Ids of the clips that are new, changed (another take) or gone."""
    return {
        "new": [line_id for line_id in now if line_id not in before],
        "changed": [i for i, record in now.items() if i in before and before[i]["take"] != record["take"]],
        "removed": [line_id for line_id in before if line_id not in now],
    }


def _in_place(
    orders: Mapping[str, ClipOrder],
    build_dir: Path,
    store: Store,
    before: Mapping[str, Mapping[str, Any]],
    before_ns: int,
) -> dict[str, dict[str, Any]]:
    """The records of the clips that lie in the assets as they should; the store's copies of them are not looked at."""
    journal, assets = store.journal("clips"), f"{build_dir}/assets"
    found = {}
    for line_id, order in orders.items():
        delivered, record = before.get(line_id), journal.get(order.key)
        if delivered is None or record is None:
            continue
        same = delivered["path"] == order.path and delivered["sha256"] == record["sha256"]
        if same and is_intact(f"{assets}/{order.path}", record["bytes"], record["sha256"], before_ns):
            found[line_id] = record
    return found


def _encode_missing(
    orders: Mapping[str, ClipOrder], settings: DeliverySettings, store: Store, workers: int
) -> dict[str, dict[str, Any]]:
    """The record of every clip by line id, once those that the store lacked are encoded."""
    records = {line_id: store.clip_record(order.key, settings.suffix) for line_id, order in orders.items()}
    missing = [order for line_id, order in orders.items() if records[line_id] is None]
    clips = {line_id: record for line_id, record in records.items() if record is not None}
    if not missing:
        return clips
    progress = Progress(log, "clips encoded", len(missing))
    encoded = carried_out(_encode, [(order, settings) for order in missing], store, workers)
    for order, delivered in zip(missing, encoded, strict=True):
        clips[order.line_id] = store.put_clip(order.key, settings.suffix, delivered.data, clip_facts(delivered))
        progress.step()
    store.journal("clips").sync()
    store.note_speed("package", sum(order.characters for order in missing), progress.end())
    return clips


def _encode(item: tuple[ClipOrder, DeliverySettings], store: Store) -> Delivered:
    return encode(*item, store)


def clip_facts(delivered: Delivered) -> dict[str, Any]:
    """What was measured on a clip, for the store and the manifest."""
    return {
        "duration_s": round(delivered.duration_s, 4),
        "loudness_before_lufs": _rounded(delivered.loudness_before_lufs),
        "loudness_after_lufs": _rounded(delivered.loudness_after_lufs),
        "loudness_kind": delivered.loudness_kind,
        "true_peak_dbtp": _rounded(delivered.true_peak_dbtp),
        "gain_db": _rounded(delivered.gain_db),
        "gain_limited_db": _rounded(delivered.gain_limited_db),
        "trimmed_head_s": round(delivered.trimmed_head_s, 4),
        "trimmed_tail_s": round(delivered.trimmed_tail_s, 4),
    }


def _rounded(level_db: float | None) -> float | None:
    # Silence has no loudness: minus infinity is not JSON.
    return None if level_db is None or level_db in (float("-inf"), float("inf")) else round(level_db, 2)


def _evidence_of(chosen: Mapping[str, Any]) -> str:
    """The key of the evidence on the chosen take of a line."""
    for take in chosen["takes"]:
        if take["take"] == chosen["take"]:
            return str(take["evidence"])
    return ""


def _place(
    build_dir: Path,
    store: Store,
    order: ClipOrder,
    settings: DeliverySettings,
) -> None:
    """Make the asset's bytes those of the clip, touching the file only when they differ."""
    data = store.load_clip(order.key, settings.suffix)
    if data is None:  # it was damaged in the store
        delivered = encode(order, settings, store)
        store.put_clip(order.key, settings.suffix, delivered.data, clip_facts(delivered))
        data = delivered.data
    write_if_changed(Path(f"{build_dir}/assets/{order.path}"), data)


def _delivered(packed: list[PackedClip], selection: Mapping[str, Any], files: WordFiles) -> dict[str, dict[str, Any]]:
    """What was delivered, for the next build's ``status`` and for finding damage."""

    def record(clip: PackedClip) -> dict[str, Any]:
        line_id = clip.order.line_id
        content = {
            "id": line_id,
            "path": clip.order.path,
            "bytes": clip.record["bytes"],
            "sha256": clip.record["sha256"],
            "take": selection[line_id]["take"],
            "clip": clip.order.key,
            "line_key": clip.planned.line_key,
        }
        if line_id in files.bases:
            content["basis"], content["beside"] = files.bases[line_id], files.beside[line_id]
        if line_id in files.subtitles:
            content["subtitles"] = files.subtitles[line_id]
        return content

    return {clip.order.line_id: record(clip) for clip in packed}
