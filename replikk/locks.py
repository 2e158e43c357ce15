"""One build at a time. Locks belong to open files, so the system frees them when a process dies, however it dies.

Two kinds: the build's lock, held by the Snakemake process from its first job to its last; and a lock per job, because
after a SIGKILL of Snakemake the job it had started lives on, and the next build must wait for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from replikk.errors import StoreError

log = logging.getLogger(__name__)

_HELD: list[IO[str]] = []
"""Locks of this process. A lock ends with its open file, and Snakemake throws away what ``onstart`` makes."""
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def hold_build_lock(build_dir: Path) -> IO[str]:
    """Take the build's lock until the process ends, or until the file that is returned is closed.

    Raises StoreError when another build has it.
    """
    file = _open(build_dir / "store" / "build.lock")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(file)
        raise StoreError(
            f"{build_dir}: another build is running{holder}; wait until it has ended, then run again"
        ) from None
    except OSError as error:
        raise _unlockable(build_dir, error) from error
    _sign(file)
    _HELD.append(file)
    return file


@contextlib.contextmanager
def job_lock(build_dir: Path, name: str) -> Iterator[None]:
    """Hold the lock of one job, waiting for an earlier build's job of the same name to end."""
    with _open(build_dir / "store" / "locks" / f"{name}.lock") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("%s: a job of an earlier build is still running%s; waiting for it", name, _holder(file))
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            raise _unlockable(build_dir, error) from error
        _sign(file)
        yield


def end_with_parent() -> None:
    """For a worker that was forked from a job: end when the job ends, however it ends.

    A worker inherits the job's lock. Left alone, it would wait for work for ever, and the next build for the lock.
    """
    parent = os.getppid()
    import ctypes  # most jobs have no workers

    with contextlib.suppress(OSError, AttributeError):  # only Linux has it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _unlockable(build_dir: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{build_dir}: cannot be locked ({error.strerror}); put build_dir on a disk that knows locks (not every "
        "network disk does)"
    )


def _open(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror}); mend the folder's rights") from error


def _sign(file: IO[str]) -> None:
    # Who holds a lock is a courtesy for the message above; a full disk must not keep a build from starting.
    with contextlib.suppress(OSError):
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()


def _holder(file: IO[str]) -> str:
    file.seek(0)
    process_id = file.read().strip()
    return f" (process {process_id})" if process_id.isdigit() else ""
