"""A gate in a process of its own that kills itself, for real: ``python mortal_gate.py FOLDER DIARY DEATH AFTER``.

DIARY gets a line for each take or reading that the gate has taken over; with DEATH 'speaking' or 'hearing' the process
sends itself SIGKILL after so many of them.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from replikk.dialogue.records import Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.judges.mini.judge import MiniJudge
from replikk.judges.records import Clip, Transcript
from replikk.training.gate_scripts import LONG, MIDDLE, SHORT, directed_texts
from replikk.training.harness import GateResult, hold_gate

VOICES = {"kari": Voice("kari", "Kari", {}, reference_transcript="Kom og se!")}
FEW: dict[Any, tuple[str, ...]] = {"short": SHORT[:3], "middle": MIDDLE[:2], "long": LONG[:1]}
READERS = {"base": "f2", "step_0000100/adapter": "m3"}
"""Each speaks in its own way, so that one can tell by the sound who was heard."""
TEXTS = sum(map(len, FEW.values())) + len(directed_texts(FEW))
"""Some are read once more, with a direction."""

Note = Callable[[str, str], None]


def sound(of: Take | Clip) -> str:
    return hashlib.sha256(of.samples.tobytes()).hexdigest()


class Speaking(EspeakEngine):
    """The embedded voice; says what was taken from it."""

    def __init__(self, variant: str, note: Note) -> None:
        super().__init__({})
        self._variant, self._note = variant, note

    def fingerprint(self) -> str:
        return f"{super().fingerprint()} {self._variant}"

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        own = (replace(one, voice=replace(one.voice, engine_settings={"variant": self._variant})) for one in requests)
        for take in super().synthesize(own, workers):
            yield take
            assert isinstance(take, Take)
            self._note("speaking", sound(take))


class Hearing(MiniJudge):
    """The embedded judge; says what was taken from it."""

    def __init__(self, note: Note, version: str = "") -> None:
        super().__init__({})
        self._note, self._version = note, version

    def fingerprint(self) -> str:
        return super().fingerprint() + self._version

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        for clip in clips:
            yield from super().transcribe([clip])
            self._note("hearing", sound(clip))


def hold(folder: Path, note: Note, judge_version: str = "") -> GateResult:
    readers = [(name, Speaking(variant, note)) for name, variant in READERS.items()]
    judge = Hearing(note, judge_version)
    return hold_gate(folder, readers, ["base"], "base", judge, VOICES, scripts=FEW, seeds=(11,))


if __name__ == "__main__":
    _, folder, diary, death, after = sys.argv
    done = {"speaking": 0, "hearing": 0}

    def note(what: str, of: str) -> None:
        with Path(diary).open("a", encoding="utf-8") as file:
            file.write(f"{what} {of}\n")
        done[what] += 1
        if what == death and done[what] == int(after):
            os.kill(os.getpid(), signal.SIGKILL)

    hold(Path(folder), note)
