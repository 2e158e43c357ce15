"""Settings of training: the section ``training`` of config.yaml.

    training:
      name: lora            # the run: its folder is build/training/lora
      epochs: 5
      tokens_per_batch: 3000

    outside_controls:       # other systems that read the same to the gate, by a name of your choice
      cosyvoice2: {url: http://127.0.0.1:8091, model: FunAudioLLM/CosyVoice2-0.5B}

The values follow the one published Norwegian run (rank 24 on all seven projections, peak learning rate 1e-5 after 2,000
steps of warm-up, then falling with the square root of the step, 384 s of speech a step), which was at its best before
its fifth epoch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from replikk.dialogue.nearest import nearest
from replikk.engines.speech_api.settings import read_settings
from replikk.errors import ReplikkError, printable

PRECISIONS = ("bf16", "float32")
DEVICES = ("auto", "cuda", "cpu")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


@dataclass(frozen=True)
class TrainingSettings:
    """How a LoRA is trained."""

    name: str = "lora"
    """Of the run; another name is another run, in a folder of its own."""
    corpus: str = ""
    """Folder with ``train/`` and ``held_out/``; empty for ``build/corpus/tokens``."""
    rank: int = 24
    alpha: float = 48.0
    """The change is multiplied by alpha / rank: twice the rank is what most trainings of this family use."""
    epochs: int = 5
    peak_learning_rate: float = 1e-5
    warm_up_steps: int = 2000
    weight_decay: float = 0.01
    clip_norm: float = 5.0
    """Gradients are scaled down to this norm, as in the published recipe."""
    tokens_per_batch: int = 3000
    """Positions computed at once, text and speech: about 96 s of speech. Decides the memory."""
    accumulate: int = 4
    """Batches to a step, of all GPUs together."""
    interleave: bool = True
    """Lay half of the utterances out in two streams, as the base model was trained."""
    ema_decay: float = 0.999
    save_every_steps: int = 1000
    save_every_epochs: int = 1
    log_every_steps: int = 10
    seed: int = 0
    gpus: int = 1
    precision: Literal["bf16", "float32"] = "bf16"
    device: Literal["auto", "cuda", "cpu"] = "auto"
    gate_texts: int = 10
    """Texts of each length that the gate reads; 10 are all there are. With fewer it is a trial run: one voice reads
    from one seed, any judge listens, the page is written, and nothing is promoted."""
    outside_controls: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By name, the settings of engine ``speech-api``: other systems that read to the gate as a yardstick."""

    def of_result(self) -> dict[str, Any]:
        """What the weights depend on. A run is continued with the same values, or not at all; it may go on for more
        epochs, save at other steps, and move to another machine."""
        return {key: value for key, value in asdict(self).items() if key not in _FREE}

    def corpus_folder(self, build_dir: Path) -> Path:
        return Path(self.corpus) if self.corpus else build_dir / "corpus" / "tokens"

    def run_folder(self, build_dir: Path) -> Path:
        return build_dir / "training" / self.name


_FREE = {
    "name", "corpus", "epochs", "save_every_steps", "save_every_epochs", "log_every_steps", "gpus", "device",
    "gate_texts", "outside_controls",
}  # fmt: skip
_LIMITS: dict[str, tuple[float, float]] = {
    "rank": (1, 512),
    "alpha": (1e-3, 1e4),
    "epochs": (1, 1000),
    "peak_learning_rate": (1e-9, 0.1),
    "warm_up_steps": (1, 1_000_000),
    "weight_decay": (0, 1),
    "clip_norm": (1e-3, 1e3),
    "tokens_per_batch": (16, 1_000_000),
    "accumulate": (1, 1024),
    "ema_decay": (0, 0.99999),
    "save_every_steps": (1, 1_000_000),
    "save_every_epochs": (1, 2),  # the gate looks at two epochs at most
    "log_every_steps": (1, 1_000_000),
    "seed": (0, 2**31 - 1),
    "gpus": (1, 64),
    "gate_texts": (1, 10),
}
_CHOICES: dict[str, tuple[str, ...]] = {"precision": PRECISIONS, "device": DEVICES}


_TAKEN = {"base", "released", "raw", "averaged", "all"}
"""What controls and kinds of candidates are called, and their folders."""
_DEFAULTS = TrainingSettings()


def read_training_settings(section: Mapping[str, Any]) -> TrainingSettings:
    """The settings of config.yaml. Raises ReplikkError with everything wrong with them, naming each setting."""
    problems: list[str] = []
    defaults: dict[str, Any] = {of.name: getattr(_DEFAULTS, of.name) for of in fields(TrainingSettings)}
    values: dict[str, Any] = {}
    for key, value in section.items():
        if key not in defaults:
            near = nearest(str(key), defaults)
            hint = f"did you mean '{near}'?" if near else f"known are {', '.join(defaults)}"
            problems.append(f"{printable(str(key), 60)}: is not a setting; {hint}")
        elif key == "outside_controls":
            problems += _outside_problems(value)
            values[key] = {str(name): dict(of) for name, of in value.items()} if not problems and value else {}
        elif wrong := _wrong(key, value, defaults[key]):
            problems.append(f"{key}: is {value!r:.60}; {wrong}")
        else:
            values[key] = type(defaults[key])(value)
    accumulate, gpus = values.get("accumulate", 4), values.get("gpus", 1)
    if accumulate % gpus:
        problems.append(
            f"accumulate: is {accumulate}; write a multiple of gpus ({gpus}), so that every GPU does an equal share"
        )
    if problems:
        raise ReplikkError("\n".join(f"config.yaml: training.{problem}" for problem in problems))
    return TrainingSettings(**values)


def _outside_problems(section: Any) -> list[str]:
    """What is wrong with ``outside_controls``."""
    if section is None:
        return []
    if not isinstance(section, Mapping):
        return [f"outside_controls: is {section!r:.60}; write a section of names, each with url and model"]
    problems = []
    seen: set[str] = set()
    for name, settings in section.items():
        place = f"outside_controls.{printable(str(name), 60)}"
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            problems.append(f"{place}: write a short name of letters, digits, - and _, such as cosyvoice2")
        elif name.lower() in _TAKEN or name.lower().startswith("step_"):
            problems.append(f"{place}: is what the gate calls one of its own; write another name, such as cosyvoice2")
        elif name.lower() in seen:
            problems.append(f"{place}: differs from another one in case only; write another name")
        elif not isinstance(settings, Mapping):
            problems.append(f"{place}: is {settings!r:.60}; write {{url: http://127.0.0.1:8091, model: …}}")
        else:
            problems += [f"{place}.{problem}" for problem in read_settings(settings)[1]]
        seen.add(str(name).lower())
    return problems


def _wrong(key: str, value: Any, default: Any) -> str:
    """What to write instead; empty when the value is good."""
    if key in _CHOICES:
        return "" if value in _CHOICES[key] else f"write {' or '.join(_CHOICES[key])}"
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "write true or false"
    if key == "name":
        good = isinstance(value, str) and _NAME.fullmatch(value)
        return "" if good else "write a short name of letters, digits, - and _"
    if isinstance(default, str):
        return "" if isinstance(value, str) else "write a path"
    low, high = _LIMITS[key]
    whole = isinstance(default, int)
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if number and math.isfinite(value) and low <= value <= high:
        return ""
    return f"write a {'whole ' if whole else ''}number from {low:g} to {high:g}"
