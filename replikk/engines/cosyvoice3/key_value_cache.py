"""The static cache of keys and values: one tensor a layer and kind, with a place for every slot and position.

A slot is a row of the decoding batch. A line that takes a slot over writes from position 0 on; what an earlier line
left behind lies beyond the positions that the new one reads, so nothing is cleared. Entries that were never written are
zero, never uninitialised memory: a masked position has weight 0, and 0 times NaN would still be NaN.

The capacity grows in whole steps when a line needs it, one layer at a time, so that growing costs one layer of extra
memory; between growths no shape and no address changes, which is what a captured CUDA graph needs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from replikk.engines.cosyvoice3.sizes import LanguageModelSizes

POSITIONS_STEP = 256
"""Capacity and the extent that masked attention looks at are multiples of this; 256 positions are a reference of 4 s, a
sentence, and 4 s of speech. Twice as fine would mean twice as many CUDA graphs."""


def rounded_up(positions: int, step: int = POSITIONS_STEP) -> int:
    """The next multiple of ``step``, at least one step."""
    return max(1, -(-positions // step)) * step


class KeyValueCache:
    """Keys and values of all layers: ``keys[layer]`` and ``values[layer]`` [slots, kv_heads, capacity, head_dim]."""

    def __init__(
        self, sizes: LanguageModelSizes, slots: int, positions: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.slots = slots
        self.capacity = rounded_up(positions)
        self.device = device
        self.slot_numbers = torch.arange(slots, device=device)
        shape = (slots, sizes.kv_heads, self.capacity, sizes.head_dim)
        self.keys = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(sizes.layers)]
        self.values = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(sizes.layers)]

    def grow(self, positions: int) -> bool:
        """Makes room for that many positions a slot; True if the tensors are new ones.

        Raises torch.OutOfMemoryError where the device has no room; the cache is not to be used after that.
        """
        if positions <= self.capacity:
            return False
        self.capacity = rounded_up(positions)
        for tensors in (self.keys, self.values):
            for layer, old in enumerate(tensors):
                new = old.new_zeros((self.slots, old.shape[1], self.capacity, old.shape[3]))
                new[:, :, : old.shape[2]] = old
                tensors[layer] = new
        return True

    def write_prefixes(self, layer: int, slots: Tensor, keys: Tensor, values: Tensor) -> None:
        """The first positions of some slots: ``slots`` [lines], keys and values [lines, kv_heads, length, head_dim]."""
        length = keys.shape[2]
        self.keys[layer][slots, :, :length] = keys.to(self.keys[layer].dtype)
        self.values[layer][slots, :, :length] = values.to(self.values[layer].dtype)

    def write_step(self, layer: int, positions: Tensor, keys: Tensor, values: Tensor) -> None:
        """One position of every slot: ``positions`` [slots], keys and values [slots, kv_heads, head_dim]."""
        self.keys[layer][self.slot_numbers, :, positions] = keys.to(self.keys[layer].dtype)
        self.values[layer][self.slot_numbers, :, positions] = values.to(self.values[layer].dtype)

    def bytes_used(self) -> int:
        """Memory of all layers, in bytes."""
        return sum(tensor.numel() * tensor.element_size() for tensor in (*self.keys, *self.values))
