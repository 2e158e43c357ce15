"""What this engine and its models are, without loading anything: the part of a take key that is not the line's.

Torch-free, because it runs at the start of every build. Content hashes of weights are remembered by path, size and
modification time; the first build after a download spends some seconds on them.
"""

from __future__ import annotations

from pathlib import Path

from replikk.engines.cosyvoice3 import versions
from replikk.engines.cosyvoice3.adapter_paths import adapter_files
from replikk.engines.cosyvoice3.engine_settings import EngineSettings
from replikk.engines.cosyvoice3.model_folder import ModelFolder, cached_sha256
from replikk.files import digest


def engine_fingerprint(
    folder: ModelFolder, adapter: Path | None, adapter_strength: float, settings: EngineSettings, hashes: Path | None
) -> str:
    """Names engine, versions, settings, and the contents of model and adapter; ``hashes`` is a file of known hashes.

    Raises EngineError naming a file that is missing or cannot be read.
    """
    tuned = None
    if adapter is not None:
        files = adapter_files(adapter)
        known = cached_sha256(files, hashes)
        tuned = [[known[file] for file in files], adapter_strength]
    parts = {
        "versions": versions.ALL,
        "settings": settings.for_key(),
        "model": folder.content_sha256(hashes),
        "adapter": tuned,
    }
    return f"cosyvoice3 {versions.ENGINE} {digest(parts)[:32]}"
