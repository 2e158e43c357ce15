"""Whether a downloaded file is one at all, by its first bytes; torch-free, for the start of a build."""

from __future__ import annotations

from pathlib import Path

from replikk.errors import EngineError

AGAIN = "delete it and download it again ('snakemake models' does both)"

_POINTER = b"version https://git-lfs"
"""First bytes of the small text file that a clone without Git LFS has in place of a large one."""


def check_is_downloaded(path: Path) -> None:
    """Raises EngineError where ``path`` is missing, empty or a Git LFS pointer instead of the file itself."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
    except OSError as error:
        raise EngineError(f"{path}: cannot be read ({error.strerror or error}); {how_to_mend(error)}") from error
    if not start:
        raise EngineError(f"{path}: is empty; {AGAIN}")
    if start == _POINTER:
        raise EngineError(f"{path}: is a Git LFS pointer, not the file itself; run 'git lfs pull', or {AGAIN}")


def how_to_mend(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "'snakemake models' fetches it, or give the folder that has it as models_dir"
    return "give the path of a file that can be read"
