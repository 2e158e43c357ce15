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
    line: bytes
    """Its row of the plan."""
    own: bytes
    """The record of its take's own verdict."""
    spoken: bytes
    """What doubts about its take hang on; empty for a take that is not held against others."""
    doubted: bytes
    """The record with the doubts; empty where there are none."""


class JudgedLines:
    """The memory of one round."""

    def __init__(self, path: Path, basis: str, voices: VoiceDoubts) -> None:
        self._memory = LineMemory(path, basis)
        self._voices = voices
        self._found: dict[int, _Judged] = {}
        self._known_by = voices.basis.encode()
        self.has_moved = self._memory.find(_KNOWN_BY) != self._known_by
        """Whether the voices are known by other takes than when the doubts were drawn."""

    def take_over(self, number: int, line: bytes) -> bool:
        """Whether the line with this number and row of the plan was judged before."""
        made = self._memory.find(line)
        if made is None:
            return False
        self._found[number] = _Judged(line, *made.split(PART))
        return True

    def rows(self) -> dict[int, bytes]:
        """By number, the records of the lines that were taken over."""
        if self.has_moved:
            self._draw_anew()
        return {number: judged.doubted or judged.own for number, judged in self._found.items()}

    def keep(self, line: bytes, own: dict[str, Any], spoken: SpokenTake | None, doubted: dict[str, Any]) -> None:
        """Remember a line that was judged now; ``spoken`` is None for a take that is not held against others."""
        parts = [canonical_json(own), b"" if spoken is None else take_row(spoken)]
        self._memory.keep(line, PART.join([*parts, b"" if doubted == own else canonical_json(doubted)]))

    def save(self) -> None:
        # Doubts that could not be drawn are drawn in the next build.
        self._memory.keep(_KNOWN_BY, self._known_by if not self.has_moved or self._voices.are_known else b"")
        self._memory.save()

    def _draw_anew(self) -> None:
        numbers = [number for number, judged in self._found.items() if judged.spoken]
        doubts = self._voices.of_all(read_take_rows(self._found[number].spoken for number in numbers))
        for place, number in enumerate(numbers):
            judged = self._found[number]
            doubted = b""
            if place in doubts:
                own = orjson.loads(judged.own)
                now = with_doubts(own, doubts[place])
                doubted = b"" if now == own else canonical_json(now)
            if doubted != judged.doubted:
                self._found[number] = judged._replace(doubted=doubted)
                self._memory.keep(judged.line, PART.join(self._found[number][1:]))
