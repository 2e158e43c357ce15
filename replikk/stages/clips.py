"""Clips to be encoded: which take, which gain offset, which tags; and their keys.

A clip key covers the take, the delivery settings, the loudness offset of voice and style, the voice's anchor where the
clip is too short to be measured, the pauses that the script wants at its ends, and the tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, NamedTuple

from replikk.audio.delivery import Delivered, DeliverySettings, Measured, anchor_gain_db, deliver, fingerprint, measure
from replikk.dialogue.plan import Plan, PlannedLine
from replikk.dialogue.styles import loudness_offset_lu
from replikk.errors import StoreError
from replikk.files import digest
from replikk.stages.manifest import asset_path
from replikk.store import Store

SHORT_TAKE_S = 1.0  # a take shorter than this may be under 0.4 s when trimmed, and then needs its voice's anchor

SYNTHETIC = "yes; this speech was made by a computer, not spoken by a person"
HUMAN = "no; recorded by a person"


class ClipOrder(NamedTuple):
    """One clip to be made of one take. (A named tuple: thousands are made in every build, and few are carried out.)"""

    line_id: str
    path: str
    """Below build/assets, with forward slashes."""
    key: str
    take: str
    offset_lu: float
    anchor_gain_db: float | None
    keep_head_s: float
    keep_tail_s: float
    tags: Mapping[str, str]
    characters: int
    """Length of the text, for estimates."""


def order_clips(
    plan: Plan, selection: Mapping[str, Any], settings: DeliverySettings, store: Store
) -> dict[str, ClipOrder]:
    """An order per line that has a take, by line id, in plan order."""
    chosen = [(planned, selection[planned.line.id]["take"]) for planned in plan.lines]
    spoken = [(planned, take) for planned, take in chosen if take]
    anchors, too_short = _anchors(spoken, settings, store)
    delivery = fingerprint(settings)

    @cache
    def offset_of(voice: str, style: str) -> float:
        return round(plan.voices[voice].loudness_offset_lu + loudness_offset_lu(style), 2)

    orders = {}
    for planned, take in spoken:
        line, voice = planned.line, plan.voices[planned.line.voice]
        offset_lu = offset_of(line.voice, line.style)
        anchor = anchors.get(line.voice) if take in too_short else None
        keep_head_s, keep_tail_s = _wanted_silence(planned)
        tags = {
            "TITLE": line.id,
            "ARTIST": voice.label,
            "VOICE": line.voice,
            "TEXT": line.display,
            "LANGUAGE": line.locale,
            "ENGINE": "human" if planned.recording else plan.engine,
            "SYNTHETIC_SPEECH": HUMAN if planned.recording else SYNTHETIC,
        }
        path = asset_path(planned, settings.suffix)
        key = digest([delivery, take, offset_lu, anchor, keep_head_s, keep_tail_s, tags])
        orders[line.id] = ClipOrder(
            line.id, path, key, take, offset_lu, anchor, keep_head_s, keep_tail_s, tags, len(line.spoken)
        )
    return orders


def encode(order: ClipOrder, settings: DeliverySettings, store: Store) -> Delivered:
    """Make the clip. Raises StoreError when its take is not there any more."""
    samples, sample_rate_hz = load_take(store, order.line_id, order.take)
    return deliver(
        samples,
        sample_rate_hz,
        settings=settings,
        offset_lu=order.offset_lu,
        anchor_gain_db=order.anchor_gain_db,
        keep_head_s=order.keep_head_s,
        keep_tail_s=order.keep_tail_s,
        tags=order.tags,
        serial_from=order.key,
    )


def _wanted_silence(planned: PlannedLine) -> tuple[float, float]:
    """Pauses that the script puts before the first and after the last word; trimming leaves them alone."""
    segments = planned.line.segments
    if len(segments) == 1 and segments[0].text:  # nearly all lines
        return 0.0, segments[0].pause_after_ms / 1000
    spoken = [number for number, segment in enumerate(segments) if segment.text]
    if not spoken:
        return 0.0, 0.0
    head_ms = sum(segment.pause_after_ms for segment in segments[: spoken[0]])
    tail_ms = sum(segment.pause_after_ms for segment in segments[spoken[-1] :])
    return head_ms / 1000, tail_ms / 1000


def _is_short(store: Store, take: str) -> bool:
    record = store.journal("takes").get(take)
    return record is not None and record["samples"] < SHORT_TAKE_S * record["sample_rate_hz"]


def _anchors(
    spoken: list[tuple[PlannedLine, str]], settings: DeliverySettings, store: Store
) -> tuple[dict[str, float | None], set[str]]:
    """By voice: the gain for its clips that are too short to be measured; and the takes that are.

    Only voices that have short takes are measured at all.
    """
    voices = {planned.line.voice for planned, take in spoken if _is_short(store, take)}
    measured: dict[str, dict[str, Measured]] = {voice: {} for voice in voices}
    measures, delivery = store.journal("measures"), fingerprint(settings)
    for planned, take in spoken:
        if planned.line.voice not in voices:
            continue
        key = digest([take, delivery])
        record = measures.get(key)
        if record is None:
            samples, sample_rate_hz = load_take(store, planned.line.id, take)
            record = {"take": take, "measured": asdict(measure(samples, sample_rate_hz, settings))}
            measures.append(key, record)
        measured[planned.line.voice][take] = Measured(**record["measured"])
    too_short = {take for clips in measured.values() for take, clip in clips.items() if clip.kind == "anchor"}
    return {voice: anchor_gain_db(clips.values()) for voice, clips in measured.items()}, too_short


def load_take(store: Store, line_id: str, take: str) -> tuple[Any, int]:
    """Samples [samples] and sample rate (Hz) of a take. Raises StoreError when it is not there any more."""
    loaded = store.load_take(take)
    if loaded is None:
        raise StoreError(
            f"[{line_id}] take {take[:12]} was damaged in the store and has been dropped; "
            "run again: it will be made anew"
        )
    return loaded
