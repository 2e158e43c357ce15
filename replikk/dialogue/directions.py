"""Lines as people who decided direct them: another direction, or other words to speak, in place of the sheet's.

A voice director hears a clip and asks for it otherwise; that wish stands in ``decisions.csv`` and not in the sheet,
which is the writer's. It is read by the same rules as a sheet: a direction is that of the column ``style``, a
respelling that of the column ``say``, with markup, stage cues, placeholders, the lexicon and numbers. A new direction
replaces all of the old one, stage cues of the text included, because the director reads them as one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from replikk.dialogue.decided import AS_IN_THE_SHEET, Direction
from replikk.dialogue.drills import is_drill
from replikk.dialogue.lexicon import Lexicon
from replikk.dialogue.markup import Marked, parse_markup
from replikk.dialogue.norwegian.speakable import speakable
from replikk.dialogue.placeholders import expand
from replikk.dialogue.records import Line, Segment
from replikk.errors import printable

NOTHING_TO_SPEAK = "holds nothing that can be spoken"
Wrong = tuple[str, str]
"""What is wrong, and what to write instead."""


@dataclass(frozen=True)
class Respelt:
    """A respelling, read: what is spoken, and what is wrong with it."""

    segments: tuple[Segment, ...] = ()
    lexicon_pairs: tuple[tuple[str, str], ...] = ()
    """(written, spoken) of the lexicon."""
    styles: tuple[str, ...] = ()
    """Stage cues in it."""
    remarks: tuple[str, ...] = ()
    drill: bool = False
    problems: tuple[Wrong, ...] = ()


def spoken_segments(
    said: Marked, locale: str, voice: str, lexicon: Lexicon
) -> tuple[tuple[Segment, ...], tuple[tuple[str, str], ...]]:
    """The segments as they are spoken, and the respellings of the lexicon that were used."""
    segments = []
    respelt: dict[tuple[str, str], None] = {}
    for segment in said.segments:
        text, used = lexicon.apply(segment.text, voice, locale)
        respelt.update(dict.fromkeys(used))
        segments.append(Segment(speakable(text, locale), segment.pause_after_ms))
    return tuple(segments), tuple(respelt)


def can_be_spoken(segments: tuple[Segment, ...]) -> bool:
    """Whether there is a letter in them."""
    return any(character.isalpha() for segment in segments for character in segment.text)


def respell(
    text: str, locale: str, voice: str, lexicon: Lexicon, placeholders: Mapping[str, Any], names: Collection[str]
) -> Respelt:
    """Read a respelling; ``names`` are those of characters, which are not spoken in front of a text."""
    expanded = expand(text, placeholders)
    if expanded.problems:
        return Respelt(problems=expanded.problems)
    if len(expanded.variants) != 1:
        what = expanded.skipped or "holds a placeholder with several values, and a line is one clip"
        return Respelt(problems=((what, "write the word itself in its place"),))
    said = parse_markup(expanded.variants[0].text, names)
    segments, pairs = spoken_segments(said, locale, voice, lexicon)
    problems = tuple(said.problems)
    if not problems and not can_be_spoken(segments):
        problems = ((NOTHING_TO_SPEAK, "write words, or leave it empty"),)
    drill = is_drill(" ".join(segment.text for segment in said.segments))
    return Respelt(segments, pairs, tuple(said.styles), tuple(said.remarks), drill, problems)


def unfollowed_remark(phrase: str) -> str:
    """What the report says of a direction that the engine cannot follow."""
    return f"the voice cannot follow the direction '{phrase}' and speaks it neutrally"


class Versions:
    """A line under the directions that people gave it, each made once, and only when asked for.

    ``respelt`` reads the respelling of a direction; one with problems is left out. ``unfollowed`` are the phrases of a
    style that the engine cannot follow; ``key_of`` is the key of a line.
    """

    def __init__(
        self,
        line: Line,
        respelt: Callable[[Direction], Respelt],
        unfollowed: Callable[[str], tuple[str, ...]],
        key_of: Callable[[Line], str],
    ) -> None:
        self._as_written = line
        self._respelt, self._unfollowed, self._key_of = respelt, unfollowed, key_of
        self._lines = {AS_IN_THE_SHEET: line}

    def line(self, direction: Direction) -> Line:
        """The line under a direction."""
        if direction not in self._lines:
            respelt = self._respelt(direction) if direction.respelling else None
            if respelt is not None and respelt.problems:
                respelt = None
            self._lines[direction] = _directed(self._as_written, direction, respelt, self._unfollowed)
        return self._lines[direction]

    def key(self, direction: Direction) -> str:
        """The line key under a direction."""
        return self._key_of(self.line(direction))


def _directed(
    line: Line, direction: Direction, respelt: Respelt | None, unfollowed: Callable[[str], tuple[str, ...]]
) -> Line:
    cues = respelt.styles if respelt is not None else ()
    style = ", ".join(dict.fromkeys(part for part in (direction.style or line.style, *cues) if part))
    of_old_style = {unfollowed_remark(phrase) for phrase in unfollowed(line.style)}
    remarks = [remark for remark in line.remarks if remark not in of_old_style]
    if direction.style:
        before = f"in place of '{printable(line.style, 80)}'" if line.style else "which the sheet has not"
        remarks.append(f"decisions.csv gives the direction '{printable(direction.style, 80)}', {before}")
    if respelt is not None:
        remarks.append("is spoken as decisions.csv respells it")
        remarks += respelt.remarks
    remarks += [unfollowed_remark(phrase) for phrase in unfollowed(style)]
    changed = replace(line, style=style, remarks=tuple(dict.fromkeys(remarks)))
    if respelt is None:
        return changed
    return replace(
        changed,
        segments=respelt.segments,
        respelt=respelt.lexicon_pairs,
        drill=line.drill or respelt.drill,
    )
