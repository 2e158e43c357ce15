"""A row becomes its lines: placeholders are filled in, markup is read, the lexicon respells, numbers are spelled out.

Nothing is dropped silently: every row is a line, or an exception with its reason, or a problem.
"""

from __future__ import annotations

from collections.abc import Iterator

from replikk.config import Config
from replikk.dialogue.desk import Desk, leave_out, problem, read_policies, unfollowed
from replikk.dialogue.directions import NOTHING_TO_SPEAK, can_be_spoken, spoken_segments, unfollowed_remark
from replikk.dialogue.drills import is_drill
from replikk.dialogue.lexicon import read_lexicon
from replikk.dialogue.markup import parse_markup
from replikk.dialogue.placeholders import Expansion, expand
from replikk.dialogue.records import Line, Segment, Voice
from replikk.dialogue.sheets import SheetRow
from replikk.errors import DialogueError, ReplikkError


def lines_of(row: SheetRow, desk: Desk) -> Iterator[Line]:
    """The lines of one row: one, or one per value of its placeholders, or none and an exception."""
    if row.status == "cut":
        leave_out(row, "cut", desk)
        return
    if not row.voice and not row.character:  # reported with the cells of the row
        return
    who = (row.voice, row.character)
    if not row.voice and desk.voices.is_miscast(row.character):
        return  # voices.yaml was told about it
    if who not in desk.casting:
        desk.casting[who] = desk.voices.voice_for(*who)
    found = desk.casting[who]
    if not isinstance(found, Voice):
        what, instead = found
        problem(row, "voice" if row.voice else "character", what, instead, desk)
        return
    expanded = expand(row.text, desk.placeholders, row.say)
    # What is told of placeholders.yaml itself is not told again.
    told = (*expanded.of_policies, *(expanded.without_policy if desk.placeholders_unread else ()))
    for what, instead in expanded.problems:
        if (what, instead) not in told:
            problem(row, "say" if row.say else "text", what, instead, desk)
    if expanded.skipped:
        leave_out(row, expanded.skipped, desk)
    for expansion in expanded.variants:
        line = _line_of(row, found, expansion, desk)
        if line is not None:
            yield line


def _line_of(row: SheetRow, voice: Voice, expansion: Expansion, desk: Desk) -> Line | None:
    """The line of one expansion; None, and problems, when it cannot be spoken."""
    names = desk.voices.character_names
    has_say = bool(expansion.say.strip())
    shown = parse_markup(expansion.text, names, shown_only=has_say)
    said = parse_markup(expansion.say, names) if has_say else shown
    spoken_column = "say" if has_say else "text"
    for what, instead in said.problems:
        problem(row, spoken_column, what, instead, desk)
    segments, respelt = spoken_segments(said, row.locale, voice.name, desk.lexicon)
    if said.problems:
        return None
    if not can_be_spoken(segments):
        if (row.say if has_say else row.text).strip():  # an empty one was found when the sheet was read
            problem(row, spoken_column, NOTHING_TO_SPEAK, "write words, or give the row the status cut", desk)
        return None
    style = _join_styles(row.style, [*shown.styles, *said.styles])
    remarks = list(dict.fromkeys([*shown.remarks, *said.remarks]))
    remarks += [unfollowed_remark(phrase) for phrase in unfollowed(style, desk)]
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


def speak_text(
    config: Config, text: str, locale: str, voice: str
) -> tuple[tuple[Segment, ...], tuple[tuple[str, str], ...]]:
    """A text as the build would speak it, outside any sheet, and the entries of the lexicon that it uses.

    Raises ReplikkError for markup that cannot be spoken.
    """
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
    segments, respelt = spoken_segments(said, locale, voice, lexicon)
    if not can_be_spoken(segments):
        raise ReplikkError(f"text: {NOTHING_TO_SPEAK}; write words")
    return segments, respelt


def _join_styles(column: str, cues: list[str]) -> str:
    """The direction of the style column and the stage cues of the text, in one."""
    styles = [" ".join(column.split()), *cues]
    return ", ".join(dict.fromkeys(style for style in styles if style))
