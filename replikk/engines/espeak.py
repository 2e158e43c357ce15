"""Engine ``espeak``: the embedded voice, eSpeak NG's Norwegian.

A robot, but deterministic, fast and complete. A take's sound depends on its request alone: every random draw comes
from the take key (``espeak_delivery.py``), each clip is spoken by a forked child from the same fresh state
(``espeak_process.py``), and neither order nor number of workers matters. A new seed reads slightly differently (pace,
pitch, word gap), and later readings are slower, so that regeneration can succeed. Nynorsk is read by the same voice:
eSpeak NG has no other.
"""

from __future__ import annotations

import functools
import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replikk.dialogue.records import Voice
from replikk.dialogue.styles import unknown_phrases
from replikk.engines import espeak_pool
from replikk.engines.espeak_delivery import (
    check_settings,
    library_parameters,
    library_segments,
)
from replikk.engines.espeak_pool import SAMPLE_RATE_HZ, Clip, Failure, Job
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import EngineError

if TYPE_CHECKING:  # builds that have nothing to speak never load numpy
    import numpy as np

VERSION = 2
"""Raise it when the same request would sound different: it is part of every take key."""

DEFAULT_TIMEOUT_S = 20.0
_TIMEOUT_PER_CHARACTER_S = 0.01
"""10,000 characters take 0.4 s; this is for a machine that is busy."""
_SILENCE_PEAK = 64
"""Speech that never exceeds this (−54 dBFS) holds no speech; the quietest voice at volume 20 peaks at thousands."""
_FULL_SCALE = 32_767
_QUIETER = 0.75
"""A clip that reached full scale is spoken again with three quarters of the volume (−2.5 dB)."""

# The files that the library opens for Norwegian speech, and the English ones: foreign letters are named in English.
_DATA_FILES = (
    "intonations", "lang/gmq/nb", "no_dict", "lang/gmw/en", "en_dict", "phondata", "phonindex", "phontab",
)  # fmt: skip


class EspeakEngine:
    """The embedded voice. ``settings`` knows one key, ``timeout_s``: how long one clip may take (default 20 s)."""

    name = "espeak"

    def __init__(self, settings: dict[str, Any]) -> None:
        """Raises EngineError for settings it does not know, and when the wheel is missing."""
        unknown = sorted(str(key) for key in settings if key != "timeout_s")
        if unknown:
            raise EngineError(f"config.yaml: engines.espeak: has no setting '{unknown[0]}'; timeout_s is the only one")
        timeout_s = settings.get("timeout_s", DEFAULT_TIMEOUT_S)
        if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not 0 < timeout_s <= 3600:
            raise EngineError(
                "config.yaml: engines.espeak.timeout_s: must be a number of seconds from 0 to 3600; the default is 20"
            )
        espeak_pool.find_library()
        self._timeout_s = float(timeout_s)

    def fingerprint(self) -> str:
        """Engine, version and the content of the library and its data; milliseconds, and no library is loaded."""
        return f"espeak {VERSION} {_content_hash()}"

    def check_voice(self, voice: Voice) -> list[str]:
        """What is wrong with the voice's settings, as 'key: what; what instead' sentences."""
        return check_settings(voice.engine_settings)

    def unfollowed_styles(self, style: str) -> list[str]:
        """The parts of a direction in which no word is known."""
        return unknown_phrases(style)

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        """Speak with ``workers`` voice processes; results come as they are ready, in any order.

        Raises EngineError when the library cannot be loaded or a voice was never checked. What goes wrong with one
        take is a TakeFailure.
        """
        return self.speak(((request, "") for request in requests), workers)

    def speak(self, requests: Iterable[tuple[TakeRequest, str]], workers: int = 1) -> Iterator[Take | TakeFailure]:
        """As ``synthesize``; beside each request how its child must misbehave (``crash``, ``hang``), else ``""``."""
        import numpy as np

        pending = iter(requests)
        again: deque[Job] = deque()
        nothing: deque[TakeFailure] = deque()

        def next_job() -> Job | None:
            if again:
                return again.popleft()
            for request, misbehave in pending:
                job = self._job(request, misbehave)
                if any(text for text, _ in job.segments):
                    return job
                nothing.append(TakeFailure(request.key, "the text has nothing that can be spoken"))
            return None

        for job, outcome in espeak_pool.run_jobs(next_job, max(1, workers)):
            while nothing:
                yield nothing.popleft()
            key = job.tag.key
            if isinstance(outcome, Failure):
                yield TakeFailure(key, outcome.reason)
                continue
            samples = np.frombuffer(outcome.pcm, dtype="<i2")
            if samples.size and int(max(samples.max(), -int(samples.min()))) >= _FULL_SCALE:
                again.append(_quieter(job))
                continue
            reason = _missing_speech(job, outcome, samples)
            yield TakeFailure(key, reason) if reason else Take(key, samples, SAMPLE_RATE_HZ)
        yield from nothing

    def _job(self, request: TakeRequest, misbehave: str) -> Job:
        problems = check_settings(request.voice.engine_settings)
        if problems:
            raise EngineError(f"voice {request.voice.name}: {problems[0]}")
        segments = library_segments(request.segments)
        length = sum(len(text) for text, _ in segments)
        timeout_s = self._timeout_s + _TIMEOUT_PER_CHARACTER_S * length
        return Job(request, library_parameters(request), segments, timeout_s, misbehave)


def _quieter(job: Job) -> Job:
    volume = int(job.parameters["volume"] * _QUIETER)
    return replace(job, parameters={**job.parameters, "volume": volume})


def _missing_speech(job: Job, clip: Clip, samples: np.ndarray[Any, np.dtype[np.int16]]) -> str:
    """Why a clip is not the speech that was asked for; empty when it is."""
    start = 0
    for (text, silence_samples), count in zip(job.segments, clip.speech_samples, strict=True):
        spoken = samples[start : start + count]
        if text and (count == 0 or int(max(spoken.max(), -int(spoken.min()))) < _SILENCE_PEAK):
            return f"the voice said nothing for '{text[:40]}'"
        start += count + silence_samples
    return "" if start == samples.size else "the voice process sent an incomplete clip"


@functools.cache
def _content_hash() -> str:
    """SHA-256 over the library, the Norwegian data and all voice variants."""
    library, data = espeak_pool.find_library()
    hasher = hashlib.sha256()
    variants = sorted((data / "voices" / "!v").iterdir())
    for path in [library, *(data / name for name in _DATA_FILES), *variants]:
        if path.is_file():
            content = path.read_bytes()
            hasher.update(f"{path.name} {len(content)}\n".encode() + content)
    return hasher.hexdigest()
