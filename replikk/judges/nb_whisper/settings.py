"""Settings of the judge: ``judges: {nb-whisper: {...}}`` of config.yaml, and the published models that they name.

    model: medium            # tiny, base, small, medium or large: the verbatim variant; or the path of a folder
    second_opinion: large    # listens again where the first heard something else than wanted; or none
    second_ear: bokmaal-300m # a recogniser of another kind, which cannot make up sentences: bokmaal-1b, a path, or none
    precision: float16       # of the GPU's matrix products; float32 on a CPU, whatever stands here
    device: auto             # cuda, cpu
    max_memory_gb: 12        # of the GPU's memory; more of it makes larger batches

The first four are part of what a transcript depends on; where and in how large batches it is computed is not.
Verbatim, because the main variants were trained to repair grammar and to leave out what is said twice, and those are
the faults that a judge must hear.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replikk.dialogue.nearest import nearest
from replikk.errors import printable
from replikk.models.catalogue import PublishedModel
from replikk.models.judge_catalogue import CTC_EARS, WHISPERS

NAME = "nb-whisper"
NONE = "none"
DEVICES = ("auto", "cuda", "cpu")
PRECISIONS = ("float16", "bfloat16", "float32")
LEAST_MEMORY_GB = 1.0
"""Tiny and a few clips; the larger sizes say themselves when they do not fit."""
_KEYS = ("model", "second_opinion", "second_ear", "device", "precision", "max_memory_gb")


@dataclass(frozen=True)
class NbWhisperSettings:
    """How the judge listens. A model is one of the catalogue, or the folder of the user's own."""

    model: PublishedModel | Path = WHISPERS["medium"]
    second_opinion: PublishedModel | Path | None = None
    second_ear: PublishedModel | Path | None = None
    device: str = "auto"
    precision: str = "float16"
    max_memory_gb: float = 12.0

    @property
    def published(self) -> tuple[PublishedModel, ...]:
        """The models that can be fetched."""
        models = (self.model, self.second_opinion, self.second_ear)
        return tuple(dict.fromkeys(model for model in models if isinstance(model, PublishedModel)))


def read_settings(settings: Mapping[str, Any]) -> tuple[NbWhisperSettings, list[str]]:
    """The settings, and everything wrong with them as 'config.yaml: …' sentences."""
    problems: list[str] = []
    for key in settings:
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            hint = f"did you mean '{near}'?" if near else f"known settings: {', '.join(_KEYS)}"
            problems.append(f"{_place(str(key))}: is not a setting; {hint}")
    first = _model(settings, "model", "medium", WHISPERS, problems) or WHISPERS["medium"]
    second = _model(settings, "second_opinion", NONE, WHISPERS, problems)
    if second == first:
        problems.append(f"{_place('second_opinion')}: is the same model as the first; name another one, or {NONE}")
    ear = _model(settings, "second_ear", NONE, CTC_EARS, problems)
    device = _choice(settings, "device", "auto", DEVICES, problems)
    precision = _choice(settings, "precision", "float16", PRECISIONS, problems)
    memory = settings.get("max_memory_gb", 12.0)
    number = isinstance(memory, int | float) and not isinstance(memory, bool) and math.isfinite(memory)
    if not number or memory < LEAST_MEMORY_GB:
        problems.append(
            f"{_place('max_memory_gb')}: is {memory!r:.60}; write a number of gigabytes from {LEAST_MEMORY_GB:g}"
        )
        memory = 12.0
    return NbWhisperSettings(first, second, ear, device, precision, float(memory)), problems


def _place(key: str) -> str:
    return f"config.yaml: judges.{NAME}.{printable(key, 60)}"


def _choice(settings: Mapping[str, Any], key: str, default: str, choices: tuple[str, ...], problems: list[str]) -> str:
    value = settings.get(key, default)
    if value in choices:
        return str(value)
    problems.append(f"{_place(key)}: is {value!r:.60}; write {', '.join(choices[:-1])} or {choices[-1]}")
    return default


def _model(
    settings: Mapping[str, Any],
    key: str,
    default: str,
    catalogue: Mapping[str, PublishedModel],
    problems: list[str],
) -> PublishedModel | Path | None:
    """What ``key`` names: a model of the catalogue, an own folder, or None for 'none' and for a mistake."""
    value = settings.get(key, default)
    optional = key != "model"
    known = [*catalogue, *([NONE] if optional else [])]
    if isinstance(value, str) and value.strip():
        name = value.strip()
        if optional and name.casefold() == NONE:
            return None
        names = {name.casefold(): model for name, model in catalogue.items()}
        names |= {model.name.casefold(): model for model in catalogue.values()}
        if name.casefold() in names:
            return names[name.casefold()]
        if "/" in name or "\\" in name or Path(name).is_dir():
            return Path(name)
        near = nearest(name, known)
        hint = f"did you mean '{near}'?" if near else f"write {', '.join(known)}, or the path of a folder"
        problems.append(f"{_place(key)}: there is no model '{printable(name, 60)}'; {hint}")
    else:
        problems.append(f"{_place(key)}: is {value!r:.60}; write {', '.join(known)}, or the path of a folder")
    return None
