"""What goes into a judge and what comes out; the record of a verdict.

Times are seconds from the start of the clip. Confidences and scores are natural logarithms per character unless
named otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # builds that have nothing to speak never load numpy
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Clip:
    """A take to be listened to."""

    take_key: str
    samples: NDArray[np.int16]  # [samples]
    sample_rate_hz: int
    wanted: str
    """The words the engine was asked to speak; used to score, and to settle spellings that sound alike."""
    engine: str
    locale: str


@dataclass(frozen=True)
class HeardWord:
    text: str
    start_s: float
    end_s: float
    confidence: float
    """0 to 1."""


@dataclass(frozen=True)
class Transcript:
    """What a judge heard in a take."""

    take_key: str
    text: str
    words: tuple[HeardWord, ...]
    margin: float | None
    """How much worse the wanted text explains the sound than the best reading, in nats per character; about 0 for a
    good take, 1 and more for a damaged one. None when the judge has no such score."""
