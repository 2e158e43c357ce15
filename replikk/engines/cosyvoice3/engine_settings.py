"""Settings of the engine: ``engines: {cosyvoice3: {...}}`` of config.yaml, and ``cosyvoice3: {...}`` of a voice.

What changes the sound is part of the take keys (``precision``, ``stop_rule``, ``language_model``, a voice's ``speed``);
where and how fast it is computed is not (``device``, ``max_memory_gb``). ``precision`` is bf16 on every device unless
something else is written, so that the keys do not depend on the machine that asks for them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from replikk.dialogue.nearest import nearest
from replikk.errors import EngineError, printable

PRECISIONS = ("bf16", "float32")
STOP_RULES = ("fixed", "faithful")
DEVICES = ("auto", "cuda", "cpu")
LANGUAGE_MODELS = ("llm.pt", "llm.rl.pt")

SLOWEST, FASTEST = 0.5, 2.0
"""Limits of ``speed``: past them the stretched spectrum is heard as such."""
LEAST_MEMORY_GB = 3.0
"""The networks in bf16 take 1.9 GB; below this not even one line fits beside them."""


@dataclass(frozen=True)
class EngineSettings:
    """How the engine computes."""

    precision: Literal["bf16", "float32"] = "bf16"
    """What the matrix products of language model and flow run in; everything else is float32 always."""
    stop_rule: Literal["fixed", "faithful"] = "fixed"
    """``faithful`` lets a line end before its shortest length, as the published code does; it chops short lines."""
    language_model: str = "llm.pt"
    """Or ``llm.rl.pt``, the variant trained further by reinforcement learning."""
    device: Literal["auto", "cuda", "cpu"] = "auto"
    """``auto`` is a GPU where there is one."""
    max_memory_gb: float = 8.0
    """Of the GPU's memory; more of it makes larger batches."""

    def for_key(self) -> dict[str, str]:
        """What changes the sound."""
        return {"precision": self.precision, "stop_rule": self.stop_rule, "language_model": self.language_model}


def read_engine_settings(settings: Mapping[str, Any]) -> EngineSettings:
    """The settings of config.yaml. Raises EngineError with everything wrong with them, naming each setting."""
    problems = []
    choices = {
        "precision": PRECISIONS, "stop_rule": STOP_RULES, "language_model": LANGUAGE_MODELS, "device": DEVICES,
    }  # fmt: skip
    values: dict[str, Any] = {}
    for key, value in settings.items():
        if key in choices:
            if value in choices[key]:
                values[key] = value
            else:
                problems.append(f"{key} is {value!r:.60}; write {' or '.join(choices[key])}")
        elif key == "max_memory_gb":
            if _is_number(value) and value >= LEAST_MEMORY_GB:
                values[key] = float(value)
            else:
                problems.append(f"max_memory_gb is {value!r:.60}; write a number of gigabytes from {LEAST_MEMORY_GB:g}")
        else:
            known = [*choices, "max_memory_gb"]
            near = nearest(str(key), known)
            hint = f"did you mean '{near}'?" if near else f"known are {', '.join(known)}"
            problems.append(f"it has no setting '{printable(str(key), 60)}'; {hint}")
    if problems:
        raise EngineError("\n".join(f"config.yaml: engines.cosyvoice3: {problem}" for problem in problems))
    return EngineSettings(**values)


def voice_speed(settings: Mapping[str, Any]) -> float:
    """How fast a voice speaks, 1 as the model has it; settings that ``voice_setting_problems`` found good."""
    return float(settings.get("speed", 1.0))


def voice_setting_problems(settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with a voice's settings, as 'key: what; what instead' sentences."""
    problems = []
    for key, value in settings.items():
        if key != "speed":
            near = "; did you mean 'speed'?" if nearest(str(key), ["speed"]) else "; remove it (speed is the only one)"
            problems.append(f"{printable(str(key), 60)}: is not a setting of this engine{near}")
        elif not _is_number(value) or not SLOWEST <= value <= FASTEST:
            problems.append(
                f"speed: is {value!r:.60}; write {SLOWEST:g} (slow) to {FASTEST:g} (fast), 1 is the voice's own"
            )
    return problems


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
