"""What the residual of a factoring means, in words: is this file a LoRA of that rank over this base?

Rounding leaves something over even of a true LoRA. How much is known: a stored weight is off by at most half a step of
its number format, and a product ``B @ A`` that a GPU computed in TF32 by about a two-thousandth. What is left beyond
that has one of a few causes, and they look different: one projection alone (damage), a higher rank (the singular values
of the change end later), a change of full rank in all of them (another base, or all weights were trained), or a file in
16 bits whose rounding covers the change, where nothing can be said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from replikk.engines.cosyvoice3.factor import FactoredAdapter

_ARITHMETIC = 2.0**-9
"""Relative to the change: four roundings of TF32 (2**-11 each), the coarsest arithmetic that adapters are merged in."""
_STORED_ROUNDINGS = 4.0
"""Half steps of the file's format that may lie between its weights and exact ones: merging, averaging, saving."""
_COVERED = 0.25
"""Where rounding may make up this share of a change, a residual within it says nothing any more."""
_NEARLY = 0.1
"""A residual below this is too small for a change that knows nothing of the rank, and too large for rounding."""
_NOISE_MARGIN = 1.5
"""Over the expected largest singular value of rounding noise, rms * (sqrt(rows) + sqrt(columns))."""


@dataclass(frozen=True)
class RankVerdict:
    """``fits`` is None where rounding hides the answer."""

    fits: bool | None
    sentence: str


def judge_factoring(
    base: Mapping[str, Tensor],
    tuned: Mapping[str, Tensor],
    factored: FactoredAdapter,
    stored: Mapping[str, torch.dtype],
    other_base: str,
) -> RankVerdict:
    """What ``factored``, made of ``base`` and ``tuned``, says about the file that ``tuned`` is from.

    ``stored`` is the number format of the file by key, float32 where it has none; ``other_base`` names the language
    model that the file may belong to instead.
    """
    rank = factored.rank
    smallest = min(min(base[f"{module}.weight"].shape) for module in factored.low_rank)
    if 2 * rank > smallest:
        return RankVerdict(
            None,
            f"rank {rank} is so high that changes of any kind fit: the smallest projection has {smallest} rows or "
            f"columns; to find out whether it is a LoRA, give at most --rank {smallest // 2}",
        )
    misfits, covered = [], 0
    for module, residual in factored.residuals.items():
        key = f"{module}.weight"
        rounding = _STORED_ROUNDINGS * _half_step(stored.get(key)) * _norm(tuned[key]) / _norm(tuned[key] - base[key])
        covered += rounding > _COVERED
        if residual > _ARITHMETIC + rounding:
            misfits.append(module)
    count = len(factored.residuals)
    if not misfits and 2 * covered > count:
        return RankVerdict(
            None,
            f"whether it is a LoRA of rank {rank} cannot be told: the rounding of its 16-bit weights is about as large "
            "as what was trained; take the float32 file",
        )
    if not misfits:
        others = f", with other weights changed as a whole ({len(factored.others)})" if factored.others else ""
        return RankVerdict(
            True, f"it is a LoRA of rank {rank} over this base{others}: nothing but rounding is left over"
        )
    if 2 * len(misfits) <= count:
        shown = ", ".join(misfits[:3]) + (" …" if len(misfits) > 3 else "")
        return RankVerdict(
            False,
            f"it is no LoRA of rank {rank} in {len(misfits)} of {count} projections ({shown}), and is one in the "
            "others: these were damaged or trained otherwise; compare the file's sha256 with its publisher's",
        )
    middle = sorted(misfits, key=factored.residuals.__getitem__)[len(misfits) // 2]
    key = f"{middle}.weight"
    found = change_rank(base[key], tuned[key], stored.get(key))
    if rank < found <= min(base[key].shape) // 2:
        return RankVerdict(
            False,
            f"it is no LoRA of rank {rank} over this base, but may be one of rank {found} (the change of {middle} has "
            f"that rank): try --rank {found}; or it belongs to another base ({other_base}?)",
        )
    if factored.relative_residual < _NEARLY and not factored.others:  # another base differs outside projections too
        return RankVerdict(
            False,
            f"it is nearly a LoRA of rank {rank} over this base: all but {factored.relative_residual:.1%} of the "
            "change is, as in weights that were averaged after merging, or merged in coarse arithmetic",
        )
    return RankVerdict(
        False,
        f"it is no LoRA over this base, neither of rank {rank} nor of another small one: it may belong to another base "
        f"({other_base}?), or all weights were trained",
    )


def change_rank(before: Tensor, after: Tensor, stored: torch.dtype | None = None) -> int:
    """The rank of ``after - before`` [rows, columns] above the rounding of numbers stored as ``stored``."""
    change = after.to(torch.float64) - before.to(torch.float64)
    rows, columns = change.shape
    noise = (_half_step(stored) * _norm(after) + _ARITHMETIC / 4 * _norm(change)) / (rows * columns) ** 0.5  # rms
    floor = _NOISE_MARGIN * noise * (rows**0.5 + columns**0.5)
    return int((torch.linalg.svdvals(change) > floor).sum())


def _half_step(stored: torch.dtype | None) -> float:
    """Largest relative error of rounding to a number format."""
    return torch.finfo(stored or torch.float32).eps / 2


def _norm(tensor: Tensor) -> float:
    return float(torch.linalg.vector_norm(tensor))
