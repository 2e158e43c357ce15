"""The engine as a build has it: the terms of what is delivered, and what a failure means.

A server says of a voice it does not know what it says of a text that is too long, one that fails (HTTP 500, no answer
in time) may have failed at this text or for good, and a wrong address may answer anything at all with a page of the
web. So after a failure the server is asked for a few plain words in the same voice. Says it them, it was the text, and
one line waits for a person; else every line would meet it, and the build stops with one message.
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
        """As in ``SpeechApiEngine``; EngineError also for a voice of which the server can say nothing."""
        speakers: dict[str, Voice] = {}

        def remembered() -> Iterator[TakeRequest]:
            for request in requests:
                speakers[request.key] = request.voice
                yield request

        for result in self._answers(remembered(), self._speak_or_fail):
            voice = speakers.pop(result.key)
            if isinstance(result, TakeFailure):
                self.try_out([voice])
            yield result

    def _speak_or_fail(self, request: TakeRequest, key: str) -> Take | TakeFailure:
        try:
            return self._speak(request, key)
        except EngineError as error:
            return TakeFailure(request.key, str(error))


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
