"""Clips that are not in the assets yet, or not as they should be: encoded where the store lacks them, and put there.

An asset whose bytes are the same keeps its modification time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replikk.audio.delivery import Delivered, DeliverySettings
from replikk.files import write_if_changed
from replikk.progress import Progress
from replikk.stages.clips import ClipOrder, encode
from replikk.stages.damage import is_intact
from replikk.stages.pool import carried_out
from replikk.store import Store

log = logging.getLogger(__name__)


def place_clips(
    orders: Mapping[int, ClipOrder],
    build_dir: Path,
    settings: DeliverySettings,
    store: Store,
    before: Mapping[str, Mapping[str, Any]],
    before_ns: int,
    workers: int,
) -> dict[int, dict[str, Any]]:
    """Put the ordered clips into the assets where they do not lie there already; what the store knows of each."""
    clips = _in_place(orders, build_dir, store, before, before_ns)
    others = {number: order for number, order in orders.items() if number not in clips}
    clips.update(_encode_missing(others, settings, store, workers))
    for order in others.values():
        _place(build_dir, store, order, settings)
    return clips


def _in_place(
    orders: Mapping[int, ClipOrder],
    build_dir: Path,
    store: Store,
    before: Mapping[str, Mapping[str, Any]],
    before_ns: int,
) -> dict[int, dict[str, Any]]:
    """The records of the clips that lie in the assets as they should; the store's copies of them are not looked at."""
    journal, assets = store.journal("clips"), f"{build_dir}/assets"
    found = {}
    for number, order in orders.items():
        delivered, record = before.get(order.line_id), journal.get(order.key)
        if delivered is None or record is None:
            continue
        same = delivered["path"] == order.path and delivered["sha256"] == record["sha256"]
        if same and is_intact(f"{assets}/{order.path}", record["bytes"], record["sha256"], before_ns):
            found[number] = record
    return found


def _encode_missing(
    orders: Mapping[int, ClipOrder], settings: DeliverySettings, store: Store, workers: int
) -> dict[int, dict[str, Any]]:
    """The record of every clip by number of the line, once those that the store lacked are encoded."""
    records = {number: store.clip_record(order.key, settings.suffix) for number, order in orders.items()}
    missing = {number: orders[number] for number, record in records.items() if record is None}
    clips = {number: record for number, record in records.items() if record is not None}
    if not missing:
        return clips
    progress = Progress(log, "clips encoded", len(missing))
    encoded = carried_out(_encode, [(order, settings) for order in missing.values()], store, workers)
    for (number, order), delivered in zip(missing.items(), encoded, strict=True):
        clips[number] = store.put_clip(order.key, settings.suffix, delivered.data, clip_facts(delivered))
        progress.step()
    store.journal("clips").sync()
    store.note_speed("package", sum(order.characters for order in missing.values()), progress.end())
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
