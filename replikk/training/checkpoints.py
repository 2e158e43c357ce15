"""Checkpoints: folders that are written once, whole, and never touched again.

    RUN/run.json                    what the run depends on: settings, hashes of base, corpus and prompt template
    RUN/checkpoints/step_0000100/
        adapter/                    as PEFT saves it: can be tried in a build as it is
        ema_adapter/                its moving average
        optimizer.safetensors       AdamW's two moments and step of every factor
        random.safetensors          states of PyTorch's generators
        state.json                  place in the data, learning rate, run.json again, hashes of the files above

A checkpoint is written into a folder with a temporary name, every file and the folder flushed to the disk, and then
renamed. A kill leaves a temporary folder, which the next start removes, and never half a checkpoint. An existing one is
never overwritten, and none is ever deleted here: at 211 MB each (full size, rank 24), fifty are 11 GB, and the one that
speaks best is often not the last.

Nothing here is a pickle: what is read back is tensors and JSON.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from replikk.engines.cosyvoice3.safetensors_files import write_safetensors
from replikk.errors import ReplikkError
from replikk.files import canonical_json, read_json, sha256_file, write_atomic
from replikk.training.low_rank import read_factors, write_adapter

FORMAT = 1
FOLDER = "checkpoints"
ADAPTER, EMA_ADAPTER = "adapter", "ema_adapter"
_STEP = re.compile(r"step_(\d{7,})")
_TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class Place:
    """How far a run has come."""

    step: int = 0
    """Steps done."""
    epoch: int = 0
    """The epoch that the next step belongs to, from 0."""
    step_in_epoch: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a run is continued from."""

    place: Place
    adapter: Mapping[str, Tensor]  # by the names of LowRankAdapter.factors
    ema: Mapping[str, Tensor]
    moments: Mapping[str, Tensor]  # NAME.exp_avg, NAME.exp_avg_sq, NAME.step
    random: Mapping[str, Tensor]


def run_record(settings: Mapping[str, Any], hashes: Mapping[str, Any]) -> dict[str, Any]:
    """What ``run.json`` says."""
    return {"format": FORMAT, "settings": dict(settings), **hashes}


def open_run(run: Path, record: Mapping[str, Any]) -> None:
    """Begin a run in its folder, or make ready to go on with it.

    Raises ReplikkError when the folder belongs to a run with other settings, data or base model, naming what differs.
    """
    path = run / "run.json"
    if path.exists():
        before = read_json(path)
        different = _differences(before, dict(record)) if isinstance(before, dict) else ["run.json"]
        if different:
            raise ReplikkError(
                f"{run}: was begun otherwise: {'; '.join(different)}. Its checkpoints are kept; write another "
                "training.name in config.yaml for a new run, or restore what the run was begun with"
            )
    else:
        write_atomic(path, canonical_json(record))
    for leftover in (run / FOLDER).glob(f"{_TEMPORARY}*"):
        shutil.rmtree(leftover)


def checkpoints(run: Path) -> list[Path]:
    """The run's checkpoints, oldest first."""
    folder = run / FOLDER
    names = [path for path in folder.iterdir() if _STEP.fullmatch(path.name)] if folder.is_dir() else []
    return sorted(names, key=lambda path: int(path.name.removeprefix("step_")))


def checkpoint_path(run: Path, step: int) -> Path:
    return run / FOLDER / f"step_{step:07d}"


def write_checkpoint(
    run: Path, checkpoint: Checkpoint, record: Mapping[str, Any], rank: int, alpha: float, notes: Mapping[str, Any]
) -> Path:
    """Write a checkpoint and return its folder. Raises ReplikkError where it exists, or cannot be written."""
    path = checkpoint_path(run, checkpoint.place.step)
    if path.exists():
        raise ReplikkError(f"{path}: exists, and checkpoints are never overwritten; move it away to train it again")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=_TEMPORARY))
        temporary.chmod(0o755)
        try:
            write_adapter(temporary / ADAPTER, checkpoint.adapter, rank, alpha)
            write_adapter(temporary / EMA_ADAPTER, checkpoint.ema, rank, alpha)
            write_safetensors(temporary / "optimizer.safetensors", _on_cpu(checkpoint.moments))
            write_safetensors(temporary / "random.safetensors", _on_cpu(checkpoint.random))
            state = {
                "format": FORMAT,
                "place": asdict(checkpoint.place),
                "run": dict(record),
                "sha256": {name: sha256_file(temporary / name) for name in _files(temporary)},
                **notes,
            }
            write_atomic(temporary / "state.json", canonical_json(state))
            for folder in (temporary / ADAPTER, temporary / EMA_ADAPTER, temporary):
                _flush(folder)
            temporary.rename(path)  # fails where a checkpoint with files in it has come into being since
            _flush(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise ReplikkError(
            f"{path}: cannot be written ({error.strerror or error}); make room or mend the folder's rights, then run "
            "again: earlier checkpoints are kept"
        ) from error
    return path


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint, every byte compared with its hash. Raises ReplikkError naming a damaged file."""
    from safetensors.torch import load_file

    state = read_state(path)
    return Checkpoint(
        Place(**state["place"]),
        read_factors(path / ADAPTER),
        read_factors(path / EMA_ADAPTER),
        load_file(path / "optimizer.safetensors"),
        load_file(path / "random.safetensors"),
    )


def read_state(path: Path) -> dict[str, Any]:
    """``state.json`` of a checkpoint, after its files were compared with it. Raises ReplikkError naming a damaged
    file."""
    again = "move this checkpoint away to go on from the one before it"
    if not (path / "state.json").is_file():
        raise ReplikkError(f"{path}: has no state.json; {again}")
    state = read_json(path / "state.json")
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ReplikkError(f"{path / 'state.json'}: is not of format {FORMAT}; {again}")
    if sorted(state["sha256"]) != sorted(name for name in _files(path) if name != "state.json"):
        raise ReplikkError(f"{path}: does not have the files that were saved; {again}")
    for name, wanted in state["sha256"].items():
        if sha256_file(path / name) != wanted:
            raise ReplikkError(f"{path / name}: is damaged; {again}")
    return state


def random_states() -> dict[str, Tensor]:
    """The states of PyTorch's generators. Training draws from generators of its own; these are kept for whatever else
    may draw, such as a kernel of PyTorch's."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def restore_random(states: Mapping[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], above: str = "") -> list[str]:
    """'key: was …, is …' of everything that is not the same."""
    result = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            result += _differences(old, new, f"{above}{key}.")
        elif old != new:
            result.append(f"{above}{key} was {old!r:.40} and is {new!r:.40}")
    return result


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu() for name, value in tensors.items()}


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
