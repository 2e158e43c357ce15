"""What goes into a speech engine and what comes out. The interface itself is in ``engines/__init__.py``.

Audio is mono int16. A take that could not be made is a value (``TakeFailure``), not an exception: it is judged
like any other take and tried again in the next round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replikk.dialogue.records import Segment, Voice

if TYPE_CHECKING:  # builds that have nothing to speak never load numpy
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class TakeRequest:
    """One take to be spoken."""

    key: str
    """The take key, 64 hex characters; every random draw of the take comes from it."""
    segments: tuple[Segment, ...]
    locale: str
    style: str
    voice: Voice
    reading: int
    """0 for the first reading of a line, counted up by retakes and rounds; lets an engine vary its delivery."""


@dataclass(frozen=True)
class Take:
    """A finished take."""

    key: str
    samples: NDArray[np.int16]  # [samples]
    sample_rate_hz: int


@dataclass(frozen=True)
class TakeFailure:
    """A take that the engine could not make."""

    key: str
    reason: str
    """In plain words: 'the voice process stopped (signal 11)'."""
