"""The flow's transformer (DiT): which way the noisy mel frames should move at one moment of the solver.

    noisy mel, reference mel, token means, speaker  [rows, frames, 80] each
      -> one projection to the hidden size, plus two causal convolutions that tell a frame where it stands
      -> blocks of self-attention and feed-forward, each normalised with a scale and a shift that depend on the moment
      -> velocity [rows, frames, 80]

Three peculiarities of the published network are kept, because its weights were trained with them: only the first head
knows positions (the rotary embedding is applied before the heads are split and reaches one head's channels); the
position convolutions do not know about padding (they only look back, so padding on the right cannot reach a frame);
in a padded batch the padding is hidden from attention alone. The result of a padded row is defined on its own frames.

Precision: matrix products and attention run in ``matmul_dtype``; the stream of frames between blocks, normalisation and
the way in and out stay float32. (The attention kernels of torch accumulate scores and softmax in float32 for the
16-bit types too.)

What depends on the moment alone is not computed here, see ``flow_modulation``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from replikk.engines.cosyvoice3.flow_modulation import Modulation
from replikk.engines.cosyvoice3.projection import can_pack
from replikk.engines.cosyvoice3.sizes import FlowSizes

NORM_EPSILON = 1e-6
PACKED_FOR_ROWS = 600
"""Frames that a product on a CPU has, guidance rows included: a line of 3 s with its reference."""
PREFIX = "decoder.estimator."


@dataclass(frozen=True)
class Linear:
    """Weights of a linear layer, [out, in] and [out]."""

    weight: Tensor
    bias: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        if self.weight.is_mkldnn:
            return torch.ops.mkldnn._linear_pointwise(x, self.weight, self.bias, "none", [], "")
        return F.linear(x, self.weight, self.bias)

    def packed(self) -> Linear:
        """The same for a CPU in bfloat16, where that is possible: laid out once, not at every call, which takes a fifth
        of the product's time there (a twentieth in float32); see ``projection``. Has no gradients."""
        if self.weight.dtype != torch.bfloat16 or not can_pack(self.weight):
            return self
        return Linear(torch.ops.mkldnn._reorder_linear_weight(self.weight, PACKED_FOR_ROWS), self.bias)


@dataclass(frozen=True)
class BlockWeights:
    """One block; the projections of query, key and value are one matrix."""

    query_key_value: Linear
    attention_out: Linear
    widen: Linear
    narrow: Linear


@dataclass(frozen=True)
class TransformerWeights:
    """The whole network without what depends on the solver's moment."""

    entry: Linear
    position_convolutions: tuple[Linear, Linear]  # weights [hidden, hidden / groups, kernel]
    blocks: tuple[BlockWeights, ...]
    exit: Linear
    inverse_frequencies: Tensor  # [head_dim / 2]


def transformer_weights(
    state: Mapping[str, Tensor], sizes: FlowSizes, device: torch.device, matmul_dtype: torch.dtype, pack: bool = False
) -> TransformerWeights:
    """Takes the network out of a flow checkpoint; ``pack``: laid out for the device, no training after that."""

    def linear(*names: str, dtype: torch.dtype = matmul_dtype) -> Linear:
        parts = [
            torch.cat([state[f"{PREFIX}{name}.{kind}"] for name in names]).to(device, dtype)
            for kind in ("weight", "bias")
        ]
        return Linear(*parts)

    def product(*names: str) -> Linear:
        layer = linear(*names)
        return layer.packed() if pack else layer

    blocks = []
    for i in range(sizes.blocks):
        block = f"transformer_blocks.{i}."
        blocks.append(
            BlockWeights(
                query_key_value=product(*(f"{block}attn.to_{x}" for x in "qkv")),
                attention_out=product(f"{block}attn.to_out.0"),
                widen=product(f"{block}ff.ff.0.0"),
                narrow=product(f"{block}ff.ff.2"),
            )
        )
    return TransformerWeights(
        entry=linear("input_embed.proj", dtype=torch.float32),
        position_convolutions=(
            linear("input_embed.conv_pos_embed.conv1.0"),
            linear("input_embed.conv_pos_embed.conv2.0"),
        ),
        blocks=tuple(blocks),
        exit=linear("proj_out", dtype=torch.float32),
        inverse_frequencies=state[PREFIX + "rotary_embed.inv_freq"].to(device, torch.float32, copy=True),
    )


