"""The plan: every line of the game with the takes it asks for, as one file that all stages read.

``make_plan`` reads everything a person wrote and either returns a whole plan or raises one error with all problems.
``open_plan`` does so at the start of a build and remembers the result by the bytes of all its inputs, so that a build
in which nothing changed hashes a few files and parses none. What goes in is named in ``_inputs``: the sheets and the
other files of the dialogue folder, the settings, the engine's fingerprint, remembered locks, and our own code.

A stage that knows most lines already wants to know little of them, and making ten thousand records takes longer than
the rest of it. So the head of the file has an index by columns, and lines are decoded when they are looked at
(``plan_rows``).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from replikk.config import Config
from replikk.dialogue.decided import read_locks
from replikk.dialogue.plan_rows import PlanIndex, PlannedLine, RowLines, TakeLines, index_of, line_bytes
from replikk.dialogue.records import Line, Voice
from replikk.dialogue.take_keys import ingredients
from replikk.errors import ReplikkError
from replikk.files import canonical_json, digest, sha256_file, write_atomic

log = logging.getLogger(__name__)

KEPT_PLANS = 4  # a writer who goes back and forth between two versions finds both again


@dataclass(frozen=True)
class Plan:
    """A whole game, ready to be built."""

    lines: Sequence[PlannedLine]
    voices: Mapping[str, Voice]
    cast_names: tuple[str, ...]
    engine: str
    engine_fingerprint: str
    seed: int
    rows: int
    """Rows of all sheets; every one is a line or an exception."""
    exceptions: tuple[Mapping[str, str], ...]
    """Rows that become no clip, each with id, place and reason."""
    stale_decisions: tuple[str, ...]
    """Decisions that fit no take any more, as sentences."""

    @cached_property
    def index(self) -> PlanIndex:
        known = self.lines.known_index if isinstance(self.lines, RowLines) else None
        return index_of(self.lines) if known is None else known

    @property
    def line_rows(self) -> list[bytes]:
        """Every line as it stands in the plan's file: what it says and asks for, in one value."""
        if isinstance(self.lines, RowLines):
            return self.lines.rows
        return [line_bytes(planned)[:-1] for planned in self.lines]

    def ingredients_of(self, line: Line) -> dict[str, Any]:
        """What the key of a line is the hash of, by name."""
        voice = self.voices[line.voice]
        return ingredients(line.voiced_segments, line.locale, line.style, voice, self.engine_fingerprint, self.seed)

    def line_of_take(self, take_keys: Iterable[str]) -> TakeLines:
        """A line that says each of the takes, by take key; without those that no line asks for."""
        return TakeLines(self.lines, self.index, take_keys)


@dataclass(frozen=True)
class OpenPlan:
    """What the start of a build knows of its plan without reading it."""

    digest: str
    path: Path


def open_plan(config: Config) -> OpenPlan:
    """The plan of the inputs as they are now, from memory when they are known. Raises as ``make_plan`` does.

    A remembered plan is named by its inputs and its own content, so that a damaged one is not believed.
    """
    folder = config.build_dir / "plan" / "known"
    inputs = _inputs(config)
    name = digest(inputs)[:32]
    for path in folder.glob(f"{name}.*.jsonl"):
        content = sha256_file(path)
        if path.name == f"{name}.{content[:32]}.jsonl":
            return OpenPlan(content, path)
        path.unlink(missing_ok=True)
    from replikk.dialogue.assemble import make_plan

    data = make_plan(config, inputs)
    content = hashlib.sha256(data).hexdigest()
    path = folder / f"{name}.{content[:32]}.jsonl"
    write_atomic(path, data)
    known = sorted(folder.glob("*.jsonl"), key=lambda file: file.stat().st_mtime_ns)
    for old in known[:-KEPT_PLANS]:
        old.unlink(missing_ok=True)
    return OpenPlan(content, path)


def _inputs(config: Config) -> Mapping[str, Any]:
    """Everything that can change a plan."""
    if not config.dialogue_dir.is_dir():
        raise ReplikkError(
            f"{config.dialogue_dir}: there is no such folder; put your sheets there, or name another: "
            "--config dialogue_dir=FOLDER"
        )
    # Imported here: the stages only read plans.
    from replikk.engines import engine_of

    engine = engine_of(config)
    files = {}
    for file in sorted(config.dialogue_dir.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            files[file.relative_to(config.dialogue_dir).as_posix()] = _content(file)
    settings = {
        "dialogue_dir": str(config.dialogue_dir),
        "placeholders": config.placeholders,
        "commercial": config.commercial,
        "max_rounds": config.max_rounds,
        "seed": config.seed,
    }
    return {
        "code": _own_code(),
        "engine": [config.engine, engine.fingerprint()],
        "files": files,
        "settings": settings,
        "locks": read_locks(config.build_dir),
    }


SMALL_BYTES = 32 * 1024 * 1024  # a recording folder may hold gigabytes; those are known by size and time alone


def _content(file: Path) -> list[Any]:
    stat = file.stat()
    if stat.st_size > SMALL_BYTES:
        return [stat.st_size, stat.st_mtime_ns]
    return [stat.st_size, hashlib.sha256(file.read_bytes()).hexdigest()]


def _own_code() -> str:
    """A hash of the modules that make plans: a plan of other code is another plan."""
    here = Path(__file__).parent
    sources = sorted([*here.rglob("*.py"), *(here.parent / "engines").rglob("*.py")])
    return digest([[file.name, hashlib.sha256(file.read_bytes()).hexdigest()] for file in sources if file.exists()])


def plan_bytes(plan: Plan, index: PlanIndex, lines: Iterable[bytes]) -> bytes:
    """The plan as a file: one JSON line for the game, then one per line of dialogue; ``lines`` are of ``line_bytes``.

    ``plan.lines`` is not looked at: most lines are known as bytes from the plan before, and so is their ``index``.
    """
    head = {
        "lines": len(index.ids),
        "index": index._asdict(),
        "voices": {name: asdict(voice) for name, voice in plan.voices.items()},
        "cast_names": plan.cast_names,
        "engine": plan.engine,
        "engine_fingerprint": plan.engine_fingerprint,
        "seed": plan.seed,
        "rows": plan.rows,
        "exceptions": plan.exceptions,
        "stale_decisions": plan.stale_decisions,
    }
    return b"".join([canonical_json(head), b"\n", *lines])


def read_plan(path: Path) -> Plan:
    """The plan in a file of ``plan_bytes``. Raises ReplikkError when lines are missing: they would vanish silently."""
    first, *rows = path.read_bytes().removesuffix(b"\n").split(b"\n")
    try:
        head = orjson.loads(first or b"{}")
    except ValueError as error:
        raise ReplikkError(f"{path}:1: is not JSON; delete the file and run again") from error
    if head.get("lines") != len(rows):
        raise ReplikkError(f"{path}: was damaged, it does not hold every line; delete the file and run again")
    return Plan(
        lines=RowLines(rows, PlanIndex(**head["index"]) if "index" in head else None),
        voices={name: Voice(**voice) for name, voice in head["voices"].items()},
        cast_names=tuple(head["cast_names"]),
        engine=head["engine"],
        engine_fingerprint=head["engine_fingerprint"],
        seed=head["seed"],
        rows=head["rows"],
        exceptions=tuple(head["exceptions"]),
        stale_decisions=tuple(head["stale_decisions"]),
    )
