"""Merged weights back into a LoRA: the difference to the base, as factors of a given rank, and what they leave over.

Two uses. A download of 2 GB becomes an adapter of some tens of MB that PEFT reads. And it is an integrity test: the
difference that a LoRA of rank r made has rank r, so at that rank only rounding is left over; damaged or mixed-up
weights leave nearly all of themselves. A file in 16 bits leaves its rounding too, which can be as large as the change.

The best factors come from a truncated singular value decomposition, by subspace iteration: the difference is
multiplied with a few more random vectors than there are ranks, back and forth, and decomposed in that small space. In
float64, with draws of its own, so that a file always gives the same adapter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from replikk.engines.cosyvoice3.adapter_config import NAME as CONFIG_NAME
from replikk.engines.cosyvoice3.adapter_paths import ADAPTER_NAMES
from replikk.engines.cosyvoice3.adapters import LowRank
from replikk.engines.cosyvoice3.checkpoint_layout import LM_HEAD, projections
from replikk.engines.cosyvoice3.merging import relative_norm, same_but_rounded
from replikk.engines.cosyvoice3.safetensors_files import write_safetensors
from replikk.engines.cosyvoice3.sizes import LLM_LAYERS_PREFIX, count_parts
from replikk.errors import EngineError
from replikk.files import write_atomic

_MORE_VECTORS = 8
"""Beyond the rank: the usual oversampling of randomised decompositions."""
_ITERATIONS = 4
"""Each sharpens the subspace by the square of the ratio of singular values; 4 reach rounding where a gap exists."""


@dataclass(frozen=True)
class FactoredAdapter:
    """The LoRA part of a fine-tuned model."""

    rank: int
    low_rank: dict[str, LowRank]
    """By module path, scale 1."""
    residuals: dict[str, float]
    """What the factors leave over of each change D: ``|D - B A| / |D|``, by module path."""
    relative_residual: float
    """The same over all modules together."""
    others: dict[str, Tensor]
    """Changed weights that are no projections, whole: they go into the adapter as saved modules."""

    def summary(self) -> str:
        """One sentence for the log and the report."""
        worst = max(self.residuals, key=self.residuals.__getitem__)
        text = f"{len(self.low_rank)} projections at rank {self.rank} leave {self.relative_residual:.2e} of the change"
        text += f" (most in {worst}: {self.residuals[worst]:.2e})"
        return text + (f"; {len(self.others)} other weights changed and are kept whole" if self.others else "")


def factor_adapter(base: Mapping[str, Tensor], tuned: Mapping[str, Tensor], rank: int) -> FactoredAdapter:
    """Factors of what distinguishes ``tuned`` from ``base``, two language models by the published keys.

    Raises EngineError where they are not the same model's weights, or no projection differs.
    """
    if rank < 1:
        raise EngineError(f"rank {rank}: a LoRA has at least rank 1; common are 8 to 64")
    keys = [key for key in base if key != LM_HEAD]
    odd = [key for key in keys if key not in tuned or tuned[key].shape != base[key].shape]
    odd += [key for key in tuned if key not in base and key != LM_HEAD]
    if odd:
        raise EngineError(
            f"factoring: {len(odd)} weights are not in both models, or of other shapes: {', '.join(odd[:3])}; give two "
            "language models of the same sizes"
        )
    known = set(projections(count_parts(base, LLM_LAYERS_PREFIX)))
    low_rank: dict[str, LowRank] = {}
    residuals: dict[str, float] = {}
    others: dict[str, Tensor] = {}
    change_squared = left_squared = 0.0
    for number, key in enumerate(keys):
        if same_but_rounded(base[key], tuned[key]):
            continue
        module = key.removesuffix(".weight")
        if module not in known or module == key:
            others[key] = tuned[key].to(torch.float32).contiguous()
            continue
        difference = tuned[key].to(torch.float64) - base[key].to(torch.float64)
        b, a = _truncated(difference, rank, seed=number)
        low_rank[module] = LowRank(a.to(torch.float32), b.to(torch.float32), 1.0)
        left = difference - b @ a
        residuals[module] = relative_norm(left, difference)
        change_squared += difference.square().sum().item()
        left_squared += left.square().sum().item()
    if not low_rank:
        raise EngineError("factoring: no projection differs from the base model's; give a fine-tuned language model")
    return FactoredAdapter(rank, low_rank, residuals, (left_squared / change_squared) ** 0.5, others)


def write_peft_adapter(folder: Path, factored: FactoredAdapter) -> None:
    """The adapter as PEFT saves one that was wrapped around the whole model: weights and ``adapter_config.json``.

    Raises ReplikkError where the folder cannot be written.
    """
    tensors = {f"base_model.model.{key}": value for key, value in factored.others.items()}
    for module, change in factored.low_rank.items():
        tensors[f"base_model.model.{module}.lora_A.weight"] = change.a
        tensors[f"base_model.model.{module}.lora_B.weight"] = change.b * change.scale
    ranks = {module: change.rank for module, change in factored.low_rank.items() if change.rank != factored.rank}
    config = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": None,
        "r": factored.rank,
        "lora_alpha": factored.rank,  # so that the scale is 1
        "rank_pattern": ranks,
        "alpha_pattern": ranks,
        "target_modules": sorted(factored.low_rank),
        "modules_to_save": sorted({key.rpartition(".")[0] for key in factored.others}) or None,
        "lora_dropout": 0.0,
        "bias": "none",
        "use_rslora": False,
        "use_dora": False,
        "inference_mode": True,
    }
    write_safetensors(folder / ADAPTER_NAMES[0], tensors)
    write_atomic(folder / CONFIG_NAME, json.dumps(config, indent=2, sort_keys=True).encode() + b"\n")


def _truncated(difference: Tensor, rank: int, seed: int) -> tuple[Tensor, Tensor]:
    """Factors b [out, rank] and a [rank, in] of the nearest matrix of that rank, both equally large."""
    columns = min(rank + _MORE_VECTORS, *difference.shape)
    draws = torch.Generator().manual_seed(seed)
    start = torch.randn(difference.shape[1], columns, generator=draws, dtype=torch.float64)
    basis = torch.linalg.qr(difference @ start).Q  # [out, columns]
    for _ in range(_ITERATIONS):
        basis = torch.linalg.qr(difference @ torch.linalg.qr(difference.T @ basis).Q).Q
    left, values, right = torch.linalg.svd(basis.T @ difference, full_matrices=False)
    kept = min(rank, len(values))
    root = values[:kept].sqrt()
    return basis @ (left[:, :kept] * root), root[:, None] * right[:kept]
