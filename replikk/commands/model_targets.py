"""Where ``replikk model`` may write: never over a source, over something foreign, or on a disk without room.

What exists is replaced only with ``--force``, and only where it is of the kind that is being written.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from replikk.engines.cosyvoice3.adapter_config import NAME as ADAPTER_CONFIG
from replikk.engines.cosyvoice3.adapter_paths import ADAPTER_NAMES
from replikk.engines.cosyvoice3.model_folder import (
    CONVERTED_MARKER,
    CONVERTED_WEIGHTS,
    QWEN_FOLDER,
    SPEAKER_ENCODER,
    SPEECH_TOKENIZER,
)
from replikk.errors import ReplikkError, printable
from replikk.models.catalogue import spell_bytes

_CONVERTED_NAMES = (CONVERTED_MARKER, *CONVERTED_WEIGHTS.values(), SPEAKER_ENCODER, SPEECH_TOKENIZER, QWEN_FOLDER)
_HALF_WRITTEN = ".tmp-"
"""What a killed conversion leaves beside whole files; the next one goes over it."""


def check_converted_target(target: Path, force: bool) -> None:
    """Only an empty folder, or one that ``convert`` made, is written into: foreign files would look like its own."""
    if not target.is_dir():
        if target.exists():
            raise ReplikkError(f"{target}: is a file; name a folder that does not exist yet")
        return
    names = {path.name for path in target.iterdir()}
    foreign = [name for name in names.difference(_CONVERTED_NAMES) if not name.startswith(_HALF_WRITTEN)]
    if foreign:
        shown = printable(min(foreign), 60)
        raise ReplikkError(f"{target}: has other files in it ({shown}); name a folder that does not exist yet")
    if CONVERTED_MARKER in names and not force:
        raise ReplikkError(f"{target}: is a converted model already; --force makes it anew, or name another folder")


def check_adapter_target(out: Path, force: bool) -> None:
    """A folder may have other files (a model card); an adapter in it is replaced when forced."""
    if out.exists() and not out.is_dir():
        raise ReplikkError(f"{out}: is a file; name a folder for the adapter")
    for name in (*ADAPTER_NAMES, ADAPTER_CONFIG):
        if (out / name).exists() and not force:
            raise ReplikkError(f"{out / name}: exists already; --force replaces it, or name another folder")


def check_exported_target(out: Path, sources: Iterable[Path], force: bool) -> None:
    """``sources`` are never written over, forced or not."""
    if out.is_dir():
        raise ReplikkError(f"{out}: is a folder; name a file in it, for example {out / 'llm.pt'}")
    if out.suffix != ".pt":
        raise ReplikkError(f"{out}: is written as the published llm.pt is; name a file that ends in .pt")
    if out.exists():
        if any(source.exists() and out.samefile(source) for source in sources):
            raise ReplikkError(f"{out}: is what the voice is made from; name another file")
        if not force:
            raise ReplikkError(f"{out}: exists already; --force replaces it, or name another file")


def check_room(path: Path, needed_bytes: int) -> None:
    """Raises ReplikkError where the disk of ``path``, which need not exist yet, has no room."""
    place = next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
    free_bytes = shutil.disk_usage(place).free
    if free_bytes < needed_bytes:
        raise ReplikkError(
            f"{path}: {spell_bytes(free_bytes)} are free there, and {spell_bytes(needed_bytes)} are needed; make room, "
            "or name a place on another disk"
        )
