"""The start of ``snakemake models``: settings checked, and nothing else. It works while sheets are wrong or missing,
and while the build it fetches for cannot be opened yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replikk.config import read_config
from replikk.files import canonical_json, write_if_changed


@dataclass(frozen=True)
class ModelsTarget:
    """What the rule needs."""

    config_path: str
    """The settings as Snakemake was started with, command line included; the same file that a build writes."""
    log_path: str


def open_models(settings: Mapping[str, Any]) -> ModelsTarget:
    """Check the settings and write them for the job. Raises ReplikkError with all problems."""
    build_dir = read_config(settings).build_dir
    config_path = build_dir / "plan" / "config.json"
    write_if_changed(config_path, canonical_json(settings))
    return ModelsTarget(str(config_path), str(build_dir / "logs" / "fetch_models.log"))
