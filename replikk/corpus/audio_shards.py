"""Tar shards of clips in the WebDataset layout: ``KEY.flac`` and ``KEY.json`` side by side, equal content equal bytes.

The layout streams from disk or network with any reader of WebDataset, and a shard is one file to copy. Members carry no
time, owner or name of the machine. FLAC comes with the checksum of its samples, which is compared on reading.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from replikk.audio.flac import decode_flac, encode_flac
from replikk.corpus.manifest import Utterance
from replikk.errors import AudioError, ReplikkError
from replikk.files import canonical_json, write_atomic_by

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ShardWriter:
    """Adds clips to a tar that is being made. Made by ``new_shard``."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def add(self, utterance: Utterance, samples: NDArray[np.int16], sample_rate_hz: int) -> str:
        """Append a clip; returns the name of its audio."""
        self._member(f"{utterance.id}.flac", encode_flac(samples, sample_rate_hz))
        about = {
            "id": utterance.id,
            "speaker": utterance.speaker,
            "text": utterance.text,
            "licence": utterance.licence,
            "source": utterance.source,
        }
        self._member(f"{utterance.id}.json", canonical_json(about))
        return f"{utterance.id}.flac"

    def _member(self, name: str, data: bytes) -> None:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        self._tar.addfile(entry, io.BytesIO(data))


@contextmanager
def new_shard(path: Path) -> Iterator[ShardWriter]:
    """A shard that is there when the block ends well, and not at all when it does not."""
    # The block runs inside the atomic writer, so that a kill leaves a temporary file and no half shard.
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".new-{path.name}")
    try:
        with tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT) as tar:
            yield ShardWriter(tar)
        write_atomic_by(path, temporary.replace)
    finally:
        temporary.unlink(missing_ok=True)


class ShardReader:
    """The clips of any shards below a folder, by name. Opens each tar once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tars: dict[str, tarfile.TarFile] = {}
        self._members: dict[str, dict[str, tarfile.TarInfo]] = {}

    def __enter__(self) -> ShardReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for tar in self._tars.values():
            tar.close()

    def read(self, utterance: Utterance) -> tuple[NDArray[np.int16], int]:
        """Samples and rate in Hz. Raises ReplikkError naming the shard that is missing or damaged."""
        return self.decode(utterance, self.read_bytes(utterance))

    def decode(self, utterance: Utterance, data: bytes) -> tuple[NDArray[np.int16], int]:
        """As ``read``, of what ``read_bytes`` returned."""
        path = self._folder / utterance.tar
        try:
            return decode_flac(data)
        except AudioError as error:
            raise ReplikkError(f"{path}: {utterance.member}: {error}; delete the shard and run again") from error

    def read_bytes(self, utterance: Utterance) -> bytes:
        """The FLAC file itself."""
        path = self._folder / utterance.tar
        try:
            if utterance.tar not in self._tars:
                tar = tarfile.open(path, "r:")  # noqa: SIM115 - stays open until the reader ends
                self._tars[utterance.tar] = tar
                self._members[utterance.tar] = {member.name: member for member in tar}
            member = self._members[utterance.tar].get(utterance.member)
            file = None if member is None else self._tars[utterance.tar].extractfile(member)
            if file is None:
                raise ReplikkError(f"{path}: has no {utterance.member}; delete the shard and run again")
            return file.read()
        except (OSError, tarfile.TarError) as error:
            raise ReplikkError(f"{path}: cannot be read ({error}); delete it and run again") from error