def attention_mask(
    lengths: Tensor, frames: int, block_frames: int | None = None, *, padded: bool = True
) -> Tensor | None:
    """Which frames (last dimension) a frame may look at, bool [rows or 1, 1, frames or 1, frames]; None if all.

    ``lengths`` [rows] are the rows' own frames, of which there are fewer than ``frames`` only if ``padded``. With
    ``block_frames`` a frame sees no further than the end of its own block of so many frames (streaming).
    """
    position = torch.arange(frames, device=lengths.device)
    within = (position < lengths[:, None])[:, None, None, :] if padded else None
    if block_frames is None:
        return within
    block_end = (position // block_frames + 1) * block_frames
    reached = (position < block_end[:, None])[None, None]
    return reached if within is None else reached & within


def rotation(inverse_frequencies: Tensor, frames: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding, float32 [frames, head_dim / 2]."""
    position = torch.arange(frames, device=inverse_frequencies.device, dtype=torch.float32)
    angle = torch.outer(position, inverse_frequencies)
    return angle.cos(), angle.sin()


def velocity(
    weights: TransformerWeights,
    sizes: FlowSizes,
    inputs: Tensor,
    modulation: Modulation,
    mask: Tensor | None,
) -> Tensor:
    """One evaluation of the network.

    ``inputs`` [rows, frames, 4 * mel_bins] holds noisy mel, reference mel, token means and speaker side by side. Gives
    float32 [rows, frames, mel_bins].
    """
    h = weights.entry(inputs)
    h = h + _positions(weights, sizes, h)
    turn = rotation(weights.inverse_frequencies, h.shape[1])
    for i, block in enumerate(weights.blocks):
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = modulation.blocks[:, i].unbind(1)
        normed = _adaptive_norm(h, scale_a, shift_a).to(block.widen.weight.dtype)
        h = torch.addcmul(h, gate_a[:, None], _attention(block, sizes, normed, turn, mask))
        normed = _adaptive_norm(h, scale_m, shift_m).to(block.widen.weight.dtype)
        h = torch.addcmul(h, gate_m[:, None], block.narrow(F.gelu(block.widen(normed), approximate="tanh")))
    scale, shift = modulation.final.unbind(1)
    return weights.exit(_adaptive_norm(h, scale, shift))


def _adaptive_norm(h: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Layer norm of [rows, frames, hidden] with a scale and shift [rows or 1, hidden] of the moment."""
    if len(scale) == 1:  # all rows at the same moment, as in the solver: one fused pass
        return F.layer_norm(h, h.shape[-1:], scale[0] + 1, shift[0], NORM_EPSILON)
    return F.layer_norm(h, h.shape[-1:], eps=NORM_EPSILON) * (scale[:, None] + 1) + shift[:, None]


def _positions(weights: TransformerWeights, sizes: FlowSizes, h: Tensor) -> Tensor:
    """What the causal convolutions say, [rows, frames, hidden]."""
    x = h.transpose(1, 2).to(weights.position_convolutions[0].weight.dtype)
    for convolution in weights.position_convolutions:
        x = F.pad(x, (sizes.position_kernel - 1, 0))
        x = F.mish(F.conv1d(x, convolution.weight, convolution.bias, groups=sizes.position_groups))
    return x.transpose(1, 2)


def _attention(
    block: BlockWeights, sizes: FlowSizes, normed: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor | None
) -> Tensor:
    """Self-attention over [rows, frames, hidden], out projection included."""
    heads = block.query_key_value(normed).unflatten(-1, (3, sizes.heads, sizes.head_dim))
    query, key, value = heads.unbind(2)  # [rows, frames, heads, head_dim] each
    query, key = _rotate_first_head(query, turn), _rotate_first_head(key, turn)
    mixed = F.scaled_dot_product_attention(
        query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=mask
    )
    return block.attention_out(mixed.transpose(1, 2).flatten(2))


def _rotate_first_head(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turns the channel pairs (0, 1), (2, 3), … of head 0 of [rows, frames, heads, head_dim], computed in float32."""
    cosine, sine = turn
    even, odd = x[..., 0, :].float().unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((even * cosine - odd * sine, odd * cosine + even * sine), dim=-1).flatten(-2)
    return torch.cat((turned.to(x.dtype)[..., None, :], x[..., 1:, :]), dim=-2)
