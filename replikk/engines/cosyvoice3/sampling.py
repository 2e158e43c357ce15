"""Repetition-aware sampling (RAS), for all slots at once and without a word from the host.

A draw is: the nucleus (best ids until their probability reaches ``top_p``, at most ``top_k``); one of it; and if that
id is among the last ``window`` tokens of the line often enough, one more draw from the whole distribution without it.
Everything is done for every slot at every step, also the second draw that few need: a branch would make the device
wait for the host, which costs more than a cumulative sum over a few thousand numbers.

Random numbers belong to a line and a step. They are no stream that somebody draws from, but a function: the mixing
steps of SplitMix64 (Steele, Lea & Flood 2014) over the line's seed and the number of the draw, in wrapping 64-bit
integers, which every device computes alike. So a line's draws are the same alone, beside any neighbours, in any slot,
and after a restart.

A draw inverts the cumulative distribution in float64: with float32 ids of probability below 1e-7 could never be drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

StopRule = Literal["fixed", "faithful"]

DRAWS_PER_STEP = 2
"""One from the nucleus, one from the whole distribution."""

NO_TOKEN = -1
"""Fills the window of a line that has said fewer tokens than fit into it; no id is negative."""

_GOLDEN_GAMMA = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: the step between SplitMix64 states
_ID_BITS = 20  # more than any vocabulary here; leaves 43 bits above it for the 31 bits of a positive float


@dataclass(frozen=True)
class SamplingSettings:
    """How a token is chosen; the defaults are the published ones."""

    top_p: float = 0.8
    top_k: int = 25
    window: int = 10
    """Tokens of the line that are searched for a repetition."""
    repetition_share: float = 0.1
    """A second draw is made from this share of the window on: 0.1 of 10 is one occurrence."""
    greedy: bool = False
    """The most probable id instead of a draw, for tests and comparisons."""


def mask_stop_ids(log_probs: Tensor, early: Tensor, speech_vocabulary: int, rule: StopRule) -> Tensor:
    """Log-probabilities [slots, ids], -inf for ids that may not be drawn in slots that are ``early`` (bool [slots]).

    ``fixed`` rules out every id that ends a line while the line has fewer tokens than its minimum. ``faithful`` does
    what the published code does: it rules out the first id past the codebook alone, which ended a line in CosyVoice 2
    and ends none here, so that the minimum is without effect.
    """
    ids = torch.arange(log_probs.shape[1], device=log_probs.device)
    forbidden = ids >= speech_vocabulary if rule == "fixed" else ids == speech_vocabulary
    return log_probs.masked_fill(early[:, None] & forbidden, -torch.inf)


def choose(log_probs: Tensor, recent: Tensor, uniforms: Tensor, settings: SamplingSettings) -> Tensor:
    """One id for every slot, int64 [slots].

    ``log_probs`` float32 [slots, ids] need not be normalised; ``recent`` int64 [slots, window] are the line's last
    tokens, NO_TOKEN where there are none; ``uniforms`` float64 [slots, 2] in [0, 1).
    """
    if settings.greedy:
        return log_probs.argmax(dim=-1)
    ids, candidates = nucleus(log_probs.softmax(dim=-1), settings)
    first = ids.gather(1, inverse_cdf(candidates, uniforms[:, :1])).squeeze(1)
    second = inverse_cdf(redraw_probabilities(log_probs, first), uniforms[:, 1:]).squeeze(1)
    return torch.where(is_repeated(first, recent, settings), second, first)


def nucleus(probabilities: Tensor, settings: SamplingSettings) -> tuple[Tensor, Tensor]:
    """The candidates of the first draw: ids int64 and probabilities float32, both [slots, top_k], best first.

    Equal probabilities come in the order of their ids. The id with which the sum reaches ``top_p`` is the last one;
    places after it have probability 0. Probabilities are as they came, not renormalised.
    """
    vocabulary = probabilities.shape[1]
    # A positive float sorts like the integer of its bits. With the id below them every number is different, so that the
    # best are found without sorting all, and ties are settled the same on every device.
    ids = torch.arange(vocabulary, device=probabilities.device)
    order = (probabilities.view(torch.int32).to(torch.int64) << _ID_BITS) + (vocabulary - 1 - ids)
    best = order.topk(min(settings.top_k, vocabulary), dim=-1).values
    chosen = vocabulary - 1 - (best & ((1 << _ID_BITS) - 1))
    values = probabilities.gather(1, chosen)
    # Added up one by one, as the published loop does: another order would round a sum that is just top_p otherwise.
    total, before = torch.zeros_like(values[:, 0]), []
    for column in values.unbind(-1):
        before.append(total)
        total = total + column
    return chosen, values.masked_fill(torch.stack(before, dim=-1) >= settings.top_p, 0.0)


def is_repeated(ids: Tensor, recent: Tensor, settings: SamplingSettings) -> Tensor:
    """Whether an id [slots] is often enough among the last tokens [slots, window], bool [slots]."""
    return (recent == ids[:, None]).sum(dim=-1) >= settings.window * settings.repetition_share


def redraw_probabilities(log_probs: Tensor, removed: Tensor) -> Tensor:
    """The whole distribution without one id a slot, float32 [slots, ids]; stop ids included, no nucleus."""
    return log_probs.scatter(1, removed[:, None], -torch.inf).softmax(dim=-1)


def inverse_cdf(weights: Tensor, uniforms: Tensor) -> Tensor:
    """Indices int64 [slots, draws], in proportion to ``weights`` [slots, n], by ``uniforms`` float64 [slots, draws].

    An index of weight 0 is never drawn, whatever the rounding.
    """
    sums = weights.double().cumsum(dim=-1)
    total = sums[:, -1:]
    # The product can round up to the total, beyond which there is no index.
    targets = torch.minimum(uniforms * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(sums, targets, right=True).clamp(max=weights.shape[1] - 1)


def uniforms_of_step(seeds: Tensor, steps: Tensor) -> Tensor:
    """Random numbers of a step of every line: ``seeds`` and ``steps`` int64 [slots] -> float64 [slots, 2] in [0, 1)."""
    draws = torch.arange(1, DRAWS_PER_STEP + 1, device=seeds.device)
    numbers = steps[:, None] * DRAWS_PER_STEP + draws
    bits = _mixed(_mixed(seeds)[:, None] + numbers * _signed(_GOLDEN_GAMMA))
    return _shifted_right(bits, 11).double() * 2.0**-53  # the 53 bits that a float64 holds


def signed_seed(seed: int) -> int:
    """A 64-bit seed, signed or not, as the signed number that an int64 tensor holds."""
    return _signed(seed & 0xFFFFFFFFFFFFFFFF)


def _mixed(x: Tensor) -> Tensor:
    x = (x ^ _shifted_right(x, 30)) * _signed(0xBF58476D1CE4E5B9)
    x = (x ^ _shifted_right(x, 27)) * _signed(0x94D049BB133111EB)
    return x ^ _shifted_right(x, 31)


def _shifted_right(x: Tensor, bits: int) -> Tensor:
    """Shift that brings in zeros; on signed integers ``>>`` brings in copies of the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
