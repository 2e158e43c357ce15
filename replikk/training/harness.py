"""The gate held: everybody reads the same texts to the same judge, the decision falls, and its page is written.

    GATE/index.html      for people: the verdicts, curves, and every clip that matters
    GATE/readings/       and GATE/clips/: what was heard, kept, so that a killed gate goes on
    GATE/unheard/        what one reader has spoken and the judge has not heard yet; gone when everybody is heard

Readers come one after the other, so that no two models are in memory at once. What they are is not known here: in a
real gate they are adapters on the base model, in the proof of the gate voices with planted faults. Outside controls
come first: a server that is not there is found out in a second, and not after a night.
"""

from __future__ import annotations

import dataclasses
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from replikk.dialogue.records import Voice
from replikk.engines import Engine
from replikk.files import write_atomic
from replikk.judges import Judge
from replikk.judges.reference_likeness import ReferenceLikeness
from replikk.training import gate, gate_scripts
from replikk.training.gate_intervals import LIMITS, likenesses, word_error_rates
from replikk.training.gate_page import render_gate_page
from replikk.training.gate_scripts import SCRIPTS, Tier
from replikk.training.readings import UNHEARD, Heard, heard, is_spoken
from replikk.training.trials import SEEDS, trials_of

log = logging.getLogger(__name__)

PAGE = "index.html"
EMBEDDED = "espeak"
"""The engine that every judge may listen to."""


@dataclass(frozen=True)
class GateResult:
    """What was decided, and on what."""

    record: dict[str, Any]
    """``decision.json``, but for the release."""
    heard: dict[str, list[Heard]]
    """By reader, controls first, then those from outside."""


class OutsideEngine(Engine, Protocol):
    """An engine that can be asked whether it speaks at all."""

    def try_out(self, voices: Iterable[Voice]) -> None: ...


@dataclass(frozen=True)
class Outside:
    """Another system that reads the same, as a yardstick."""

    engine: OutsideEngine
    voices: Mapping[str, Voice]
    """The same voices, with the settings of this engine."""


def hold_gate(
    folder: Path,
    readers: Iterable[tuple[str, Engine]],
    controls: Sequence[str],
    incumbent: str,
    judge: Judge,
    voices: Mapping[str, Voice],
    *,
    scripts: Mapping[Tier, Sequence[str]] = SCRIPTS,
    seeds: Sequence[int] = SEEDS,
    outside: Mapping[str, Outside] | None = None,
    likeness: ReferenceLikeness | None = None,
    is_trial_run: bool = False,
    workers: int = 1,
) -> GateResult:
    """``readers`` are the controls, named in ``controls``, then the candidates in the order of their training.
    ``outside`` decides nothing, by name; ``likeness`` is measured where it is given.

    A trial run decides as always, says so, and promotes nothing; so any judge may listen, and the embedded one, which
    knows the embedded voice only, is enough to try the way. Writes the page into ``folder``. Raises JudgeError
    where the judge may not listen, ReplikkError where somebody could not be heard.
    """
    wanted = trials_of(sorted(voices), seeds, scripts)
    outside = outside or {}

    def listen(name: str, engine: Engine, as_spoken: Mapping[str, Voice]) -> list[Heard]:
        log.info("%s reads %d times", name, len(wanted))
        heard_as = EMBEDDED if is_trial_run and not judge.accepts(engine.name) else ""
        found = heard(folder, name, engine, judge, as_spoken, wanted, workers, heard_as, likeness)
        errors, words = (sum(getattr(one.reading, key) for one in found) for key in ("word_errors", "words"))
        log.info("%s: %d word errors in %d words", name, errors, words)
        return found

    for name, other in outside.items():
        if not is_spoken(folder, name, other.engine, judge, other.voices, wanted):
            other.engine.try_out(other.voices.values())
    beside = {name: listen(name, other.engine, other.voices) for name, other in outside.items()}
    own = {name: listen(name, engine, voices) for name, engine in readers}
    shutil.rmtree(folder / UNHEARD, ignore_errors=True)  # of somebody who was killed reading, and reads no more
    everything = {
        **{name: own[name] for name in controls},
        **beside,
        **{name: some for name, some in own.items() if name not in controls},
    }
    readings = {name: [one.reading for one in some] for name, some in everything.items()}
    decision = gate.decide(
        {name: readings[name] for name in own if name not in controls},
        {name: readings[name] for name in controls},
        incumbent,
        outside={name: readings[name] for name in outside},
    )
    if is_trial_run:
        found = f"would be promoted: {decision.promoted}" if decision.promoted else decision.why
        why = f"a trial run with {sum(map(len, scripts.values()))} texts promotes nothing ({found})"
        decision = dataclasses.replace(decision, promoted=None, why=why)
    record = {
        **decision.to_json(),
        "incumbent": incumbent,
        "controls": list(controls),
        "rates": {
            name: {tier: dataclasses.asdict(rate) for tier, rate in word_error_rates(some).items()}
            for name, some in readings.items()
        },
        "likeness": {
            name: {tier: dataclasses.asdict(rate) for tier, rate in likenesses(some).items()}
            for name, some in readings.items()
        },
        "speaker_model": likeness.fingerprint if likeness is not None else "",
        "scripts": gate_scripts.VERSION,
        "texts": {tier: len(texts) for tier, texts in scripts.items()},
        "directed": len(gate_scripts.directed_texts(scripts)),
        "seeds": list(seeds),
        "voices": sorted(voices),
        "references": {name: voice.reference_sha256 for name, voice in sorted(voices.items())},
        "judge": judge.fingerprint(),
        "limits": dataclasses.asdict(LIMITS),
    }
    write_atomic(folder / PAGE, render_gate_page(record, everything))
    log.info("%s: %s", decision.promoted or "nothing is promoted", decision.why)
    return GateResult(record, everything)
