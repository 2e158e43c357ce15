"""Writing safetensors files: atomic, and the same bytes for the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from replikk.files import write_atomic_by


def write_safetensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """The weights, each stored once and whole. Raises ReplikkError where the file cannot be written."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    def write(temporary: Path) -> None:
        try:
            save_file({key: value.contiguous() for key, value in tensors.items()}, temporary)
        except SafetensorError as error:
            raise OSError(str(error)) from error  # a full disk comes as one of these

    write_atomic_by(path, write)
