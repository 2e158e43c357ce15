"""The engine itself: some questions at a time, takes as they come.

A fault of the server's (it cannot be reached, wants another key, does not know the model) stops everything with one
message, because every take would meet it. What only this text met (it is refused as too long, what comes back is no
sound) is a take that could not be made.

What a server speaks may change when its owner changes the model behind a name; a take's key can only name address,
model and the fields that are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from replikk.dialogue.records import Segment, Voice
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.engines.speech_api.settings import NAME, read_settings, voice_problems
from replikk.errors import EngineError
from replikk.files import digest
from replikk.server_requests import RefusedError, UnreachableError, post
from replikk.server_settings import key_of

VERSION = 2
"""Raise it when the same request would be another question, or the same answer another take."""
_REFUSED_TEXT = frozenset({400, 413, 422})
"""What a server says of one text, such as that it is too long."""
_TRIED_TEXT = "Hei, hører du meg?"


class SpeechApiEngine:
    """Any server that answers as ``/v1/audio/speech`` does."""

    name = NAME
    way_without = "start the server, check url, or take it out"
    """What to do about a server that is not there."""
    kept = "what was read is kept"

    def __init__(self, settings: Mapping[str, Any], place: str) -> None:
        """``place`` names the settings in messages, such as ``training.outside_controls.cosyvoice2``.

        Raises EngineError with everything wrong with them. Asks nobody yet.
        """
        self._settings, problems = read_settings(settings)
        self._place = f"config.yaml: {place}"
        if problems:
            raise EngineError("\n".join(f"{self._place}: {problem}" for problem in problems))

    def fingerprint(self) -> str:
        """Engine, version, model, address and more fields; nobody is asked."""
        server = self._settings.server
        return f"{NAME} {VERSION} {server.model} {server.url} {digest(self._settings.extra)[:16]}"

    def check_voice(self, voice: Voice) -> list[str]:
        return voice_problems(voice.engine_settings, bool(voice.reference_audio))

    def unfollowed_styles(self, style: str) -> list[str]:
        """None: every direction is given to the server in its own words."""
        return []

    def try_out(self, voices: Iterable[Voice]) -> None:
        """Have each voice say a few words. Raises EngineError where that fails, before anything long begins."""
        requests = [
            TakeRequest(digest(["try", voice.name]), (Segment(_TRIED_TEXT, 0),), "nb", "", voice, 0) for voice in voices
        ]
        names = {request.key: request.voice.name for request in requests}
        for result in self._answers(requests, self._speak):
            if isinstance(result, TakeFailure):
                raise EngineError(
                    f"{self._place}: the server cannot speak as voice {names[result.key]}: {result.reason}; mend the "
                    "voice's section speech-api in voices.yaml, the fields under extra, or url"
                )

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        """One result per request, in the order in which they are done; as many at a time as the settings say.

        Raises EngineError when the key is missing, or the server cannot be reached or answers no question.
        """
        return self._answers(requests, self._speak)

    def _answers(
        self, requests: Iterable[TakeRequest], speak: Callable[[TakeRequest, str], Take | TakeFailure]
    ) -> Iterator[Take | TakeFailure]:
        key = key_of(self._settings.server)
        if key is None:
            raise EngineError(
                f"{self._place}: the environment variable {self._settings.server.api_key_env} holds no key; set it, or "
                "take api_key_env out"
            )
        waiting = iter(requests)
        running: set[Future[Take | TakeFailure]] = set()
        at_once = self._settings.server.workers
        with ThreadPoolExecutor(at_once) as pool:
            try:
                while True:
                    while len(running) < at_once and (request := next(waiting, None)) is not None:
                        running.add(pool.submit(speak, request, key))
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    # Finished takes first: an error ends everything, and what was spoken must not be lost with it.
                    for future in sorted(done, key=_rank):
                        yield future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _speak(self, request: TakeRequest, key: str) -> Take | TakeFailure:
        from replikk.engines.speech_api.request import NoSoundError, joined, question, sound_of, stretches

        said = stretches(request.segments)
        if not any(text for text, _ in said):
            return TakeFailure(request.key, "the text has nothing that can be spoken")
        try:
            bodies = [question(self._settings, request, text) if text else b"" for text, _ in said]
        except OSError as error:
            raise EngineError(
                f"{request.voice.reference_audio}: cannot be read ({error.strerror or error}); mend voice "
                f"{request.voice.name} in voices.yaml"
            ) from error
        try:
            answers = [sound_of(self._asked(body, key)) if body else None for body in bodies]
            samples, rate = joined(answers, [pause_ms for _, pause_ms in said])
        except RefusedError as error:
            if error.status in _REFUSED_TEXT:
                return TakeFailure(request.key, str(error))
            raise EngineError(
                f"{self._settings.server.url}: {error}; check url, model and key ({self._place})"
            ) from None
        except UnreachableError as error:
            raise EngineError(
                f"{self._settings.server.url}: cannot be reached ({error}); {self.way_without} ({self._place}); "
                f"{self.kept}"
            ) from None
        except NoSoundError as error:
            return TakeFailure(request.key, f"the server's answer cannot be used: {error}")
        return Take(request.key, samples, rate)

    def _asked(self, body: bytes, key: str) -> bytes:
        from replikk.engines.speech_api.request import ANSWER_LIMIT_BYTES

        server = self._settings.server
        return post(
            server.url, lambda: (body, "application/json"), "audio/*", key, server.timeout_s, ANSWER_LIMIT_BYTES
        )


def _rank(done: Future[Take | TakeFailure]) -> int:
    if done.exception() is not None:
        return 2
    return int(isinstance(done.result(), TakeFailure))
