"""The open corpora NbAiLab/NST and NbAiLab/NPSC, read from the hub file by file at one commit.

Their published loading scripts no longer run. So NST comes as its raw archives, each with a table of texts beside it,
and NPSC from the hub's own conversion to Parquet, of which only the columns that are needed are read: the names of
members of parliament stand in another one. Of NST the near microphone is taken; the far one has the same readings.

A file is fetched with what the project uses for models: from where an earlier transfer stopped, compared with its
hash, and deleted when it was read. What a kill leaves is continued by the next run, or deleted with the folder of the
shard when that is made, or at the start of a run that finds it made.
"""

from __future__ import annotations

import io
import json
import logging
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from replikk.corpus.folder import remove_downloads
from replikk.corpus.settings import Source
from replikk.corpus.sources import RawClip
from replikk.errors import ReplikkError, printable
from replikk.files import sha256_file
from replikk.models.hub import OFFLINE_WAY, TotalProgress, download, hub_file

log = logging.getLogger(__name__)

REPOSITORIES = {"nst": "datasets/NbAiLab/NST", "npsc": "datasets/NbAiLab/NPSC"}
PARQUET_BRANCH = "refs/convert/parquet"
_NST_ARCHIVES = {"train": 9, "test": 3}
_NPSC_SUBSET = "16K_mp3_bokmaal"
_MOST_PARQUET_FILES = 200
_NPSC_COLUMNS = ("sentence_id", "speaker_id", "sentence_text", "sentence_language_code", "audio")
_LONGEST_CLIP_BYTES = 50_000_000


def list_repository(source: Source) -> dict[str, Any]:
    """Repository, commit, and the files with their sizes and hashes. Raises ReplikkError: no network, no such files."""
    repository = REPOSITORIES[source.kind]
    if source.kind == "nst":
        subset = source.subset or "train"
        if subset not in _NST_ARCHIVES:
            raise ReplikkError(f"config.yaml: corpus.sources: {source.name}: subset: write train or test")
        count = _NST_ARCHIVES[subset]
        names = [f"data/{subset}/nst_no_{subset}_close-{number:04}-of-{count:04}" for number in range(1, count + 1)]
        revision, files = _look_up(repository, source.revision or "main", [f"{name}.tar.gz" for name in names])
        tables = _look_up(repository, revision, [f"{name}.json" for name in names])[1]
        for row, table in zip(files, tables, strict=True):
            row["table"] = table
    else:
        subset = source.subset or _NPSC_SUBSET
        names = [f"{subset}/train/{number:04}.parquet" for number in range(_MOST_PARQUET_FILES)]
        revision, files = _look_up(repository, source.revision or PARQUET_BRANCH, names, as_many_as_there_are=True)
    return {"repository": repository, "revision": revision, "files": files}


def _look_up(
    repository: str, revision: str, names: list[str], as_many_as_there_are: bool = False
) -> tuple[str, list[dict[str, Any]]]:
    files: list[dict[str, Any]] = []
    for name in names:
        try:
            found = hub_file(repository, revision, name)
        except ReplikkError as error:
            raise _of_corpus(error) from error
        if found is None:
            if as_many_as_there_are and files:
                break
            raise ReplikkError(
                f"{repository}: has no {name} at {revision[:12]}; it was laid out anew: name an older commit "
                "(corpus.sources: revision), or fetch it yourself and use kind: folder"
            )
        revision = found.revision  # all files at the commit of the first
        files.append({"path": name, "bytes": found.bytes, "sha256": found.sha256})
    return revision, files


def hub_clips(source: Source, listed: dict[str, Any], files: list[dict[str, Any]], work: Path) -> Iterator[RawClip]:
    repository, revision = listed["repository"], listed["revision"]
    total = TotalProgress(sum(row["bytes"] + row.get("table", {}).get("bytes", 0) for row in files))
    for row in files:
        path = _fetched(repository, revision, row, work, total)
        if source.kind == "nst":
            table = _fetched(repository, revision, row["table"], work, total)
            yield from nst_clips(path, table)
            table.unlink()
        else:
            yield from npsc_clips(path, row["path"])
        path.unlink()
    remove_downloads(work)  # with what was left of another commit, or of another number of shards


