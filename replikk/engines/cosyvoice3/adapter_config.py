"""What ``adapter_config.json`` says about a LoRA: alpha, which is in no tensor, and options that change its meaning.

PEFT has many variants of LoRA under one ``peft_type``. Those whose merged weights follow from the tensors by
``W + scale * B @ A`` (and DoRA) are read; any other is refused by name, because merging it as plain LoRA would give
another voice without a word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replikk.errors import EngineError, printable

NAME = "adapter_config.json"

_UNREAD_OPTIONS = (
    "alora_invocation_tokens",
    "fan_in_fan_out",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "monteclora_config",
    "target_parameters",
    "trainable_token_indices",
    "use_bdlora",
    "use_qalora",
    "velora_config",
)
"""Options of PEFT that change what the tensors mean; off is null, false or empty."""

_PLAIN_STARTS = ("true", "gaussian", "orthogonal", "eva", "none")
"""``init_lora_weights`` that leave the base weights alone. Others (PiSSA, OLoRA, CorDA, LoftQ, LoRA-GA) change them, so
that the adapter's tensors belong to a base that nobody has."""

_PATTERN_LETTERS = set("abcdefghijklmnopqrstuvwxyz0123456789_.")


@dataclass(frozen=True)
class AdapterConfig:
    """Settings of one LoRA."""

    source: str
    """Where they are from, for messages."""
    alpha: float
    rank: int | None = None
    """None: whatever the tensors have."""
    rank_stabilised: bool = False
    """rsLoRA: scale alpha / sqrt(rank) instead of alpha / rank."""
    alpha_of: Mapping[str, float] = field(default_factory=dict)
    """Exceptions by the end of a module's path (PEFT: ``alpha_pattern``)."""
    rank_of: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    """Names, or ends of paths, that must be adapted, such as ``q_proj``; empty where it is left open."""
    pattern_chosen: bool = False
    """The modules were chosen by a pattern: which of them are there is the file's own word."""
    layers: tuple[int, ...] | None = None
    """The only layers that are adapted; None for all."""
    magnitudes: bool = False
    """DoRA: every module must come with its magnitude vector."""

    def scale(self, module: str, rank: int) -> float:
        """The factor of ``B @ A``. Raises EngineError where the tensors' rank is not the configured one."""
        expected = _of_module(self.rank_of, module, self.rank)
        if expected is not None and expected != rank:
            raise EngineError(
                f"{self.source}: says rank {expected:g}, and the tensors of {module} have rank {rank}; take both files "
                "from the same training"
            )
        alpha = _of_module(self.alpha_of, module, self.alpha)
        assert alpha is not None
        return float(alpha / (rank**0.5 if self.rank_stabilised else rank))


def read_adapter_config(path: Path) -> AdapterConfig:
    """The settings in ``adapter_config.json``. Raises EngineError naming the file and the option."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EngineError(f"{path}: is no readable JSON; download the adapter again") from error
    if not isinstance(content, dict) or content.get("peft_type") != "LORA":
        kind = content.get("peft_type") if isinstance(content, dict) else type(content).__name__
        raise EngineError(f"{path}: is of type {printable(str(kind), 40)}, not LORA; only LoRA adapters can be merged")
    for option in _UNREAD_OPTIONS:
        if content.get(option):
            raise EngineError(
                f"{path}: uses {option}, which cannot be merged here; merge it with the program that trained it "
                "(PEFT: merge_and_unload) and give the merged file"
            )
    start = content.get("init_lora_weights", True)
    if str(start).lower() not in _PLAIN_STARTS:
        raise EngineError(
            f"{path}: init_lora_weights={printable(repr(start), 40)} changes the base model before training; "
            "convert it to plain LoRA with PEFT (path_initial_model_for_weight_conversion) or give the merged file"
        )
    rank = _number(content, "r", path)
    if rank != int(rank):
        raise EngineError(f"{path}: r must be a whole number; download the adapter again")
    targets = content.get("target_modules")
    return AdapterConfig(
        source=str(path),
        alpha=_number(content, "lora_alpha", path),
        rank=int(rank),
        rank_stabilised=bool(content.get("use_rslora")),
        alpha_of=_pattern(content, "alpha_pattern", path),
        rank_of=_pattern(content, "rank_pattern", path),
        targets=tuple(str(name) for name in targets) if isinstance(targets, list) else (),
        pattern_chosen=bool(content.get("exclude_modules")) or (isinstance(targets, str) and targets != "all-linear"),
        layers=_layers(content.get("layers_to_transform"), path),
        magnitudes=bool(content.get("use_dora")),
    )


def _of_module(exceptions: Mapping[str, float], module: str, otherwise: float | None) -> float | None:
    for ending, value in exceptions.items():
        if f".{module}".endswith(f".{ending}"):
            return value
    return otherwise


def _pattern(content: Mapping[str, Any], name: str, path: Path) -> dict[str, float]:
    """Exceptions by module; PEFT allows regular expressions there, of which only plain ends of a path are read."""
    value = content.get(name) or {}
    if not isinstance(value, dict):
        raise EngineError(f"{path}: {name} must map module names to numbers; download the adapter again")
    result = {}
    for key, number in value.items():
        ending = key.replace("\\.", ".")
        if not set(ending) <= _PATTERN_LETTERS:
            raise EngineError(
                f"{path}: {name} has the pattern {printable(repr(key), 60)}, and only plain module names are read; "
                "merge the adapter with PEFT and give the merged file"
            )
        result[ending] = _number({name: number}, name, path)
    return result


def _layers(value: Any, path: Path) -> tuple[int, ...] | None:
    if value is None:
        return None
    numbers = value if isinstance(value, list) else [value]
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        raise EngineError(f"{path}: layers_to_transform must list layer numbers; download the adapter again")
    return tuple(numbers)


def _number(content: Mapping[str, Any], name: str, path: Path) -> float:
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise EngineError(
            f"{path}: {name} must be a number above 0, not {printable(repr(value), 40)}; download it again"
        )
    return float(value)
