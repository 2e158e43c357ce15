"""A LoRA, or a fine-tuned model, put into the base weights: in float32, at any strength, with an account of it.

``W' = W + strength * (target - W)``, where the target is what the file says the weight should be: the base weight (or
the file's own) plus ``scale * B @ A``. At strength 1 whole weights come out bit for bit as the file has them. A file in
16 bits differs from a float32 base everywhere by rounding alone; a weight that is the base's own, rounded, counts as
unchanged and stays exact.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from replikk.engines.cosyvoice3.adapters import Adapter, LowRank
from replikk.engines.cosyvoice3.checkpoint_layout import projections
from replikk.engines.cosyvoice3.sizes import LLM_LAYERS_PREFIX, count_parts
from replikk.errors import EngineError

log = logging.getLogger(__name__)

STRONGEST = 2.0
"""Past twice the trained change speech falls apart; larger numbers are typing errors such as 10 for 1.0."""


@dataclass(frozen=True)
class MergeReport:
    """How many weights an adapter changed, and by how much."""

    path: Path
    layout: str
    strength: float
    projections: int
    """Projections of the model: 168 at full size."""
    changed: dict[str, float]
    """Changed projections: relative Frobenius norm ``|W' - W| / |W|`` by module path."""
    others: dict[str, float]
    """The same for other changed weights, by key."""

    def summary(self) -> str:
        """One sentence for the log and the report."""
        text = f"{self.path}: {self.layout} at strength {self.strength:g}: {len(self.changed)} of {self.projections} "
        text += "projections changed"
        if self.changed:
            sizes = sorted(self.changed.values())
            text += f", by {sizes[0]:.2%} to {sizes[-1]:.2%} (middle {sizes[len(sizes) // 2]:.2%})"
        if self.others:
            text += f"; {len(self.others)} other weights, by up to {max(self.others.values()):.2%}"
        return text


def merge_adapter(
    base: Mapping[str, Tensor], adapter: Adapter, strength: float = 1.0
) -> tuple[dict[str, Tensor], MergeReport]:
    """The language model's weights with the adapter in them; ``base`` stays as it is, unchanged weights are shared.

    Raises EngineError where the adapter changes nothing, or ``strength`` is not above 0 and at most 2.
    """
    if not 0 < strength <= STRONGEST:
        raise EngineError(
            f"{adapter.path}: strength {strength:g} is not above 0 and at most {STRONGEST:g}; 1 is as trained, and "
            "leave the adapter out for the base model's voice"
        )
    known = set(projections(count_parts(base, LLM_LAYERS_PREFIX)))
    merged, changed, others = dict(base), {}, {}
    for key, before in base.items():
        module = key.removesuffix(".weight")
        low_rank = adapter.low_rank.get(module) if module != key else None
        target = _target(before, adapter.replaced.get(key), low_rank)
        if target is before or torch.equal(target, before):
            continue
        after = target if strength == 1 else before + strength * (target - before)
        size = relative_norm(after - before, before)
        if not math.isfinite(size):
            raise EngineError(f"{adapter.path}: makes values of '{key}' too large to be numbers; lower the strength")
        if module in known and module != key:
            changed[module] = size
        else:
            others[key] = size
        merged[key] = after
    if not changed and not others:
        why = (
            "its weights are the base model's own" if not adapter.low_rank else "all its lora_B are zero, as untrained"
        )
        raise EngineError(f"{adapter.path}: changes nothing ({why}); give the trained file, or leave the adapter out")
    report = MergeReport(adapter.path, adapter.layout, strength, len(known), changed, others)
    log.info("%s", report.summary())
    return merged, report


def relative_norm(change: Tensor, weight: Tensor) -> float:
    """``|change| / |weight|`` in Frobenius norms; any change of a weight that is all zeros counts as 1."""
    size = torch.linalg.vector_norm(change).item()
    whole = torch.linalg.vector_norm(weight).item()
    return size / whole if whole else float(size > 0)


def same_but_rounded(weight: Tensor, narrow: Tensor) -> bool:
    """Whether ``narrow``, of fewer bits, is ``weight`` rounded (or the same)."""
    return torch.equal(weight.to(narrow.dtype), narrow)


def _target(before: Tensor, replaced: Tensor | None, low_rank: LowRank | None) -> Tensor:
    """The weight as the adapter's file wants it, float32; ``before`` itself where it wants nothing else."""
    weight = before
    if replaced is not None:
        replaced = replaced.to(before.device)
        weight = before if same_but_rounded(before, replaced) else replaced.to(torch.float32)
    if low_rank is None:
        return weight
    a, b = (factor.to(before.device, torch.float32) for factor in (low_rank.a, low_rank.b))
    weight = weight + low_rank.scale * (b @ a)
    if low_rank.magnitude is not None:
        magnitude = low_rank.magnitude.to(before.device, torch.float32)
        weight = weight * (magnitude / torch.linalg.vector_norm(weight, dim=1))[:, None]
    return weight
