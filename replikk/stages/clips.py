"""Clips to be encoded: which take, which gain offset, which tags; and their keys.

A clip key covers the take, the delivery settings, the loudness offset of voice and style, the voice's anchor where the
clip is too short to be measured, the pauses that the script wants at its ends, and the tags.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, NamedTuple

import orjson

from replikk.audio.delivery import Delivered, DeliverySettings, Measured, anchor_gain_db, deliver, fingerprint, measure
from replikk.dialogue.plan import Plan, PlannedLine
from replikk.dialogue.styles import loudness_offset_lu
from replikk.errors import StoreError
from replikk.files import canonical_json, digest
from replikk.line_memory import LineMemory
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
    plan: Plan, takes: Mapping[int, str], settings: DeliverySettings, anchors: Anchors
) -> dict[int, ClipOrder]:
    """An order for each of the lines in ``takes``, by number of the line; ``takes`` are the chosen ones."""
    delivery = fingerprint(settings)

    @cache
    def offset_of(voice: str, style: str) -> float:
        return round(plan.voices[voice].loudness_offset_lu + loudness_offset_lu(style), 2)

    orders = {}
    for number, take in takes.items():
        planned = plan.lines[number]
        line, voice = planned.line, plan.voices[planned.line.voice]
        offset_lu = offset_of(line.voice, line.style)
        anchor = anchors.gain_db(line.voice, take)
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
        orders[number] = ClipOrder(
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


def is_short(store: Store, take: str) -> bool:
    """Whether a take is so short that its clip may need its voice's anchor."""
    record = store.journal("takes").get(take)
    return record is not None and record["samples"] < SHORT_TAKE_S * record["sample_rate_hz"]


class Anchors(NamedTuple):
    """Gains for the clips that are too short to be measured."""

    by_voice: Mapping[str, float | None]
    too_short: Collection[tuple[str, str]]
    """(voice, take) of the clips that need them."""

    def gain_db(self, voice: str, take: str) -> float | None:
        return self.by_voice[voice] if (voice, take) in self.too_short else None


def anchors_of(
    takes: Mapping[str, Mapping[str, str]], settings: DeliverySettings, store: Store, memory: LineMemory
) -> Anchors:
    """From all chosen takes of the voices that have a short one: by voice, the id of a line that speaks each.

    What was found for the same takes before is in ``memory``.
    """
    by_voice: dict[str, float | None] = {}
    too_short: set[tuple[str, str]] = set()
    for voice, spoken in takes.items():
        source = b"anchor " + canonical_json([voice, list(spoken)])
        found = memory.find(source)
        if found is None:
            found = canonical_json(_anchor(spoken, settings, store))
            memory.keep(source, found)
        by_voice[voice], short = orjson.loads(found)
        too_short.update((voice, take) for take in short)
    return Anchors(by_voice, too_short)


def _anchor(spoken: Mapping[str, str], settings: DeliverySettings, store: Store) -> tuple[float | None, list[str]]:
    """The gain of one voice, and the takes that it is for."""
    measured: dict[str, Measured] = {}
    measures, delivery = store.journal("measures"), fingerprint(settings)
    for take, line_id in spoken.items():
        key = digest([take, delivery])
        record = measures.get(key)
        if record is None:
            samples, sample_rate_hz = load_take(store, line_id, take)
            record = {"take": take, "measured": asdict(measure(samples, sample_rate_hz, settings))}
            measures.append(key, record)
        measured[take] = Measured(**record["measured"])
    return anchor_gain_db(measured.values()), [take for take, clip in measured.items() if clip.kind == "anchor"]


def load_take(store: Store, line_id: str, take: str) -> tuple[Any, int]:
    """Samples [samples] and sample rate (Hz) of a take. Raises StoreError when it is not there any more."""
    loaded = store.load_take(take)
    if loaded is None:
        raise StoreError(
            f"[{line_id}] take {take[:12]} was damaged in the store and has been dropped; "
            "run again: it will be made anew"
        )
    return loaded
