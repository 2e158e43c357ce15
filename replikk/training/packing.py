"""Batches without padding: utterances one after the other in one row, each seeing nothing but itself.

All products run over the positions of the batch laid end to end: no position is computed for nothing. Only attention
sees utterances apart: queries, keys and values are put into rows of their own, padded on the right, for one causal
call. Padding lies right of every real position, so no real position sees it, and what padding itself sees is dropped.
Rotary positions start anew with every utterance. So the mask is exact by construction: an utterance's loss is the same
whatever its neighbours are, which a test checks.

The head is computed where something is to be predicted, the base's text head (151,936 wide) never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from replikk.engines.cosyvoice3.language_model import LanguageModel, rotary_angles
from replikk.engines.cosyvoice3.training_sequences import IGNORED, TrainingSequence


@dataclass(frozen=True)
class PackedBatch:
    """Utterances laid end to end, on the model's device."""

    ids: Tensor  # int64 [positions], of either table
    is_text: Tensor  # bool [positions]
    positions: Tensor  # int64 [positions], from 0 in every utterance
    places: Tensor  # int64 [positions], of each in rows of the longest utterance
    counted: Tensor  # int64 [targets], positions where something is to be predicted
    targets: Tensor  # int64 [targets]
    utterances: int
    longest: int


def packed(sequences: Sequence[TrainingSequence], device: torch.device | str = "cpu") -> PackedBatch:
    """Lays sequences end to end; made on the CPU, then moved without waiting for what the device is at."""
    ids: list[int] = []
    is_text: list[bool] = []
    targets: list[int] = []
    for sequence in sequences:
        for kind, part in sequence.parts:
            ids.extend(part)
            is_text.extend([kind == "text"] * len(part))
        targets.extend(sequence.targets)
    lengths = [len(sequence.targets) for sequence in sequences]
    longest = max(lengths)
    every = torch.tensor(targets, dtype=torch.int64)
    counted = (every != IGNORED).nonzero().flatten()
    positions = torch.cat([torch.arange(length) for length in lengths])
    rows = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    on_gpu = torch.device(device).type == "cuda"

    def moved(tensor: Tensor) -> Tensor:
        # Only pinned memory is copied beside the kernels; from any other a copy waits until the GPU is idle.
        return (tensor.pin_memory() if on_gpu else tensor).to(device, non_blocking=True)

    return PackedBatch(
        ids=moved(torch.tensor(ids, dtype=torch.int64)),
        is_text=moved(torch.tensor(is_text)),
        positions=moved(positions),
        places=moved(rows * longest + positions),
        counted=moved(counted),
        targets=moved(every[counted]),
        utterances=len(lengths),
        longest=longest,
    )


def hidden_states(model: LanguageModel, batch: PackedBatch) -> Tensor:
    """Final normed states float32 [positions, hidden]."""
    x = torch.where(
        batch.is_text[:, None],
        model.text_embedding[torch.where(batch.is_text, batch.ids, 0)].float(),
        model.speech_embedding[torch.where(batch.is_text, 0, batch.ids)].float(),
    )
    rotation = rotary_angles(model.sizes, batch.positions)

    def apart(heads: Tensor) -> Tensor:  # [positions, heads, head_dim] -> [utterances, heads, longest, head_dim]
        rows = heads.new_zeros(batch.utterances * batch.longest, *heads.shape[1:])
        return rows.index_copy(0, batch.places, heads).unflatten(0, (batch.utterances, -1)).transpose(1, 2)

    def attend(_layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        context = functional.scaled_dot_product_attention(
            apart(queries), apart(keys), apart(values), is_causal=True, enable_gqa=True
        )
        return context.transpose(1, 2).flatten(0, 1).index_select(0, batch.places)

    for number, layer in enumerate(model.layers):
        x = layer(x, rotation, number, attend)
    return functional.rms_norm(x, (model.sizes.hidden,), model.norm, model.sizes.rms_eps)


def loss_sum(model: LanguageModel, batch: PackedBatch) -> tuple[Tensor, Tensor]:
    """Cross entropy summed over the batch's targets, and how many are predicted rightly; both scalars."""
    logits = model.head(hidden_states(model, batch).index_select(0, batch.counted)).float()
    right = (logits.argmax(dim=-1) == batch.targets).sum()
    return functional.cross_entropy(logits, batch.targets, reduction="sum"), right
