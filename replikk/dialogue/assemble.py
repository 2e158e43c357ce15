"""Rows and the other files of the dialogue folder become a plan, or one error with every problem in all of them.

The way of a row: placeholders are filled in, markup is read, the lexicon respells, numbers are spelled out; then the
line's key is made, and what people decided chooses its takes. Nothing is dropped silently: every row is a line, or an
exception with its reason, or a problem.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.dialogue.decided import Decided, Direction, decide_takes, read_locks
from replikk.dialogue.decisions import Decision, read_decisions
from replikk.dialogue.directions import (
    NOTHING_TO_SPEAK,
    Respelt,
    Versions,
    can_be_spoken,
    respell,
    spoken_segments,
    unfollowed_remark,
)
from replikk.dialogue.drills import is_drill
from replikk.dialogue.ids import collisions, folded_id
from replikk.dialogue.known_sheets import DECISIONS, KnownSheets, LineName, PlannedSheet
from replikk.dialogue.lexicon import Lexicon, read_lexicon
from replikk.dialogue.markup import parse_markup
from replikk.dialogue.placeholders import Expansion, expand, validate_policies
from replikk.dialogue.plan import Plan, PlannedLine, line_bytes, plan_bytes
from replikk.dialogue.records import Line, Segment, Voice
from replikk.dialogue.sheets import SheetRow, check_across, name_of, read_sheet, sheet_files
from replikk.dialogue.take_keys import external_key, ingredients, line_key
from replikk.dialogue.voices import Voices, licence_problems, read_voices
from replikk.dialogue.yaml_files import read_yaml
from replikk.engines import Engine, engine_of
from replikk.errors import DialogueError, Problem, ReplikkError
from replikk.files import sha256_file
from replikk.store import Store

log = logging.getLogger(__name__)

RECORDING_SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff")


@dataclass
class _Desk:
    """What is at hand while rows become lines, and where what is found is put."""

    config: Config
    engine: Engine
    voices: Voices
    lexicon: Lexicon
    placeholders: Mapping[str, Any]
    problems: list[Problem]
    exceptions: list[dict[str, str]] = field(default_factory=list)
    unfollowed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    casting: dict[tuple[str, str], Voice | tuple[str, str]] = field(default_factory=dict)
    """The cells voice and character to what ``Voices.voice_for`` says of them."""


def make_plan(config: Config, inputs: Mapping[str, Any]) -> bytes:
    """The plan of everything in the dialogue folder, as a file. Raises DialogueError with all problems of all files.

    ``inputs`` is everything that the plan depends on. Sheets that are as they were in the plan before are not read.
    """
    folder = config.dialogue_dir
    engine = engine_of(config)
    decisions, decision_problems = read_decisions(folder / DECISIONS)
    locks = read_locks(config.build_dir)
    decided = {folded_id(decision.line_id) for decision in decisions} | {folded_id(line_id) for line_id in locks}

    files, problems = sheet_files(folder)
    memory = KnownSheets(config.build_dir, folder, inputs, files)
    known: dict[Path, PlannedSheet] = {}
    rows: dict[Path, list[SheetRow]] = {}
    for path in files:
        remembered = memory.get(path, decided)
        if remembered is not None:
            known[path] = remembered
        else:
            rows[path], sheet_problems = read_sheet(path)
            problems += sheet_problems
    names = [known[path].rows if path in known else [name_of(row) for row in rows[path]] for path in files]
    problems += check_across([name for of_sheet in names for name in of_sheet])

    voices, voice_problems = read_voices(folder / "voices.yaml", config.engine)
    lexicon, lexicon_problems = read_lexicon(folder / "lexicon.tsv", voices.voices)
    problems += [*voice_problems, *lexicon_problems, *decision_problems]
    problems += _engine_problems(voices, engine, folder)
    placeholders, placeholder_problems = read_policies(config)
    problems += placeholder_problems
    if voice_problems and not voices.voices:  # every row would complain of its voice: this is the one thing to mend
        raise DialogueError([*voice_problems, *placeholder_problems])

    desk = _Desk(config, engine, voices, lexicon, placeholders, problems)
    lines: dict[Path, list[Line]] = {}
    exceptions: dict[Path, list[dict[str, str]]] = {}
    for path in rows:
        desk.exceptions = exceptions[path] = []
        lines[path] = [line for row in rows[path] for line in _lines_of(row, desk)]
    line_names = {
        path: known[path].lines
        if path in known
        else [LineName(line.id, line.source_id, line.file, line.row) for line in lines[path]]
        for path in files
    }
    all_names = [name for path in files for name in line_names[path]]
    problems += _collision_problems(all_names)
    if not all_names and not problems:
        problems.append(
            Problem(
                str(folder), None, "", "", "holds no dialogue", "put a sheet with the columns id, text and voice there"
            )
        )
    used = {voice for sheet in known.values() for voice in sheet.voices}
    used |= {line.voice for of_sheet in lines.values() for line in of_sheet}
    problems += licence_problems(voices, config.commercial, used)
    planned, stale = _plan_lines([line for path in lines for line in lines[path]], decisions, locks, desk)
    if problems:
        raise DialogueError(problems)

    remaining = iter(planned)
    for path, of_sheet in lines.items():
        data = b"".join(line_bytes(next(remaining)) for _ in of_sheet)
        voice_names = sorted({line.voice for line in of_sheet})
        row_names = [name_of(row) for row in rows[path]]
        known[path] = PlannedSheet(row_names, line_names[path], voice_names, exceptions[path], data)
        memory.put(path, known[path], of_sheet, decided)
    memory.tidy()
    plan = Plan(
        lines=(),
        voices={name: voice for name, voice in voices.voices.items() if name in used},
        cast_names=tuple(voices.cast_names),
        engine=config.engine,
        engine_fingerprint=engine.fingerprint(),
        seed=config.seed,
        rows=sum(len(known[path].rows) for path in files),
        exceptions=tuple(exception for path in files for exception in known[path].exceptions),
        stale_decisions=tuple(stale),
    )
    return plan_bytes(plan, len(all_names), [known[path].data for path in files])


def read_policies(config: Config) -> tuple[dict[str, Any], list[Problem]]:
    """What to speak for placeholders: ``placeholders.yaml`` of the game, and over it what the settings say."""
    path = config.dialogue_dir / "placeholders.yaml"
    of_game, problems = read_yaml(path) if path.exists() else ({}, [])
    problems += validate_policies(of_game, str(path)) + validate_policies(config.placeholders)
    known = of_game if isinstance(of_game, Mapping) else {}
    return {**known, **config.placeholders}, problems


def _engine_problems(voices: Voices, engine: Engine, folder: Path) -> Iterator[Problem]:
    """What the engine says about its settings in voices.yaml."""
    for name, voice in voices.voices.items():
        for sentence in engine.check_voice(voice):
            what, _, instead = sentence.partition("; ")
            yield Problem(str(folder / "voices.yaml"), None, name, engine.name, what, instead or "see docs/voices.md")


def _lines_of(row: SheetRow, desk: _Desk) -> Iterator[Line]:
    """The lines of one row: one, or one per value of its placeholders, or none and an exception."""
    if row.status == "cut":
        _except(row, "cut", desk)
        return
    who = (row.voice, row.character)
    if who not in desk.casting:
        desk.casting[who] = desk.voices.voice_for(*who)
    found = desk.casting[who]
    if not isinstance(found, Voice):
        what, instead = found
        _problem(row, "voice" if row.voice else "character", what, instead, desk)
        return
    expanded = expand(row.text, desk.placeholders, row.say)
    for what, instead in expanded.problems:
        _problem(row, "say" if row.say else "text", what, instead, desk)
    if expanded.skipped:
        _except(row, expanded.skipped, desk)
    for expansion in expanded.variants:
        line = _line_of(row, found, expansion, desk)
        if line is not None:
            yield line


def _line_of(row: SheetRow, voice: Voice, expansion: Expansion, desk: _Desk) -> Line | None:
    """The line of one expansion; None, and problems, when it cannot be spoken."""
    names = desk.voices.character_names
    has_say = bool(expansion.say.strip())
    shown = parse_markup(expansion.text, names, shown_only=has_say)
    said = parse_markup(expansion.say, names) if has_say else shown
    spoken_column = "say" if has_say else "text"
    for what, instead in said.problems:
        _problem(row, spoken_column, what, instead, desk)
    segments, respelt = spoken_segments(said, row.locale, voice.name, desk.lexicon)
    if said.problems:
        return None
    if not can_be_spoken(segments):
        _problem(row, spoken_column, NOTHING_TO_SPEAK, "write words, or give the row the status cut", desk)
        return None
    style = _join_styles(row.style, [*shown.styles, *said.styles])
    remarks = list(dict.fromkeys([*shown.remarks, *said.remarks]))
    remarks += [unfollowed_remark(phrase) for phrase in _unfollowed(style, desk)]
    return Line(
        id=f"{row.id}__{expansion.suffix}" if expansion.suffix else row.id,
        file=row.source,
        row=row.row,
        source_id=row.id,
        scene=row.scene,
        locale=row.locale,
        voice=voice.name,
        character=row.character or said.speaker,
        style=style,
        text=row.text,
        display=shown.display,
        segments=segments,
        respelt=respelt,
        drill=is_drill(" ".join(segment.text for segment in said.segments)),
        status="" if row.status == "cut" else row.status,
        take=row.take,
        max_seconds=row.max_seconds,
        notes=row.notes,
        extra=dict(row.extra),
        remarks=tuple(remarks),
    )


def speak_text(config: Config, text: str, locale: str, voice: str) -> tuple[Segment, ...]:
    """A text as the build would speak it, outside any sheet. Raises ReplikkError for markup that cannot be spoken."""
    lexicon, problems = read_lexicon(config.dialogue_dir / "lexicon.tsv")
    if problems:
        raise DialogueError(problems)
    expanded = expand(text, read_policies(config)[0])
    wrong = [*expanded.problems, *([(expanded.skipped, "write the name itself")] if expanded.skipped else [])]
    said = parse_markup(expanded.variants[0].text) if expanded.variants else None
    if said is not None:
        wrong += said.problems
    if said is None or wrong:
        raise ReplikkError("\n".join(f"text: {what}; {instead}" for what, instead in wrong))
    segments, _ = spoken_segments(said, locale, voice, lexicon)
    if not can_be_spoken(segments):
        raise ReplikkError(f"text: {NOTHING_TO_SPEAK}; write words")
    return segments


def _join_styles(column: str, cues: list[str]) -> str:
    """The direction of the style column and the stage cues of the text, in one."""
    styles = [" ".join(column.split()), *cues]
    return ", ".join(dict.fromkeys(style for style in styles if style))


def _unfollowed(style: str, desk: _Desk) -> tuple[str, ...]:
    if style not in desk.unfollowed:
        desk.unfollowed[style] = tuple(desk.engine.unfollowed_styles(style)) if style else ()
    return desk.unfollowed[style]


def _problem(row: SheetRow, column: str, what: str, instead: str, desk: _Desk) -> None:
    problem = Problem(row.source, row.row, row.id, column, what, instead)
    if problem not in desk.problems[-20:]:  # the variants of a row share its problems
        desk.problems.append(problem)


def _except(row: SheetRow, reason: str, desk: _Desk) -> None:
    desk.exceptions.append({"id": row.id, "place": f"{row.source}:{row.row}", "reason": reason})


def _collision_problems(lines: list[LineName]) -> Iterator[Problem]:
    """Variants whose ids meet those of other rows. Rows among themselves were checked when the sheets were read."""
    if all(line.id == line.source_id for line in lines):
        return
    for first, second in collisions([line.id for line in lines]):
        one, other = lines[second], lines[first]
        if one.id == one.source_id and other.id == other.source_id:
            continue
        yield Problem(
            one.file,
            one.row,
            one.source_id,
            "id",
            f"makes the clip '{one.id}', which {other.file}:{other.row} [{other.source_id}] makes as well",
            "change one of the ids",
        )


def _plan_lines(
    lines: list[Line], decisions: list[Decision], locks: Mapping[str, str], desk: _Desk
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
            desk.problems.append(
                Problem(
                    line.file,
                    line.row,
                    line.id,
                    "status",
                    f"its locked take {decided.takes[0][:12]} is not in the store, and the line has changed since, "
                    "so it cannot be made again",
                    "bring back build/store from a backup, or the old text, or take the lock away",
                )
            )
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


def _key_of(line: Line, fingerprint: str, desk: _Desk) -> str:
    voice = desk.voices.voices[line.voice]
    return line_key(ingredients(line.segments, line.locale, line.style, voice, fingerprint, desk.config.seed))


def _versions_of(line: Line, fingerprint: str, desk: _Desk) -> Versions:
    """The line under whatever direction people gave it; what is wrong with a respelling is a problem of the plan."""
    names = desk.voices.character_names
    file = str(desk.config.dialogue_dir / DECISIONS)

    def respelt(direction: Direction) -> Respelt:
        read = respell(direction.respelling, line.locale, line.voice, desk.lexicon, desk.placeholders, names)
        for what, instead in read.problems:
            desk.problems.append(Problem(file, direction.respelling_row, line.id, "respelling", what, instead))
        return read

    return Versions(line, respelt, lambda style: _unfollowed(style, desk), lambda of: _key_of(of, fingerprint, desk))


def _recording(line: Line, desk: _Desk) -> Path | None:
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
