"""Speech engines behind one small interface.

An engine is built from its part of the configuration. It says what can change its sound (``fingerprint``) without
loading anything heavy, and yields each take as soon as it is finished, so that a kill loses only what was in flight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from replikk.dialogue.records import Voice
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import EngineError

EMBEDDED_LICENCE = "GPL-3.0-or-later (the program; the sound it makes is not covered)"
ENGINE_LICENCES = {
    "espeak": EMBEDDED_LICENCE,
    "faulty": EMBEDDED_LICENCE,
    "human": "as stated in the voice's rights",
}


class Engine(Protocol):
    """What every engine offers."""

    name: str

    def fingerprint(self) -> str:
        """Names engine, version, model and sampling settings: part of every take key."""
        ...

    def check_voice(self, voice: Voice) -> list[str]:
        """What is wrong with a voice's settings for this engine, as 'key: what; what instead' sentences."""
        ...

    def unfollowed_styles(self, style: str) -> list[str]:
        """The parts of a direction that this engine cannot follow; they are spoken neutrally and reported."""
        ...

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        """Speak; one result per request, each as soon as it is there, in any order."""
        ...


def make_engine(name: str, settings: dict[str, Any]) -> Engine:
    """The engine of that name. Raises EngineError for an unknown one, or for settings it does not know."""
    # Imported here: each engine brings its own heavy imports, and a build uses one of them.
    if name == "espeak":
        from replikk.engines.espeak import EspeakEngine

        return EspeakEngine(settings)
    if name == "faulty":
        from replikk.engines.faulty import FaultyEngine

        return FaultyEngine(settings)
    raise EngineError(f"engine: there is no engine '{name}'; use espeak")
