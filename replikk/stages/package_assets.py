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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from replikk.audio.delivery import DeliverySettings, fingerprint
from replikk.config import Config
from replikk.dialogue.plan import Plan, read_plan
from replikk.engines import engine_licence
from replikk.errors import DialogueError
from replikk.files import canonical_json, digest, write_atomic, write_if_changed
from replikk.line_memory import LineMemory
from replikk.locks import job_lock
from replikk.stages.clips import Anchors, anchors_of, is_short, order_clips
from replikk.stages.damage import delivered_path, delivered_plan_path
from replikk.stages.leftovers import remove_others
from replikk.stages.manifest import clip_row, licences_of, manifest_of
from replikk.stages.packed_lines import FileList, PackedLine, keep, lies, packed_line, remembered
from replikk.stages.placed_clips import place_clips
from replikk.stages.select_takes import Selection, read_selection
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
        packing = _open(config, plan_path, selection_path, workers, fingerprint_of_rule)
        rows_before, before_ns = _rows_before(config.build_dir)
        packed, shorts, anchors = _still_standing(packing, before_ns)
        standing = {one.delivered_row for one in packed.values()}.intersection(rows_before)
        before = _records([row for row in rows_before if row not in standing])
        packed |= _packed_anew(packing, packed, shorts, anchors, before, before_ns)

        subtitles: dict[int, dict[str, Any]] = {}
        if packing.settings.word_times:
            old = [record["subtitles"] for record in before.values() if "subtitles" in record]
            subtitles = place_subtitles(packing.assets, packing.plan, packed, old, before_ns)
        scenes = [scene["path"] for scene in subtitles.values()]
        wanted = [one.path for one in packed.values()] + scenes
        wanted += [path for one in packed.values() for path, _, _ in one.beside]
        remove_others(Path(packing.assets), wanted)

        clip_rows = {number: one.manifest_row for number, one in packed.items()}
        delivery = fingerprint(packing.settings)
        manifest = manifest_of(packing.plan, clip_rows, packing.settings, delivery, packing.licence, scenes)
        write_if_changed(manifest_path, manifest)
        rows = _delivered_rows(packed, subtitles)
        write_atomic(changes_path, canonical_json(changes_between(before, rows, standing)))
        write_atomic(delivered_plan_path(config.build_dir), plan_path.read_bytes())
        write_atomic(delivered_path(config.build_dir), b"".join([row + b"\n" for row in rows.values()]))
        packing.memory.save()


@dataclass(frozen=True)
class _Packing:
    """What packaging needs at hand."""

    config: Config
    settings: DeliverySettings
    plan: Plan
    selection: Selection
    store: Store
    assets: str
    """The folder."""
    licence: str
    """Of engine and models."""
    memory: LineMemory
    sources: list[bytes]
    """By number of the line: its rows of the plan and of the selection."""
    workers: int


def _open(config: Config, plan_path: Path, selection_path: Path, workers: int, fingerprint_of_rule: str) -> _Packing:
    settings, plan, licence = delivery_settings(config), read_plan(plan_path), engine_licence(config)
    selection = read_selection(selection_path, plan)
    voices = [asdict(voice) for voice in plan.voices.values()]
    store = Store(config.build_dir)
    return _Packing(
        config=config,
        settings=settings,
        plan=plan,
        selection=selection,
        store=store,
        assets=f"{config.build_dir}/assets",
        licence=licence,
        memory=LineMemory(
            store.root / "packed.rows",
            digest([fingerprint_of_rule, asdict(settings), plan.engine, licence, voices]),
        ),
        sources=[b"%b\n%b" % pair for pair in zip(plan.line_rows, selection.rows, strict=True)],
        workers=workers,
    )


