"""The engine as a build has it: the terms of what is delivered, and a word with a server that makes nothing.

A server says of a voice it does not know what it says of a text that is too long, and a wrong address may answer
anything at all with a page of the web. So a voice of which no take was made yet is asked for a few plain words after
its first failure: when they fail too, it is not the text, and the build stops with one message instead of failing at
every line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from replikk.dialogue.licences import non_commercial
from replikk.dialogue.records import Voice
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.engines.speech_api.engine import SpeechApiEngine
from replikk.engines.speech_api.settings import NAME, BuildSettings, read_build_settings
from replikk.errors import EngineError, printable

PLACE = f"engines.{NAME}"


class SpeechApiBuildEngine(SpeechApiEngine):
    """``engine: speech-api`` of config.yaml."""

    way_without = "start the server and run again, or check url"
    kept = "finished takes are kept"

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Raises EngineError with everything wrong with the settings. Asks nobody yet."""
        checked_settings(settings)
        super().__init__({key: value for key, value in settings.items() if key != "licence"}, PLACE)

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        """As in ``SpeechApiEngine``; also raises EngineError for a voice of which the server can say nothing."""
        speakers: dict[str, Voice] = {}
        able: set[str] = set()

        def remembered() -> Iterator[TakeRequest]:
            for request in requests:
                speakers[request.key] = request.voice
                yield request

        for result in super().synthesize(remembered(), workers):
            voice = speakers.pop(result.key)
            if voice.name not in able:
                if isinstance(result, TakeFailure):
                    self.try_out([voice])
                able.add(voice.name)
            yield result


def checked_settings(settings: Mapping[str, Any]) -> BuildSettings:
    """Raises EngineError with everything wrong with them, naming each setting."""
    found, problems = read_build_settings(settings)
    if problems:
        raise EngineError("\n".join(f"config.yaml: {PLACE}: {problem}" for problem in problems))
    return found


def require_licence(settings: Mapping[str, Any], commercial: bool) -> None:
    """For the start of a build: raises EngineError when its licence does not allow it."""
    licence = checked_settings(settings).licence
    if commercial and non_commercial(licence):
        raise EngineError(
            f"config.yaml: {PLACE}: licence: {printable(licence, 60)} forbids commercial use, and this build is "
            "commercial; write commercial: false, or speak with another model"
        )


def licence_of(settings: Mapping[str, Any]) -> str:
    """The terms of what the server speaks with, as the manifest names them."""
    found = checked_settings(settings)
    return f"{found.licence} ({printable(found.asking.server.model, 120)})"
