"""What the flow's transformer is told about a line: the mean of each frame, the reference's frames and its speaker.

    speech tokens (reference + line) -> embedding -> two convolutions, the first of which looks 3 tokens ahead
      -> each token twice -> means [rows, frames, 80]
    speaker embedding -> unit length -> projection [rows, 80]
    reference mel, then zeros [rows, frames, 80]

Padded rows are exact: padding is zero where the published code pads with zeros, that is before the convolution that
looks ahead, and later layers only look back. All of this is float32; it costs nothing beside the transformer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from replikk.engines.cosyvoice3.records import FRAMES_PER_TOKEN

LEAKY_SLOPE = 0.01


@dataclass(frozen=True)
class ConditioningWeights:
    """Everything of the flow before its transformer, float32."""

    tokens: Tensor  # [speech vocabulary, mel_bins]
    speaker: tuple[Tensor, Tensor]  # [mel_bins, 192], [mel_bins]
    look_ahead: tuple[Tensor, Tensor]  # [channels, mel_bins, kernel], [channels]
    look_back: tuple[Tensor, Tensor]  # [mel_bins, channels, kernel], [mel_bins]


@dataclass(frozen=True)
class Conditions:
    """The conditions of a batch of lines, float32; frames past ``lengths`` mean nothing."""

    means: Tensor  # [lines, frames, mel_bins]
    reference: Tensor  # [lines, frames, mel_bins]
    speaker: Tensor  # [lines, mel_bins]
    lengths: tuple[int, ...]
    """Frames of each line, the reference's included."""


def conditioning_weights(state: Mapping[str, Tensor], device: torch.device) -> ConditioningWeights:
    """Takes these layers out of a flow checkpoint."""

    def layer(name: str) -> tuple[Tensor, Tensor]:
        return read(f"{name}.weight"), read(f"{name}.bias")

    def read(key: str) -> Tensor:
        return state[key].to(device, torch.float32, copy=True)

    return ConditioningWeights(
        tokens=read("input_embedding.weight"),
        speaker=layer("spk_embed_affine_layer"),
        look_ahead=layer("pre_lookahead_layer.conv1"),
        look_back=layer("pre_lookahead_layer.conv2"),
    )


def token_means(weights: ConditioningWeights, tokens: Tensor, lengths: Tensor, final: bool = True) -> Tensor:
    """The mean of each mel frame, [lines, 2 * tokens, mel_bins].

    ``tokens`` [lines, tokens] is padded on the right with anything, ``lengths`` [lines] are the tokens that count.
    Without ``final`` more tokens will follow: the last 3 only show what comes, and give no frames.
    """
    known = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
    embedded = F.embedding(tokens.clamp(min=0), weights.tokens) * known[..., None]
    ahead = weights.look_ahead[0].shape[-1] - 1
    x = embedded.transpose(1, 2)
    x = F.leaky_relu(F.conv1d(F.pad(x, (0, ahead if final else 0)), *weights.look_ahead), LEAKY_SLOPE)
    x = F.conv1d(F.pad(x, (weights.look_back[0].shape[-1] - 1, 0)), *weights.look_back).transpose(1, 2)
    return (x + embedded[:, : x.shape[1]]).repeat_interleave(FRAMES_PER_TOKEN, dim=1)


def speaker_vector(weights: ConditioningWeights, speaker: Tensor) -> Tensor:
    """Speaker embeddings [lines, 192] as the transformer takes them, [lines, mel_bins]."""
    return F.linear(F.normalize(speaker, dim=-1), *weights.speaker)


def look_ahead_tokens(weights: ConditioningWeights) -> int:
    """Tokens that a frame must know beyond its own."""
    return weights.look_ahead[0].shape[-1] - 1


def line_conditions(
    weights: ConditioningWeights,
    tokens: Sequence[Tensor],
    reference_mels: Sequence[Tensor],
    speakers: Sequence[Tensor],
    final: bool = True,
) -> Conditions:
    """Conditions of several lines, padded to the longest.

    ``tokens`` are each line's tokens with its reference's in front [tokens], ``reference_mels`` the frames of the
    references [frames, mel_bins], ``speakers`` their embeddings [192].
    """
    device = weights.tokens.device
    counts = torch.tensor([len(line) for line in tokens], device=device)
    padded = torch.nn.utils.rnn.pad_sequence([line.to(device).long() for line in tokens], batch_first=True)
    means = token_means(weights, padded, counts, final)
    reference = torch.zeros_like(means)
    for row, mel in zip(reference, reference_mels, strict=True):
        row[: len(mel)] = mel
    hidden_tokens = 0 if final else look_ahead_tokens(weights)
    return Conditions(
        means=means,
        reference=reference,
        speaker=speaker_vector(weights, torch.stack([speaker.to(device).float() for speaker in speakers])),
        lengths=tuple(FRAMES_PER_TOKEN * (len(line) - hidden_tokens) for line in tokens),
    )
