"""Which models a build speaks with: ``models_dir`` and the section ``models`` of config.yaml.

    models_dir: models                      # another folder is a copy of your own: only read, and never fetched into
    models:
      base: Fun-CosyVoice3-0.5B-2512        # or the path of a folder of your own, with base_licence
      adapter: cosyvoice3-norwegian-lora    # or the path of a LoRA of your own, with adapter_licence; or none
      adapter_strength: 1                   # 0.5 is halfway between the base model and the adapter
      unpromoted_adapter: false             # true: build with a checkpoint that no gate has promoted

The values are flat, so that a file named with --configfile, or --config, can replace one without the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replikk.dialogue.licences import licence_problem
from replikk.dialogue.nearest import nearest
from replikk.errors import printable
from replikk.models.catalogue import ADAPTERS, BASE, BASES, NORWEGIAN_LORA, PublishedModel

DEFAULT_FOLDER = "models"
MAX_STRENGTH = 2.0  # twice the trained change; what is beyond it is noise
NO_ADAPTER = "none"
_KEYS = ("base", "base_licence", "adapter", "adapter_licence", "adapter_strength", "unpromoted_adapter")
_WEIGHTS = (".pt", ".safetensors", ".bin")


@dataclass(frozen=True)
class OwnModel:
    """A model of the user's own."""

    path: Path
    licence: str

    @property
    def name(self) -> str:
        """What messages and records call it."""
        return self.path.name


@dataclass(frozen=True)
class ModelSettings:
    """The models of a build."""

    models_dir: Path
    base: PublishedModel | OwnModel
    adapter: PublishedModel | OwnModel | None
    adapter_strength: float
    judges: tuple[PublishedModel, ...] = ()
    """Those that the judge listens with; empty for a judge that needs none, or has its own."""
    unpromoted_adapter: bool = False
    """Build with a checkpoint that no gate has promoted."""

    @property
    def is_local_copy(self) -> bool:
        """Whether ``models_dir`` is the user's own folder, which nothing is ever fetched into."""
        return self.models_dir != Path(DEFAULT_FOLDER)

    @property
    def published(self) -> tuple[PublishedModel, ...]:
        """The models of the voice that can be fetched."""
        return tuple(model for model in (self.base, self.adapter) if isinstance(model, PublishedModel))

    @property
    def fetched(self) -> tuple[PublishedModel, ...]:
        """All models that ``snakemake models`` fetches."""
        return (*self.published, *self.judges)

    @property
    def own(self) -> tuple[OwnModel, ...]:
        return tuple(model for model in (self.base, self.adapter) if isinstance(model, OwnModel))


DEFAULTS = ModelSettings(Path(DEFAULT_FOLDER), BASE, NORWEGIAN_LORA, 1.0)


def read_model_settings(models_dir: Any, section: Mapping[str, Any]) -> tuple[ModelSettings, list[str]]:
    """The settings, and everything wrong with them as 'config.yaml: key: what; what instead' sentences."""
    problems: list[str] = []
    if not isinstance(models_dir, str) or not models_dir.strip():
        problems.append(f"config.yaml: models_dir: is {models_dir!r}; write the path of a folder, for example 'models'")
        models_dir = DEFAULT_FOLDER
    for key in section:
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            hint = f"did you mean '{near}'?" if near else f"known settings: {', '.join(_KEYS)}"
            problems.append(f"config.yaml: models.{printable(str(key), 60)}: is not a setting; {hint}")
    base = _model(section, "base", BASE, BASES, problems)
    adapter = _model(section, "adapter", NORWEGIAN_LORA, ADAPTERS, problems)
    strength = section.get("adapter_strength", 1.0)
    sound = isinstance(strength, (int, float)) and not isinstance(strength, bool) and math.isfinite(strength)
    if not sound or not 0 < strength <= MAX_STRENGTH:
        problems.append(
            f"config.yaml: models.adapter_strength: is {strength!r}; write a number above 0 and up to "
            f"{MAX_STRENGTH:g} (1 is the adapter as it was trained), or adapter: {NO_ADAPTER}"
        )
        strength = 1.0
    unpromoted = section.get("unpromoted_adapter", False)
    if not isinstance(unpromoted, bool):
        problems.append(f"config.yaml: models.unpromoted_adapter: is {unpromoted!r}; write true or false")
    found = ModelSettings(
        Path(models_dir.strip()), base or BASE, adapter, float(strength), unpromoted_adapter=unpromoted is True
    )
    return found, problems


def _model(
    section: Mapping[str, Any],
    key: str,
    default: PublishedModel,
    catalogue: Mapping[str, PublishedModel],
    problems: list[str],
) -> PublishedModel | OwnModel | None:
    """What ``key`` names: a model of the catalogue, an own one, or None for 'none' and for a mistake."""
    optional = key == "adapter"
    place = f"config.yaml: models.{key}"
    value = section.get(key, default.name)
    licence = section.get(f"{key}_licence")
    if not isinstance(value, str) or not value.strip():
        or_none = f", or {NO_ADAPTER}" if optional else ""
        problems.append(f"{place}: is {value!r}; write a name, for example '{default.name}', or a path{or_none}")
        return None
    value = value.strip()
    published = {name.casefold(): model for name, model in catalogue.items()}.get(value.casefold())
    none = optional and value.casefold() == NO_ADAPTER
    if published is not None or none:
        if licence is not None:
            instead = f"leave it out: '{printable(value, 60)}' has its own" if published else "leave it out"
            problems.append(f"{place}_licence: is for a model of your own; {instead}")
        return published
    if "/" not in value and "\\" not in value and not value.endswith(_WEIGHTS) and not Path(value).exists():
        known = [*catalogue, *([NO_ADAPTER] if optional else [])]
        near = nearest(value, known)
        hint = f"did you mean '{near}'?" if near else f"write {' or '.join(known)}, or the path of your own"
        problems.append(f"{place}: there is no model '{printable(value, 60)}'; {hint}")
        return None
    if not isinstance(licence, str) or not licence.strip():
        problems.append(
            f"{place}_licence: is missing, and '{printable(value, 60)}' is a model of your own; write its licence, "
            "for example own, CC-BY-4.0 or Apache-2.0"
        )
        return None
    if wrong := licence_problem(licence.strip()):
        problems.append(f"{place}_licence: {wrong[0]}; {wrong[1]}")
    return OwnModel(Path(value), licence.strip())
