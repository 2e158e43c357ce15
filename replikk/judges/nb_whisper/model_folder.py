"""The folder of a recogniser as it is downloaded: what must be in it, and what its contents are.

Torch-free. Opening looks at names and first bytes and reads the small JSON files, so that a build without the model
stops at once and says everything that is missing. Contents are hashed (``content_sha256``), so that a transcript is
bound to the very weights that made it; hashes are remembered by path, size and modification time.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replikk.errors import JudgeError, ReplikkError, printable
from replikk.files import canonical_json, digest, sha256_file, write_if_changed

WHISPER_FILES = ("config.json", "generation_config.json", "tokenizer.json")
CTC_FILES = ("config.json", "vocab.json")
_INDEX = "model.safetensors.index.json"
_POINTER = b"version https://git-lfs"
AGAIN = "delete it and fetch it again ('snakemake models' does both)"
_LARGEST_JSON = 64_000_000  # bytes; the largest of the small files is the tokenizer's 2.5 MB


@dataclass(frozen=True)
class RecogniserFolder:
    """A folder that was looked at."""

    path: Path
    model_type: str
    files: tuple[Path, ...]
    """All that is read of it."""
    config: dict[str, Any]

    @property
    def name(self) -> str:
        return self.path.name

    def read_json(self, name: str) -> dict[str, Any]:
        """Raises JudgeError naming the file."""
        return _read_json(self.path / name)

    def size(self, key: str) -> int:
        """A size of config.json. Raises JudgeError where it is no whole number."""
        value = self.config.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise JudgeError(
                f"{self.path / 'config.json'}: {key} is {printable(repr(value), 40)} and no whole number; {AGAIN}"
            )
        return value

    def content_sha256(self, cache: Path | None) -> str:
        """One hash of all files. Raises JudgeError naming a file that cannot be read."""
        return digest(
            [[file.name, sha256] for file, sha256 in zip(self.files, _hashes(self.files, cache), strict=True)]
        )


def open_whisper_folder(path: Path) -> RecogniserFolder:
    """Raises JudgeError with all that is missing or only half there, or when it holds no Whisper."""
    return _open(path, "whisper", WHISPER_FILES, ())


def open_ctc_folder(path: Path) -> RecogniserFolder:
    """As ``open_whisper_folder``, of a wav2vec 2.0; its weights may be a PyTorch file."""
    return _open(path, "wav2vec2", CTC_FILES, ("pytorch_model.bin",))


def _open(path: Path, model_type: str, names: tuple[str, ...], other_weights: tuple[str, ...]) -> RecogniserFolder:
    if not path.is_dir():
        raise JudgeError(
            f"{path}: there is no such folder; 'snakemake models' fetches what judges.nb-whisper in config.yaml names"
        )
    missing = [name for name in names if not (path / name).is_file()]
    weights = _weights(path, other_weights)
    missing += [str(file.relative_to(path)) for file in weights if not file.is_file()]
    if missing:
        raise JudgeError(f"{path}: lacks {', '.join(missing)}; 'snakemake models' fetches what is missing")
    files = (*(path / name for name in names), *weights)
    for file in files:
        _check_is_downloaded(file)
    config = _read_json(path / "config.json")
    found = str(config.get("model_type"))
    if found != model_type:
        raise JudgeError(
            f"{path / 'config.json'}: describes a model of type '{printable(found, 40)}', and this place is for one "
            f"of type '{model_type}'; mend judges.nb-whisper in config.yaml"
        )
    return RecogniserFolder(path, model_type, files, config)


def _weights(path: Path, others: tuple[str, ...]) -> list[Path]:
    if (path / _INDEX).is_file():
        shards = _read_json(path / _INDEX).get("weight_map")
        names = sorted({str(name) for name in shards.values()}) if isinstance(shards, dict) else []
        if not names or any("/" in name or "\\" in name for name in names):
            raise JudgeError(f"{path / _INDEX}: names no weights; {AGAIN}")
        return [path / _INDEX, *(path / name for name in names)]
    for name in others:
        if (path / name).is_file() and not (path / "model.safetensors").is_file():
            return [path / name]
    return [path / "model.safetensors"]


def _check_is_downloaded(file: Path) -> None:
    try:
        with file.open("rb") as stream:
            start = stream.read(len(_POINTER))
    except OSError as error:
        raise JudgeError(f"{file}: cannot be read ({error.strerror or error}); give it rights to be read") from error
    if not start:
        raise JudgeError(f"{file}: is empty; {AGAIN}")
    if start == _POINTER:
        raise JudgeError(f"{file}: is a Git LFS pointer, not the file itself; run 'git lfs pull', or {AGAIN}")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise ValueError("too large")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("not an object")
    except (OSError, ValueError, RecursionError) as error:
        raise JudgeError(f"{path}: is no readable JSON ({printable(str(error), 80)}); {AGAIN}") from error
    return content


def _hashes(files: tuple[Path, ...], cache: Path | None) -> list[str]:
    known = _read_cache(cache)
    result = []
    for file in files:
        try:
            status = file.stat()
            entry = known.get(str(file.resolve()))
            if not isinstance(entry, list) or len(entry) != 3 or entry[:2] != [status.st_size, status.st_mtime_ns]:
                entry = [status.st_size, status.st_mtime_ns, sha256_file(file)]
                known[str(file.resolve())] = entry
        except OSError as error:
            raise JudgeError(f"{file}: cannot be read ({error.strerror or error}); {AGAIN}") from error
        result.append(str(entry[2]))
    if cache is not None:
        with contextlib.suppress(ReplikkError, OSError):  # the next build hashes again
            write_if_changed(cache, canonical_json(known))
    return result


def _read_cache(cache: Path | None) -> dict[str, Any]:
    try:
        content = json.loads(cache.read_text(encoding="utf-8")) if cache is not None else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
