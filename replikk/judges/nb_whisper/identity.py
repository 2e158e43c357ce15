"""What this judge and its models are, without loading anything: the part of a transcript's key that is not the take's.

Free of PyTorch and numpy, because it runs at the start of every build: there it also says at once what is missing.
Content hashes of weights are remembered; the first build after a download spends some seconds on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replikk.errors import JudgeError
from replikk.files import digest
from replikk.judges.nb_whisper.model_folder import RecogniserFolder, open_ctc_folder, open_whisper_folder
from replikk.judges.nb_whisper.settings import NAME, NbWhisperSettings, read_settings
from replikk.models.catalogue import PublishedModel
from replikk.models.present import folder_of

VERSION = 2
"""Raise it when the same weights would hear the same clip differently: it is part of every transcript's key."""
HASHES_FILE = "model_hashes.json"


def checked_settings(settings: Mapping[str, Any]) -> NbWhisperSettings:
    """Raises JudgeError with everything wrong with them."""
    known, problems = read_settings(settings)
    if problems:
        raise JudgeError("\n".join(problems))
    return known


def open_folders(
    settings: NbWhisperSettings, models_dir: Path
) -> tuple[RecogniserFolder, RecogniserFolder | None, RecogniserFolder | None]:
    """The folders of model, second opinion and second ear. Raises JudgeError with all that one of them lacks."""

    def place(model: PublishedModel | Path) -> Path:
        return folder_of(model, models_dir) if isinstance(model, PublishedModel) else model

    second, ear = settings.second_opinion, settings.second_ear
    return (
        open_whisper_folder(place(settings.model)),
        None if second is None else open_whisper_folder(place(second)),
        None if ear is None else open_ctc_folder(place(ear)),
    )


def judge_fingerprint(settings: NbWhisperSettings, models_dir: Path, cache_dir: Path | None) -> str:
    """Judge, version, settings that change what is heard, and the contents of all models.

    ``cache_dir`` holds known hashes, None remembers none. Raises JudgeError for missing files.
    """
    hashes = None if cache_dir is None else cache_dir / HASHES_FILE
    folders = open_folders(settings, models_dir)
    contents = [None if folder is None else folder.content_sha256(hashes) for folder in folders]
    return f"{NAME} {VERSION} {digest([contents, settings.precision])[:24]}"
