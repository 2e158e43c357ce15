"""Sources of recordings behind one interface: what there is (``list_files``), and the recordings of a share of it.

Every source is listed once, by a job of its own, and the list is kept, so that shards stay what they are while they are
made, and a repository of the hub is read at the one commit that the list names. A recording goes to the shard that a
hash of its path says: others stay where they are when some are added. The few large files of a repository are dealt out
in turn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.corpus.settings import CorpusSettings, Source
from replikk.errors import ReplikkError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RawClip:
    """A recording as its source has it."""

    origin: str
    speaker: str
    """As the source calls the speaker; hashed before anything is written."""
    text: str
    samples: NDArray[np.int16] | None
    """[samples]; None for one that could not be used."""
    sample_rate_hz: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    dropped: str = ""
    why: str = ""


def list_files(source: Source, settings: CorpusSettings) -> dict[str, Any]:
    """The list of a source: ``files``, one row each, and what they were read at. Raises ReplikkError: none."""
    listed: dict[str, Any]
    if source.kind in ("folder", "librivox"):
        from replikk.corpus.folder_source import list_folder

        listed = {"files": list_folder(source)}
    elif source.kind == "embedded":
        from replikk.corpus.embedded_source import list_sentences

        listed = {"files": list_sentences(source)}
    else:
        from replikk.corpus.hub_source import list_repository

        listed = list_repository(source)
    if not listed["files"]:
        raise ReplikkError(
            f"{source.path or source.name}: has no recordings; put audio files there, or name another folder"
        )
    return {"name": source.name, "kind": source.kind, **listed}


def raw_clips(
    source: Source, listed: dict[str, Any], shard: int, settings: CorpusSettings, work: Path
) -> Iterator[RawClip]:
    """The recordings of a shard. ``work`` is a folder for downloads."""
    files = listed["files"]
    if source.kind in ("nst", "npsc"):
        files = files[shard :: source.shards]
    else:
        files = [row for row in files if shard_of(row["path"], source.shards) == shard]
    if source.kind in ("folder", "librivox"):
        from replikk.corpus.folder_source import folder_clips

        return folder_clips(source, files, settings.limits)
    if source.kind == "embedded":
        from replikk.corpus.embedded_source import spoken_clips

        return spoken_clips(files)
    from replikk.corpus.hub_source import hub_clips

    return hub_clips(source, listed, files, work)


def shard_of(path: str, shards: int) -> int:
    """The shard of a recording, by its path below the source."""
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:8]) % shards
