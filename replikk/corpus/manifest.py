"""Manifests: what each stage of the corpus knows of each utterance, and why it dropped some.

A stage's job writes two files for its shard: ``NAME.jsonl``, one row for each utterance that came in, dropped ones
included, with the reason; and ``NAME.json``, the counts in and out and of each reason. The next stage reads the rows
that were not dropped. Audio lies in tar shards (``audio_shards``); a row names tar and member, so that stages which
only listen write no audio.

A stage that listens notes each row as soon as it is done, beside its result (``NAME.notes``): killed, it goes on after
the last whole one, and when recordings are added it listens only to those. Notes begin with what they depend on;
others are thrown away.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from replikk.errors import ReplikkError
from replikk.files import canonical_json, digest, read_json, read_jsonl, write_atomic, write_jsonl


@dataclass(frozen=True)
class Reading:
    """What a recogniser read."""

    text: str
    confidences: tuple[float, ...]
    """Of each word, 0 to 1."""
    misfit: float | None = None
    """How much worse the given text explains the sound than the best reading, in nats per letter; None: not known."""


@dataclass(frozen=True)
class Utterance:
    """One row of a manifest."""

    id: str
    source: str
    """Name of the source in the settings."""
    origin: str
    """Where in the source: a path, or file and row."""
    speaker: str
    """A hash; names of people stay in the source."""
    text: str
    """As given with the recording; empty when nothing was."""
    licence: str
    tar: str = ""
    """Path of the tar shard, below the folder of the corpus."""
    member: str = ""
    duration_s: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)
    """What else the source says: kind of text, language, microphone."""
    measures: dict[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    """Of the sound, 64 hex digits: nearly equal for two recordings of one event."""
    separated: bool = False
    """The speech was taken out of a noisy clip; the original is in the shard of the stage ``fetch``."""
    first: Reading | None = None
    second: Reading | None = None
    dropped: str = ""
    """The reason, one word of ``REASONS``; empty for an utterance that is kept."""
    why: str = ""
    """The reason for people, with its numbers."""

    def drop(self, reason: str, why: str) -> Utterance:
        if reason not in REASONS:
            raise ValueError(reason)
        return replace(self, dropped=reason, why=why)

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if value not in ("", None, {}, False)}

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Utterance:
        values = {"text": "", **row}
        for key in ("first", "second"):
            if key in values:
                reading = values[key]
                values[key] = Reading(reading["text"], tuple(reading["confidences"]), reading.get("misfit"))
        return cls(**values)


REASONS = {
    "unreadable": "cannot be read as audio",
    "no_speech": "no speech in it",
    "too_short": "too short",
    "too_long": "too long",
    "noisy": "noise or music beside the speech",
    "clipped": "clipped: recorded too loud",
    "second_speaker": "more than one person speaks",
    "text_trap": "the text is not what was said, word by word",
    "no_text": "nothing readable was said",
    "wrong_text": "the text does not fit the sound",
    "readings_differ": "the two recognisers disagree",
    "unsure": "a recogniser was not sure of its words",
    "pace": "too fast or too slow for its text",
    "unnatural": "sounds unnatural or damaged (DNSMOS)",
    "duplicate": "another recording of the same utterance is kept",
}
"""Why utterances are dropped."""


def read_manifest(path: Path) -> Iterator[Utterance]:
    """All rows. Raises ReplikkError naming the file when it is no manifest."""
    for row in read_jsonl(path):
        try:
            yield Utterance.from_json(row)
        except (TypeError, KeyError) as error:
            raise ReplikkError(f"{path}: is not a manifest of this version; delete it and run again") from error


def read_kept(path: Path) -> Iterator[Utterance]:
    return (row for row in read_manifest(path) if not row.dropped)


def summary_path(manifest: Path) -> Path:
    return manifest.with_suffix(".json")


def write_manifest(path: Path, rows: Sequence[Utterance], **more: Any) -> None:
    """Manifest and counts; ``more`` goes into the counts."""
    write_jsonl(path, (row.to_json() for row in rows))
    kept = [row for row in rows if not row.dropped]
    summary = {
        "in": len(rows),
        "out": len(kept),
        "in_s": round(sum(row.duration_s for row in rows), 3),
        "out_s": round(sum(row.duration_s for row in kept), 3),
        "dropped": dict(Counter(row.dropped for row in rows if row.dropped)),
        **more,
    }
    write_atomic(summary_path(path), canonical_json(summary))


def read_summary(manifest: Path) -> dict[str, Any]:
    return dict(read_json(summary_path(manifest)))


def resumable_rows(
    rows: Sequence[Utterance],
    work: Callable[[Iterable[Utterance]], Iterator[Utterance]],
    *,
    result: Path,
    depends_on: Any,
) -> list[Utterance]:
    """``work`` of all rows, in their order; what an earlier job noted of the same row is taken from its notes.

    ``work`` may return rows in any order. ``depends_on`` is what a row's result depends on beside the row.
    """
    notes_path = result.with_suffix(".notes")
    header = canonical_json({"depends_on": digest(depends_on)})
    noted = _noted(notes_path, header)
    keys = {row.id: digest(row.to_json()) for row in rows}
    done = {row.id: noted[keys[row.id]] for row in rows if keys[row.id] in noted}
    todo = [row for row in rows if row.id not in done]
    # Rewritten here, so that a half-written last row and rows that are gone do not stay.
    write_atomic(notes_path, b"".join([header + b"\n", *(_note(keys[name], row) for name, row in done.items())]))
    if todo:
        with notes_path.open("ab") as notes:
            for row in work(todo):
                done[row.id] = row
                notes.write(_note(keys[row.id], row))
                notes.flush()
            os.fsync(notes.fileno())
    missing = next((row.id for row in rows if row.id not in done), None)
    if missing is not None:
        raise ReplikkError(f"{result}: there is no result for the utterance {missing}; run again")
    return [done[row.id] for row in rows]


def _note(key: str, row: Utterance) -> bytes:
    return canonical_json({"of": key, "row": row.to_json()}) + b"\n"


def _noted(path: Path, header: bytes) -> dict[str, Utterance]:
    """By the digest of a row its result; empty where the notes depend on something else."""
    if not path.is_file():
        return {}
    first, _, rest = path.read_bytes().partition(b"\n")
    if first != header:
        return {}
    whole = rest[: rest.rfind(b"\n") + 1]  # a kill may have come in the middle of a row
    notes = (orjson.loads(line) for line in whole.splitlines())
    return {note["of"]: Utterance.from_json(note["row"]) for note in notes}
