"""Rule package_assets: the chosen take of every line as a clip for the game, and the manifest of all clips.

A clip is encoded once per take, delivery settings and tags, and kept in the store. In ``build/assets`` a clip whose
bytes are the same is not touched, so that game engines do not import it again; clips of lines that are gone disappear.
Beside the clips lie the times of their words (``word_files``). ``manifest.json`` depends on the inputs of the build
only, never on what was built before; what is new or changed since the last delivery goes into ``changes.json``.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from replikk.audio.delivery import Delivered, DeliverySettings, fingerprint
from replikk.config import Config
from replikk.dialogue.plan import Plan, read_plan
from replikk.engines import engine_licence
from replikk.errors import DialogueError
from replikk.files import canonical_json, digest, write_atomic, write_if_changed
from replikk.line_memory import LineMemory
from replikk.locks import job_lock
from replikk.progress import Progress
from replikk.stages.clips import Anchors, ClipOrder, anchors_of, encode, is_short, order_clips
from replikk.stages.damage import delivered_path, delivered_plan_path, is_intact
from replikk.stages.leftovers import remove_others
from replikk.stages.manifest import clip_row, licences_of, manifest_of
from replikk.stages.packed_lines import FileList, PackedLine, keep, lies, packed_line, remembered
from replikk.stages.pool import carried_out
from replikk.stages.select_takes import read_selection
from replikk.stages.word_files import NewClip, place_subtitles, place_word_files, speaker_of
from replikk.store import Store

log = logging.getLogger(__name__)


def package_assets(
    config: Config,
    plan_path: Path,
    selection_path: Path,
    manifest_path: Path,
    changes_path: Path,
    workers: int = 1,
    fingerprint_of_rule: str = "",
) -> None:
    """Encode what is not encoded yet, place every clip, remove the others, write manifest and changes.

    ``fingerprint_of_rule`` names settings and code that a row of the manifest depends on.
    """
    with job_lock(config.build_dir, "package"):
        settings = delivery_settings(config)
        plan = read_plan(plan_path)
        selection = read_selection(selection_path, plan)
        store = Store(config.build_dir)
        assets = f"{config.build_dir}/assets"
        licence = engine_licence(config)
        voices = [asdict(voice) for voice in plan.voices.values()]
        basis = digest([fingerprint_of_rule, asdict(settings), plan.engine, licence, voices])
        memory = LineMemory(store.root / "packed.rows", basis)
        sources = [b"%b\n%b" % pair for pair in zip(plan.line_rows, selection.rows, strict=True)]

        rows_before, before_ns = _rows_before(config.build_dir)
        packed = remembered(memory, enumerate(sources))
        packed = {number: one for number, one in packed.items() if lies(assets, one, before_ns)}
        takes = {
            number: selection[line_id]["take"] for number, line_id in enumerate(plan.index.ids) if number not in packed
        }
        takes = {number: take for number, take in takes.items() if take}
        shorts = {number for number, take in takes.items() if is_short(store, take)}
        shorts |= {number for number, one in packed.items() if one.is_short}
        anchors = _anchors(plan, packed, takes, shorts, settings, store, memory)
        for number, one in list(packed.items()):
            if one.anchor_gain_db != anchors.gain_db(plan.index.voices[number], one.delivered["take"]):
                takes[number] = packed.pop(number).delivered["take"]

        standing = {one.delivered_row for one in packed.values()}.intersection(rows_before)
        before = _records([row for row in rows_before if row not in standing])
        orders = order_clips(plan, takes, settings, anchors)
        clips = _placed(orders, config.build_dir, settings, store, before, before_ns, workers)
        new = {
            number: NewClip(plan.lines[number], order, clips[number], _evidence_of(selection[order.line_id]))
            for number, order in orders.items()
        }
        files = place_word_files(config, plan, list(new.values()), settings, store, before, before_ns, workers)
        for number, clip in new.items():
            chosen, speaker = selection[clip.order.line_id], speaker_of(plan, clip.planned)
            placed = files.get(clip.order.line_id)
            beside = placed[1] if placed else ()
            licences = licences_of(plan, clip.planned, licence)
            row = clip_row(clip.planned, chosen, clip.record, clip.order.path, licences, beside)
            delivered = _delivered(clip, chosen["take"], placed)
            packed[number] = packed_line(delivered, row, speaker, number in shorts, clip.order.anchor_gain_db)
            keep(memory, sources[number], packed[number])

        subtitles: dict[int, dict[str, Any]] = {}
        if settings.word_times:
            old = [record["subtitles"] for record in before.values() if "subtitles" in record]
            subtitles = place_subtitles(assets, plan, packed, old, before_ns)
        wanted = [one.path for one in packed.values()] + [scene["path"] for scene in subtitles.values()]
        wanted += [path for one in packed.values() for path, _, _ in one.beside]
        remove_others(config.build_dir / "assets", wanted)

        manifest_rows = {number: one.manifest_row for number, one in packed.items()}
        scenes = [scene["path"] for scene in subtitles.values()]
        write_if_changed(
            manifest_path, manifest_of(plan, manifest_rows, settings, fingerprint(settings), licence, scenes)
        )
        rows = {
            packed[number].delivered["id"]: canonical_json({**packed[number].delivered, "subtitles": subtitles[number]})
            if number in subtitles
            else packed[number].delivered_row
            for number in sorted(packed)
        }
        write_atomic(changes_path, canonical_json(changes_between(before, rows, standing)))
        write_atomic(delivered_plan_path(config.build_dir), plan_path.read_bytes())
        write_atomic(delivered_path(config.build_dir), b"".join([row + b"\n" for row in rows.values()]))
        memory.save()


def delivery_settings(config: Config) -> DeliverySettings:
    """The settings of the packager. Raises DialogueError with everything that is wrong in them."""
    settings, problems = DeliverySettings.from_mapping(config.delivery)
    if problems:
        raise DialogueError(problems)
    return settings


def _rows_before(build_dir: Path) -> tuple[list[bytes], int]:
    """What the last build delivered, and when that was recorded (ns); empty before the first."""
    path = delivered_path(build_dir)
    if not path.exists():
        return [], 0
    return [row for row in path.read_bytes().split(b"\n") if row], path.stat().st_mtime_ns


def _records(rows: Iterable[bytes]) -> dict[str, dict[str, Any]]:
    """By line id. What cannot be read is as good as not delivered: it is placed anew."""
    found = {}
    for row in rows:
        with contextlib.suppress(ValueError):
            record = orjson.loads(row)
            found[record["id"]] = record
    return found


def changes_between(
    before: Mapping[str, Mapping[str, Any]], rows: Mapping[str, bytes], standing: Collection[bytes]
) -> dict[str, Any]:
    """Ids of the clips that are new, changed (another take) or gone.

    ``rows`` are all records of what is delivered now, by id; ``before`` those of the last build that are not among the
    ``standing`` ones, which are the same in both.
    """
    others = {line_id: orjson.loads(row)["take"] for line_id, row in rows.items() if row not in standing}
    return {
        "new": [line_id for line_id in others if line_id not in before],
        "changed": [i for i, take in others.items() if i in before and before[i]["take"] != take],
        "removed": [line_id for line_id in before if line_id not in rows],
    }


def _anchors(
    plan: Plan,
    packed: Mapping[int, PackedLine],
    takes: Mapping[int, str],
    shorts: Collection[int],
    settings: DeliverySettings,
    store: Store,
    memory: LineMemory,
) -> Anchors:
    """Of the voices that have a short take; most games have some, and most voices of those."""
    index = plan.index
    spoken: dict[str, dict[str, str]] = {index.voices[number]: {} for number in sorted(shorts)}
    if spoken:
        for number, voice in enumerate(index.voices):
            take = packed[number].delivered["take"] if number in packed else takes.get(number)
            if take and voice in spoken:
                spoken[voice].setdefault(take, index.ids[number])
    return anchors_of(spoken, settings, store, memory)


def _placed(
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


def _delivered(clip: NewClip, take: str, placed: tuple[str, FileList] | None) -> dict[str, Any]:
    """What was delivered, for the next build's ``status`` and for finding damage."""
    content = {
        "id": clip.order.line_id,
        "path": clip.order.path,
        "bytes": clip.record["bytes"],
        "sha256": clip.record["sha256"],
        "take": take,
        "clip": clip.order.key,
        "line_key": clip.planned.line_key,
    }
    if placed is not None:
        content["basis"], content["beside"] = placed
    return content
