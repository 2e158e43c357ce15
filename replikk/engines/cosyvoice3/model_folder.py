"""The folder of the base model: as it is downloaded, or as ``convert`` wrote it; what must be there, and its hashes.

Opening looks at names and first bytes only, so that a build without the model stops at once and says everything that is
missing. What can change the sound is hashed by content; a converted folder answers with the hashes of the files that it
was made from, so that converting makes no take anew. Hashing 4 GB takes seconds: the results are kept by path, size and
modification time.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.engines.cosyvoice3.downloaded_files import AGAIN, check_is_downloaded
from replikk.errors import EngineError, ReplikkError, printable
from replikk.files import canonical_json, sha256_file, write_if_changed

if TYPE_CHECKING:
    from replikk.engines.cosyvoice3.checkpoint_files import FlowWeights, LanguageModelWeights, VocoderWeights

MARKER = "cosyvoice3.yaml"
CONVERTED_MARKER = "replikk-model.json"
LANGUAGE_MODELS = ("llm.pt", "llm.rl.pt")
SPEECH_TOKENIZER = "speech_tokenizer_v3.onnx"
SPEAKER_ENCODER = "campplus.onnx"
QWEN_FOLDER = "CosyVoice-BlankEN"
QWEN_FILES = ("config.json", "vocab.json", "merges.txt")
CONVERTED_WEIGHTS = {
    "language_model": "language_model.safetensors",
    "flow": "flow.safetensors",
    "vocoder": "vocoder.safetensors",
}


@dataclass(frozen=True)
class ModelFolder:
    """Where the parts of the model are, and how to read them."""

    path: Path
    language_model: Path
    flow: Path
    vocoder: Path
    speech_tokenizer: Path
    speaker_encoder: Path
    qwen: Path
    """The folder of the text tokenizer: ``vocab.json``, ``merges.txt``, and the language model's ``config.json``."""
    sources: Mapping[str, Mapping[str, str]]
    """Of a converted folder: per file name its own ``sha256`` and that of its ``source``; else empty."""

    def config(self) -> dict[str, Any]:
        """Qwen2's ``config.json``. Raises EngineError naming the file."""
        path = self.qwen / "config.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise EngineError(f"{path}: is no readable JSON; {AGAIN}") from error
        if not isinstance(content, dict):
            raise EngineError(f"{path}: is no configuration but a {type(content).__name__}; {AGAIN}")
        return content

    # The readers bring PyTorch, which the start of a build does without.

    def read_language_model(self) -> LanguageModelWeights:
        from replikk.engines.cosyvoice3.checkpoint_files import read_language_model

        return read_language_model(self.language_model, self.config())

    def read_flow(self) -> FlowWeights:
        from replikk.engines.cosyvoice3.checkpoint_files import read_flow

        return read_flow(self.flow)

    def read_vocoder(self) -> VocoderWeights:
        from replikk.engines.cosyvoice3.checkpoint_files import read_vocoder

        return read_vocoder(self.vocoder)

    def files(self) -> tuple[Path, ...]:
        """Every file that can change the sound."""
        weights = (self.language_model, self.flow, self.vocoder)
        return (*weights, self.speech_tokenizer, self.speaker_encoder, *(self.qwen / name for name in QWEN_FILES))

    def content_sha256(self, cache: Path | None = None) -> dict[str, str]:
        """The hash of each part's content, as downloaded; ``cache`` is a file that remembers hashes.

        Raises EngineError where a converted file is not what ``convert`` wrote.
        """
        names = ("language_model", "flow", "vocoder", "speech_tokenizer", "speaker_encoder", *QWEN_FILES)
        hashes = cached_sha256(self.files(), cache)
        result = {}
        for name, path in zip(names, self.files(), strict=True):
            result[name] = hashes[path]
            source = self.sources.get(path.name)
            if source is not None:
                if source["sha256"] != hashes[path]:
                    raise EngineError(f"{path}: is not the file that was converted; convert the download again")
                result[name] = source["source"]
        return result


