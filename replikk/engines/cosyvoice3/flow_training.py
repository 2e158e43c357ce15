"""The loss that the flow was trained with: how far the transformer's velocity is from the straight way.

Between noise z at time 0 and a recording's mel at time 1 the way is a straight line (bent by 1e-6, as published); at a
random moment of it the transformer must see its direction. Part of the recording may be shown as reference, a fifth of
the samples are told nothing (that is what guidance needs), and half of the batches have the streaming mask.

Draws and loss are apart, so that the loss of given draws can be compared with the published one. Dropout (0.1 in the
published recipe) is not part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from replikk.engines.cosyvoice3.flow import Flow
from replikk.engines.cosyvoice3.flow_conditioning import speaker_vector, token_means
from replikk.engines.cosyvoice3.records import FRAMES_PER_TOKEN
from replikk.errors import EngineError

SMALLEST_SPREAD = 1e-6
"""What is left of the noise at time 1."""
UNTOLD_SHARE = 0.2
"""Samples with a draw up to this are told nothing."""
UNREFERENCED_SHARE = 0.5
LONGEST_REFERENCE = 0.3
"""Of a sample's frames, where it has a reference at all."""
STREAMING_SHARE = 0.5


@dataclass(frozen=True)
class TrainingBatch:
    """Recordings as tokens and mel, padded on the right."""

    tokens: Tensor  # int64 [samples, tokens]
    token_counts: Tensor  # int64 [samples]
    mel: Tensor  # float32 [samples, frames, mel_bins]
    frame_counts: Tensor  # int64 [samples], twice the tokens
    speakers: Tensor  # float32 [samples, 192]


@dataclass(frozen=True)
class TrainingDraws:
    """All that is random in one step."""

    times: Tensor  # float32 [samples], uniform
    noise: Tensor  # float32 [samples, frames, mel_bins], normal
    untold: Tensor  # float32 [samples], uniform: a sample is told nothing where this is at most 0.2
    reference_frames: Sequence[int]
    streaming: bool


def draw(batch: TrainingBatch, generator: torch.Generator) -> TrainingDraws:
    """Draws for a batch as the published recipe distributes them, from a generator on the CPU."""
    samples = len(batch.tokens)
    reference_frames = []
    for frames in batch.frame_counts.tolist():
        without = torch.rand((), generator=generator).item() < UNREFERENCED_SHARE
        most = max(1, int(LONGEST_REFERENCE * frames))
        reference_frames.append(0 if without else int(torch.randint(most, (), generator=generator)))
    return TrainingDraws(
        times=torch.rand(samples, generator=generator),
        noise=torch.randn(batch.mel.shape, generator=generator),
        untold=torch.rand(samples, generator=generator),
        reference_frames=tuple(reference_frames),
        streaming=torch.rand((), generator=generator).item() < STREAMING_SHARE,
    )


def reference_part(batch: TrainingBatch, frames: Sequence[int]) -> Tensor:
    """The first ``frames`` of each sample's mel, zero after them, [samples, frames, mel_bins]."""
    position = torch.arange(batch.mel.shape[1], device=batch.mel.device)
    shown = position < torch.as_tensor(frames, device=batch.mel.device)[:, None]
    return batch.mel * shown[..., None]


def flow_loss(flow: Flow, batch: TrainingBatch, draws: TrainingDraws) -> Tensor:
    """Mean squared error of the velocity over the batch's own frames, a float32 scalar on the flow's device.

    Raises EngineError if a sample has not twice as many frames as tokens.
    """
    if not torch.equal(batch.frame_counts.cpu().long(), FRAMES_PER_TOKEN * batch.token_counts.cpu().long()):
        raise EngineError("flow training: every recording needs two mel frames a token; cut both to the shorter one")
    device = flow.device
    mel, noise = batch.mel.to(device), draws.noise.to(device)
    times = draws.times.to(device)[:, None, None]
    means = token_means(flow.conditioning, batch.tokens.to(device), batch.token_counts.to(device))
    speaker = speaker_vector(flow.conditioning, batch.speakers.to(device))[:, None].expand_as(means)
    reference = reference_part(batch, draws.reference_frames).to(device)
    told = torch.cat((reference, means, speaker), dim=-1) * (draws.untold.to(device) > UNTOLD_SHARE)[:, None, None]
    on_the_way = (1 - (1 - SMALLEST_SPREAD) * times) * noise + times * mel
    direction = mel - (1 - SMALLEST_SPREAD) * noise
    frame_counts = batch.frame_counts.tolist()
    seen = flow.velocity(torch.cat((on_the_way, told), dim=-1), draws.times, frame_counts, draws.streaming)
    own = (torch.arange(mel.shape[1], device=device) < batch.frame_counts.to(device)[:, None])[..., None]
    return (((seen - direction) ** 2) * own).sum() / (own.sum() * flow.sizes.mel_bins)
