"""The build under review: which lines and takes its report shows, which recordings it names, and what still fits.

A decision is about something that a person has heard, so the server takes only those about a take of the report as it
is now. After a new build, an old page is told to load the new report. What stands in the file already is only judged:
a decision *fits* when its take is one that the line, as it was built, can have; else it is *stale* and does nothing.
"""

from __future__ import annotations

import hashlib
import posixpath
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from replikk.config import MAX_ROUNDS_LIMIT, Config
from replikk.dialogue.decisions import Decision
from replikk.dialogue.ids import folded_id
from replikk.dialogue.plan import PlannedLine, read_plan
from replikk.dialogue.take_keys import find_take
from replikk.errors import ReplikkError
from replikk.stages.damage import delivered_plan_path

REFERENCE_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff"})
SPARE_READINGS = 10  # readings of a line that are looked through beyond those that its decisions and its row name


class NoReportError(ReplikkError):
    """There is nothing to review yet."""


@dataclass(frozen=True)
class ReportLine:
    """What a decision about a line of the report can be about."""

    id: str
    takes: frozenset[str]
    voice: str
    locale: str
    spoken_by_a_person: bool


@dataclass(frozen=True)
class Report:
    """A build's report."""

    version: str
    """Changes when the report does."""
    lines: Mapping[str, ReportLine]
    references: Mapping[str, Path]
    """Recordings of voices that the report names, by the path of their address."""
    folded: Mapping[str, str] = field(default_factory=dict)
    """Ids by what they are without regard to case."""


class ReviewedBuild:
    """The report of a build folder and the plan that it was made from, read again when they have changed."""

    def __init__(self, config: Config) -> None:
        self.folder = config.build_dir
        self._guard = threading.Lock()
        self._report: tuple[tuple[int, ...], Report] | None = None
        self._plan: tuple[tuple[int, ...], dict[str, PlannedLine]] | None = None

    @property
    def page(self) -> Path:
        return self.folder / "report" / "index.html"

    def report(self) -> Report:
        """The report as it is now. Raises NoReportError."""
        path = self.folder / "report" / "report.json"
        if not self.page.is_file() or not path.is_file():
            raise NoReportError(f"{self.page}: there is no report yet; build first: snakemake")
        with self._guard:
            signature = _signature(path)
            if self._report is None or self._report[0] != signature:
                self._report = signature, _read_report(path)
            return self._report[1]

    def version(self) -> str:
        """Changes when the report or its plan do. Raises NoReportError."""
        path = delivered_plan_path(self.folder)
        return f"{self.report().version} {_signature(path) if path.is_file() else ''}"

    def stale(self, decisions: Sequence[Decision]) -> dict[int, str]:
        """Which decisions fit no line of the build any more, and why; by row number.

        Raises NoReportError.
        """
        report = self.report()
        planned = self._planned()
        on_line = Counter(folded_id(decision.line_id) for decision in decisions)
        found = {}
        for decision in decisions:
            folded = folded_id(decision.line_id)
            line_id = report.folded.get(folded)
            readings = on_line[folded] + SPARE_READINGS
            if line_id is None:
                found[decision.row] = "there is no such line any more"
            elif decision.take_key and not _fits(decision, report.lines[line_id], planned.get(line_id), readings):
                found[decision.row] = "the line has changed since"
        return found

    def _planned(self) -> dict[str, PlannedLine]:
        """The lines of the delivered plan; none when it is not there: then only takes of the report are known."""
        path = delivered_plan_path(self.folder)
        if not path.is_file():
            return {}
        with self._guard:
            signature = _signature(path)
            if self._plan is None or self._plan[0] != signature:
                self._plan = signature, {planned.line.id: planned for planned in read_plan(path).lines}
            return self._plan[1]


def _signature(path: Path) -> tuple[int, ...]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _read_report(path: Path) -> Report:
    data = path.read_bytes()
    try:
        report = orjson.loads(data)
        lines = {line["id"]: _report_line(line) for line in report["lines"]}
        references = dict(_references(report["voices"], path.parent))
    except (ValueError, TypeError, KeyError) as error:
        raise ReplikkError(f"{path}: is no report of this version of replikk; build again") from error
    version = hashlib.sha256(data).hexdigest()[:16]
    return Report(version, lines, references, {folded_id(line_id): line_id for line_id in lines})


def _report_line(line: Mapping[str, Any]) -> ReportLine:
    takes = {take["key"] for take in line.get("takes", ())} | ({line["take"]} if line["take"] else set())
    return ReportLine(line["id"], frozenset(takes), line["voice"], line["locale"], bool(line.get("human_recording")))


def _references(voices: Sequence[Mapping[str, Any]], folder: Path) -> list[tuple[str, Path]]:
    """Addresses and files of the voices' references. Their paths are relative to the page and may lead anywhere.

    A browser that opens ``../../dialogue/x.wav`` from ``/report/index.html`` asks for ``/dialogue/x.wav``.
    """
    found = []
    for voice in voices:
        named = voice.get("reference")
        if isinstance(named, str) and named and Path(named).suffix.lower() in REFERENCE_SUFFIXES:
            address = posixpath.normpath(posixpath.join("/report", named))
            found.append((address, folder / named))
    return found


def _fits(decision: Decision, line: ReportLine, planned: PlannedLine | None, readings: int) -> bool:
    """Whether a take is one that the line can have: one of the report, or an earlier reading or direction."""
    wanted = decision.take_key
    if planned is None:
        return any(key.startswith(wanted) for key in line.takes)
    if any(key.startswith(wanted) for key in (*planned.takes, *line.takes)):
        return planned.state != "locked_stale"  # then its take is all that is left of an older text
    keys = (planned.line_key, *planned.other_keys)
    return any(find_take(key, wanted, planned.line.take + readings, MAX_ROUNDS_LIMIT) is not None for key in keys)
