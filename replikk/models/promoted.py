"""Whether an adapter of the user's own may speak in a build: one from a training must have been promoted by its gate.

A checkpoint lies in ``RUN/checkpoints/STEP/``, beside its ``state.json``; what the gate promoted lies in
``RUN/released/NAME/``, beside the ``decision.json`` that says so and ``SHA256SUMS``, which says which bytes it was.
What a build would read is compared with those; the hashes are remembered where the engine remembers them.

A checkpoint that was copied somewhere else with what lies beside it is still one. An adapter from anywhere else is not
ours to judge.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replikk.errors import ReplikkError, printable
from replikk.files import read_json
from replikk.models.settings import ModelSettings, OwnModel


def unpromoted_adapter_problem(settings: ModelSettings, hashes: Path | None = None) -> str | None:
    """One sentence about an adapter that no gate has promoted; None where there is nothing to say.

    ``hashes`` is the engine's file of known hashes, used and added to where it is there.
    """
    adapter = settings.adapter
    if settings.unpromoted_adapter or not isinstance(adapter, OwnModel):
        return None
    path = adapter.path.resolve()
    for folder in (path, *path.parents):
        run = folder.parent.parent
        is_copied = _is_checkpoint(folder)
        if not is_copied and not (run / "run.json").is_file():
            continue
        made = folder.parent.name
        if is_copied or made == "checkpoints":
            what = "is a checkpoint, and no gate has promoted it"
        elif made == "released" and _promoted(folder / "decision.json") != folder.name:
            what = "is not what its decision.json promoted"
        elif made == "released":
            changed = _changed_file(folder, path, hashes)
            return None if changed is None else _changed_problem(changed)
        else:
            return None
        return (
            f"config.yaml: models.adapter: '{printable(str(adapter.path), 120)}' {what}; run snakemake promote and "
            "name the adapter of the release that it makes, or write unpromoted_adapter: true below models to build "
            "with it anyway"
        )
    return None


def _changed_problem(file: Path) -> str:
    # While config.yaml names it promote refuses it as well: the candidates are compared with it.
    return (
        f"config.yaml: models.adapter: '{printable(str(file), 200)}' is not what SHA256SUMS of its release says was "
        "promoted; write adapter: none, run snakemake promote and name the adapter of the release that it makes, or "
        "write unpromoted_adapter: true below models to build with it anyway"
    )


def _changed_file(release: Path, adapter: Path, hashes: Path | None) -> Path | None:
    """The first of the files that a build would read that is not the one that was promoted; None: all are."""
    from replikk.engines.cosyvoice3.adapter_config import NAME as CONFIG_NAME
    from replikk.engines.cosyvoice3.adapter_paths import adapter_files
    from replikk.engines.cosyvoice3.model_folder import cached_sha256

    if not adapter.exists():
        return None  # is told by who looks for missing models
    try:
        files = adapter_files(adapter)
        found = cached_sha256(files, hashes if hashes is not None and hashes.is_file() else None)
    except ReplikkError:
        return None  # is told by the engine, which reads the same files
    sums = released_sums(release)
    config = files[0].parent / CONFIG_NAME
    # A config that is gone changes the sound as well: the scale stands in it, and in no tensor.
    wanted = (*files, config) if config not in files and _name(config, release) in sums else files
    return next((file for file in wanted if found.get(file) != sums.get(_name(file, release), "")), None)


def _name(file: Path, release: Path) -> str:
    return file.relative_to(release).as_posix()


def released_sums(release: Path) -> dict[str, str]:
    """Hashes by the name below the release, from ``SHA256SUMS``.

    Empty where the list is gone or damaged; then nothing is promoted.
    """
    try:
        rows = (release / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    return {name: sha256 for sha256, _, name in (row.partition("  ") for row in rows)}


def _is_checkpoint(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("state.json", "adapter", "ema_adapter"))


def _promoted(decision: Path) -> str | None:
    """The name of the release that a decision is about."""
    try:
        record: Any = read_json(decision) if decision.is_file() else None
    except ReplikkError:
        return None
    name = record.get("promoted") if isinstance(record, dict) else None
    return name.replace("/", ".") if isinstance(name, str) else None
