"""``build/assets/manifest.json``: what is in the box, for the game and for the people who must answer for it.

The format is published in ``replikk/schemas/manifest.schema.json``. Equal inputs give equal bytes: there is no time
stamp and nothing of earlier builds in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from replikk.dialogue.plan import Plan, PlannedLine
from replikk.engines import ENGINE_LICENCES
from replikk.errors import ReplikkError
from replikk.files import canonical_json

if TYPE_CHECKING:
    from replikk.audio.delivery import DeliverySettings
    from replikk.stages.packed_lines import FileList

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
    clips: Mapping[int, bytes],
    settings: DeliverySettings,
    delivery_fingerprint: str,
    engine_licence: str,
    subtitles: Sequence[str] = (),
) -> bytes:
    """The manifest as a file; ``clips`` are the rows of ``clip_row`` by number of the line.

    ``engine_licence`` names the licences of engine and models; ``subtitles`` are the paths of those, in plan order.
    """
    used = sorted(set(plan.index.voices))
    lines = [plan.lines[number].line for number in range(len(plan.lines)) if number not in clips]
    missing = [{"id": line.id, "place": f"{line.file}:{line.row}", "reason": "no take could be made"} for line in lines]
    return canonical_json(
        {
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
            "scenes": [_scene(path) for path in subtitles],
            "clips": [orjson.Fragment(clips[number]) for number in sorted(clips)],
        }
    )


def clip_row(
    planned: PlannedLine,
    chosen: Mapping[str, Any],
    clip: Mapping[str, Any],
    path: str,
    licences: Mapping[str, str],
    beside: FileList = (),
) -> dict[str, Any]:
    """What the manifest says of one clip; ``clip`` is its record in the store, ``beside`` the files beside it."""
    line = planned.line
    record = {
        "id": line.id,
        "path": path,
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
    for file, _, _ in beside:
        record["word_times" if file.endswith(WORDS) else "mouth_cues"] = file
    return record


def read_clip_rows(path: Path) -> tuple[dict[str, Any], list[bytes]]:
    """The manifest without its clips, and the row of each clip as it stands in the file.

    Raises ReplikkError for a file that was damaged.
    """
    data = path.read_bytes()
    # Keys are sorted, so a row starts with "bytes" and the clips end before "delivery". Inside a string of JSON no
    # quotation mark stands without a backslash, so none of these is ever part of a text.
    end = data.find(_BEHIND_CLIPS)
    try:
        if not data.startswith(_BEFORE_CLIPS) or end < 0:
            raise ValueError("no clips")
        rest = orjson.loads(data[: len(_BEFORE_CLIPS)] + data[end:])
    except ValueError as error:
        raise ReplikkError(f"{path}: is not JSON; delete the file and run again") from error
    first = len(_BEFORE_CLIPS) + len(_ROW_STARTS)
    rows = data[first : end - 1].split(b"}," + _ROW_STARTS) if first < end else []
    return rest, [b"%b%b}" % (_ROW_STARTS, row) for row in rows]


_BEFORE_CLIPS, _ROW_STARTS, _BEHIND_CLIPS = b'{"clips":[', b'{"bytes":', b'],"delivery":{'


def licences_of(plan: Plan, planned: PlannedLine, engine_licence: str) -> dict[str, str]:
    """Of what speaks in a clip, and of the voice."""
    return {
        "engine": ENGINE_LICENCES["human"] if planned.recording else engine_licence,
        "voice": plan.voices[planned.line.voice].rights.get("licence", ""),
    }


def _scene(path: str) -> dict[str, str]:
    """A scene that has subtitles."""
    locale, scene, _ = path.split("/")
    return {"locale": locale, "scene": scene, "subtitles": path}
