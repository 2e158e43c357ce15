"""What planning made of one sheet, remembered by everything that it depends on.

One changed line must not cost the planning of ten thousand. The lines of a sheet depend on the sheet's own bytes, on
what all sheets share (code, voices, lexicon, placeholders, engine, settings) and on what people decided about them. A
sheet is remembered under a digest of the first two, and only when the third does not come into it: no line of it is
decided on, locked or spoken by a person. Everything that depends on other sheets is checked anew in every plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from replikk.dialogue.ids import folded_id
from replikk.dialogue.plan_rows import PlanIndex
from replikk.dialogue.records import Line
from replikk.dialogue.sheets import RowName
from replikk.files import canonical_json, digest, write_atomic

DECISIONS = "decisions.csv"


class LineName(NamedTuple):
    """What the checks across all sheets know of a line."""

    id: str
    source_id: str
    file: str
    row: int


@dataclass(frozen=True)
class PlannedSheet:
    """The part of a plan that comes from one sheet."""

    rows: list[RowName]
    lines: list[LineName]
    voices: list[str]
    exceptions: list[dict[str, str]]
    index: PlanIndex
    data: bytes
    """The lines as they stand in the plan's file."""


class KnownSheets:
    """The sheets of the last plan. ``inputs`` are those of the plan, ``sheets`` the paths of its sheets."""

    def __init__(self, build_dir: Path, folder: Path, inputs: Mapping[str, Any], sheets: Collection[Path]) -> None:
        self._folder = build_dir / "plan" / "sheets"
        names = {path: path.relative_to(folder).as_posix() for path in sheets}
        self._contents = {path: inputs["files"][name] for path, name in names.items() if name in inputs["files"]}
        apart = {*names.values(), DECISIONS}
        shared = {name: content for name, content in inputs["files"].items() if name not in apart}
        # Messages and lines name a sheet by its path from the current folder.
        self._shared = digest([{**inputs, "files": shared, "locks": None}, str(Path.cwd())])
        self._used: set[Path] = set()

    def _path(self, sheet: Path) -> Path:
        return self._folder / f"{digest([self._shared, str(sheet), self._contents[sheet]])}.jsonl"

    def get(self, sheet: Path, decided: Collection[str]) -> PlannedSheet | None:
        """What is known of a sheet; None when it must be planned. ``decided`` are folded ids of decisions and locks."""
        if sheet not in self._contents:
            return None
        path = self._path(sheet)
        try:
            checksum, _, content = path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        if checksum != hashlib.sha256(content).hexdigest().encode():
            return None
        head, _, data = content.partition(b"\n")
        facts = orjson.loads(head)
        lines = [LineName(*name) for name in facts["lines"]]
        if decided and any(folded_id(line.id) in decided for line in lines):
            return None
        self._used.add(path)
        return PlannedSheet(
            [RowName(*name) for name in facts["rows"]],
            lines,
            facts["voices"],
            facts["exceptions"],
            PlanIndex(**facts["index"]),
            data,
        )

    def put(self, sheet: Path, planned: PlannedSheet, lines: Collection[Line], decided: Collection[str]) -> None:
        """Remember a sheet, if nothing that people decided comes into it."""
        if sheet not in self._contents or any(line.status or folded_id(line.id) in decided for line in lines):
            return
        facts = {
            "rows": [list(name) for name in planned.rows],
            "lines": [list(name) for name in planned.lines],
            "voices": planned.voices,
            "exceptions": planned.exceptions,
            "index": planned.index._asdict(),
        }
        content = canonical_json(facts) + b"\n" + planned.data
        path = self._path(sheet)
        # Not synced: a file that a power cut damages is told by its checksum.
        write_atomic(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content, sync=False)
        self._used.add(path)

    def tidy(self) -> None:
        """Forget sheets that are not part of this plan."""
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                if path not in self._used:
                    path.unlink(missing_ok=True)
