"""Speaking and listening for the measurement: orders to the embedded voice, and what ``MiniJudge`` hears.

The voice is driven below the engine's interface, because two things are needed that no build may do: another text
spoken with the very draws of a take (so that equal sound means equal samples), and another language's voice.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replikk.dialogue.records import Segment, Voice
from replikk.engines import espeak_pool
from replikk.engines.espeak_delivery import library_parameters, library_segments
from replikk.engines.espeak_pool import SAMPLE_RATE_HZ, Job
from replikk.engines.espeak_pool import Clip as SpokenClip
from replikk.engines.records import TakeRequest
from replikk.errors import EngineError
from replikk.judges.mini.judge import MiniJudge
from replikk.judges.mini.text import normalise
from replikk.judges.records import Clip, Transcript

Samples = NDArray[np.int16]
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Order:
    """Something to be spoken."""

    text: str
    voice: str
    like: str = ""
    """Draws as for this text; empty: as for ``text`` itself."""
    language: str = "nb"


@dataclass(frozen=True)
class Heard:
    """What should have been said, and what the judge heard."""

    script: str
    wanted: str
    """The script, normalised."""
    transcript: Transcript
    samples: Samples


class Studio:
    """The voices of a game and the judge; counts what it listened to."""

    def __init__(self, voices: dict[str, dict[str, Any]]) -> None:
        """``voices``: name -> settings of the embedded voice."""
        self.voices = voices
        self.audio_s = 0.0
        self.judge_cpu_s = 0.0
        self._judge = MiniJudge({})

    def speak(self, orders: Sequence[Order]) -> list[Samples]:
        """One clip per order. Raises EngineError when the voice fails."""
        pending = iter(range(len(orders)))
        clips: list[Samples] = [np.zeros(0, np.int16)] * len(orders)

        def next_job() -> Job | None:
            number = next(pending, None)
            return None if number is None else self._job(orders[number], number)

        for job, outcome in espeak_pool.run_jobs(next_job, 1):
            if not isinstance(outcome, SpokenClip):
                raise EngineError(f"'{orders[job.tag].text}': {outcome.reason}")
            clips[job.tag] = np.frombuffer(outcome.pcm, dtype="<i2")
        return clips

    def _job(self, order: Order, number: int) -> Job:
        key = hashlib.sha256(f"{order.voice}/{order.like or order.text}".encode()).hexdigest()
        voice = Voice(order.voice, order.voice, self.voices[order.voice])
        request = TakeRequest(key, (Segment(order.text),), "nb", "", voice, 0)
        parameters = library_parameters(request)
        parameters["voice"] = order.language + parameters["voice"].removeprefix("nb")
        return Job(number, parameters, library_segments(request.segments), _TIMEOUT_S)

    def listen(self, wanted: Sequence[str], clips: Iterable[Samples]) -> list[Heard]:
        """What the judge hears in each clip that should say ``wanted``."""
        heard = []
        for text, samples in zip(wanted, clips, strict=True):
            started = time.process_time()
            clip = Clip("measured", samples, SAMPLE_RATE_HZ, text, "espeak", "nb")
            (transcript,) = self._judge.transcribe([clip])
            self.judge_cpu_s += time.process_time() - started
            self.audio_s += len(samples) / SAMPLE_RATE_HZ
            heard.append(Heard(text, normalise(text), transcript, samples))
        return heard
