"""The door to the trainer: settings checked before torch is imported, errors in words a user can act on."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from replikk.errors import ReplikkError, printable
from replikk.judges.mini.training_settings import TrainingSettings


def settings_from_mapping(mapping: dict[str, Any]) -> TrainingSettings:
    """The defaults with what the section ``judge_training`` of ``config.yaml`` changes. Raises ReplikkError."""
    defaults = TrainingSettings()
    known = {field.name for field in fields(TrainingSettings)}
    changed: dict[str, Any] = {}
    for key, value in mapping.items():
        if key not in known:
            raise ReplikkError(
                f"config.yaml: judge_training: there is no setting '{printable(str(key), 40)}'; "
                f"use {', '.join(sorted(known))}"
            )
        default = getattr(defaults, key)
        if isinstance(default, tuple):
            value = tuple(value) if isinstance(value, list) else value
        elif isinstance(default, float) and isinstance(value, int):
            value = float(value)
        if type(value) is not type(default):
            raise ReplikkError(
                f"config.yaml: judge_training.{key}: is {printable(repr(value), 40)}; write a value such as {default!r}"
            )
        changed[key] = value
    return replace(defaults, **changed)


def train_judge(settings: dict[str, Any], work: Path, generators: int, weights: Path) -> None:
    """Train and write ``weights`` and the JSON beside it. Raises ReplikkError for bad settings and without torch."""
    checked = settings_from_mapping(settings)
    try:
        import torch
    except ImportError as error:
        raise ReplikkError("training needs torch; install it with pip install -e '.[dev]'") from error
    from replikk.judges.mini.train import export, train

    model = train(checked, work, generators)
    export(model, checked, weights, {"torch": str(torch.__version__)})
