"""What was measured on the samples of a clip, as a record.

Apart from the measuring (``signal.py``): a build that judges from memory must not pay for numpy.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

VERSION = 1
"""Raise it when a measurement changes."""


@dataclass(frozen=True)
class SignalEvidence:
    """What the samples of one clip say."""

    duration_s: float
    speech_s: float
    """Duration of the speech frames; 0 for a silent clip."""
    peak_dbfs: float
    rms_dbfs: float
    """Active level: RMS over the speech frames."""
    clipped_share: float
    """Share of all samples that lie in flat runs at the clip's own highest or lowest value."""
    dc: float
    """Mean of the samples, as a share of full scale."""
    silence_start_s: float
    silence_end_s: float
    longest_silence_s: float
    """Longest silence inside the clip, edges not counted."""
    longest_silence_at_s: float
    silences: tuple[tuple[float, float], ...]
    """(start, end) in seconds of the silences of 0.15 s and more inside the clip."""
    tail_level_db: float
    """Level of the last 10 ms against the active level; of the two halves the quieter one."""
    noise_floor_dbfs: float
    snr_db: float
    """Active level minus noise floor; low when the quietest moment and the valleys of the spectrum are both filled."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> SignalEvidence:
        values = dict(record)
        values["silences"] = tuple((start, end) for start, end in values["silences"])
        return cls(**values)
