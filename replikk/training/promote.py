"""The gate on a real run: every checkpoint reads, raw and averaged, and so do the controls; one is released, or none.

Readings are kept by everything that they depend on (model, adapter, settings, judge, voices, texts), so a gate that was
killed goes on with the next candidate, and one that is run again after more training hears the new checkpoints only.

    RUN/gate/readings/     one file a candidate
    RUN/gate/decision.json the decision, with all figures
    RUN/released/NAME/     what was promoted: the adapter, the merged language model, a model card, hashes
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.dialogue.records import Voice
from replikk.dialogue.voices import read_voices
from replikk.engines import Engine
from replikk.engines.cosyvoice3.engine import CosyVoice3Engine
from replikk.errors import DialogueError, ReplikkError
from replikk.files import canonical_json, digest, read_jsonl, write_atomic, write_jsonl
from replikk.judges import Judge, judge_of
from replikk.models.present import model_paths, require_models
from replikk.training import gate, gate_scripts
from replikk.training.checkpoints import ADAPTER, EMA_ADAPTER, checkpoints, read_state
from replikk.training.release import write_release
from replikk.training.settings import TrainingSettings
from replikk.training.trials import SEEDS, Reading, Trial, read_aloud, trials_of

log = logging.getLogger(__name__)

BASE, RELEASED = "base", "released"


def promote(config: Config, settings: TrainingSettings, decision_path: Path) -> None:
    """Hear all candidates and decide; writes the decision, and the release where there is one.

    Raises ReplikkError when the gate cannot be held: no checkpoints, no voices, a judge that may not listen.
    """
    if config.engine != "cosyvoice3":
        raise ReplikkError(
            f"config.yaml: engine: is {config.engine}; checkpoints are heard as builds speak them: write cosyvoice3"
        )
    require_models(config.models, config.commercial)
    run = settings.run_folder(config.build_dir)
    candidates = candidate_adapters(run)
    voices = gate_voices(config)
    judge = judge_of(config)
    paths = model_paths(config.models)
    adapters: dict[str, tuple[Path | None, float]] = {BASE: (None, 1.0)}
    if paths.adapter is not None:
        adapters[RELEASED] = (paths.adapter, paths.adapter_strength)
    controls = list(adapters)
    adapters |= {name: (adapter, 1.0) for name, adapter in candidates.items()}
    readings: dict[str, list[Reading]] = {}
    for name, (adapter, strength) in adapters.items():
        engine = CosyVoice3Engine(
            config.engine_settings, paths.base, adapter, strength, config.build_dir / "store" / "cosyvoice3"
        )
        readings[name] = heard(run / "gate" / "readings" / f"{name.replace('/', '.')}.jsonl", engine, judge, voices)
        errors, words = sum(one.word_errors for one in readings[name]), sum(one.words for one in readings[name])
        log.info("%s: %d word errors in %d words", name, errors, words)
    incumbent = RELEASED if RELEASED in controls else BASE
    decision = gate.decide(
        {name: readings[name] for name in candidates}, {name: readings[name] for name in controls}, incumbent
    )
    record = {
        **decision.to_json(),
        "incumbent": incumbent,
        "scripts": gate_scripts.VERSION,
        "seeds": list(SEEDS),
        "voices": sorted(voices),
        "judge": judge.fingerprint(),
        "limits": dataclasses.asdict(gate.GateLimits()),
    }
    log.info("%s: %s", decision.promoted or "nothing is promoted", decision.why)
    if decision.promoted is not None:
        release = write_release(config, run, candidates[decision.promoted], decision.promoted, record)
        record["release"] = str(release)
    write_atomic(decision_path, canonical_json(record))


def candidate_adapters(run: Path) -> dict[str, Path]:
    """Both adapters of every checkpoint, in the order of training. Raises ReplikkError where there is none, or one is
    damaged."""
    found: dict[str, Path] = {}
    for path in checkpoints(run):
        read_state(path)
        found |= {f"{path.name}/{kind}": path / kind for kind in (ADAPTER, EMA_ADAPTER)}
    if not found:
        raise ReplikkError(f"{run}: has no checkpoints; train first (snakemake train), or mend training.name")
    return found


def gate_voices(config: Config) -> dict[str, Voice]:
    """The voices of voices.yaml that the engine can speak with. Raises ReplikkError where there is none."""
    found, problems = read_voices(config.dialogue_dir / "voices.yaml", "cosyvoice3")
    if problems:
        raise DialogueError(problems)
    voices = {name: voice for name, voice in found.voices.items() if voice.reference_audio}
    if not voices:
        raise ReplikkError(f"{found.file}: no voice has a reference recording, and the gate needs one; add one")
    return voices


def heard(
    path: Path, engine: Engine, judge: Judge, voices: Mapping[str, Voice], trials: Sequence[Trial] | None = None
) -> list[Reading]:
    """The readings of one candidate: those kept in ``path``, if they are of just this, or new ones."""
    trials = trials_of(sorted(voices)) if trials is None else trials
    basis = digest(
        [
            [trial.key for trial in trials],
            engine.fingerprint(),
            judge.fingerprint(),
            gate_scripts.VERSION,
            {
                name: [voice.engine_settings, voice.reference_sha256, voice.reference_transcript]
                for name, voice in voices.items()
            },
        ]
    )
    if path.exists():
        first, *kept = read_jsonl(path)
        if first == {"basis": basis}:
            return [Reading(**record) for record in kept]
    readings = list(read_aloud(engine, judge, voices, trials))
    records: list[dict[str, Any]] = [{"basis": basis}, *(reading.to_json() for reading in readings)]
    write_jsonl(path, records)
    return readings
