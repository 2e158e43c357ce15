"""The judge itself: clips are sent some at a time, transcripts come as they are done.

What a server hears may change when its owner changes the model behind a name; a transcript's key can only name
address and model. For a build that must stay as it is, use a server of your own, or judge ``nb-whisper``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from replikk.errors import JudgeError
from replikk.judges.records import Clip, Hearing, Transcript
from replikk.judges.speech_api.settings import NAME, read_settings
from replikk.server_settings import key_of

VERSION = 1
"""Raise it when the same answer would become another transcript: it is part of every transcript's key."""
LANGUAGES = {"nb": "no", "nn": "nn"}


class SpeechApiJudge:
    """Any server that answers as ``/v1/audio/transcriptions`` does."""

    name = NAME

    def __init__(self, settings: dict[str, Any]) -> None:
        """Raises JudgeError with everything wrong with the settings. Asks nobody yet."""
        self._settings = read_settings(settings)

    def fingerprint(self) -> str:
        """Judge, version, address and model; nobody is asked."""
        return f"{NAME} {VERSION} {self._settings.model} {self._settings.url}"

    def accepts(self, engine: str) -> bool:
        """Every voice; not recordings, whose words were checked by the person who made them."""
        return engine != "external"

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        """One transcript per clip, in the order in which they are done.

        Raises JudgeError when the key is missing, the server cannot be reached or refuses, and for a recording.
        """
        key = self._key()
        waiting = iter(clips)
        running: set[Future[Transcript]] = set()
        with ThreadPoolExecutor(self._settings.workers) as pool:
            try:
                while True:
                    # No more than are worked on, so that not all clips lie in memory.
                    while len(running) < self._settings.workers and (clip := next(waiting, None)) is not None:
                        if not self.accepts(clip.engine):
                            raise JudgeError(
                                f"take {clip.take_key[:12]}: is a recording, which no judge listens to; leave it out"
                            )
                        running.add(pool.submit(self._listen, clip, key))
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _key(self) -> str:
        key = key_of(self._settings)
        if key is None:
            raise JudgeError(
                f"judge {NAME}: the environment variable {self._settings.api_key_env} holds no key; set it, or take "
                "api_key_env out of config.yaml"
            )
        return key

    def _listen(self, clip: Clip, key: str) -> Transcript:
        from replikk.judges.speech_api.request import ask, heard_text, heard_words, hearing, wav_bytes

        if not len(clip.samples):
            return Transcript(clip.take_key, "", (), None, Hearing(no_speech=1.0))
        fields = [
            ("model", self._settings.model),
            ("language", LANGUAGES.get(clip.locale, "no")),
            ("response_format", "verbose_json"),
            ("temperature", "0"),
            ("timestamp_granularities[]", "word"),
            ("timestamp_granularities[]", "segment"),
        ]
        content = wav_bytes(clip.samples, clip.sample_rate_hz)
        answer = ask(self._settings.url, fields, content, key, self._settings.timeout_s)
        duration_s = len(clip.samples) / clip.sample_rate_hz
        text, cut_off = heard_text(answer, duration_s)
        words = () if cut_off else heard_words(answer, duration_s)
        return Transcript(clip.take_key, text, words, None, hearing(answer, text, cut_off))
