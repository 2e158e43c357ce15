"""The verdicts of the last build that stand, and what the other lines say about them now.

A line's own verdict stands while its row of the plan and the limits do. What speaks against its take beside the other
lines of its voice may change with any line of the game; so beside the verdict lies all that these doubts hang on
(``SpokenTake``), and when a voice is known by other takes than before, the doubts about every take are drawn anew from
that. Nothing is decoded otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import orjson

from replikk.files import canonical_json
from replikk.judges.spoken_takes import SpokenTake, read_take_rows, take_row
from replikk.line_memory import PART, LineMemory
from replikk.stages.bench import with_doubts
from replikk.stages.voice_doubts import VoiceDoubts

_KNOWN_BY = b"voices"
"""Under this source, which no row of a plan is, stands what the voices were known by."""


class _Judged(NamedTuple):
    record: bytes
    """What is said of the line."""
    own: bytes
    """The record without what other lines say; empty where they say nothing."""
    spoken: bytes
    """What doubts about its take hang on; empty for a take that is not held against others."""


class JudgedLines:
    """The memory of one round."""

    def __init__(self, path: Path, basis: str, voices: VoiceDoubts) -> None:
        self._memory = LineMemory(path, basis)
        self._voices = voices
        self._found: dict[int, tuple[bytes, bytes]] = {}
        """By number of the line: its row of the plan, and what was made of it."""
        self._known_by = voices.basis.encode()
        self.has_moved = self._memory.find(_KNOWN_BY) != self._known_by
        """Whether the voices are known by other takes than when the doubts were drawn."""
        self._has_new = False

    def take_over(self, number: int, line: bytes) -> bool:
        """Whether the line with this number and row of the plan was judged before."""
        made = self._memory.find(line)
        if made is None:
            return False
        self._found[number] = line, made
        return True

    def rows(self) -> dict[int, bytes]:
        """By number, the records of the lines that were taken over."""
        if self.has_moved and self._voices.are_known:
            self._draw_anew()
        return {number: made.partition(PART)[0] for number, (_, made) in self._found.items()}

    def keep(self, line: bytes, own: dict[str, Any], spoken: SpokenTake | None, doubted: dict[str, Any]) -> None:
        """Remember a line that was judged now; ``spoken`` is None for a take that is not held against others."""
        judged = _judged(canonical_json(own), canonical_json(doubted), b"" if spoken is None else take_row(spoken))
        self._memory.keep(line, PART.join(judged))
        self._has_new = True

    def save(self) -> None:
        # Doubts that could not be drawn are drawn in the next build; until then those of the last one stand.
        were_drawn = self._voices.are_known if self.has_moved or self._has_new else True
        self._memory.keep(_KNOWN_BY, self._known_by if were_drawn else b"")
        self._memory.save()

    def _draw_anew(self) -> None:
        all_judged = {number: _Judged(*made.split(PART)) for number, (_, made) in self._found.items()}
        held = {number: judged for number, judged in all_judged.items() if judged.spoken}
        doubts = self._voices.of_all(read_take_rows(judged.spoken for judged in held.values()))
        for place, (number, judged) in enumerate(held.items()):
            own = judged.own or judged.record
            doubted = canonical_json(with_doubts(orjson.loads(own), doubts[place])) if place in doubts else own
            if doubted != judged.record:
                line, made = self._found[number][0], PART.join(_judged(own, doubted, judged.spoken))
                self._found[number] = line, made
                self._memory.keep(line, made)


def _judged(own: bytes, doubted: bytes, spoken: bytes) -> _Judged:
    return _Judged(doubted, b"" if own == doubted else own, spoken)
