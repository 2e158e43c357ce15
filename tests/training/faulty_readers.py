"""Readers for the gate: the embedded voice with planted faults, and a judge that hears what is alike once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from replikk.dialogue.records import Segment, Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.judges.mini.judge import MiniJudge
from replikk.judges.records import Clip, Transcript
from replikk.training.gate_scripts import LONG, MIDDLE, SCRIPTS, SHORT

PROMPT = "Kom og se! Jeg har funnet en bokstav i sanda."
KARI = Voice("kari", "Kari", {"variant": "f2", "word_gap": 2}, reference_transcript=PROMPT)
VOICES = {"kari": KARI}
FEW = {"short": SHORT[:3], "middle": MIDDLE[:3], "long": LONG[:2]}

Fault = Callable[[list[str], random.Random], list[str]]


@dataclass(frozen=True)
class Drop:
    """Drops a share of the words."""

    share: float
    __name__ = "drop"

    def __call__(self, words: list[str], draws: random.Random) -> list[str]:
        return [word for word in words if draws.random() >= self.share]


def skip_a_phrase(words: list[str], draws: random.Random) -> list[str]:
    start = draws.randrange(len(words) - 4)
    return words[:start] + words[start + 4 :]


def merge(words: list[str], draws: random.Random) -> list[str]:
    """Two words become one that has lost a sound between them: 'gikk rundt' is said 'girundt'."""
    merged = list(words)
    for _ in range(3):
        place = draws.randrange(len(merged) - 1)
        merged[place : place + 2] = [merged[place][: max(2, len(merged[place]) - 2)] + merged[place + 1]]
    return merged


def repeat(words: list[str], draws: random.Random) -> list[str]:
    start = draws.randrange(len(words) - 3)
    return words[: start + 3] + words[start:]


def leak(words: list[str], _draws: random.Random) -> list[str]:
    return [*PROMPT.split()[-5:], *words]


def aloud(words: list[str], _draws: random.Random) -> list[str]:
    """Says the direction too, which stands before the text."""
    return words


@dataclass(frozen=True)
class Garbled:
    """Leaves out the direction, and a share of the words after it."""

    share: float
    __name__ = "garbled"

    def __call__(self, words: list[str], draws: random.Random) -> list[str]:
        return Drop(self.share)(words[3:], draws)


@dataclass(frozen=True)
class Candidate:
    """The embedded voice with faults by tier."""

    faults: dict[str, Fault]
    with_direction: Fault | None = None
    """What it does besides where there is a direction."""
    name: str = "faulty"

    def fingerprint(self) -> str:
        faults = {**self.faults, **({"directed": self.with_direction} if self.with_direction else {})}
        return repr(sorted((tier, fault.__name__, getattr(fault, "share", "")) for tier, fault in faults.items()))

    def spoken(self, text: str, key: str) -> str:
        """What it says when it is asked to say ``text``."""
        fault = self.faults.get(next(tier for tier, texts in SCRIPTS.items() if text in texts))
        return " ".join(fault(text.split(), random.Random(key))) if fault else text

    def check_voice(self, voice: Voice) -> list[str]:
        return []

    def unfollowed_styles(self, style: str) -> list[str]:
        return []

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        def spoiled() -> Iterator[TakeRequest]:
            for request in requests:
                said = self.spoken(request.segments[0].text, request.key)
                if self.with_direction and request.style:
                    words = [*request.style.split(), *said.split()]
                    said = " ".join(self.with_direction(words, random.Random(request.key)))
                # The embedded voice says moods with pitch and pace; here only words matter.
                yield replace(request, segments=(Segment(said, 0),), style="")

        yield from EspeakEngine({}).synthesize(spoiled(), workers)


@dataclass
class Listening(MiniJudge):
    """The embedded judge; what two candidates speak alike, from the same seed, it hears once."""

    known: dict[bytes, Transcript] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__({})

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        for clip in clips:
            sound = clip.samples.tobytes()
            if sound not in self.known:
                (self.known[sound],) = super().transcribe([clip])
            yield replace(self.known[sound], take_key=clip.take_key)


@dataclass(frozen=True)
class Silent:
    """Somebody who must not be asked to speak."""

    candidate: Candidate
    name: str = "faulty"

    def fingerprint(self) -> str:
        return self.candidate.fingerprint()

    def check_voice(self, voice: Voice) -> list[str]:
        return []

    def unfollowed_styles(self, style: str) -> list[str]:
        return []

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        assert not list(requests), "what was read is kept"
        return iter(())