def open_model_folder(path: Path, language_model: str = "llm.pt") -> ModelFolder:
    """The model in ``path``; ``language_model`` is ``llm.pt`` or the variant ``llm.rl.pt``.

    Raises EngineError with all that is missing or only half there.
    """
    if language_model not in LANGUAGE_MODELS:
        raise EngineError(f"language model '{printable(language_model, 60)}': use {' or '.join(LANGUAGE_MODELS)}")
    if not path.is_dir():
        raise EngineError(f"{path}: there is no such folder; 'snakemake models' fetches the model, or set models_dir")
    converted = (path / CONVERTED_MARKER).is_file()
    names = dict(CONVERTED_WEIGHTS) if converted else {"language_model": language_model, "flow": "flow.pt"}
    names.setdefault("vocoder", "hift.pt")
    folder = ModelFolder(
        path=path,
        language_model=path / names["language_model"],
        flow=path / names["flow"],
        vocoder=path / names["vocoder"],
        speech_tokenizer=path / SPEECH_TOKENIZER,
        speaker_encoder=path / SPEAKER_ENCODER,
        qwen=path / QWEN_FOLDER,
        sources=_sources(path / CONVERTED_MARKER, language_model) if converted else {},
    )
    others = [name for name in ("cosyvoice2.yaml", "cosyvoice.yaml") if (path / name).is_file()]
    if not converted and others and not (path / MARKER).is_file():
        generation = "2" if others[0] == "cosyvoice2.yaml" else "1"
        raise EngineError(
            f"{path}: holds CosyVoice {generation} ({others[0]}); this engine speaks with "
            "Fun-CosyVoice3-0.5B-2512, which 'snakemake models' fetches"
        )
    wanted = folder.files() if converted else (path / MARKER, *folder.files())
    missing = [str(file.relative_to(path)) for file in wanted if not file.is_file()]
    if missing:
        hint = ""
        if missing == ["llm.pt"] and (path / "llm.rl.pt").is_file():
            hint = " (llm.rl.pt is there: set language_model to it to use it)"
        raise EngineError(f"{path}: lacks {', '.join(missing)}{hint}; 'snakemake models' fetches what is missing")
    for file in wanted:
        check_is_downloaded(file)
    return folder


def cached_sha256(paths: tuple[Path, ...], cache: Path | None) -> dict[Path, str]:
    """SHA-256 (hex) of files, from ``cache`` where path, size and modification time are as they were.

    A cache that cannot be read is made anew; one that cannot be written is left alone. Raises EngineError naming a
    file that cannot be read.
    """
    known = _read_cache(cache)
    result: dict[Path, str] = {}
    for path in paths:
        try:
            status = path.stat()
            entry = known.get(str(path.resolve()))
            if not isinstance(entry, list) or len(entry) != 3 or entry[:2] != [status.st_size, status.st_mtime_ns]:
                entry = [status.st_size, status.st_mtime_ns, sha256_file(path)]
                known[str(path.resolve())] = entry
        except OSError as error:
            raise EngineError(f"{path}: cannot be read ({error.strerror or error}); {AGAIN}") from error
        result[path] = str(entry[2])
    if cache is not None:
        with contextlib.suppress(ReplikkError):  # the next build hashes again
            write_if_changed(cache, canonical_json(known))
    return result


def _read_cache(cache: Path | None) -> dict[str, Any]:
    try:
        content = json.loads(cache.read_text(encoding="utf-8")) if cache is not None else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _sources(marker: Path, language_model: str) -> dict[str, dict[str, str]]:
    """What ``convert`` noted. Raises EngineError where the note is damaged or of another variant."""
    try:
        content = json.loads(marker.read_text(encoding="utf-8"))
        sources = {
            str(name): {key: str(entry[key]) for key in ("sha256", "source")}
            for name, entry in content["files"].items()
        }
        variant = content["language_model"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise EngineError(f"{marker}: is damaged; convert the download again") from error
    if variant != language_model:
        raise EngineError(
            f"{marker.parent}: was converted from {printable(str(variant), 60)}, and {language_model} is asked for; "
            "convert that one, or set language_model to the other"
        )
    return sources
