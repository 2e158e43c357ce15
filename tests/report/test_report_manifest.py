"""manifest.json keeps to its published schema, and the schema refuses what no game engine could use."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from report_builder import key_of

from replikk.audio.delivery import Delivered, DeliverySettings
from replikk.dialogue.plan import Plan, PlannedLine
from replikk.dialogue.records import Line, Segment, Voice
from replikk.files import canonical_json
from replikk.stages.manifest import clip_row, licences_of, manifest_of
from replikk.stages.placed_clips import clip_facts

SCHEMA = json.loads((resources.files("replikk") / "schemas" / "manifest.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def planned_line(line_id: str, recording: str = "") -> PlannedLine:
    line = Line(
        id=line_id,
        file="havn.csv",
        row=2,
        source_id=line_id,
        scene="havn",
        locale="nb",
        voice="kari",
        character="Kari",
        style="rolig",
        text="Hei!",
        display="Hei!",
        segments=(Segment("Hei!"),),
        extra={"portrett": "kari_glad"},
    )
    return PlannedLine(line, key_of(line_id), (key_of(line_id, 0),), 0, "", True, recording)


def delivered(loudness_lufs: float | None) -> Delivered:
    return Delivered(
        data=b"OggS",
        sample_rate_hz=22050,
        duration_s=0.7213,
        loudness_before_lufs=loudness_lufs,
        loudness_after_lufs=loudness_lufs,
        loudness_kind="momentary",
        true_peak_dbtp=loudness_lufs,
        gain_db=2.5,
        gain_limited_db=0.0,
        trimmed_head_s=0.0,
        trimmed_tail_s=0.1,
        encodes=1,
    )


def manifest(**settings: Any) -> dict[str, Any]:
    """The manifest of a game of four lines: one as usual, one silent, one recorded by a person, one without a take."""
    lines = [planned_line("a"), planned_line("b"), planned_line("c", "external/c.wav"), planned_line("d")]
    levels = {"a": -18.0, "b": float("-inf"), "c": -18.0}
    delivery = DeliverySettings(**settings)
    plan = Plan(
        lines=tuple(lines),
        voices={"kari": Voice("kari", "Kari", {}, rights={"who": "x", "licence": "own", "evidence": "y"})},
        cast_names=(),
        engine="espeak",
        engine_fingerprint="espeak 1",
        seed=0,
        rows=5,
        exceptions=({"id": "e", "place": "havn.csv:6", "reason": "cut"},),
        stale_decisions=(),
    )
    selection = {
        p.line.id: {"state": "passed" if p.line.id in levels else "missing", "take": p.takes[0], "takes": [{}]}
        for p in lines
    }
    clips = {
        line_id: {**clip_facts(delivered(level)), "bytes": 4, "sha256": key_of("bytes")}
        for line_id, level in levels.items()
    }
    licence = "GPL-3.0-or-later (the program)"
    rows = {
        number: canonical_json(
            clip_row(
                planned,
                selection[planned.line.id],
                clips[planned.line.id],
                f"nb/havn/{planned.line.id}{delivery.suffix}",
                licences_of(plan, planned, licence),
            )
        )
        for number, planned in enumerate(lines[:3])
    }
    return dict(json.loads(manifest_of(plan, rows, delivery, "fingerprint", licence)))


@pytest.mark.parametrize("sound_format", ["ogg-vorbis", "ogg-opus", "wav"])
def test_a_manifest_keeps_to_its_schema(sound_format: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(manifest(format=sound_format))


def test_rows_are_clips_or_exceptions() -> None:
    made = manifest()
    assert [clip["id"] for clip in made["clips"]] == ["a", "b", "c"]
    assert [(e["id"], e["reason"]) for e in made["exceptions"]] == [("e", "cut"), ("d", "no take could be made")]
    assert [clip["synthetic"] for clip in made["clips"]] == [True, True, False]
    assert made["clips"][1]["loudness_after_lufs"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", "../../etc/passwd"),
        ("path", "/nb/havn/a.ogg"),
        ("path", "nb/havn/a.exe"),
        ("id", "a/b"),
        ("sha256", "abc"),
        ("take", None),
        ("verdict", "missing"),
        ("verdict", "fine"),
        ("locale", "en"),
        ("duration_s", -1),
        ("bytes", 0),
        ("loudness_after_lufs", "-18"),
        ("surprise", 1),
    ],
)
def test_the_schema_refuses(name: str, value: object) -> None:
    made = manifest()
    made["clips"][0][name] = value
    assert list(VALIDATOR.iter_errors(made))


@pytest.mark.parametrize("name", sorted(SCHEMA["$defs"]["clip"]["required"]))
def test_nothing_may_be_left_out_of_a_clip(name: str) -> None:
    made = manifest()
    del made["clips"][0][name]
    assert list(VALIDATOR.iter_errors(made))
