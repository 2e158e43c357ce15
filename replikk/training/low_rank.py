"""A LoRA on the fused projections of the language model, saved as PEFT saves one.

The engine's language model keeps projections that read the same input as one matrix (``qkv``, ``gate_up``). A LoRA of
the published kind has factors of its own for each of the seven projections of a layer. PEFT could only wrap the fused
matrix: one shared A for q, k and v, fewer parameters, a layout that nobody else loads. So the factors here belong to
slices of rows: all A of a projection are multiplied as one, and each B adds to its own rows,

    y = W x + concat_i( alpha / rank * B_i A_i x )

which is exactly what PEFT computes on seven separate projections. Names and files are PEFT's too, with the wrapped
whole model's paths, so PEFT, the published toolkit's users and this engine's own reader all load the result.

The base model is not changed in any way: the sum is made by a hook on what a projection gives. Its weights keep their
names and their bits, and none of them asks for a gradient.

The factors are float32 whatever the products run in: a change of 1e-5 of a weight is less than bfloat16 can tell apart.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from replikk.engines.cosyvoice3.adapter_config import NAME as CONFIG_NAME
from replikk.engines.cosyvoice3.adapter_paths import ADAPTER_NAMES
from replikk.engines.cosyvoice3.checkpoint_layout import language_model_layout, projections
from replikk.engines.cosyvoice3.language_model import LanguageModel, published_keys
from replikk.engines.cosyvoice3.safetensors_files import write_safetensors
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes
from replikk.errors import ReplikkError
from replikk.files import write_atomic

PUBLISHED_RANK, PUBLISHED_PARAMETERS = 24, 13_197_312
"""Rank of the published Norwegian LoRA, and its number of parameters at full size; a test holds us to it."""


class LowRankAdapter:
    """The factors of all projections of a model, which they change as long as they are attached.

    ``parameters`` maps ``MODULE.lora_A`` [rank, inputs] and ``MODULE.lora_B`` [outputs, rank], in the order of the
    layers, to float32 parameters on the model's device. A starts as PEFT starts it (uniform, Kaiming), B at zero: an
    untrained adapter changes nothing.
    """

    def __init__(self, model: LanguageModel, rank: int, alpha: float, seed: int) -> None:
        self.sizes, self.rank, self.alpha = model.sizes, rank, alpha
        draws = torch.Generator().manual_seed(seed)
        layout = language_model_layout(model.sizes)
        self.parameters: dict[str, nn.Parameter] = {}
        for module in projections(model.sizes.layers):
            outputs, inputs = layout[f"{module}.weight"]
            bound = 1 / math.sqrt(inputs)  # kaiming_uniform with a = sqrt(5)
            a = (torch.rand(rank, inputs, generator=draws) * 2 - 1) * bound
            self.parameters[f"{module}.lora_A"] = nn.Parameter(a.to(model.device))
            self.parameters[f"{module}.lora_B"] = nn.Parameter(torch.zeros(outputs, rank, device=model.device))
        self._handles = [
            model.get_submodule(name).register_forward_hook(self._adding(modules))
            for name, modules in _adapted(model.sizes).items()
        ]

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    def detach(self) -> None:
        """Take the adapter off the model, which is then what it was."""
        for handle in self._handles:
            handle.remove()

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Take over values by the names of ``parameters``. Raises ReplikkError where they are not the same ones."""
        if {name: value.shape for name, value in values.items()} != {
            name: parameter.shape for name, parameter in self.parameters.items()
        }:
            raise ReplikkError("adapter: these factors belong to another model or another rank; start another run")
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(values[name])

    def _adding(self, modules: tuple[str, ...]) -> Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor]:
        down: list[Tensor] = [self.parameters[f"{module}.lora_A"] for module in modules]
        up: list[Tensor] = [self.parameters[f"{module}.lora_B"] for module in modules]

        def hook(_projection: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
            inner = functional.linear(inputs[0], torch.cat(down)).split(self.rank, dim=-1)
            change = torch.cat([functional.linear(part, b) for part, b in zip(inner, up, strict=True)], dim=-1)
            return output + self.scale * change

        return hook


def adapter_size(sizes: LanguageModelSizes, rank: int) -> int:
    """How many numbers an adapter of that rank on all seven projections of every layer has."""
    layout = language_model_layout(sizes)
    return sum(rank * sum(layout[f"{module}.weight"]) for module in projections(sizes.layers))


def check_trainable(model: LanguageModel, adapter: LowRankAdapter, optimizer: torch.optim.Optimizer) -> int:
    """The number of parameters that will be trained. Raises ReplikkError unless these are the adapter's, all of them,
    and nothing else."""
    base = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    if base:
        raise ReplikkError(
            f"training: {len(base)} weights of the base model would be trained ({base[0]}, …), not only the adapter; "
            "freeze them"
        )
    ours = {id(parameter) for parameter in adapter.parameters.values() if parameter.requires_grad}
    optimised = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    count = sum(parameter.numel() for parameter in optimised)
    wanted = adapter_size(model.sizes, adapter.rank)
    if {id(parameter) for parameter in optimised} != ours or count != wanted or not count:
        raise ReplikkError(
            f"training: {count:,} parameters would be trained, and an adapter of rank {adapter.rank} on all seven "
            f"projections of {model.sizes.layers} layers has {wanted:,}; nothing was trained"
        )
    if any(parameter.dtype != torch.float32 for parameter in optimised):
        raise ReplikkError("training: the adapter's parameters are not float32; small changes would be lost")
    return count


def write_adapter(folder: Path, values: Mapping[str, Tensor], rank: int, alpha: float) -> None:
    """The adapter as PEFT saves one that was wrapped around the whole model; ``values`` as ``parameters``.

    Raises ReplikkError where the folder cannot be written.
    """
    tensors = {
        f"base_model.model.{name}.weight": value.detach().to("cpu", torch.float32) for name, value in values.items()
    }
    config = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": None,
        "r": rank,
        "lora_alpha": alpha,
        "target_modules": sorted({name.rpartition(".")[0].rpartition(".")[2] for name in values}),
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "use_rslora": False,
        "use_dora": False,
        "inference_mode": True,
    }
    write_safetensors(folder / ADAPTER_NAMES[0], tensors)
    write_atomic(folder / CONFIG_NAME, json.dumps(config, indent=2, sort_keys=True).encode() + b"\n")


def read_factors(folder: Path) -> dict[str, Tensor]:
    """What ``write_adapter`` wrote, by the names of ``LowRankAdapter.parameters``."""
    from safetensors.torch import load_file

    tensors = load_file(folder / ADAPTER_NAMES[0])
    return {name.removeprefix("base_model.model.").removesuffix(".weight"): value for name, value in tensors.items()}


def _adapted(sizes: LanguageModelSizes) -> dict[str, tuple[str, ...]]:
    """Projection of ``LanguageModel`` -> the published modules that its rows are, in their order."""
    known = set(projections(sizes.layers))
    adapted = {}
    for name, keys in published_keys(sizes).items():
        modules = tuple(key.removesuffix(".weight") for key in keys if key.endswith(".weight"))
        if name.endswith(".weight") and known.issuperset(modules):
            adapted[name.removesuffix(".weight")] = modules
    return adapted
