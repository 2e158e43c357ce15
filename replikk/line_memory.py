"""What a stage made of each line in the last build, remembered by the bytes that it was made from.

Of ten thousand lines a writer changes one. A stage that finds the source of a line here (its row of the plan, and what
else comes into it) takes what was made of it as it is, without decoding either; everything else that the result
depends on is the memory's ``basis``. Only what the last build used is kept, so nothing piles up. A file that is
missing, damaged or of another basis is an empty memory: what it held is made anew.

    build/store/NAME.rows    the checksum and the basis; then a line each: digest of the source, blank, what was made
"""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

from replikk.files import write_atomic

_DIGEST_LETTERS = 64
PART = b"\t"
"""Between parts of what was made: JSON never holds a raw tab."""


class LineMemory:
    """The memory of one stage. What was made must not hold a newline; no JSON of ours does."""

    def __init__(self, path: Path, basis: str) -> None:
        self._path = path
        self._basis = basis.encode()
        self._before = _read(path, self._basis)
        """Whole rows by digest; rows that stay are written again as they are."""
        self._now: dict[bytes, bytes] = {}

    def find(self, source: bytes) -> bytes | None:
        """What was made of ``source``; None when it has to be made."""
        key = _key(source)
        row = self._before.get(key)
        if row is None:
            return None
        self._now[key] = row
        return row[_DIGEST_LETTERS + 1 :]

    def keep(self, source: bytes, made: bytes) -> None:
        """Remember what was made of ``source``."""
        key = _key(source)
        self._now[key] = b"%b %b" % (key, made)

    def save(self) -> None:
        """Write what was found and kept since the memory was opened, unless that is what the file holds."""
        if self._now == self._before and self._path.exists():
            return
        content = b"\n".join([self._basis, *self._now.values(), b""])
        # Not synced: a file that a power cut damages is told by its checksum.
        write_atomic(self._path, b"%08x " % zlib.crc32(content) + content, sync=False)


def _key(source: bytes) -> bytes:
    return hashlib.sha256(source).hexdigest().encode()


def _read(path: Path, basis: bytes) -> dict[bytes, bytes]:
    try:
        checksum, _, content = path.read_bytes().partition(b" ")
    except OSError:
        return {}
    if checksum != b"%08x" % zlib.crc32(content):
        return {}
    known, *rows = content.removesuffix(b"\n").split(b"\n")
    if known != basis:
        return {}
    return {row[:_DIGEST_LETTERS]: row for row in rows}
