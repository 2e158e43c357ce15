"""``decisions.csv`` shared by open pages, other servers and people with a text editor.

Every change reads the file anew, under a lock that belongs to its folder, and replaces it in one step, so that nobody's
rows are lost: pages do not send the file, only what was decided. Nobody else takes that lock, least of all a
spreadsheet program that has the file open; so the server remembers what it wrote, and says which of it is gone.

A row is known by what it says and not by its number, which changes when somebody sorts the file. To undo is to take
the row out again: then what was decided before it holds once more.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from replikk.dialogue.decisions import Decision, in_force
from replikk.errors import Problem, ReplikkError
from replikk.files import digest, write_atomic
from replikk.review.rows import FIELDS, append_rows, read_rows, remove_rows

NO_FILE = "none"


@dataclass(frozen=True)
class Row:
    """A decision in the file."""

    name: str
    """What the row is called between page and server; the same text is the same name."""
    decision: Decision
    holds: bool
    """False when a later row replaces or withdraws it, and for withdrawals."""


@dataclass(frozen=True)
class Decisions:
    """The file as it was read."""

    version: str
    """Changes when the file's bytes do."""
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    """What is wrong with the file; the next build will say so too, and stop."""


class DecisionFile:
    """The decisions of one dialogue folder. Safe to use from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = threading.Lock()
        self._read: tuple[tuple[int, ...], Decisions] | None = None
        self._written: dict[str, Decision] = {}
        """Rows that were added here and not undone here."""

    def decisions(self) -> Decisions:
        """What the file says now; read again only when it has changed. Raises ReplikkError when it cannot be."""
        with self._threads:
            return self._current()

    def lost(self) -> list[Decision]:
        """Decisions that were written here and are gone: somebody saved an older version of the file over them."""
        with self._threads:
            there = {row.name for row in self._current().rows}
            return [decision for name, decision in self._written.items() if name not in there]

    def append(self, decisions: Sequence[Decision]) -> list[str]:
        """Write decisions at the end of the file; returns the names of their rows. Raises ReplikkError."""
        with self._locked():
            before = Counter(row.name for row in self._current().rows)
            self._write(append_rows(self._bytes(), decisions, str(self.path)))
            names = [row.name for row in self._current().rows if not before[row.name]]
            self._written.update(zip(names, decisions, strict=True))
            return names

    def remove(self, names: Sequence[str]) -> list[str]:
        """Take rows out of the file; returns the names of those that were still in it. Raises ReplikkError."""
        wanted = set(names)
        with self._locked():
            gone = [row for row in self._current().rows if row.name in wanted]
            if gone:
                self._write(remove_rows(self._bytes(), {row.decision.row for row in gone}, str(self.path)))
            for name in wanted:
                self._written.pop(name, None)
            return [row.name for row in gone]

    # Within the lock -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone with the file: among threads, and among processes by a lock on its folder, which leaves no file."""
        with self._threads:
            try:
                folder = os.open(self.path.resolve().parent, os.O_RDONLY | os.O_DIRECTORY)
            except OSError as error:
                raise ReplikkError(f"{self.path.parent}: cannot be opened ({error.strerror})") from error
            try:
                with contextlib.suppress(OSError):  # a network disk without locks: still one change at a time in here
                    fcntl.flock(folder, fcntl.LOCK_EX)
                yield
            finally:
                os.close(folder)

    def _current(self) -> Decisions:
        signature = self._signature()
        if self._read is None or self._read[0] != signature:
            data = self._bytes()
            version = hashlib.sha256(data).hexdigest()[:16] if signature else NO_FILE
            found, problems = read_rows(data, str(self.path)) if data else ([], [])
            self._read = signature, Decisions(version, _named(found), tuple(problems))
        return self._read[1]

    def _signature(self) -> tuple[int, ...]:
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ReplikkError(f"{self.path}: cannot be read ({error.strerror}); mend its rights") from error
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _bytes(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise ReplikkError(f"{self.path}: cannot be read ({error.strerror}); mend its rights") from error

    def _write(self, data: bytes) -> None:
        target = self.path.resolve()  # a link stays a link
        mode = target.stat().st_mode & 0o777 if target.exists() else None
        if mode is not None and not mode & 0o222:
            raise ReplikkError(f"{self.path}: is read-only, so nothing was written; make it writable")
        write_atomic(target, data)
        if mode is not None:
            target.chmod(mode)
        self._read = None


def _named(decisions: Sequence[Decision]) -> tuple[Row, ...]:
    holding = {decision.row for decision in in_force(decisions)}
    seen: Counter[str] = Counter()
    rows = []
    for decision in decisions:
        said = digest([getattr(decision, name) for name in FIELDS.values()])[:20]
        seen[said] += 1  # who says the same twice has two rows
        rows.append(Row(f"{said}-{seen[said]}", decision, decision.row in holding))
    return tuple(rows)