def _still_standing(packing: _Packing, before_ns: int) -> tuple[dict[int, PackedLine], set[int], Anchors]:
    """The lines of the last build that are the same and lie in the assets; those with short takes; and the anchors."""
    packed = remembered(packing.memory, enumerate(packing.sources))
    packed = {number: one for number, one in packed.items() if lies(packing.assets, one, before_ns)}
    takes = _takes_of_others(packing, packed)
    shorts = {number for number, take in takes.items() if is_short(packing.store, take)}
    shorts |= {number for number, one in packed.items() if one.is_short}
    takes |= {number: one.delivered["take"] for number, one in packed.items()} if shorts else {}
    anchors = _anchors(packing, takes, shorts)
    voices = packing.plan.index.voices
    packed = {
        number: one
        for number, one in packed.items()
        if one.anchor_gain_db == anchors.gain_db(voices[number], one.delivered["take"])
    }
    return packed, shorts, anchors


def _takes_of_others(packing: _Packing, packed: Mapping[int, PackedLine]) -> dict[int, str]:
    """The chosen takes of the lines that are not in ``packed``, where there is one."""
    ids = packing.plan.index.ids
    takes = {number: packing.selection[ids[number]]["take"] for number in range(len(ids)) if number not in packed}
    return {number: take for number, take in takes.items() if take}


def _anchors(packing: _Packing, takes: Mapping[int, str], shorts: Collection[int]) -> Anchors:
    """Of the voices that have a short take; most games have some, and most voices of those. ``takes`` are all."""
    index = packing.plan.index
    spoken: dict[str, dict[str, str]] = {index.voices[number]: {} for number in sorted(shorts)}
    if spoken:
        for number in sorted(takes):
            if index.voices[number] in spoken:
                spoken[index.voices[number]].setdefault(takes[number], index.ids[number])
    return anchors_of(spoken, packing.settings, packing.store, packing.memory)


def _packed_anew(
    packing: _Packing,
    packed: Mapping[int, PackedLine],
    shorts: Collection[int],
    anchors: Anchors,
    before: Mapping[str, Mapping[str, Any]],
    before_ns: int,
) -> dict[int, PackedLine]:
    """Clips and what lies beside them of the lines that are not in ``packed``; remembered for the next build."""
    plan, selection, settings = packing.plan, packing.selection, packing.settings
    orders = order_clips(plan, _takes_of_others(packing, packed), settings, anchors)
    build_dir = packing.config.build_dir
    clips = place_clips(orders, build_dir, settings, packing.store, before, before_ns, packing.workers)
    new = {
        number: NewClip(plan.lines[number], order, clips[number], _evidence_of(selection[order.line_id]))
        for number, order in orders.items()
    }
    files = place_word_files(
        packing.config, plan, list(new.values()), settings, packing.store, before, before_ns, packing.workers
    )
    made = {}
    for number, clip in new.items():
        chosen, placed = selection[clip.order.line_id], files.get(clip.order.line_id)
        beside = placed[1] if placed else ()
        licences = licences_of(plan, clip.planned, packing.licence)
        made[number] = packed_line(
            _delivered(clip, chosen["take"], placed),
            clip_row(clip.planned, chosen, clip.record, clip.order.path, licences, beside),
            speaker_of(plan, clip.planned),
            number in shorts,
            clip.order.anchor_gain_db,
        )
        keep(packing.memory, packing.sources[number], made[number])
    return made


def _delivered_rows(packed: Mapping[int, PackedLine], subtitles: Mapping[int, Mapping[str, Any]]) -> dict[str, bytes]:
    """The records of ``delivered.jsonl`` by line id, in plan order; a scene's subtitles stand with its first line."""
    rows = {}
    for number in sorted(packed):
        delivered, row = packed[number].delivered, packed[number].delivered_row
        if number in subtitles:
            row = canonical_json({**delivered, "subtitles": subtitles[number]})
        rows[delivered["id"]] = row
    return rows


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


def _evidence_of(chosen: Mapping[str, Any]) -> str:
    """The key of the evidence on the chosen take of a line."""
    for take in chosen["takes"]:
        if take["take"] == chosen["take"]:
            return str(take["evidence"])
    return ""


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
