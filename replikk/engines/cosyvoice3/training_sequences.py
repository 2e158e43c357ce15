"""The sequences that the language model is trained on, its loss and its accuracy.

A sample is an instruction, a text, and the speech tokens of somebody who says it. It is laid out in one of two ways:

- one stream: ``start, instruction, text, task, speech``; every speech token and then the end is to be predicted;
- two streams, interleaved as when text comes in while speech goes out: ``start, instruction``, then groups of 5 text
  and 15 speech tokens, after each of which a fill token is to be predicted ("more text, please"), then ``rest of the
  text, task, rest of the speech``, and the end.

The published recipe draws one number a sample and interleaves below 0.5, if there is enough speech for the text.
Embeddings are padded with -1 on the right; the model is causal, so padding needs no mask. Positions whose prediction
does not count have the target IGNORED.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from replikk.engines.cosyvoice3.language_model import LanguageModel, Part
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes

IGNORED = -1
PADDING_VALUE = -1.0

TEXT_PER_GROUP = 5
SPEECH_PER_GROUP = 15
"""The published mixing ratio, 5 : 15."""

INTERLEAVED_BELOW = 0.5


@dataclass(frozen=True)
class TrainingSample:
    """One utterance as ids."""

    instruction: Sequence[int]
    text: Sequence[int]
    speech: Sequence[int]


@dataclass(frozen=True)
class TrainingSequence:
    """What goes in and what is to be predicted, of equal length."""

    parts: list[Part]
    targets: list[int]


def is_interleaved(sample: TrainingSample, drawn: float) -> bool:
    """Whether a sample is laid out in two streams, given its number drawn from [0, 1)."""
    enough = len(sample.speech) * TEXT_PER_GROUP > len(sample.text) * SPEECH_PER_GROUP
    return drawn < INTERLEAVED_BELOW and enough


def training_sequence(sample: TrainingSample, sizes: LanguageModelSizes, interleaved: bool) -> TrainingSequence:
    """Lays a sample out; every part keeps its order."""
    parts: list[Part] = [("speech", [sizes.start_id]), ("text", sample.instruction)]
    targets = [IGNORED] * (1 + len(sample.instruction))
    text, speech = list(sample.text), list(sample.speech)
    groups = len(text) // TEXT_PER_GROUP if interleaved else 0
    for group in range(groups):
        said = speech[group * SPEECH_PER_GROUP : (group + 1) * SPEECH_PER_GROUP]
        parts += [("text", text[group * TEXT_PER_GROUP : (group + 1) * TEXT_PER_GROUP]), ("speech", said)]
        targets += [*[IGNORED] * (TEXT_PER_GROUP - 1), *said, sizes.fill_id]
    rest, said = text[groups * TEXT_PER_GROUP :], speech[groups * SPEECH_PER_GROUP :]
    parts += [("text", rest), ("speech", [sizes.task_id, *said])]
    targets += [*[IGNORED] * len(rest), *said, sizes.end_id]
    return TrainingSequence(parts, targets)


def training_batch(model: LanguageModel, sequences: Sequence[TrainingSequence]) -> tuple[Tensor, Tensor, Tensor]:
    """Right-padded embeddings [samples, length, hidden], targets int64 [samples, length], lengths int64 [samples]."""
    embeddings = [model.embed([part for part in sequence.parts if len(part[1])]) for sequence in sequences]
    targets = [torch.tensor(sequence.targets, dtype=torch.int64, device=model.device) for sequence in sequences]
    lengths = torch.tensor([len(sequence.targets) for sequence in sequences], device=model.device)
    return (
        torch.nn.utils.rnn.pad_sequence(embeddings, batch_first=True, padding_value=PADDING_VALUE),
        torch.nn.utils.rnn.pad_sequence(targets, batch_first=True, padding_value=IGNORED),
        lengths,
    )


def loss_and_accuracy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cross entropy and share of right predictions over the positions that count, both scalars.

    ``logits`` [samples, length, ids] (log-probabilities serve as well), ``targets`` int64 [samples, length].
    """
    counted = targets != IGNORED
    chosen, wanted = logits[counted].float(), targets[counted]
    accuracy = (chosen.argmax(dim=-1) == wanted).float().mean()
    return functional.cross_entropy(chosen, wanted), accuracy
