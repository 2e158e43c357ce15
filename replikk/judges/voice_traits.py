"""What a take tells of who speaks and how: level, pitch, timbre, pace; a record that no judge and no script is part of.

Apart from the measuring (``voice_measures.py``): a build that judges from memory must not pay for numpy. Two measures
need models that not everybody has (``naturalness.py``, ``speaker_models.py``); without them their values are None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VERSION = 1
"""Raise it when a measurement changes: it is part of every key."""


@dataclass(frozen=True)
class VoiceTraits:
    """The traits of one take."""

    level_dbfs: float
    """RMS over the speech frames."""
    speaking_s: float
    """Duration without the silences at the ends and those of 0.15 s and more between."""
    pitch_hz: float | None
    """Median fundamental frequency of the voiced frames; None where nothing is voiced (a whisper)."""
    timbre: tuple[float, ...] | None
    """Means and then standard deviations of 15 mel cepstral coefficients over the speech; None for a silent clip."""
    naturalness_mos: float | None = None
    """Overall quality by DNSMOS P.835, 1 to 5."""
    background_mos: float | None = None
    """Absence of noise by DNSMOS P.835, 1 to 5."""
    speaker_similarity: float | None = None
    """Cosine to the voice's reference recording, -1 to 1, by a model that the engine is not conditioned on."""

    def to_json(self) -> dict[str, Any]:
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> VoiceTraits:
        values = dict(record)
        if values["timbre"] is not None:
            values["timbre"] = tuple(values["timbre"])
        return cls(**values)
