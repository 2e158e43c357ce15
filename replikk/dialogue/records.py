"""The records that pass between the rooms: what a line is, what a voice is.

All of them are frozen and turn into plain JSON, because the plan is a file. Pauses are whole milliseconds, so
that a take key never depends on how a float is printed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Segment:
    """A stretch of speech and the silence after it."""

    text: str
    """What is spoken: plain words, normalised, no markup; may be empty when only the pause counts."""
    pause_after_ms: int = 0


@dataclass(frozen=True)
class Voice:
    """A voice of ``voices.yaml``."""

    name: str
    label: str
    """What people call it in the report."""
    engine_settings: dict[str, Any]
    """The settings for the engine in use, already validated by that engine's room."""
    loudness_offset_lu: float = 0.0
    """Added to the delivery target; louder is positive."""
    rights: dict[str, str] = field(default_factory=dict)
    """who, licence, evidence."""
    reference_audio: str = ""
    """Path of the reference recording; empty for a voice that is not cloned."""
    reference_sha256: str = ""
    reference_transcript: str = ""


@dataclass(frozen=True)
class Line:
    """One clip to be made: a row of a sheet, or one value of a placeholder in it."""

    id: str
    """Name of the clip, a safe file name, unique without regard to case."""
    file: str
    row: int
    """Row number as the spreadsheet program shows it."""
    source_id: str
    """The id in the sheet; differs from ``id`` when a placeholder was expanded (``greet__kari``)."""
    scene: str
    locale: str
    """``nb`` or ``nn``."""
    voice: str
    character: str
    style: str
    """Direction in free words, stage cues of the text included."""
    text: str
    """As in the sheet, with markup."""
    display: str
    """What a player reads: markup stripped, placeholders filled in."""
    segments: tuple[Segment, ...]
    """What is spoken, after lexicon and normalisation."""
    respelt: tuple[tuple[str, str], ...] = ()
    """(written, spoken) pairs of the lexicon that this line uses; the judge accepts both."""
    drill: bool = False
    """Single letters, phonemes and counting drills: a person listens, word error rates mean nothing."""
    status: str = ""
    """``""``, ``locked`` or ``external``; cut lines are not planned."""
    take: int = 1
    """Bumped by the writer to get another reading."""
    max_seconds: float | None = None
    notes: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    """Unknown columns, kept for the manifest."""
    remarks: tuple[str, ...] = ()
    """What planning dropped or changed and a person may want to know."""

    @property
    def spoken(self) -> str:
        """The wanted words, without the pauses."""
        if len(self.segments) == 1:  # nearly all lines
            return self.segments[0].text
        return " ".join([segment.text for segment in self.segments if segment.text])

    @property
    def voiced_segments(self) -> tuple[Segment, ...]:
        """What an engine speaks: everything from the first word on.

        The silence that a script wants before that is put into the clip when it is packaged: no engine has to make it,
        no judge has to listen to it, and lines that differ in nothing else share their takes.
        """
        if len(self.segments) == 1 or self.segments[0].text:  # nearly all lines
            return self.segments
        first = next((number for number, segment in enumerate(self.segments) if segment.text), 0)
        return self.segments[first:]

    def to_json(self) -> dict[str, Any]:
        record = dict(vars(self))  # dataclasses.asdict copies deeply, which is slow for 50,000 lines
        record["segments"] = [[s.text, s.pause_after_ms] for s in self.segments]
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Line:
        """The line of ``to_json``; ``record`` is taken over, not copied."""
        record["segments"] = tuple([Segment(text, pause) for text, pause in record["segments"]])
        record["respelt"] = tuple(map(tuple, record["respelt"])) if record["respelt"] else ()
        record["remarks"] = tuple(record["remarks"])
        line = cls.__new__(cls)
        # A frozen dataclass's __init__ takes twenty times as long, in every stage.
        object.__setattr__(line, "__dict__", record)
        return line
