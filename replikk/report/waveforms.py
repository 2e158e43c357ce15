"""A take as something to look at: the outline of its wave, and when each word of the script was heard in it.

An outline is one byte per bin, the loudest sample of the bin against the loudest of the take, so that a whisper fills
its frame like a shout. It is small enough to stand in the page, where a page opened from a disk may not read the audio
itself. The longest clips are drawn a little coarser.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a build in which nothing new is to be heard never loads numpy
    import numpy as np
    from numpy.typing import NDArray

VERSION = 1
"""Raise it when the same take would be drawn otherwise."""

BINS_PER_S = 50  # a bin of 20 ms: two to three per speech sound
FEWEST_BINS, MOST_BINS = 60, 1500

MOST_WORDS = 400
"""Words placed in a take. A longer one is a monologue, of which the comparison shows the neighbourhoods of errors."""

PlacedWord = list[Any]
"""``[op, expected, heard, start_s, end_s]``."""


def outline(samples: NDArray[np.int16], sample_rate_hz: int) -> str:
    """The outline of a take ([samples]) as base64, one byte per bin; empty for a take without samples."""
    import numpy as np

    if samples.size == 0:
        return ""
    bins = min(MOST_BINS, max(FEWEST_BINS, round(samples.size / sample_rate_hz * BINS_PER_S)), samples.size)
    starts = np.linspace(0, samples.size, bins, endpoint=False).astype(np.int64)
    loudest = np.maximum.reduceat(np.abs(samples.astype(np.int32)), starts)  # [bins]
    heights = ((loudest * 255 + loudest.max() - 1) // max(1, loudest.max())).astype(np.uint8)  # rounded up
    return base64.b64encode(heights.tobytes()).decode("ascii")


def place_words(
    alignment: Sequence[Sequence[str]], heard: Sequence[Sequence[Any]], duration_s: float
) -> list[PlacedWord]:
    """Each step of an alignment (op, expected, heard) with the time at which it was heard.

    ``heard`` holds (text, start_s, end_s, …) per word as the judge wrote it. The comparison may have joined, parted or
    respelt its words, so the two are matched by letters. A word that was not heard gets its share of the gap between
    its neighbours. Empty when the judge gives no times.
    """
    if not heard or not alignment or len(alignment) > MOST_WORDS:
        return []
    letters = [(letter, number) for number, word in enumerate(heard) for letter in _letters(word[0])]
    if not letters:
        return []
    tokens = [_letters(step[2]) for step in alignment]
    where = _match("".join(tokens), "".join(letter for letter, _ in letters))
    spans: list[tuple[float, float] | None] = []
    at = 0
    for token in tokens:
        if token:
            first, last = letters[where[at]][1], letters[where[at + len(token) - 1]][1]
            spans.append((float(heard[first][1]), float(heard[last][2])))
            at += len(token)
        else:
            spans.append(None)
    return [
        [op, expected, said, round(start_s, 3), round(end_s, 3)]
        for (op, expected, said), (start_s, end_s) in zip(alignment, _filled(spans, duration_s), strict=True)
    ]


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _match(wanted: str, there: str) -> list[int]:
    """For each letter of ``wanted`` the place of its counterpart in ``there``, never going back."""
    if wanted == there:
        return list(range(len(there)))
    from rapidfuzz.distance import Levenshtein

    places: list[int] = []
    last = len(there) - 1
    for step in Levenshtein.opcodes(wanted, there):
        places += [
            min(last, step.dest_start + min(n, max(0, step.dest_end - step.dest_start - 1)))
            for n in range(step.src_end - step.src_start)
        ]
    return places


def _filled(spans: Sequence[tuple[float, float] | None], duration_s: float) -> list[tuple[float, float]]:
    """The spans with those of words that were not heard, which share the gap they would have stood in."""
    filled: list[tuple[float, float]] = []
    for number, span in enumerate(spans):
        if span is not None:
            filled.append((span[0], max(span)))
            continue
        start_s = filled[-1][1] if filled else 0.0
        ahead = next((i for i in range(number, len(spans)) if spans[i] is not None), len(spans))
        following = spans[ahead] if ahead < len(spans) else None
        end_s = max(start_s, duration_s if following is None else following[0])
        share_s = (end_s - start_s) / (ahead - number)
        filled.append((start_s, start_s + share_s))
    return filled
