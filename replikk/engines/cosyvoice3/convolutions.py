"""Convolutions of the vocoder, made ready once at load.

Their weights are stored as direction and length (weight norm): weight = gain * direction / |direction|, where the
length is taken over input channels and kernel. The published code does this on every call; here it is folded.

A stage of the vocoder repeats every column ``rate`` times and then looks back over ``kernel`` repeated columns. Most of
what it multiplies is the same column again: ``rate`` short kernels over the columns themselves, one for each place in
the repetition, give the same sums with a fifth to a half of the work (``repeated_then``).

Layout: tensors are [lines, channels, columns] to whoever reads the code, and lie in memory with the channels of a
column side by side (``padded`` makes them so, every operation keeps it). Convolutions take them as images one row high,
the form in which kernels know this layout. With the other one every call lays input and output out anew; on a CPU that
is a sixth of the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from replikk.engines.cosyvoice3.sizes import weight_norm_keys


@dataclass(frozen=True)
class Convolution:
    """A one-dimensional convolution."""

    weight: Tensor  # [out, in, kernel]
    bias: Tensor  # [out]

    def __call__(self, x: Tensor, dilation: int = 1, stride: int = 1) -> Tensor:
        """Only where the kernel lies within ``x`` [lines, in, columns]."""
        image, weight = x[:, :, None], self.weight[:, :, None]
        return F.conv2d(image, weight, self.bias, stride=(1, stride), dilation=(1, dilation)).squeeze(2)

    @property
    def reach(self) -> int:
        """Columns beside its own that the kernel sees, undilated."""
        return self.weight.shape[-1] - 1

    def looking_back(self, x: Tensor, dilation: int = 1) -> Tensor:
        """As many columns as ``x`` has; before its beginning there is 0."""
        return self(padded(x, self.reach * dilation), dilation)


@dataclass(frozen=True)
class UpsamplingConvolution:
    """Repeats every column ``rate`` times and looks back over the repeated ones, see ``repeated_then``."""

    convolution: Convolution  # weight [rate * out, in, columns]
    rate: int

    def __call__(self, x: Tensor) -> Tensor:
        """[lines, in, columns] -> [lines, out, rate * columns]."""
        places = self.convolution.looking_back(x).transpose(1, 2)  # [lines, columns, rate * out]
        # In memory the places of a column already stand one after the other.
        return places.unflatten(2, (self.rate, -1)).flatten(1, 2).transpose(1, 2)


def padded(x: Tensor, left: int, right: int = 0) -> Tensor:
    """[lines, channels, columns] with zeros around the columns, in the layout of this module."""
    lines, channels, columns = x.shape
    whole = x.new_empty(lines, left + columns + right, channels).transpose(1, 2)
    whole[..., :left] = 0
    whole[..., left : left + columns] = x
    whole[..., left + columns :] = 0
    return whole


def folded_convolution(
    state: Mapping[str, Tensor], name: str, device: torch.device, dtype: torch.dtype = torch.float32
) -> Convolution:
    """The convolution ``name`` of a vocoder checkpoint, whether its weights are normed (old or new names) or plain."""
    if f"{name}.weight" in state:
        weight = state[f"{name}.weight"].to(dtype, copy=True)
    else:
        gain, direction = (state[key].to(dtype) for key in weight_norm_keys(state, name))
        weight = gain * direction / direction.norm(dim=(1, 2), keepdim=True)
    return Convolution(_channels_together(weight.to(device)), state[f"{name}.bias"].to(device, dtype, copy=True))


def _channels_together(weight: Tensor) -> Tensor:
    """[out, in, kernel] in the layout of this module if it is float32; there are no such kernels for float64."""
    return weight.transpose(1, 2).contiguous().transpose(1, 2) if weight.dtype == torch.float32 else weight


def repeated_then(convolution: Convolution, rate: int) -> UpsamplingConvolution:
    """Repetition and convolution in one.

    Column ``rate * n + place`` of the result sees, through tap k of the kernel, the repeated column
    ``rate * n + place - (kernel - 1) + k``, which is column ``n + floor((place - (kernel - 1) + k) / rate)`` of the
    input: taps that meet the same column are added up.
    """
    weight = convolution.weight
    out, inputs, kernel = weight.shape
    back = (kernel - 1 + rate - 1) // rate  # columns of the input before its newest
    short = weight.new_zeros(rate, out, inputs, back + 1, dtype=torch.float64)
    for place in range(rate):
        for k in range(kernel):
            short[place, ..., back + (place - (kernel - 1) + k) // rate] += weight[..., k]
    return UpsamplingConvolution(
        Convolution(_channels_together(short.flatten(0, 1).to(weight.dtype)), convolution.bias.repeat(rate)), rate
    )
