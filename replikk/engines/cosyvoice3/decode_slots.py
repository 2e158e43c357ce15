"""The lines that are being decoded, on the device: one row of a few small tensors for every slot.

A step reads every slot's last token, runs the language model, draws the next token, and notes it in a short history. It
has one shape and takes no decision on the host, so that it can be replayed as a CUDA graph. Whether a line has ended is
seen by the host when it reads the history, every few steps; until then the slot goes on, and what it says is
thrown away. Idle slots repeat position 0 with a token that nobody reads.

What a line starts with goes into the cache up to its last id but one. The last id, always a speech id (the task mark,
or the last token of the reference), is the slot's first token, so that the first draw is a step like all others.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from replikk.engines.cosyvoice3.key_value_cache import KeyValueCache, rounded_up
from replikk.engines.cosyvoice3.language_model import LanguageModel, Part
from replikk.engines.cosyvoice3.sampling import (
    NO_TOKEN,
    SamplingSettings,
    StopRule,
    choose,
    mask_stop_ids,
    signed_seed,
    uniforms_of_step,
)

PREFILL_LENGTH_STEP = 32
"""Prefixes that are prefilled together are padded to a multiple of this, which keeps the number of shapes small."""

BROKEN = -2
"""In the history: the model's numbers for this slot were not finite."""


class DecodeSlots:
    """State of all slots. ``history`` int64 [steps, slots] holds the tokens of the last steps, newest last."""

    def __init__(
        self, model: LanguageModel, slots: int, positions: int, steps: int, sampling: SamplingSettings, rule: StopRule
    ) -> None:
        self.model, self.sampling, self.rule, self.slots = model, sampling, rule, slots
        self.cache = KeyValueCache(model.sizes, slots, positions, model.dtype, model.device)
        self.history = torch.full((steps, slots), NO_TOKEN, dtype=torch.int64, device=model.device)
        self.recent = torch.full((slots, sampling.window), NO_TOKEN, dtype=torch.int64, device=model.device)
        # token, position, tokens said, fewest tokens, seed, 1 while the slot is in use
        self.state = torch.zeros((6, slots), dtype=torch.int64, device=model.device)

    def fill(
        self, slots: Sequence[int], prefixes: Sequence[Sequence[Part]], seeds: Sequence[int], fewest: Sequence[int]
    ) -> None:
        """Puts lines into slots. Raises torch.OutOfMemoryError where there is no room for what they start with."""
        embeddings = [self.model.embed(prefix)[:-1] for prefix in prefixes]
        if self.model.device.type == "cpu":  # alone, so that a line's sums know nothing of others
            groups = [[number] for number in range(len(slots))]
        else:
            groups = [list(range(len(slots)))]
        for group in groups:
            rows = [embeddings[number] for number in group]
            longest = max(len(row) for row in rows)
            self.cache.grow(longest + 1)
            if len(rows) > 1:
                longest = min(rounded_up(longest, PREFILL_LENGTH_STEP), self.cache.capacity)
            batch = torch.stack([functional.pad(row, (0, 0, 0, longest - len(row))) for row in rows])
            if longest:
                self.model.prefill(batch, self._on_device([slots[number] for number in group]), self.cache)
        index = self._on_device(slots)
        state = [
            [int(prefix[-1][1][-1]) for prefix in prefixes],
            [len(rows) for rows in embeddings],
            [0] * len(slots),
            list(fewest),
            [signed_seed(seed) for seed in seeds],
            [1] * len(slots),
        ]
        self.state[:, index] = self._on_device(state)
        self.recent[index] = NO_TOKEN

    def release(self, slot: int) -> None:
        """Makes a slot idle."""
        self.state[:, slot] = 0

    def step(self, extent: int | None) -> None:
        """One more token in every slot; ``extent`` as in ``LanguageModel.step``. Every tensor is changed in place."""
        token, position, said, fewest, seed, used = self.state.unbind()
        hidden = self.model.step(self.model.embed_speech(token), position, self.cache, extent)
        log_probs = self.model.log_probs(hidden)
        broken = ~log_probs.amax(dim=-1).isfinite()
        log_probs = mask_stop_ids(log_probs, said < fewest, self.model.sizes.speech_vocabulary, self.rule)
        chosen = choose(log_probs, self.recent, uniforms_of_step(seed, said), self.sampling)
        self.recent.copy_(torch.cat((self.recent[:, 1:], chosen[:, None]), dim=1))
        self.history.copy_(torch.cat((self.history[1:], chosen.masked_fill(broken, BROKEN)[None])))
        token.copy_(chosen)
        position.add_(used)
        said.add_(used)

    def tensors(self) -> tuple[Tensor, ...]:
        """What a step changes, apart from the cache."""
        return self.state, self.recent, self.history

    def _on_device(self, numbers: Sequence[int] | Sequence[Sequence[int]]) -> Tensor:
        return torch.tensor(numbers, dtype=torch.int64).to(self.model.device, non_blocking=True)
