"""What the flow's transformer knows about the moment of the solver: scales, shifts and gates of every block.

They come from the time alone, through layers that hold two fifths of the flow's weights (0.55 of 1.3 GB). The solver
visits the same ten moments for every line, so the engine computes their modulations once at load and lets the layers
go; other moments (training draws them freely) need them kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from replikk.engines.cosyvoice3.sizes import FlowSizes

PREFIX = "decoder.estimator."
TIME_SCALE = 1000  # the time 0 to 1 is embedded as if it were a step number 0 to 1000
LONGEST_PERIOD = 10_000  # of the sines of the time embedding
PARTS = 6  # shift, scale and gate of attention, then of feed-forward


@dataclass(frozen=True)
class Modulation:
    """Modulations of some moments, float32; a single row serves all rows of a batch."""

    blocks: Tensor  # [rows, blocks, 6, hidden]: shift, scale, gate of attention, then of feed-forward
    final: Tensor  # [rows, 2, hidden]: scale, shift (in this order)

    def row(self, i: int) -> Modulation:
        """One moment alone."""
        return Modulation(self.blocks[i : i + 1], self.final[i : i + 1])

    def to(self, device: torch.device) -> Modulation:
        """The same on another device."""
        return Modulation(self.blocks.to(device), self.final.to(device))


@dataclass(frozen=True)
class TimeWeights:
    """The layers from time to modulation, as the checkpoint has them."""

    first: tuple[Tensor, Tensor]
    second: tuple[Tensor, Tensor]
    blocks: tuple[tuple[Tensor, Tensor], ...]
    final: tuple[Tensor, Tensor]
    features: int


def time_weights(state: Mapping[str, Tensor], sizes: FlowSizes) -> TimeWeights:
    """Takes the layers out of a flow checkpoint, without copying them: a memory-mapped file stays on disk."""

    def layer(name: str) -> tuple[Tensor, Tensor]:
        return state[f"{PREFIX}{name}.weight"], state[f"{PREFIX}{name}.bias"]

    return TimeWeights(
        first=layer("time_embed.time_mlp.0"),
        second=layer("time_embed.time_mlp.2"),
        blocks=tuple(layer(f"transformer_blocks.{i}.attn_norm.linear") for i in range(sizes.blocks)),
        final=layer("norm_out.linear"),
        features=sizes.time_features,
    )


def modulation_at(weights: TimeWeights, times: Tensor) -> Modulation:
    """Modulations of the moments ``times`` [rows], each in 0 to 1; float32, where the weights are."""

    def linear(x: Tensor, layer: tuple[Tensor, Tensor]) -> Tensor:
        return F.linear(x, layer[0].float(), layer[1].float())

    moment = linear(time_features(times, weights.features), weights.first)
    moment = F.silu(linear(F.silu(moment), weights.second))
    blocks = [linear(moment, layer).unflatten(-1, (PARTS, -1)) for layer in weights.blocks]
    return Modulation(torch.stack(blocks, dim=1), linear(moment, weights.final).unflatten(-1, (2, -1)))


def time_features(times: Tensor, features: int) -> Tensor:
    """Sines, then cosines, of a time at periods from fast to slow: [rows] -> [rows, features]."""
    half = features // 2
    slowing = torch.arange(half, device=times.device, dtype=torch.float32) * -(math.log(LONGEST_PERIOD) / (half - 1))
    angle = TIME_SCALE * times.float()[:, None] * slowing.exp()
    return torch.cat((angle.sin(), angle.cos()), dim=-1)