def _fetched(repository: str, revision: str, row: dict[str, Any], work: Path, total: TotalProgress) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    path = work / row["path"].replace("/", "_")
    if not path.is_file() or not _is_announced(path, row):
        path.unlink(missing_ok=True)
        part = path.with_name(path.name + ".part")
        try:
            download(repository, revision, row["path"], part, row["bytes"], total)
        except ReplikkError as error:
            raise _of_corpus(error) from error
        if not _is_announced(part, row):
            part.unlink()
            raise ReplikkError(f"{repository}: {row['path']}: what arrived is not what the hub announced; run again")
        part.replace(path)
    return path


def _is_announced(path: Path, row: dict[str, Any]) -> bool:
    return bool(path.stat().st_size == row["bytes"] and row["sha256"] in ("", None, sha256_file(path)))


def _of_corpus(error: ReplikkError) -> ReplikkError:
    """What is right for models is wrong here."""
    return ReplikkError(str(error).replace(OFFLINE_WAY, "or use recordings that are here (kind: folder)"))


def nst_clips(archive: Path, table: Path) -> Iterator[RawClip]:
    """The clips of an archive in its own order; those without a row in the table are no utterances."""
    rows = {_nst_stem(row): row for row in _table(table)}
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                row = rows.get(PurePosixPath(member.name).stem)
                if row is None or not member.isfile() or member.size > _LONGEST_CLIP_BYTES:
                    continue
                file = tar.extractfile(member)
                yield _clip(
                    b"" if file is None else file.read(),
                    origin=PurePosixPath(member.name).name,
                    speaker=str(row.get("Speaker_ID") or row.get("pid") or ""),
                    text=str(row.get("text") or ""),
                    facts={"type": str(row.get("type") or "")},
                )
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ReplikkError(f"{archive}: is no archive, or a damaged one ({error}); delete it and run again") from error


def _nst_stem(row: dict[str, Any]) -> str:
    """``pid`` and file make the name of the audio: ``no99x069-22071999-1425_u0070005``."""
    return f"{row.get('pid')}_{PurePosixPath(str(row.get('file'))).stem}"


def _table(path: Path) -> list[dict[str, Any]]:
    """Rows of JSON, as one list or one to a line."""
    try:
        content = path.read_text(encoding="utf-8").strip()
        rows = json.loads(content) if content.startswith("[") else [json.loads(line) for line in content.splitlines()]
        if not rows or not all(isinstance(row, dict) and "file" in row for row in rows):
            raise ValueError("no rows with a file")
    except (ValueError, RecursionError) as error:
        raise ReplikkError(f"{path}: is no table of utterances ({printable(str(error), 80)}); run again") from error
    return list(rows)


def npsc_clips(path: Path, name: str) -> Iterator[RawClip]:
    """The sentences of a Parquet file, by number of the speaker; no other column is read."""
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(path)
        missing = [column for column in _NPSC_COLUMNS if column not in file.schema_arrow.names]
        if missing:
            raise ReplikkError(
                f"{name}: has no column {', '.join(missing)}; name an older commit (corpus.sources: revision)"
            )
        for batch in file.iter_batches(batch_size=64, columns=list(_NPSC_COLUMNS)):
            for row in batch.to_pylist():
                audio = row["audio"]
                yield _clip(
                    (audio.get("bytes") if isinstance(audio, dict) else audio) or b"",
                    origin=f"{name}#{row['sentence_id']}",
                    speaker=str(row["speaker_id"]),
                    text=str(row["sentence_text"] or ""),
                    facts={"language": str(row["sentence_language_code"] or "")},
                )
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise ReplikkError(f"{path}: is no Parquet file, or a damaged one ({error}); delete it, run again") from error


def _clip(data: bytes, origin: str, speaker: str, text: str, facts: dict[str, str]) -> RawClip:
    import numpy as np
    import soundfile

    text = " ".join(text.split())
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
        if not len(samples):
            raise ValueError("no samples")
    except (soundfile.SoundFileError, TypeError, RuntimeError, ValueError) as error:
        why = f"{origin}: cannot be read as audio ({printable(str(error), 80)})"
        return RawClip(origin, speaker, text, None, 0, facts, "unreadable", why)
    return RawClip(origin, speaker, text, np.ascontiguousarray(samples[:, 0]), int(rate), facts)
