"""Judges: speech recognisers behind one small interface, and the verdict on what they heard.

A judge is built from its part of the configuration and names, without loading anything heavy, what can change its
transcripts (``fingerprint``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from replikk.errors import JudgeError
from replikk.judges.records import Clip, Transcript


class Judge(Protocol):
    """What every judge offers."""

    name: str

    def fingerprint(self) -> str:
        """Names judge, version and model: part of every transcript's key."""
        ...

    def accepts(self, engine: str) -> bool:
        """Whether this judge may listen to audio of that engine ('external' is a human recording)."""
        ...

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        """Listen; one transcript per clip. Raises JudgeError for audio of an engine it does not accept."""
        ...


def make_judge(name: str, settings: dict[str, Any]) -> Judge:
    """The judge of that name. Raises JudgeError for an unknown one, or for settings it does not know."""
    if name == "mini":
        from replikk.judges.mini.judge import MiniJudge

        return MiniJudge(settings)
    raise JudgeError(f"judge: there is no judge '{name}'; use mini")
