"""The build's settings: ``config.yaml`` as one frozen record, checked before anything else happens.

The parts that belong to one room (engine, judge, delivery, thresholds, placeholders) are kept as plain mappings here
and validated by that room, so that each setting is known in one place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from replikk.dialogue.nearest import nearest
from replikk.errors import ReplikkError
from replikk.models.settings import ModelSettings, read_model_settings

MAX_ROUNDS_LIMIT = 10  # a decision may name a take of any round up to here, whatever max_rounds is today
_NUMBER = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?")
MAX_SHARDS = 64  # a shard is a job; more of them cost more than they share out


@dataclass(frozen=True)
class Config:
    """All settings of a build."""

    dialogue_dir: Path
    build_dir: Path
    engine: str
    engine_settings: Mapping[str, Any]
    judge: str
    judge_settings: Mapping[str, Any]
    max_rounds: int
    """How many takes a line gets at most."""
    shards: int
    """Into how many jobs the takes of a round are shared out."""
    seed: int
    """Part of every take key: another number gives every line another reading."""
    strict: bool
    """Fail the build when a flagged clip was not reviewed: the release switch."""
    commercial: bool
    """Refuse voices and models whose licence forbids commercial use."""
    placeholders: Mapping[str, Any]
    delivery: Mapping[str, Any]
    thresholds: Mapping[str, Any]
    models: ModelSettings
    corpus: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Optional measures: which, and where their models are."""
    calibrate: Mapping[str, Any] = field(default_factory=dict)
    """What limits are chosen from, for ``snakemake calibrate``."""
    gpu_price_per_hour: float = 0.0
    """What an hour of a GPU costs, for the report; 0 for not told."""
    currency: str = ""


def read_config(mapping: Mapping[str, Any]) -> Config:
    """The settings in ``mapping`` (what Snakemake read from config.yaml and the command line).

    Raises ReplikkError that lists everything wrong with them at once.
    """
    problems: list[str] = []
    known = {
        "dialogue_dir",
        "build_dir",
        "engine",
        "engines",
        "judge",
        "judges",
        "max_rounds",
        "shards",
        "seed",
        "strict",
        "commercial",
        "placeholders",
        "delivery",
        "thresholds",
        "models_dir",
        "models",
        "corpus",
        "training",
        "evidence",
        "calibrate",
        "gpu_price_per_hour",
        "currency",
    }
    for key in mapping:
        if key not in known:
            near = nearest(str(key), known)
            hint = f"did you mean '{near}'?" if near else f"known settings: {', '.join(sorted(known))}"
            problems.append(f"config.yaml: {key}: is not a setting; {hint}")

    engine = _text(mapping, "engine", "espeak", problems)
    models, model_problems = read_model_settings(
        mapping.get("models_dir", "models"), _section(mapping, "models", problems)
    )
    problems += model_problems
    judge = _text(mapping, "judge", "mini", problems)
    judge_settings = _section(_section(mapping, "judges", problems), judge, problems)
    if judge == "nb-whisper":
        from replikk.judges.nb_whisper.settings import read_settings  # it names the models that the build needs

        nb_whisper, judge_problems = read_settings(judge_settings)
        problems += judge_problems
        models = replace(models, judges=nb_whisper.published)
    config = Config(
        dialogue_dir=Path(_text(mapping, "dialogue_dir", "dialogue", problems)),
        build_dir=Path(_text(mapping, "build_dir", "build", problems)),
        engine=engine,
        engine_settings=_section(_section(mapping, "engines", problems), engine, problems),
        judge=judge,
        judge_settings=judge_settings,
        max_rounds=_whole(mapping, "max_rounds", 3, 1, MAX_ROUNDS_LIMIT, problems),
        shards=_whole(mapping, "shards", 1, 1, MAX_SHARDS, problems),
        seed=_whole(mapping, "seed", 0, 0, 2**31 - 1, problems),
        strict=_switch(mapping, "strict", False, problems),
        commercial=_switch(mapping, "commercial", True, problems),
        placeholders=_section(mapping, "placeholders", problems),
        delivery=_values(_section(mapping, "delivery", problems)),
        thresholds=_values(_section(mapping, "thresholds", problems)),
        models=models,
        corpus=_section(mapping, "corpus", problems),
        training=_training(_section(mapping, "training", problems)),
        evidence=_section(mapping, "evidence", problems),
        calibrate=_section(mapping, "calibrate", problems),
        gpu_price_per_hour=_price(mapping, "gpu_price_per_hour", problems),
        currency=str(mapping.get("currency") or "").strip()[:10],
    )
    problems += _unusable_folders(config)
    sections = {f"engines.{engine}": config.engine_settings, f"judges.{judge}": config.judge_settings}
    for name in ("placeholders", "delivery", "thresholds", "training", "evidence", "calibrate", "corpus"):
        sections[name] = getattr(config, name)
    for name, section in sections.items():
        problems += [f"config.yaml: {name}: {what}" for what in _not_plain(section)]
    if problems:
        raise ReplikkError("\n".join(problems))
    return config


