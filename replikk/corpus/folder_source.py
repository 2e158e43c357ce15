"""A folder of recordings, with or without text; a folder of LibriVox chapters is one without.

Texts come from a ``metadata.csv`` anywhere in the folder (``id|text`` as LJSpeech has it, or with a header that names
``file_name`` and ``text``, and ``speaker`` if it likes), or from a ``.txt`` beside the recording with the same name. A
recording without text is cut at its pauses when it is longer than an utterance may be, chapters of hours too; one with
a text cannot be cut, because nobody knows where in the text the cut would be.

A name may be written in two ways: ``å`` as one character, or, as a Mac does, as ``a`` and a ring. Both are the same
name here; a table written on one machine goes with recordings from another.
"""

from __future__ import annotations

import csv
import logging
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replikk.audio.recordings import FFMPEG_FORMATS, read_recording
from replikk.corpus.long_recordings import is_long, stretches
from replikk.corpus.settings import Limits, Source
from replikk.corpus.sources import RawClip
from replikk.errors import AudioError, ReplikkError, printable

log = logging.getLogger(__name__)

SUFFIXES = frozenset((".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", *FFMPEG_FORMATS))
METADATA = "metadata.csv"
_FILE_COLUMNS = ("file_name", "file", "path", "audio", "id")
_TEXT_COLUMNS = ("text", "transcription", "transcript", "sentence")
_MAX_TEXT_BYTES = 100_000


@dataclass(frozen=True)
class _Row:
    """Of a metadata.csv."""

    number: int
    name: str
    text: str
    speaker: str


def list_folder(source: Source) -> list[dict[str, str]]:
    """One row per recording: path below the folder, text, speaker. Raises ReplikkError naming a text file, or a
    recording whose name is no text."""
    root = Path(source.path)
    recordings = audio_files(root)
    tables = {path: _metadata(path) for path in sorted(root.rglob(METADATA))}
    described = {where: row for table in tables.values() for where, row in table.items()}
    rows = []
    found = set()
    for path in recordings:
        row = described.get(_comparable(path.with_suffix("")))
        found.add(row)
        text = row.text if row else ""
        beside = path.with_suffix(".txt")
        if not text and beside.is_file():
            text = _text(beside)
        below = path.relative_to(root)
        folder = below.parts[0] if len(below.parts) > 1 and source.speakers == "folder" else ""
        speaker = row.speaker if row and row.speaker else folder
        rows.append({"path": below.as_posix(), "text": " ".join(text.split()), "speaker": speaker})
    for path, table in tables.items():
        lost = sorted({row for row in table.values() if row not in found}, key=_line)
        if lost:
            log.warning(
                "%s: %d of its rows name no recording, the first '%s' (line %d); they are left out",
                path, len(lost), printable(lost[0].name, 60), lost[0].number,
            )  # fmt: skip
    return rows


def _line(row: _Row) -> int:
    return row.number


def audio_files(root: Path) -> list[Path]:
    """The recordings below a folder, hidden files left out, in the order of their paths.

    Raises ReplikkError for one whose name is not UTF-8, which could not stand in a manifest.
    """
    found = sorted(
        path
        for path in root.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    for path in found:
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            shown = printable(str(path).encode(errors="replace").decode(), 200)
            raise ReplikkError(f"{shown}: has a name that is not UTF-8; rename it") from error
    return found


def folder_clips(source: Source, files: list[dict[str, str]], limits: Limits) -> Iterator[RawClip]:
    root = Path(source.path)
    for row in files:
        path = root / row["path"]
        about: dict[str, Any] = {"speaker": row["speaker"], "text": row["text"]}
        try:
            if not row["text"] and is_long(path, limits.max_duration_s):
                for start_s, samples, rate in stretches(path, limits):
                    yield RawClip(f"{row['path']}#{start_s:.2f}", **about, samples=samples, sample_rate_hz=rate)
                continue
            recording = read_recording(path)
            yield RawClip(row["path"], **about, samples=recording.samples, sample_rate_hz=recording.sample_rate_hz)
        except AudioError as error:
            log.warning("%s", error)
            yield RawClip(row["path"], **about, samples=None, dropped="unreadable", why=str(error))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_TEXT_BYTES:
            raise ReplikkError(f"{path}: is too long to be the text of one recording; cut both, or take it away")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReplikkError(f"{path}: is not UTF-8 text; save it as UTF-8") from error


def _comparable(path: Path) -> str:
    """Equal for paths that people read as the same."""
    return unicodedata.normalize("NFC", str(path))


def _metadata(path: Path) -> dict[str, _Row]:
    """The rows by the path of the recording without its suffix, as ``_comparable`` has it."""
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReplikkError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    lines = content.splitlines()
    if not lines:
        raise ReplikkError(f"{path}: is empty; write 'file_name,text' rows, or take it away")
    delimiter = max("|\t;,", key=lines[0].count)
    # LJSpeech's rows are not quoted; quotes belong to the text there.
    quoting: Any = csv.QUOTE_NONE if delimiter == "|" else csv.QUOTE_MINIMAL
    rows = list(csv.reader(lines, delimiter=delimiter, quoting=quoting))
    header = [cell.strip().lower() for cell in rows[0]]
    file_at = next((header.index(name) for name in _FILE_COLUMNS if name in header), None)
    text_at = next((header.index(name) for name in _TEXT_COLUMNS if name in header), None)
    speaker_at = header.index("speaker") if "speaker" in header else None
    if file_at is not None and text_at is not None:
        rows = rows[1:]
    elif len(header) in (2, 3) and file_at is None:
        file_at, text_at = 0, len(header) - 1  # the last column of LJSpeech is the text as it is said
    else:
        raise ReplikkError(
            f"{path}: does not say which column is what; write a first row such as 'file_name,text', or "
            f"'id|text' rows (found: {printable(', '.join(header), 100)})"
        )
    result = {}
    for number, row in enumerate(rows, start=2 if "text" in header else 1):
        if not row:
            continue
        if len(row) <= max(file_at, text_at or 0):
            raise ReplikkError(f"{path}:{number}: has {len(row)} columns; write file and text")
        name = row[file_at].strip()
        speaker = row[speaker_at].strip() if speaker_at is not None and speaker_at < len(row) else ""
        described = _Row(number, name, row[text_at or 0], speaker)
        for folder in (path.parent, path.parent / "wavs"):
            where = folder / name
            result[_comparable(where.with_suffix("") if where.suffix.lower() in SUFFIXES else where)] = described
    return result
