"""The terms of the models: what the manifest says about them, and where they forbid a build.

A published model has two statements: the catalogue's, and that of the model card that was fetched with it. Where they
differ, the stricter one holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from replikk.dialogue.licences import non_commercial
from replikk.errors import printable
from replikk.files import write_if_changed
from replikk.models.catalogue import CARD, HUB_PAGE, PublishedModel
from replikk.models.lock import LockedModel, locked, read_lock
from replikk.models.settings import NO_ADAPTER, ModelSettings, OwnModel

RECORD_FILE = "LICENCES.md"
_CARD_BYTES = 64 * 1024  # the head of a card, which names the licence, is its first few hundred bytes
_HEAD = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_LICENCE = re.compile(r"^(license|license_name)\s*:\s*['\"]?([\w.+-]{1,60})['\"]?\s*$", re.MULTILINE)


@dataclass(frozen=True)
class ModelLicence:
    """The terms of one model of a build."""

    part: str
    """base or adapter."""
    name: str
    licence: str
    source: str
    """Where that is written."""


def model_licences(settings: ModelSettings) -> tuple[ModelLicence, ...]:
    """The terms of all models of a build, for manifest and report."""
    lock = read_lock(settings.models_dir)
    return tuple(
        _licence(part, model, lock)
        for part, model in (("base", settings.base), ("adapter", settings.adapter))
        if model is not None
    )


def _licence(part: str, model: PublishedModel | OwnModel, lock: Mapping[str, LockedModel]) -> ModelLicence:
    if isinstance(model, OwnModel):
        return ModelLicence(part, model.name, model.licence, f"config.yaml: models.{part}_licence")
    entry = locked(model, lock)
    card = entry.card_licence if entry is not None else ""
    licence = card if non_commercial(card) and not non_commercial(model.licence) else model.licence
    return ModelLicence(part, model.name, licence, model.url)


def model_licence_problems(settings: ModelSettings, commercial: bool) -> list[str]:
    """The models whose licence forbids the build: those for non-commercial use, in a commercial one."""
    problems = []
    for terms in model_licences(settings):
        if commercial and non_commercial(terms.licence):
            other = f"name another adapter ({NO_ADAPTER}: the base model alone)"
            instead = other if terms.part == "adapter" else "name another model"
            problems.append(
                f"config.yaml: models.{terms.part}: '{printable(terms.name, 60)}' is under "
                f"{printable(terms.licence, 60)}, which forbids commercial use, and this build is commercial; write "
                f"commercial: false, or {instead}"
            )
    return problems


def card_licence(card: Path) -> str:
    """The licence that a model card names in its head, in the hub's spelling; empty when it names none."""
    try:
        with card.open("rb") as file:
            text = file.read(_CARD_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""
    head = _HEAD.match(text)
    named = dict(_LICENCE.findall(head.group(1))) if head else {}
    if named.get("license") == "other":  # the hub's way to say: a licence without an SPDX name
        return named.get("license_name", "other")
    return named.get("license", "")


def write_licence_record(models_dir: Path, lock: Mapping[str, LockedModel]) -> Path:
    """Write down, for people, what was fetched from where under which terms. Returns the file."""
    lines = ["# Licences of the models in this folder"]
    for name, entry in sorted(lock.items()):
        forbids = non_commercial(entry.licence) or non_commercial(entry.card_licence)
        lines += [
            f"\n## {name}\n",
            f"- from: {HUB_PAGE}{entry.repository}/tree/{entry.revision}",
            f"- licence: {entry.licence}, which {'forbids' if forbids else 'allows'} commercial use",
            f"- the model card ({CARD} in its folder) names: {entry.card_licence or 'none'}",
        ]
    path = models_dir / RECORD_FILE
    write_if_changed(path, ("\n".join(lines) + "\n").encode())
    return path
