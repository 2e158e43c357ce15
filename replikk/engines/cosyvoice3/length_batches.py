"""Which lines share a batch: lines of similar length, and no more of them than memory holds.

A batch is padded to its longest line, and what is padded is computed and thrown away. Sorted by length, neighbours
differ little; a batch ends where padding would pass a share of it, or where it is full.
"""

from __future__ import annotations

from collections.abc import Sequence

LARGEST_PADDING = 0.15
"""Share of a batch's frames that may be padding: more costs more than the larger batch saves."""


def batches_of_similar_length(
    lengths: Sequence[int], most_frames: int, largest_padding: float = LARGEST_PADDING
) -> list[list[int]]:
    """Indices of the lines of each batch, longest lines first (so that memory, if it runs out, does so at once).

    A batch holds at most ``most_frames`` frames, padding included; a longer line is a batch of its own. Lines of length
    0 are in no batch.
    """
    longest_first = sorted((i for i, length in enumerate(lengths) if length > 0), key=lambda i: (-lengths[i], i))
    batches: list[list[int]] = []
    frames = 0  # of the last batch, without padding
    for i in longest_first:
        if batches:
            padded = lengths[batches[-1][0]] * (len(batches[-1]) + 1)
            if padded <= most_frames and padded - frames - lengths[i] <= largest_padding * padded:
                batches[-1].append(i)
                frames += lengths[i]
                continue
        batches.append([i])
        frames = lengths[i]
    return batches
