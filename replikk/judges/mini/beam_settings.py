"""The prices of the beam search, apart from the search: what names a transcript must not pay for numpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BeamSettings:
    """The prices; how they were found is told in ``MODEL_CARD.md``."""

    width: int = 12
    symbol_floor: float = -7.0  # symbols less likely than 1 in 1,100 in a frame are not followed
    score_range: float = 14.0  # prefixes so far below the best are dropped
    known_word: float = 1.0  # nats for a word of the fixed vocabulary
    other_word: float = 2.0  # nats for any other word …
    other_letter: float = 0.1  # … and for each of its letters
    single_letter: float = 6.0  # nats for a lone letter that is not wanted: its name sounds like a word (r, er; d, de)
    doubt: float = 5.0  # evidence weaker than this many nats counts for less, see ``_discount``
