"""Pauses in markup, in whole milliseconds.

Each engine has its own unit: ``{w=0.5}``, ``[wait=0.5]`` and ``<pause=0.5>`` are seconds, Yarn's ``[pause=500/]``
and SSML's ``<break time="500ms"/>`` say milliseconds, and ``[pause=0.5]`` without the closing stroke is Dialogic's, in
seconds. A unit that is written out counts before all that. A number that makes no sense in its unit is read in the
other, with a remark: nobody writes a pause of 5 ms, or of 500 s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from replikk.dialogue.tags import Meaning, Tag, Token
from replikk.errors import printable

LONGEST_PAUSE_MS = 10_000  # a longer silence is the game's business, not the clip's

# Of tags that say no length. {w} and {p} wait for a click in Ren'Py; Yarn's [pause/] is a second.
_DEFAULT_MS = {"w": 400, "p": 700, "pause": 1000, "wait": 500, "break": 500}
_STRENGTH_MS = {"none": 0, "x-weak": 100, "weak": 250, "medium": 500, "strong": 800, "x-strong": 1200}  # of SSML
_SHORTEST_MS = 20  # below it, a number of "milliseconds" means seconds
_LONGEST_S = 100  # from here on, a number of "seconds" means milliseconds
_DURATION = re.compile(r"\s*\+?([0-9]{0,6}(?:[.,][0-9]{1,6})?)\s*(ms|s|sec|sek)?\s*!?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Pause:
    duration_ms: int
    """As asked for, not yet cut to ``LONGEST_PAUSE_MS``."""
    remark: str = ""


def read_pause(token: Token, tag: Tag) -> Pause | None:
    """The pause that a tag asks for; None when it names a length that is none."""
    value = tag.value or tag.attributes.get("time", "")
    if not value:
        strength = tag.attributes.get("strength", "").casefold()
        return Pause(_STRENGTH_MS.get(strength, _DEFAULT_MS[tag.name]))
    given = _DURATION.fullmatch(value)
    if given is None or not given[1].strip(".,"):
        return None
    number = float(given[1].replace(",", "."))
    if unit := (given[2] or "").casefold():
        return Pause(round(number * (1 if unit == "ms" else 1000)))
    dialogic = token.kind == "square" and tag.name == "pause" and not tag.self_closing and number < _SHORTEST_MS
    in_ms = tag.meaning is Meaning.PAUSE_MS and not dialogic
    remark = ""
    if number and (number < _SHORTEST_MS if in_ms else number >= _LONGEST_S):
        in_ms = not in_ms
        remark = f"'{printable(token.raw, 60)}' is read as {number:g} {'milliseconds' if in_ms else 'seconds'}"
    return Pause(round(number * (1 if in_ms else 1000)), remark)
