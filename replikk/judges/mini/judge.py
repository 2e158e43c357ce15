"""Judge ``mini``: the embedded recogniser, which listens to the embedded voice and to nothing else.

A clip's transcript depends on the clip alone (its samples and its own text), never on other lines, so that an edited
line re-transcribes one clip. The listening itself is in ``listening.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from replikk.errors import JudgeError, printable
from replikk.files import digest
from replikk.judges.mini.beam_settings import BeamSettings
from replikk.judges.mini.description import trained_sha256
from replikk.judges.mini.words import vocabulary
from replikk.judges.records import Clip, Transcript

VERSION = 2
"""Raise it when the same weights would hear the same clip differently: it is part of every transcript's key."""
ENGINES = frozenset({"espeak", "faulty"})
"""Those that speak with the embedded voice."""


class MiniJudge:
    """The embedded judge. It has no settings."""

    name = "mini"

    def __init__(self, settings: dict[str, Any]) -> None:
        """Raises JudgeError for any setting."""
        if settings:
            unknown = printable(str(sorted(settings)[0]), 40)
            raise JudgeError(f"config.yaml: judges.mini: has no setting '{unknown}'; remove it (it has none)")
        self._beam = BeamSettings()

    def fingerprint(self) -> str:
        """Judge, version, weights, beam and vocabulary; reads the weights' description only."""
        beam = digest({"beam": asdict(self._beam), "vocabulary": sorted(vocabulary())})
        return f"mini {VERSION} {trained_sha256()} {beam[:16]}"

    def accepts(self, engine: str) -> bool:
        """Only the embedded voice: what this judge says of any other audio means nothing."""
        return engine in ENGINES

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        """One transcript per clip, in order.

        Raises JudgeError for audio of another engine, and when the weights are missing or damaged.
        """
        # Imported here: what names a transcript, or says that one is known, must not pay for numpy.
        from replikk.judges.mini.listening import listen

        for clip in clips:
            if not self.accepts(clip.engine):
                raise JudgeError(
                    f"take {clip.take_key[:12]}: the judge 'mini' knows the embedded voice only and must not judge "
                    f"audio of '{printable(clip.engine, 40)}'; use a judge made for that engine (config.yaml: judge)"
                )
            yield listen(clip, self._beam)
