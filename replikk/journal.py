"""An append-only file of small records by key, the memory of the store.

One line per record: ``key crc32 json``. A line is appended with one write under an exclusive lock, so several jobs can
share a journal; a kill can only leave the last line short. Lines whose checksum is wrong are passed over on reading:
what they said is simply not known any more and is made again. Later lines win. Records are decoded when asked for,
because a build of 50,000 lines needs few of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import orjson

from replikk.errors import StoreError
from replikk.files import canonical_json, write_atomic

KEY = re.compile(r"[0-9a-f]{64}")
_RECENT_BYTES = 1 << 20
"""The end of a journal that ``recent`` looks at: hundreds of records, read in a millisecond."""


class Journal:
    """Records by key. Not for keys from users: a key is the hex of a SHA-256."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[bytes, bytes] = {}
        """By key, as bytes: nobody asks for most of them."""
        self._read_to = 0
        self._is_open = False
        self._newest: dict[bytes, bytes] | None = None

    def _known(self) -> dict[bytes, bytes]:
        """The lines by key; read when they are first asked for, because who only appends need not know them."""
        if not self._is_open:
            self.refresh()
        return self._lines

    def refresh(self) -> None:
        """Read what other processes have appended since the last look."""
        self._is_open = True
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            self._lines, self._read_to = {}, 0
            return
        if size < self._read_to:  # compacted by prune
            self._lines, self._read_to = {}, 0
        if size == self._read_to:
            return
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            data = file.read()
        complete = data.rfind(b"\n") + 1
        self._lines.update(_by_key(data[:complete]))
        self._read_to += complete

    def __contains__(self, key: str) -> bool:
        """Whether there is an undamaged record of ``key``; does not decode it."""
        payload = self._payload(key)
        return payload is not None and payload != b"null"

    def __iter__(self) -> Iterator[str]:
        return iter([key.decode("ascii", "replace") for key in self._known()])

    def __len__(self) -> int:
        return len(self._known())

    def get(self, key: str) -> Any | None:
        """The record of ``key``; None when there is none or it is damaged."""
        return _decoded(self._payload(key))

    def recent(self, key: str) -> Any | None:
        """As ``get`` of a record that was appended lately; None may also mean that it is older.

        For who wants a few records of a large journal: unless all of it was asked for before, only its end is read.
        """
        if self._is_open:
            return self.get(key)
        if self._newest is None:
            self._newest = _by_key(_end_of(self.path))
        name = key.encode()
        return _decoded(_intact(name, self._lines.get(name) or self._newest.get(name)))

    def find(self, key: str) -> Any | None:
        """As ``get``, quicker for a few records that were most likely appended lately."""
        record = self.recent(key)
        return self.get(key) if record is None else record

    def _payload(self, key: str) -> bytes | None:
        name = key.encode()
        return _intact(name, self._known().get(name))

    def append(self, key: str, record: Any, *, sync: bool = False) -> None:
        """Remember ``record``; it is on its way to the disk when this returns, and there when ``sync`` is set.

        Raises StoreError when the disk is full or the folder cannot be written.
        """
        if not KEY.fullmatch(key):
            raise StoreError(f"{self.path}: '{key}' is not a key")
        payload = canonical_json(record)
        name = key.encode()
        line = name + b" " + _checksum(name, payload) + b" " + payload
        with _writing(self.path), self.path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # A line that a kill cut short must not swallow this one.
            start = b"" if file.tell() == 0 or _ends_with_newline(self.path) else b"\n"
            file.write(start + line + b"\n")
            file.flush()
            if sync:
                os.fsync(file.fileno())
        self._lines[name] = line

    def forget(self, key: str) -> None:
        """Drop a record that turned out to be wrong."""
        self.append(key, None)

    def sync(self) -> None:
        """Wait until everything appended is on the disk."""
        if self.path.exists():
            with _writing(self.path), self.path.open("ab") as file:
                os.fsync(file.fileno())

    def keep(self, keys: Collection[str]) -> None:
        """Compact: forget every record whose key is not in ``keys``."""
        lines = self._known()
        kept = [lines[key.encode()] for key in sorted(self) if key in keys and self.get(key) is not None]
        write_atomic(self.path, b"".join(line + b"\n" for line in kept))
        self._lines, self._read_to = {}, 0
        self.refresh()


def _by_key(data: bytes) -> dict[bytes, bytes]:
    return {
        line[:64]: line
        for line in data.split(b"\n")
        # 64 hex digits, blank, 8 hex digits, blank, JSON
        if len(line) > 74 and line[64] == 32 and line[73] == 32
    }


def _end_of(path: Path) -> bytes:
    """The last lines of a file; the first of them may be cut short, which its checksum tells."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _RECENT_BYTES))
            return file.read()
    except FileNotFoundError:
        return b""


def _intact(key: bytes, line: bytes | None) -> bytes | None:
    """The payload of a line whose checksum is right."""
    if line is None:
        return None
    payload = line[74:]
    return payload if line[65:73] == _checksum(key, payload) else None


def _decoded(payload: bytes | None) -> Any | None:
    try:
        return None if payload is None else orjson.loads(payload)
    except ValueError:
        return None


def _checksum(key: bytes, payload: bytes) -> bytes:
    return b"%08x" % zlib.crc32(payload, zlib.crc32(key))


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror or error}); make room or mend the folder's rights, "
            "then run again: finished takes are kept"
        ) from error
