"""A LoRA on the fused projections of the language model, saved as PEFT saves one.

The engine's language model keeps projections that read the same input as one matrix (``qkv``, ``gate_up``). A LoRA of
the published kind has factors of its own for each of the seven projections of a layer. PEFT could only wrap the fused
matrix: one shared A for q, k and v, fewer parameters, a layout that nobody else loads. So the factors here belong to
slices of rows: all A of a projection are multiplied as one, and each B adds to its own rows,

    y = W x + concat_i( alpha / rank * B_i A_i x )

which is exactly what PEFT computes on seven separate projections. Names and files are PEFT's too, with the wrapped
whole model's paths, so PEFT, the published toolkit's users and this engine's own reader all load the result.

A small model on a large GPU waits for its kernels to be started, not for what they compute. So all factors are one
vector: converted at once when a forward pass begins, with one gradient and one optimiser state; and what a projection
adds is one function with a backward pass of its own (``low_rank_product``). A batch has a quarter fewer kernels so.

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

from replikk.engines.cosyvoice3.adapter_config import NAME as CONFIG_NAME
from replikk.engines.cosyvoice3.adapter_paths import ADAPTER_NAMES
from replikk.engines.cosyvoice3.checkpoint_layout import language_model_layout, projections
from replikk.engines.cosyvoice3.language_model import LanguageModel, published_keys
from replikk.engines.cosyvoice3.safetensors_files import write_safetensors
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes
from replikk.errors import ReplikkError
from replikk.files import write_atomic
from replikk.training.low_rank_product import low_rank_product

PUBLISHED_RANK, PUBLISHED_PARAMETERS = 24, 13_197_312
"""Rank of the published Norwegian LoRA, and its number of parameters at full size; a test holds us to it."""


class LowRankAdapter:
    """The factors of all projections of a model, which they change as long as they are attached.

    ``values`` float32 [parameters] is what is trained. ``factors`` maps ``MODULE.lora_A`` [rank, inputs] and
    ``MODULE.lora_B`` [outputs, rank], in the order of the layers, to views of it. A starts as PEFT starts it (uniform,
    Kaiming), B at zero: an untrained adapter changes nothing.
    """

    def __init__(self, model: LanguageModel, rank: int, alpha: float, seed: int) -> None:
        self.sizes, self.rank, self.alpha = model.sizes, rank, alpha
        layout = language_model_layout(model.sizes)
        self._shapes = {
            f"{module}.{factor}": (rank, inputs) if factor == "lora_A" else (outputs, rank)
            for modules in _adapted(model.sizes).values()
            for factor in ("lora_A", "lora_B")  # all A of a projection side by side: one matrix
            for module in modules
            for outputs, inputs in [layout[f"{module}.weight"]]
        }
        self.values = nn.Parameter(torch.zeros(adapter_size(model.sizes, rank), device=model.device))
        self.factors = self.parts_of(self.values)
        draws = torch.Generator().manual_seed(seed)
        for module in projections(model.sizes.layers):
            _, inputs = layout[f"{module}.weight"]
            bound = 1 / math.sqrt(inputs)  # kaiming_uniform with a = sqrt(5)
            self.factors[f"{module}.lora_A"].copy_((torch.rand(rank, inputs, generator=draws) * 2 - 1) * bound)
        self._in_use: dict[str, tuple[Tensor, ...]] = {}
        """Of the forward pass that runs: by projection, all its A as one, then its B."""
        self._handles = [
            model.get_submodule(name).register_forward_hook(self._adding(name, begins=number == 0))
            for number, name in enumerate(_adapted(model.sizes))
        ]

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    def detach(self) -> None:
        """Take the adapter off the model, which is then what it was."""
        for handle in self._handles:
            handle.remove()

    def parts_of(self, vector: Tensor) -> dict[str, Tensor]:
        """A vector that is laid out as ``values`` by the names of ``factors``; views of it, in the order of layers."""
        sizes = [rows * columns for rows, columns in self._shapes.values()]
        parts = vector.detach().split(sizes)
        found = {name: part.view(shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)}
        return {
            f"{module}.{factor}": found[f"{module}.{factor}"]
            for module in projections(self.sizes.layers)
            for factor in ("lora_A", "lora_B")
        }

    def vector_of(self, parts: Mapping[str, Tensor]) -> Tensor:
        """The other way round. Raises ReplikkError where the parts are not those of this adapter."""
        if {name: tuple(part.shape) for name, part in parts.items()} != self._shapes:
            raise ReplikkError("adapter: these factors belong to another model or another rank; start another run")
        return torch.cat([parts[name].flatten() for name in self._shapes]).to(self.values.device)

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Take over values by the names of ``factors``. Raises ReplikkError where they are not the same ones."""
        with torch.no_grad():
            self.values.copy_(self.vector_of(values))

    def _adding(self, name: str, begins: bool) -> Callable[[nn.Module, tuple[Any, ...], Tensor], Tensor]:
        def hook(_projection: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
            if begins:  # the first projection of a forward pass
                self._in_use = self._converted(output.dtype)
            down, *up = self._in_use[name]
            return low_rank_product(inputs[0], output, self.scale, down, up)

        return hook

    def _converted(self, dtype: torch.dtype) -> dict[str, tuple[Tensor, ...]]:
        """All factors in the type of the products, by projection; gradients flow back into ``values``."""
        matrices: list[tuple[int, int]] = []
        for modules in _adapted(self.sizes).values():
            inputs = self._shapes[f"{modules[0]}.lora_A"][1]
            matrices += [(self.rank * len(modules), inputs), *(self._shapes[f"{one}.lora_B"] for one in modules)]
        parts = iter(self.values.to(dtype).split([rows * columns for rows, columns in matrices]))
        shapes = iter(matrices)
        return {
            name: tuple(next(parts).view(next(shapes)) for _ in range(1 + len(modules)))
            for name, modules in _adapted(self.sizes).items()
        }


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
    ours = {id(adapter.values)} if adapter.values.requires_grad else set()
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
    """The adapter as PEFT saves one that was wrapped around the whole model; ``values`` as ``factors``.

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
    """What ``write_adapter`` wrote, by the names of ``LowRankAdapter.factors``."""
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
