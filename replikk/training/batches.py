"""What is trained on when: the order of the utterances, and their batches, of every epoch.

Everything here follows from the corpus, the settings and the number of the epoch. There is no state to lose: the place
in the data is (epoch, step in the epoch), and a run that goes on there meets exactly what it would have met. So do two
GPUs, which take turns with the batches of a step.

Batches hold utterances of similar length. The order is random, cut into stretches; in a stretch utterances are sorted
by length, batches are filled up to a number of positions, and then all batches of the epoch are shuffled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from replikk.corpus.tokens import TokenCorpus
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes
from replikk.engines.cosyvoice3.training_sequences import (
    TrainingSample,
    TrainingSequence,
    is_interleaved,
    training_sequence,
)
from replikk.errors import ReplikkError, printable

_STRETCH = 4096
"""Utterances sorted together: enough for a dozen of each length, few enough that their order stays random."""
_CONTROL_IDS = 2
"""Positions beside instruction, text and speech: start and task."""
_ONE_STREAM = 1.0
"""A draw that never interleaves."""


@dataclass(frozen=True)
class EpochPlan:
    """The steps of one epoch, each a list of batches, each a list of utterance numbers."""

    steps: list[list[list[int]]]
    draws: NDArray[np.float64]  # [utterances], decide which of the two layouts an utterance has in this epoch


def lengths_of(corpus: TokenCorpus) -> NDArray[np.int64]:
    """Positions that each utterance takes, int64 [utterances]; the same in both layouts."""
    return np.diff(corpus.text_starts) + np.diff(corpus.speech_starts) + _CONTROL_IDS


def check_lengths(corpus: TokenCorpus, tokens_per_batch: int) -> None:
    """Raises ReplikkError when an utterance fits into no batch."""
    lengths = lengths_of(corpus)
    if not len(lengths):
        raise ReplikkError(f"{corpus.folder}: has no utterances; nothing can be trained on it")
    longest = int(lengths.argmax())
    if lengths[longest] > tokens_per_batch:
        raise ReplikkError(
            f"{corpus.folder}: {int((lengths > tokens_per_batch).sum())} utterances are longer than "
            f"training.tokens_per_batch ({tokens_per_batch}); '{printable(corpus.ids[longest], 60)}' has "
            f"{lengths[longest]} positions: raise it, or filter the corpus by length"
        )


def epoch_plan(
    corpus: TokenCorpus, epoch: int, tokens_per_batch: int, accumulate: int, seed: int, interleave: bool
) -> EpochPlan:
    """Every utterance once."""
    draws = np.random.default_rng([seed, epoch])
    lengths = lengths_of(corpus)
    order = draws.permutation(len(corpus))
    layouts = draws.random(len(corpus)) if interleave else np.full(len(corpus), _ONE_STREAM)
    batches: list[list[int]] = []
    for start in range(0, len(order), _STRETCH):
        stretch = order[start : start + _STRETCH]
        batches += _filled(stretch[np.argsort(lengths[stretch], kind="stable")], lengths, tokens_per_batch)
    batches = [batches[place] for place in draws.permutation(len(batches))]
    return EpochPlan([batches[i : i + accumulate] for i in range(0, len(batches), accumulate)], layouts)


def in_order(corpus: TokenCorpus, tokens_per_batch: int) -> EpochPlan:
    """Every utterance once, by length and in one stream: for measuring."""
    lengths = lengths_of(corpus)
    batches = _filled(np.argsort(lengths, kind="stable"), lengths, tokens_per_batch)
    return EpochPlan([[batch] for batch in batches], np.full(len(corpus), _ONE_STREAM))


def sequences_of(
    corpus: TokenCorpus, numbers: list[int], draws: NDArray[np.float64], sizes: LanguageModelSizes
) -> list[TrainingSequence]:
    """The utterances of a batch as the model reads them."""
    result = []
    for number in numbers:
        sample = TrainingSample(
            corpus.instruction_of(number).tolist(), corpus.text_of(number).tolist(), corpus.speech_of(number).tolist()
        )
        result.append(training_sequence(sample, sizes, is_interleaved(sample, float(draws[number]))))
    return result


def _filled(numbers: NDArray[np.int64], lengths: NDArray[np.int64], tokens_per_batch: int) -> list[list[int]]:
    batches: list[list[int]] = []
    room = 0
    for number in numbers.tolist():
        length = int(lengths[number])
        if length > room:
            batches.append([])
            room = tokens_per_batch
        batches[-1].append(number)
        room -= length
    return batches
