"""The start of ``snakemake train`` and ``snakemake promote``: settings checked, and nothing else.

Sheets may be wrong or missing, and neither torch nor a model is needed to look at what would be done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replikk.config import read_config
from replikk.corpus.tokens import LIST_NAME
from replikk.files import canonical_json, digest, sha256_file, write_if_changed
from replikk.stages.voice_traits import check_evidence_settings, tools_fingerprint
from replikk.training import gate
from replikk.training.gate_readers import check_gate
from replikk.training.settings import read_training_settings

_OF_GATE = ("engine", "engines", "judge", "judges", "models", "models_dir", "evidence")
"""Who reads, who listens, and what else is measured."""


@dataclass(frozen=True)
class TrainingTarget:
    """What the rules need."""

    config_path: str
    """The settings as Snakemake was started with, command line included."""
    logs: str
    """Folder of the logs."""
    corpus: str
    """The list of the corpus' shards, written when it is whole."""
    finished: str
    """Says that the run came to the end of its last epoch."""
    decision: str
    """The gate's."""
    gpus: int
    fingerprint: str
    """Of the settings that training depends on."""
    gate_fingerprint: str
    """Of those that the gate depends on, of voices.yaml, and of the optional measures that are at hand."""
    settings: str
    """A file with ``fingerprint``, an input of the training. Snakemake's own memory of parameters lies beside the build
    folder: without this, one that was copied without it would not be trained on."""
    gate_settings: str
    """The same for the gate; written where it is asked for."""


def open_training(settings: Mapping[str, Any], promotes: bool = False) -> TrainingTarget:
    """Check the settings and write them for the jobs; those of the gate as well where it ``promotes``.

    Raises ReplikkError with all problems.
    """
    config = read_config(settings)
    training = read_training_settings(config.training)
    check_evidence_settings(config.evidence)
    if promotes:
        check_gate(config, training)
    voices = config.dialogue_dir / "voices.yaml"
    config_path = config.build_dir / "plan" / "config.json"
    write_if_changed(config_path, canonical_json(settings))
    fingerprint = digest([training.of_result(), training.epochs])
    gate_fingerprint = digest(
        [
            gate.VERSION,
            training.gate_texts,
            training.outside_controls,
            tools_fingerprint(config) if promotes else "",
            {key: settings.get(key) for key in _OF_GATE},
            sha256_file(voices) if voices.is_file() else "",
        ]
    )
    settings_path = config.build_dir / "plan" / "settings" / f"train_{training.name}.txt"
    gate_settings_path = settings_path.with_name(f"promote_{training.name}.txt")
    write_if_changed(settings_path, fingerprint.encode())
    if promotes:
        write_if_changed(gate_settings_path, gate_fingerprint.encode())
    return TrainingTarget(
        config_path=str(config_path),
        logs=str(config.build_dir / "logs"),
        corpus=str(training.corpus_folder(config.build_dir) / LIST_NAME),
        finished=str(training.run_folder(config.build_dir) / "finished.json"),
        decision=str(training.run_folder(config.build_dir) / "gate" / "decision.json"),
        gpus=training.gpus,
        fingerprint=fingerprint,
        gate_fingerprint=gate_fingerprint,
        settings=str(settings_path),
        gate_settings=str(gate_settings_path),
    )
