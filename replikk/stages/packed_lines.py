"""What packaging made of each line, and what of it stands from the last build.

A line's clip, the files beside it and its row of the manifest follow from its row of the plan, its row of the
selection, the delivery settings, and for the shortest clips the anchor of their voice, which hangs on other lines. So
the lines of the last build whose sources are the same are taken over once their files are seen to lie in the assets
as they should; the journals, the takes and the lines themselves are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from replikk.files import canonical_json
from replikk.line_memory import PART, LineMemory
from replikk.stages.damage import is_intact

FileList = Sequence[Sequence[Any]]
"""Path below build/assets, size in bytes and SHA-256 of each file."""


class PackedLine(NamedTuple):
    """A clip that lies in the assets, and what is said of it."""

    delivered: Mapping[str, Any]
    """Its record for ``delivered.jsonl``, without the subtitles of its scene."""
    speaker: str
    is_short: bool
    """Whether its take may need its voice's anchor."""
    anchor_gain_db: float | None
    """The anchor that was used."""
    delivered_row: bytes
    manifest_row: bytes

    @property
    def path(self) -> str:
        return str(self.delivered["path"])

    @property
    def beside(self) -> FileList:
        files: FileList = self.delivered.get("beside", ())
        return files


def packed_line(
    delivered: Mapping[str, Any], manifest_row: Mapping[str, Any], speaker: str, is_short: bool, anchor: float | None
) -> PackedLine:
    return PackedLine(
        delivered, speaker, is_short, anchor, canonical_json(delivered), canonical_json(manifest_row)
    )  # fmt: skip


def keep(memory: LineMemory, source: bytes, packed: PackedLine) -> None:
    facts = canonical_json([packed.speaker, packed.is_short, packed.anchor_gain_db])
    memory.keep(source, PART.join([packed.delivered_row, facts, packed.manifest_row]))


def remembered(memory: LineMemory, sources: Iterable[tuple[int, bytes]]) -> dict[int, PackedLine]:
    """By number of the line, what was made of the same sources; whether it still stands is not looked at."""
    found = [(number, made.split(PART)) for number, source in sources if (made := memory.find(source)) is not None]
    # All in one go: decoding ten thousand small values one by one takes twice as long.
    small = orjson.loads(b"[%b]" % b",".join([b"[%b,%b]" % (parts[0], parts[1]) for _, parts in found]))
    return {
        number: PackedLine(delivered, speaker, is_short, anchor, parts[0], parts[2])
        for (number, parts), (delivered, (speaker, is_short, anchor)) in zip(found, small, strict=True)
    }


def lies(assets: str, packed: PackedLine, recorded_ns: int) -> bool:
    """Whether a line's clip and the files beside it are in the assets as they were recorded."""
    delivered = packed.delivered
    clip = f"{assets}/{delivered['path']}"
    if not is_intact(clip, delivered["bytes"], delivered["sha256"], recorded_ns):
        return False
    return all_lie(assets, packed.beside, recorded_ns)


def all_lie(assets: str, files: FileList, recorded_ns: int) -> bool:
    for path, size, sha256 in files:  # noqa: SIM110 - a generator costs as much as the look, for every line of the game
        if not is_intact(f"{assets}/{path}", size, sha256, recorded_ns):
            return False
    return True
