"""Whether the models of a build are here: existence and size only, because this runs at the start of every build.

The bytes were checked when they were fetched, and can be checked again by the command that fetches them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from replikk.errors import ReplikkError
from replikk.models.catalogue import CARD, ModelFile, PublishedModel, spell_bytes
from replikk.models.licences import model_licence_problems
from replikk.models.lock import LockedModel, pinned, read_lock
from replikk.models.promoted import unpromoted_adapter_problem
from replikk.models.settings import ModelSettings, OwnModel

FETCH_COMMAND = "snakemake --cores 1 models"


@dataclass(frozen=True)
class ModelPaths:
    """Where the models of a build lie."""

    base: Path
    """A folder."""
    adapter: Path | None
    """A file; or a folder, where the user's own adapter is one."""
    adapter_strength: float


def model_paths(settings: ModelSettings) -> ModelPaths:
    """Where the models are or would be; looks at folders only."""
    adapter = settings.adapter
    return ModelPaths(
        base=_place(settings.base, settings.models_dir),
        adapter=None if adapter is None else _place(adapter, settings.models_dir),
        adapter_strength=settings.adapter_strength,
    )


def _place(model: PublishedModel | OwnModel, models_dir: Path) -> Path:
    if isinstance(model, OwnModel):
        return model.path
    return folder_of(model, models_dir) / model.main_file


def folder_of(model: PublishedModel, models_dir: Path) -> Path:
    """The folder that has one of the model's own files; where there is none, the one it is fetched to."""
    names = [file.path for file in model.files if file.path != CARD]
    for folder in model.folders:
        if any((models_dir / folder / name).is_file() for name in names):
            return models_dir / folder
    return models_dir / model.folders[0]


def file_fault(path: Path, file: ModelFile) -> str:
    """What is wrong with a file by its size; empty when nothing is."""
    try:
        size = path.stat().st_size if path.is_file() else None
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if size is None:
        return "is not there"
    if size == 0 or (file.bytes is not None and size != file.bytes):
        of = "" if file.bytes is None else f" of {file.bytes}"
        return f"has {size}{of} bytes"
    return ""


def missing_models(settings: ModelSettings) -> str | None:
    """One sentence about the models that are not here, with the command that fetches them; None when all are.

    Touches no network. Raises ReplikkError when the lock file is damaged.
    """
    for own in settings.own:
        if not own.path.exists():
            key = "base" if own is settings.base else "adapter"
            return f"{own.path}: is not there; put the model there, or mend models.{key} in config.yaml"
    return _missing(settings, settings.published)


def _missing(settings: ModelSettings, models: tuple[PublishedModel, ...]) -> str | None:
    lock = read_lock(settings.models_dir)
    faults = [fault for model in models for fault in _faults(model, settings.models_dir, lock)]
    if not faults:
        return None
    (path, what), more = faults[0], len(faults) - 1
    others = f" (and {more} more files are not as they should be)" if more else ""
    wanted = " and ".join(model.name for model in models)
    if settings.is_local_copy:
        return (
            f"{path}: {what}{others}; put {wanted} into {settings.models_dir}, which is never fetched into, or leave "
            f"models_dir out and run: {_fetch_command(settings)}"
        )
    return f"{path}: {what}{others}; fetch {wanted} ({_size(models)}) with: {_fetch_command(settings)}"


def _fetch_command(settings: ModelSettings) -> str:
    """What to type. Without the settings that name a judge, the command would not know that it needs models."""
    same_settings = "  and the --configfile or --config of this build, which name the judge" if settings.judges else ""
    return FETCH_COMMAND + same_settings


def _faults(model: PublishedModel, models_dir: Path, lock: Mapping[str, LockedModel]) -> list[tuple[Path, str]]:
    folder = folder_of(model, models_dir)
    checked = [(folder / file.path, file_fault(folder / file.path, file)) for file in _needed(model, lock)]
    return [(path, what) for path, what in checked if what]


def _needed(model: PublishedModel, lock: Mapping[str, LockedModel]) -> list[ModelFile]:
    return [file for file in pinned(model, lock) if file.path != CARD]


def _size(models: tuple[PublishedModel, ...]) -> str:
    return spell_bytes(sum(file.bytes or file.about_bytes for model in models for file in model.files))


def require_judge_models(settings: ModelSettings) -> None:
    """For the start of a build: raises ReplikkError when a model that the judge listens with is not here."""
    if settings.judges and (missing := _missing(settings, settings.judges)):
        raise ReplikkError(missing)


def require_models(settings: ModelSettings, commercial: bool, hashes: Path | None = None) -> None:
    """For the start of a build: raises ReplikkError when a model may not be used, was promoted by no gate, or is not
    here. ``hashes``: the engine's file of known hashes."""
    problems = model_licence_problems(settings, commercial)
    if unpromoted := unpromoted_adapter_problem(settings, hashes):
        problems.append(unpromoted)
    if not problems and (missing := missing_models(settings)):
        problems = [missing]
    if problems:
        raise ReplikkError("\n".join(problems))
