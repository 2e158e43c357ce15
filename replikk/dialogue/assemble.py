"""Rows and the other files of the dialogue folder become a plan, or one error with every problem in all of them.

Sheets that did not change are not read again (``known_sheets``); rows of the others become lines (``lines_of_rows``),
and lines get their keys and takes (``planned_lines``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.dialogue.decided import read_locks
from replikk.dialogue.decisions import read_decisions
from replikk.dialogue.desk import Desk, read_policies
from replikk.dialogue.ids import collisions, folded_id
from replikk.dialogue.known_sheets import DECISIONS, KnownSheets, LineName, PlannedSheet
from replikk.dialogue.lexicon import read_lexicon
from replikk.dialogue.lines_of_rows import lines_of
from replikk.dialogue.plan import Plan, plan_bytes
from replikk.dialogue.plan_rows import index_of, joined, line_bytes
from replikk.dialogue.planned_lines import plan_lines
from replikk.dialogue.records import Line
from replikk.dialogue.sheets import SheetRow, check_across, columns_of, name_of, read_sheet, sheet_files
from replikk.dialogue.voices import Voices, licence_problems, read_voices
from replikk.engines import Engine, engine_of
from replikk.errors import DialogueError, Problem


def make_plan(config: Config, inputs: Mapping[str, Any]) -> bytes:
    """The plan of everything in the dialogue folder, as a file. Raises DialogueError with all problems of all files.

    ``inputs`` is everything that the plan depends on. Sheets that are as they were in the plan before are not read.
    """
    folder = config.dialogue_dir
    engine = engine_of(config)
    decisions, decision_problems = read_decisions(folder / DECISIONS)
    locks = read_locks(config.build_dir)
    decided = {folded_id(decision.line_id) for decision in decisions} | {folded_id(line_id) for line_id in locks}

    files, file_problems = sheet_files(folder)
    problems = list(file_problems)
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
    columns = columns_of(row for path in rows for row in rows[path])
    problems += check_across([name for of_sheet in names for name in of_sheet], columns)

    voices, voice_problems = read_voices(folder / "voices.yaml", config.engine)
    lexicon, lexicon_problems = read_lexicon(folder / "lexicon.tsv", voices.voices)
    problems += [*voice_problems, *lexicon_problems, *decision_problems]
    problems += _engine_problems(voices, engine, folder)
    placeholders, placeholder_problems = read_policies(config)
    problems += placeholder_problems
    if voice_problems and not voices.voices:  # every row would complain of its voice: this is the one thing to mend
        no_sheets = [] if files else file_problems
        raise DialogueError([*no_sheets, *voice_problems, *placeholder_problems])

    unread = any(not found.column.startswith("placeholders.") for found in placeholder_problems)
    desk = Desk(config, engine, voices, lexicon, placeholders, problems, placeholders_unread=unread)
    lines: dict[Path, list[Line]] = {}
    exceptions: dict[Path, list[dict[str, str]]] = {}
    for path in rows:
        desk.exceptions = exceptions[path] = []
        lines[path] = [line for row in rows[path] for line in lines_of(row, desk)]
    line_names = {
        path: known[path].lines
        if path in known
        else [LineName(line.id, line.source_id, line.file, line.row) for line in lines[path]]
        for path in files
    }
    all_names = [name for path in files for name in line_names[path]]
    problems += _collision_problems(all_names)
    if not all_names and not problems:
        left_out = any(exceptions.values()) or any(sheet.exceptions for sheet in known.values())
        what, instead = (
            ("holds rows that are cut or skipped, and no others", "take the status from one of them")
            if left_out
            else ("holds no dialogue", "put a sheet with the columns id, text and voice there")
        )
        problems.append(Problem(str(folder), None, "", "", what, instead))
    used = {voice for sheet in known.values() for voice in sheet.voices}
    used |= {line.voice for of_sheet in lines.values() for line in of_sheet}
    problems += licence_problems(voices, config.commercial, used)
    planned, stale = plan_lines([line for path in lines for line in lines[path]], decisions, locks, desk)
    if problems:
        raise DialogueError(problems)

    remaining = iter(planned)
    for path, of_sheet in lines.items():
        mine = [next(remaining) for _ in of_sheet]
        data = b"".join(map(line_bytes, mine))
        voice_names = sorted({line.voice for line in of_sheet})
        row_names = [name_of(row) for row in rows[path]]
        known[path] = PlannedSheet(row_names, line_names[path], voice_names, exceptions[path], index_of(mine), data)
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
    index = joined([known[path].index for path in files])
    return plan_bytes(plan, index, [known[path].data for path in files])


def _engine_problems(voices: Voices, engine: Engine, folder: Path) -> Iterator[Problem]:
    """What the engine says about its settings in voices.yaml."""
    for name, voice in voices.voices.items():
        for sentence in engine.check_voice(voice):
            what, _, instead = sentence.partition("; ")
            yield Problem(str(folder / "voices.yaml"), None, name, engine.name, what, instead or "see docs/voices.md")


def _collision_problems(lines: list[LineName]) -> Iterator[Problem]:
    """Variants whose ids meet those of other rows. Rows among themselves were checked when the sheets were read."""
    if all(line.id == line.source_id for line in lines):
        return
    for first, second in collisions([line.id for line in lines]):
        one, other = lines[second], lines[first]
        if one.id == one.source_id and other.id == other.source_id:
            continue
        if one.source_id == other.source_id and (one.file, one.row) != (other.file, other.row):
            continue  # told of the rows
        yield Problem(
            one.file,
            one.row,
            one.source_id,
            "id",
            f"makes the clip '{one.id}', which {other.file}:{other.row} [{other.source_id}] makes as well",
            "change one of the ids",
        )
