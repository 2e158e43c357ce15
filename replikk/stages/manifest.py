"""``build/assets/manifest.json``: what is in the box, for the game and for the people who must answer for it.

The format is published in ``replikk/schemas/manifest.schema.json``. Equal inputs give equal bytes: there is no time
stamp and nothing of earlier builds in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from replikk.dialogue.plan import Plan, PlannedLine
from replikk.engines import ENGINE_LICENCES

if TYPE_CHECKING:
    from replikk.audio.delivery import DeliverySettings
    from replikk.stages.clips import ClipOrder
    from replikk.stages.word_files import PlacedFile, WordFiles

FORMAT_VERSION = 1
WORDS, MOUTH, SUBTITLES = ".words.json", ".mouth.json", ".vtt"
"""What the names of the files beside clips end in."""

DISCLOSURE = (
    "The speech in this game was made by a computer (text to speech), except for clips marked as recorded by a person."
)


def asset_path(planned: PlannedLine, suffix: str) -> str:
    """Where the clip of a line lies below build/assets."""
    line = planned.line
    return f"{line.locale}/{line.scene}/{line.id}{suffix}"


def manifest_of(
    plan: Plan,
    selection: Mapping[str, Any],
    clips: Mapping[str, Mapping[str, Any]],
    orders: Mapping[str, ClipOrder],
    settings: DeliverySettings,
    delivery_fingerprint: str,
    engine_licence: str,
    files: WordFiles | None = None,
) -> dict[str, Any]:
    """The manifest as plain JSON; ``engine_licence`` names the licences of engine and models.

    ``files`` are those beside the clips; None where none are wanted.
    """
    used = sorted({planned.line.voice for planned in plan.lines})
    licences = {
        (human, voice): {
            "engine": ENGINE_LICENCES["human"] if human else engine_licence,
            "voice": plan.voices[voice].rights.get("licence", ""),
        }
        for human in (True, False)
        for voice in used
    }
    missing = [
        {"id": p.line.id, "place": f"{p.line.file}:{p.line.row}", "reason": "no take could be made"}
        for p in plan.lines
        if p.line.id not in clips
    ]
    return {
        "format": FORMAT_VERSION,
        "disclosure": DISCLOSURE,
        "delivery": {
            "format": settings.format,
            "sample_rate_hz": settings.sample_rate_hz,
            "channels": 1,
            "target_lufs": settings.target_lufs,
            "ceiling_dbtp": settings.ceiling_dbtp,
            "fingerprint": delivery_fingerprint,
        },
        "engine": {"name": plan.engine, "licence": engine_licence},
        "voices": {name: {"label": plan.voices[name].label, "rights": plan.voices[name].rights} for name in used},
        "rows": plan.rows,
        "exceptions": [*plan.exceptions, *missing],
        "scenes": _scenes(files),
        "clips": [
            _clip(
                planned,
                selection[planned.line.id],
                clips[planned.line.id],
                orders[planned.line.id],
                licences[bool(planned.recording), planned.line.voice],
                files.beside.get(planned.line.id, ()) if files else (),
            )
            for planned in plan.lines
            if planned.line.id in clips
        ],
    }


def _clip(
    planned: PlannedLine,
    chosen: Mapping[str, Any],
    clip: Mapping[str, Any],
    order: ClipOrder,
    licences: Mapping[str, str],
    beside: Sequence[PlacedFile],
) -> dict[str, Any]:
    line = planned.line
    record = {
        "id": line.id,
        "path": order.path,
        "sha256": clip["sha256"],
        "bytes": clip["bytes"],
        "duration_s": clip["duration_s"],
        "text": line.display,
        "spoken": line.spoken,
        "voice": line.voice,
        "character": line.character,
        "scene": line.scene,
        "locale": line.locale,
        "style": line.style,
        "verdict": chosen["state"],
        "take": chosen["take"],
        "takes_made": len(chosen["takes"]),
        "loudness_before_lufs": clip["loudness_before_lufs"],
        "loudness_after_lufs": clip["loudness_after_lufs"],
        "loudness_kind": clip["loudness_kind"],
        "true_peak_dbtp": clip["true_peak_dbtp"],
        "gain_db": clip["gain_db"],
        "gain_limited_db": clip["gain_limited_db"],
        "licences": licences,
        "synthetic": not planned.recording,
        "extra": line.extra,
    }
    for path, _, _ in beside:
        record["word_times" if path.endswith(WORDS) else "mouth_cues"] = path
    return record


def _scenes(files: WordFiles | None) -> list[dict[str, str]]:
    """The scenes that have subtitles, in the order of the plan."""
    paths = [record["path"] for record in files.subtitles.values()] if files else []
    return [{"locale": path.split("/")[0], "scene": path.split("/")[1], "subtitles": path} for path in paths]
