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
class Hearing:
    """What a judge that writes freely knows of its own text. None: this judge cannot say."""

    no_speech: float | None = None
    """0 to 1: how likely it is that nobody speaks; of a long clip, in its most silent stretch."""
    mean_log_probability: float | None = None
    """Natural logarithm per token; below about -1 the judge was guessing."""
    compression_ratio: float | None = None
    """Bytes of the text per byte of it compressed; loops have high ones."""
    cut_off: bool = False
    """The judge would have gone on writing after any speech of this length had ended: a loop."""
    own_language: float | None = None
    """0 to 1: share of Norwegian among all languages that the judge knows."""
    wanted_deficit_nats: float | None = None
    """How much less likely the wanted text is than what was written, over the whole clip, or over the worst of the
    windows that a long clip is heard in; about 0 where both say the same, negative where the wanted one is likelier."""
    first_text: str | None = None
    """What a first, smaller model wrote, where a second opinion was asked for: ``Transcript.text`` is the second's."""
    second_ear_text: str | None = None
    """What a recogniser of another kind heard."""
    second_ear_margin: float | None = None
    """As ``Transcript.margin``, by that recogniser, on its own scale."""


@dataclass(frozen=True)
class Transcript:
    """What a judge heard in a take."""

    take_key: str
    text: str
    words: tuple[HeardWord, ...]
    margin: float | None
    """How much worse the wanted text explains the sound than the best reading, in nats per character; about 0 for a
    good take, 1 and more for a damaged one. None when the judge has no such score."""
    hearing: Hearing | None = None
    """What else the judge knows of this text; None for judges that only spell sounds."""