def _unusable_folders(config: Config) -> list[str]:
    problems = []
    if set("{}") & set(str(config.build_dir)):
        problems.append(f"config.yaml: build_dir: is '{config.build_dir}'; name a folder without {{ and }}")
    dialogue, build = config.dialogue_dir.resolve(), config.build_dir.resolve()
    if build.is_relative_to(dialogue):
        problems.append(
            "config.yaml: build_dir: lies in dialogue_dir, and would be read as dialogue; name another folder"
        )
    return problems


def _not_plain(section: Mapping[str, Any]) -> list[str]:
    """What YAML can say and JSON cannot: it could not become part of a fingerprint."""
    try:
        json.dumps(section, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return ["holds more than text, numbers, true and false; write dates, and names that are numbers, in quotes"]
    return []


def load_config(path: Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """The settings of a file, as ``replikk`` outside Snakemake needs them. Raises ReplikkError naming the file."""
    from replikk.dialogue.yaml_files import read_yaml

    if not path.is_file():
        raise ReplikkError(
            f"{path}: there is no such file; run from the folder of the project, or name it with --config"
        )
    content, problems = read_yaml(path)
    if problems:
        raise ReplikkError("\n".join(str(problem) for problem in problems))
    if not isinstance(content or {}, Mapping):
        raise ReplikkError(f"{path}: holds no settings by name; write 'name: value', one setting in a line")
    return read_config({**(content or {}), **(overrides or {})})


def _text(mapping: Mapping[str, Any], key: str, default: str, problems: list[str]) -> str:
    value = mapping.get(key, default)
    if isinstance(value, str) and value.strip():
        return value.strip()
    problems.append(f"config.yaml: {key}: is {value!r}; write a name or path, for example '{default}'")
    return default


def _whole(mapping: Mapping[str, Any], key: str, default: int, low: int, high: int, problems: list[str]) -> int:
    value = mapping.get(key, default)
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    problems.append(f"config.yaml: {key}: is {value!r}; write a whole number from {low} to {high}")
    return default


def _price(mapping: Mapping[str, Any], key: str, problems: list[str]) -> float:
    value = mapping.get(key, 0)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1e6:
        return float(value)
    problems.append(f"config.yaml: {key}: is {value!r}; write a number such as 12.5, or 0")
    return 0.0


def _switch(mapping: Mapping[str, Any], key: str, default: bool, problems: list[str]) -> bool:
    value = mapping.get(key, default)
    if isinstance(value, str) and value.lower() in ("true", "false"):  # --config strict=true arrives as text
        return value.lower() == "true"
    if isinstance(value, bool):
        return value
    problems.append(f"config.yaml: {key}: is {value!r}; write true or false")
    return default


def _section(mapping: Mapping[str, Any], key: str, problems: list[str]) -> Mapping[str, Any]:
    value = mapping.get(key)
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    problems.append(f"config.yaml: {key}: is {value!r}; write a section of 'name: value' rows")
    return {}


def _training(section: Mapping[str, Any]) -> Mapping[str, Any]:
    """As ``_values``, but for what is a name or a path even when it looks like a number."""
    return {**_values(section, depth=1), **{key: section[key] for key in ("name", "corpus") if key in section}}


def _values(section: Mapping[str, Any], depth: int = 3) -> Mapping[str, Any]:
    """Numbers and switches of a section, which --config 'delivery={mouth_cues: true}' hands over as text.

    ``depth``: as deep as settings lie, thresholds -> bands -> band; YAML can write sections that hold themselves.
    """
    values: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, Mapping) and depth > 1:
            values[key] = _values(value, depth - 1)
        elif isinstance(value, str) and value in ("true", "false"):
            values[key] = value == "true"
        elif isinstance(value, str) and _NUMBER.fullmatch(value):
            values[key] = int(value) if value.lstrip("+-").isdecimal() else float(value)
        else:
            values[key] = value
    return values
