"""``models.lock.json`` beside the models: revision, size and SHA-256 of everything that was fetched.

It pins what the catalogue leaves open: the first fetch writes down what the hub offered, and every later one insists
on the same bytes. Commit it, and everybody who builds the game gets the same voice; leave it out, and each machine
pins what it got first. It is written with one value per line, for people who compare versions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from replikk.errors import ReplikkError
from replikk.files import write_if_changed
from replikk.models.catalogue import ModelFile, PublishedModel

LOCK_FILE = "models.lock.json"
FORMAT = 1
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class LockedFile:
    bytes: int
    sha256: str


@dataclass(frozen=True)
class LockedModel:
    """What was fetched of one model."""

    repository: str
    revision: str
    licence: str
    """As the catalogue had it."""
    card_licence: str = ""
    """As the fetched model card names it; empty where it names none."""
    files: Mapping[str, LockedFile] = field(default_factory=dict)


def lock_path(models_dir: Path) -> Path:
    return models_dir / LOCK_FILE


def read_lock(models_dir: Path) -> dict[str, LockedModel]:
    """By name of the model; empty where nothing was fetched yet. Raises ReplikkError when the file is damaged."""
    path = lock_path(models_dir)
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    try:
        content = orjson.loads(data)
        if content["format"] != FORMAT:
            raise ValueError("another format")
        return {str(name): _model(entry) for name, entry in content["models"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReplikkError(
            f"{path}: is no lock file of this version of replikk; take it back from version control, or delete it "
            "to pin anew what the hub offers"
        ) from error


def _model(entry: Any) -> LockedModel:
    files = {str(path): LockedFile(int(file["bytes"]), str(file["sha256"])) for path, file in entry["files"].items()}
    if not _COMMIT.fullmatch(entry["revision"]) or not all(_SHA256.fullmatch(file.sha256) for file in files.values()):
        raise ValueError("a hash that is none")
    texts = {name: str(entry[name]) for name in ("repository", "revision", "licence", "card_licence")}
    return LockedModel(files=files, **texts)


def write_lock(models_dir: Path, lock: Mapping[str, LockedModel]) -> None:
    content = {"format": FORMAT, "models": {name: asdict(model) for name, model in lock.items()}}
    write_if_changed(
        lock_path(models_dir),
        orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
    )


def locked(model: PublishedModel, lock: Mapping[str, LockedModel]) -> LockedModel | None:
    """The lock's entry, unless it speaks of another repository or revision than the catalogue does now."""
    entry = lock.get(model.name)
    if entry is None or entry.repository != model.repository or model.revision not in ("", entry.revision):
        return None
    return entry


def pinned(model: PublishedModel, lock: Mapping[str, LockedModel]) -> tuple[ModelFile, ...]:
    """The model's files with what catalogue and lock know of them together; the catalogue wins."""
    entry = locked(model, lock)
    known = entry.files if entry is not None else {}
    return tuple(
        file if file.sha256 or file.path not in known else ModelFile(file.path, **asdict(known[file.path]))
        for file in model.files
    )
