"""A matrix product with weights, which on the CPU can be laid out for the few rows of decoding.

PyTorch's usual product lays the weights out anew at every call. That costs nothing with one row, where a kernel reads
them as they are, and doubles the time with eight. oneDNN's prepacked layout is made once. The operators are those that
PyTorch's own compiler uses; they are not part of its public interface, so their absence is no error: weights then stay
as they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

PACKED_FOR_ROWS = 8
"""oneDNN lays weights out for a number of rows; 8 is right for decoding and costs a prefill of 120 rows nothing
(measured: 16.0 ms packed, 16.8 ms not, 9728 x 896)."""


class Projection(nn.Module):
    """A matrix product, ``[.., inputs] -> [.., outputs]``; on the CPU its weights can be laid out for few rows."""

    def __init__(self, outputs: int, inputs: int, bias: bool) -> None:
        super().__init__()
        self.weight: nn.Parameter | None = nn.Parameter(torch.empty(outputs, inputs, device="meta"))
        self.bias = nn.Parameter(torch.empty(outputs, device="meta")) if bias else None
        self.shape = (outputs, inputs)
        self.packed: Tensor | None = None
        self.dtype = torch.float32

    def pack(self) -> None:
        """Replaces the weights by oneDNN's layout: half the time of a product with 8 rows, and no gradients."""
        if self.weight is not None and can_pack(self.weight):
            self.dtype = self.weight.dtype
            self.packed = torch.ops.mkldnn._reorder_linear_weight(self.weight.detach(), PACKED_FOR_ROWS)
            self.weight = None

    def forward(self, inputs: Tensor) -> Tensor:
        if self.weight is not None:
            return functional.linear(inputs.to(self.weight.dtype), self.weight, self.bias)
        return torch.ops.mkldnn._linear_pointwise(inputs.to(self.dtype), self.packed, self.bias, "none", [], "")


def can_pack(weight: Tensor) -> bool:
    """Whether this PyTorch has oneDNN's products for weights like these on the device where they lie."""
    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return False
    if not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return False
    if weight.dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return weight.dtype == torch.float32
