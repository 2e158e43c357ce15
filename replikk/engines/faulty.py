"""Engine ``faulty``: the embedded voice with faults put in, the build's self-test. Never for a release.

The embedded voice rarely fails, so that regeneration, flags and recovery could rot unseen. This engine makes real
faults: words are left out of what is spoken, the audio is cut, a stretch is said twice, noise is added, the child
process really crashes or hangs, a clip comes back empty. Which fault meets a take is drawn from its key, so that a
build with faults repeats exactly and another reading of the line has another fate.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replikk.dialogue.records import Segment, Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import EngineError
from replikk.files import digest

FAULTS = ("drop_words", "stop_early", "repeat", "noise", "crash", "hang", "nothing", "wrong_line")
_SETTINGS = ("faults", "only_reading", "seed", "timeout_s")

DEFAULT_TIMEOUT_S = 2.0
"""A clip of the embedded voice takes some milliseconds; a short limit keeps a self-test with hanging children short."""

_WRONG_LINE = "Dette er en helt annen replikk enn den som står i manuset."


class FaultyEngine:
    """``settings``: ``faults`` (share of takes per fault, their sum at most 1), ``seed``, ``only_reading`` (a list of
    reading numbers that faults are limited to, or null), ``timeout_s``."""

    name = "faulty"

    def __init__(self, settings: dict[str, Any]) -> None:
        """Raises EngineError for settings it does not know, naming the setting."""
        unknown = sorted(str(key) for key in settings if key not in _SETTINGS)
        if unknown:
            raise EngineError(f"engine faulty: it has no setting '{unknown[0]}'; use {', '.join(_SETTINGS)}")
        self._faults = _checked_faults(settings.get("faults", {}))
        self._seed = settings.get("seed", 0)
        if isinstance(self._seed, bool) or not isinstance(self._seed, int):
            raise EngineError("engine faulty: seed must be a whole number")
        self._only_reading = settings.get("only_reading")
        if self._only_reading is not None and not (
            isinstance(self._only_reading, list)
            and all(isinstance(n, int) and not isinstance(n, bool) for n in self._only_reading)
        ):
            raise EngineError("engine faulty: only_reading must be a list of whole numbers, such as [0], or null")
        self._voice = EspeakEngine({"timeout_s": settings.get("timeout_s", DEFAULT_TIMEOUT_S)})

    def fingerprint(self) -> str:
        """The embedded voice's, with the faults: a take made with other faults is another take."""
        settings = {"faults": self._faults, "seed": self._seed, "only_reading": self._only_reading}
        return f"faulty 1 {digest(settings)[:16]} {self._voice.fingerprint()}"

    def check_voice(self, voice: Voice) -> list[str]:
        return self._voice.check_voice(voice)

    def unfollowed_styles(self, style: str) -> list[str]:
        return self._voice.unfollowed_styles(style)

    def fault_of(self, request: TakeRequest) -> str:
        """The fault that meets this take, or ``""``; drawn from key and seed."""
        if self._only_reading is not None and request.reading not in self._only_reading:
            return ""
        drawn = hashlib.sha256(f"fault {self._seed} {request.key}".encode()).digest()
        share = int.from_bytes(drawn[:8], "little") / 2**64
        for fault in FAULTS:
            share -= self._faults.get(fault, 0.0)
            if share < 0:
                return fault
        return ""

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        """As the embedded voice, faults included."""
        faults: dict[str, str] = {}

        def spoiled() -> Iterator[tuple[TakeRequest, str]]:
            for request in requests:
                fault = self.fault_of(request)
                faults[request.key] = fault
                if fault in ("drop_words", "wrong_line"):
                    request = replace(request, segments=_TEXT_FAULTS[fault](request.segments, _random(request.key)))
                yield request, fault if fault in ("crash", "hang") else ""

        for result in self._voice.speak(spoiled(), workers):
            fault = faults[result.key]
            if isinstance(result, Take) and fault == "nothing":
                yield TakeFailure(result.key, "the engine returned no audio")
            elif isinstance(result, Take) and fault in _AUDIO_FAULTS:
                yield replace(result, samples=_AUDIO_FAULTS[fault](result.samples, _random(result.key)))
            else:
                yield result


def _checked_faults(faults: Any) -> dict[str, float]:
    if not isinstance(faults, dict):
        raise EngineError(f"engine faulty: faults must be a mapping of fault to share; faults are {', '.join(FAULTS)}")
    for fault, share in faults.items():
        if fault not in FAULTS:
            raise EngineError(f"engine faulty: there is no fault '{fault}'; use {', '.join(FAULTS)}")
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise EngineError(f"engine faulty: faults.{fault} must be a share from 0 to 1")
    if sum(faults.values()) > 1 + 1e-9:
        raise EngineError("engine faulty: the shares of all faults together must be at most 1")
    return {fault: float(share) for fault, share in faults.items()}


def _random(key: str) -> random.Random:
    """Draws inside a fault; ``random.Random`` of a string is the same on every platform."""
    return random.Random(f"faulty {key}")


def _drop_words(segments: tuple[Segment, ...], draws: random.Random) -> tuple[Segment, ...]:
    """A quarter of the words, at least one, left out; a single word is kept only in part."""
    places = [(i, j) for i, segment in enumerate(segments) for j in range(len(segment.text.split()))]
    if len(places) < 2:
        return tuple(replace(segment, text=segment.text[: (len(segment.text) + 1) // 2]) for segment in segments)
    dropped = set(draws.sample(places, max(1, len(places) // 4)))
    return tuple(
        replace(segment, text=" ".join(word for j, word in enumerate(segment.text.split()) if (i, j) not in dropped))
        for i, segment in enumerate(segments)
    )


def _wrong_line(segments: tuple[Segment, ...], _draws: random.Random) -> tuple[Segment, ...]:
    return (Segment(_WRONG_LINE, segments[-1].pause_after_ms if segments else 0),)


def _stop_early(samples: NDArray[np.int16], _draws: random.Random) -> NDArray[np.int16]:
    """The last 30 % cut off."""
    return samples[: int(0.7 * samples.size)]


def _repeat(samples: NDArray[np.int16], draws: random.Random) -> NDArray[np.int16]:
    """A stretch of 30 % said twice."""
    length = int(0.3 * samples.size)
    start = draws.randrange(samples.size - length + 1)
    return np.concatenate([samples[: start + length], samples[start:]])


def _noise(samples: NDArray[np.int16], draws: random.Random) -> NDArray[np.int16]:
    """White noise at a signal-to-noise ratio of 10 dB."""
    power = float(np.mean(samples.astype(np.float64) ** 2))
    noise = np.random.default_rng(draws.getrandbits(64)).normal(0.0, (power / 10) ** 0.5, samples.size)
    return np.clip(np.round(samples + noise), -32_767, 32_767).astype(np.int16)


_TEXT_FAULTS: dict[str, Callable[[tuple[Segment, ...], random.Random], tuple[Segment, ...]]] = {
    "drop_words": _drop_words,
    "wrong_line": _wrong_line,
}
_AUDIO_FAULTS: dict[str, Callable[[NDArray[np.int16], random.Random], NDArray[np.int16]]] = {
    "stop_early": _stop_early,
    "repeat": _repeat,
    "noise": _noise,
}
