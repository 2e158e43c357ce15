"""What the low-rank factors of a fused projection add to its result, with a backward pass of its own.

    y[:, rows of i] += scale * x A_i^T B_i^T        for each module i of the projection

Left to itself, PyTorch keeps more of it for the backward pass, and starts more small kernels forth and back. Products
run in the type of the projection's result, and sums in float32 inside of them. The result is changed in place: nobody
needs what the projection gave by itself, not even for its gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def low_rank_product(inputs: Tensor, output: Tensor, scale: float, down: Tensor, up: Sequence[Tensor]) -> Tensor:
    """``output`` [.., outputs] with the sum added, in place.

    ``inputs`` [.., inputs]; ``down`` [modules * rank, inputs] all A of the projection; ``up`` one B [rows, rank] for
    each module, in the order of the output's columns. Factors and output are of one type.
    """
    added: Tensor = _LowRankProduct.apply(inputs, output, scale, down, *up)
    return added


class _LowRankProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, output: Tensor, scale: float, down: Tensor, *up: Tensor) -> Tensor:
        rows = inputs.flatten(0, -2).to(down.dtype)  # [positions, inputs]
        inner = torch.mm(rows, down.T).mul_(scale)  # [positions, modules * rank]
        for part, b, columns in zip(inner.split(up[0].shape[1], dim=1), up, _columns(output, up), strict=True):
            columns.addmm_(part, b.T)
        ctx.save_for_backward(rows, inner, down, *up)
        ctx.scale, ctx.shape, ctx.dtype = scale, inputs.shape, inputs.dtype
        ctx.mark_dirty(output)
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        rows, inner, down, *up = ctx.saved_tensors
        columns = _columns(gradient, up)
        into_up = [
            part.T @ of_inner for part, of_inner in zip(columns, inner.split(up[0].shape[1], dim=1), strict=True)
        ]
        into_inner = torch.cat([part @ b for part, b in zip(columns, up, strict=True)], dim=1).mul_(ctx.scale)
        into_inputs = (into_inner @ down).view(ctx.shape).to(ctx.dtype) if ctx.needs_input_grad[0] else None
        return into_inputs, gradient, None, into_inner.T @ rows, *into_up


def _columns(whole: Tensor, up: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The columns of each module, [positions, rows of its B] each."""
    return whole.flatten(0, -2).split([len(b) for b in up], dim=1)
