"""Whether an adapter of the user's own may speak in a build: one from a training must have been promoted by its gate.

A checkpoint lies in ``RUN/checkpoints/STEP/``, beside its ``state.json``; what the gate promoted lies in
``RUN/released/NAME/``, beside the ``decision.json`` that says so. A checkpoint that was copied somewhere else with what
lies beside it is still one. An adapter from anywhere else is not ours to judge.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replikk.errors import ReplikkError, printable
from replikk.files import read_json
from replikk.models.settings import ModelSettings, OwnModel


def unpromoted_adapter_problem(settings: ModelSettings) -> str | None:
    """One sentence about an adapter that no gate has promoted; None where there is nothing to say."""
    adapter = settings.adapter
    if settings.unpromoted_adapter or not isinstance(adapter, OwnModel):
        return None
    path = adapter.path.resolve()
    for folder in (path, *path.parents):
        run = folder.parent.parent
        is_copied = _is_checkpoint(folder)
        if not is_copied and not (run / "run.json").is_file():
            continue
        made = folder.parent.name
        if is_copied or made == "checkpoints":
            what = "is a checkpoint, and no gate has promoted it"
        elif made == "released" and _promoted(folder / "decision.json") != folder.name:
            what = "is not what its decision.json promoted"
        else:
            return None
        return (
            f"config.yaml: models.adapter: '{printable(str(adapter.path), 120)}' {what}; run snakemake promote and "
            "name the adapter of the release that it makes, or write unpromoted_adapter: true below models to build "
            "with it anyway"
        )
    return None


def _is_checkpoint(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("state.json", "adapter", "ema_adapter"))


def _promoted(decision: Path) -> str | None:
    """The name of the release that a decision is about."""
    try:
        record: Any = read_json(decision) if decision.is_file() else None
    except ReplikkError:
        return None
    name = record.get("promoted") if isinstance(record, dict) else None
    return name.replace("/", ".") if isinstance(name, str) else None
