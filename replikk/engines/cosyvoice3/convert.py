"""The download as one folder of safetensors: float32, memory-mapped, nothing but weights, open in a moment.

The weights keep their published keys (the vocoder's without ``generator.``) and values, so that they go through the
same checks and loaders; only the unused ``lm_head`` and the trainer's counters are left out. The ONNX files and the
text tokenizer go along, so that the folder is all the engine needs. A note in it says what each file was made from.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from torch import Tensor

from replikk.engines.cosyvoice3.model_folder import (
    CONVERTED_MARKER,
    CONVERTED_WEIGHTS,
    QWEN_FILES,
    QWEN_FOLDER,
    SPEAKER_ENCODER,
    SPEECH_TOKENIZER,
    ModelFolder,
    cached_sha256,
    open_model_folder,
)
from replikk.engines.cosyvoice3.safetensors_files import write_safetensors
from replikk.errors import EngineError
from replikk.files import canonical_json, write_atomic, write_atomic_by

_FLOAT32_BYTES = 4


def convert_model(source: ModelFolder, target: Path, cache: Path | None = None) -> ModelFolder:
    """Writes the converted folder, its note last: a folder without it is not finished. Returns it, opened.

    Raises EngineError for weights that do not load, a full disk, or a folder that is the source or converted already.
    """
    if source.sources:
        raise EngineError(f"{source.path}: is a converted folder already; convert the download")
    if target.resolve() == source.path.resolve():
        raise EngineError(f"{target}: is the download itself; give another folder to convert into")
    parts: dict[str, Mapping[str, Tensor]] = {
        "language_model": source.read_language_model().state,
        "flow": source.read_flow().state,
        "vocoder": source.read_vocoder().state,
    }
    onnx = (source.speech_tokenizer, source.speaker_encoder)
    needed = sum(_FLOAT32_BYTES * tensor.numel() for state in parts.values() for tensor in state.values())
    needed += sum(path.stat().st_size for path in onnx)
    (target / QWEN_FOLDER).mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target).free
    if free < needed:
        raise EngineError(f"{target}: {free / 1e9:.1f} GB are free, and {needed / 1e9:.1f} GB are needed; make room")
    (target / CONVERTED_MARKER).unlink(missing_ok=True)
    for part, state in parts.items():
        write_safetensors(target / CONVERTED_WEIGHTS[part], state)
    for path, name in zip(onnx, (SPEECH_TOKENIZER, SPEAKER_ENCODER), strict=True):
        write_atomic_by(target / name, partial(shutil.copyfile, path))
    for name in QWEN_FILES:
        write_atomic(target / QWEN_FOLDER / name, (source.qwen / name).read_bytes())
    sources = source.content_sha256(cache)
    own = cached_sha256(tuple(target / name for name in CONVERTED_WEIGHTS.values()), cache)
    files = {name: {"sha256": own[target / name], "source": sources[part]} for part, name in CONVERTED_WEIGHTS.items()}
    write_atomic(
        target / CONVERTED_MARKER, canonical_json({"files": files, "language_model": source.language_model.name})
    )
    return open_model_folder(target, source.language_model.name)
