"""Which files make up an adapter: all that its hash must cover. Torch-free, for the start of a build."""

from __future__ import annotations

from pathlib import Path

from replikk.engines.cosyvoice3.adapter_config import NAME as CONFIG_NAME
from replikk.errors import EngineError, printable

ADAPTER_NAMES = ("adapter_model.safetensors", "adapter_model.bin")


def adapter_files(path: Path) -> tuple[Path, ...]:
    """The files that make up an adapter (a file, or a folder as PEFT writes it): all that its hash must cover.

    Raises EngineError where a folder has no adapter in it.
    """
    weights = path
    if path.is_dir():
        found = [path / name for name in ADAPTER_NAMES if (path / name).is_file()]
        if not found:
            others = sorted(child.name for child in path.iterdir() if child.suffix in (".pt", ".safetensors", ".bin"))
            hint = f"give the path of {printable(others[0])}" if others else "give the folder or file of an adapter"
            raise EngineError(f"{path}: has no {' or '.join(ADAPTER_NAMES)}; {hint}")
        weights = found[0]
    config = weights.parent / CONFIG_NAME
    return (weights, config) if config.is_file() else (weights,)
