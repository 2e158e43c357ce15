"""The gate on a real run: every checkpoint reads, raw and averaged, and so do the controls; one is released, or none.

RUN/gate/               page, readings and clips (``harness.py``), and decision.json, written last
RUN/released/NAME/      what was promoted: the adapter, the merged language model, a model card, hashes
RUN/board/              the gate's figures and a sound of each length, for TensorBoard, where it is installed
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from replikk.config import Config
from replikk.engines import Engine
from replikk.engines.cosyvoice3.engine import CosyVoice3Engine
from replikk.engines.cosyvoice3.model_folder import open_model_folder
from replikk.errors import ReplikkError
from replikk.files import canonical_json, read_json, write_atomic
from replikk.judges import judge_of
from replikk.locks import job_lock
from replikk.models.present import model_paths, require_models
from replikk.training.board import show_gate
from replikk.training.checkpoints import ADAPTER, EMA_ADAPTER, checkpoints, read_state
from replikk.training.gate_readers import check_gate, gate_voices, outside_controls, speaker_measure
from replikk.training.gate_scripts import SCRIPTS, first_texts
from replikk.training.harness import Outside, hold_gate
from replikk.training.release import write_release
from replikk.training.settings import TrainingSettings
from replikk.training.trials import SEEDS

BASE, RELEASED = "base", "released"


def promote(config: Config, settings: TrainingSettings, decision_path: Path, workers: int = 1) -> None:
    """Hear all candidates and decide; writes page and decision, and the release where there is one.

    Raises ReplikkError when the gate cannot be held: no checkpoints, no voices, a judge that may not listen.
    """
    check_gate(config, settings)
    require_models(config.models, config.commercial)
    run = settings.run_folder(config.build_dir)
    candidates = candidate_adapters(run)
    check_base(config, run)
    voices = gate_voices(config)
    outside = outside_controls(config, settings)
    likeness = speaker_measure(config)
    paths = model_paths(config.models)
    controls: dict[str, tuple[Path | None, float]] = {BASE: (None, 1.0)}
    if paths.adapter is not None:
        controls[RELEASED] = (paths.adapter, paths.adapter_strength)

    def readers() -> Iterator[tuple[str, Engine]]:
        cache_dir = config.build_dir / "store" / "cosyvoice3"
        everybody = {**controls, **{name: (path, 1.0) for name, path in candidates.items()}}
        for name, (adapter, strength) in everybody.items():
            yield name, CosyVoice3Engine(config.engine_settings, paths.base, adapter, strength, cache_dir)

    scripts = first_texts(settings.gate_texts)
    is_trial_run = scripts != SCRIPTS
    if is_trial_run:
        voices = dict(sorted(voices.items())[:1])
        outside = {
            name: Outside(one.engine, {voice: one.voices[voice] for voice in voices}) for name, one in outside.items()
        }
    # A gate that lives on when Snakemake was killed goes on speaking: what it still reads is not read twice.
    with job_lock(config.build_dir, f"gate-{settings.name}"):
        result = hold_gate(
            decision_path.parent,
            readers(),
            list(controls),
            RELEASED if RELEASED in controls else BASE,
            judge_of(config),
            voices,
            scripts=scripts,
            seeds=SEEDS[:1] if is_trial_run else SEEDS,
            outside=outside,
            likeness=likeness,
            is_trial_run=is_trial_run,
            workers=workers,
        )
        record = dict(result.record)
        if record["promoted"] is not None:
            release = write_release(config, run, candidates[record["promoted"]], record["promoted"], record)
            record["release"] = str(release)
        show_gate(run, result, decision_path.parent)
        write_atomic(decision_path, canonical_json(record))


def check_base(config: Config, run: Path) -> None:
    """Raises ReplikkError where the run was trained on another base model than the one that would speak."""
    base = model_paths(config.models).base
    hashes = open_model_folder(base).content_sha256(config.build_dir / "training" / "hashes.json")
    record = read_json(run / "run.json") if (run / "run.json").is_file() else None
    trained_on = record.get("base") if isinstance(record, dict) else None
    if trained_on != hashes["language_model"]:
        raise ReplikkError(
            f"{run}: was trained on another base model than {base}; set models.base to the model it was trained on, "
            "or train again under another training.name"
        )


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
