"""Lines get their keys and their takes: what the engine would make, what people decided, what a person recorded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from replikk.dialogue.decided import Decided, Direction, decide_takes
from replikk.dialogue.decisions import Decision
from replikk.dialogue.desk import Desk, unfollowed
from replikk.dialogue.directions import Respelt, Versions, respell
from replikk.dialogue.ids import folded_id
from replikk.dialogue.known_sheets import DECISIONS
from replikk.dialogue.plan_rows import PlannedLine
from replikk.dialogue.records import Line
from replikk.dialogue.take_keys import external_key, ingredients, line_key
from replikk.errors import Problem
from replikk.files import sha256_file
from replikk.store import Store

RECORDING_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff")


def plan_lines(
    lines: list[Line], decisions: list[Decision], locks: Mapping[str, str], desk: Desk
) -> tuple[list[PlannedLine], list[str]]:
    """Keys and takes of every line, and the decisions that fit no line any more."""
    by_line: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_line[folded_id(decision.line_id)].append(decision)
    stored = _stored_takes(desk.config.build_dir)
    fingerprint = desk.engine.fingerprint()
    planned, stale = [], []
    for line in lines:
        key = _key_of(line, fingerprint, desk)
        line_keys: tuple[str, ...] = ()
        mine = by_line.pop(folded_id(line.id), [])
        recording = _recording(line, desk) if line.status == "external" else None
        if recording is not None:
            key = external_key(sha256_file(recording))
            accepted = any(d.decision in ("accept", "lock") and key.startswith(d.take_key) for d in mine)
            refused = [d for d in mine if d.decision == "retake"]
            sentence = "is spoken by a person: a retake in decisions.csv does nothing, record the line anew"
            decided = Decided((key,), 0, "accepted" if accepted else "", True, (sentence,) if refused else ())
        else:
            lock = locks.get(line.id) if line.status == "locked" else None
            versions = _versions_of(line, fingerprint, desk)
            decided = decide_takes(key, line.take, desk.config.max_rounds, mine, lock, stored, versions.key)
            line, key, line_keys = versions.line(decided.direction), versions.key(decided.direction), decided.line_keys
        stale += [f"[{line.id}] {sentence}" for sentence in decided.stale]
        if not decided.can_be_made and stored(decided.takes[0]) is None:
            desk.problems.append(_lost_lock(line, decided.takes[0], mine, desk))
        planned.append(
            PlannedLine(
                line=line,
                line_key=key,
                takes=decided.takes,
                first_reading=decided.first_reading,
                state=decided.state,
                can_be_made=decided.can_be_made,
                recording=str(recording) if recording is not None else "",
                other_keys=tuple(other for other in line_keys if other != key),
            )
        )
    stale += [f"[{left[0].line_id}] has decisions, but there is no such line any more" for left in by_line.values()]
    return planned, stale


def _lost_lock(line: Line, take: str, decisions: Sequence[Decision], desk: Desk) -> Problem:
    """That a locked take is gone, told of the row that locked it: of decisions.csv, else of the sheet."""
    what = f"the locked take {take[:12]} of line {line.id} is not in the store, and the line has changed since, "
    what += "so it cannot be made again"
    instead = "bring back build/store from a backup, or the old text, or take the lock away"
    for decision in reversed(decisions):
        if decision.decision == "lock" and take.startswith(decision.take_key):
            file = str(desk.config.dialogue_dir / DECISIONS)
            return Problem(file, decision.row, line.id, "decision", what, instead)
    return Problem(line.file, line.row, line.id, "status", what, instead)


def _key_of(line: Line, fingerprint: str, desk: Desk) -> str:
    voice = desk.voices.voices[line.voice]
    return line_key(ingredients(line.voiced_segments, line.locale, line.style, voice, fingerprint, desk.config.seed))


def _versions_of(line: Line, fingerprint: str, desk: Desk) -> Versions:
    """The line under whatever direction people gave it; what is wrong with a respelling is a problem of the plan."""
    names = desk.voices.character_names
    file = str(desk.config.dialogue_dir / DECISIONS)

    def respelt(direction: Direction) -> Respelt:
        read = respell(direction.respelling, line.locale, line.voice, desk.lexicon, desk.placeholders, names)
        for what, instead in read.problems:
            desk.problems.append(Problem(file, direction.respelling_row, line.id, "respelling", what, instead))
        return read

    return Versions(line, respelt, lambda style: unfollowed(style, desk), lambda of: _key_of(of, fingerprint, desk))


def _recording(line: Line, desk: Desk) -> Path | None:
    """The human recording of an external line; a problem when there is none."""
    root = desk.config.dialogue_dir / "external"
    for folder in (root / line.locale, root):
        for suffix in RECORDING_SUFFIXES:
            path = folder / f"{line.id}{suffix}"
            if path.is_file():
                return path
    desk.problems.append(
        Problem(
            line.file,
            line.row,
            line.id,
            "status",
            "is external, but there is no recording of it",
            f"put it at {root / line.locale / line.id}.wav (or .flac, .ogg, .mp3, .m4a), or clear the status",
        )
    )
    return None


def _stored_takes(build_dir: Path) -> Callable[[str], str | None]:
    """A function that completes the beginning of a take key from the takes in the store, looking only when asked."""
    keys: list[str] = []

    def complete(wanted: str) -> str | None:
        if not keys:
            store = Store(build_dir)
            keys.extend(key for key in store.journal("takes") if store.take_path(key).exists())
        hits = [key for key in keys if key.startswith(wanted)]
        return hits[0] if len(hits) == 1 else None

    return complete
