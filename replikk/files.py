"""Writing files so that a kill never leaves half of one, and reading what was written.

Every file is written beside its place under a temporary name, flushed to the disk and renamed. JSON is written
with sorted keys and without spaces, so that equal content is equal bytes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from replikk.errors import ReplikkError


def write_atomic(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Replace ``path`` by ``data`` in one step; ``sync`` waits until the disk has it.

    Raises ReplikkError naming the file when the folder cannot be written or the disk is full.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not the suffix of the file: what a killed build leaves behind must not look like a clip to anything.
        handle, temporary = _open_beside(path, ".part")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # noqa: PTH101 - a build tree is for everybody to read
        os.replace(temporary, path)  # noqa: PTH105 - Path.replace is the same call
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise ReplikkError(
            f"{path}: cannot be written ({reason}); make room or mend the folder's rights, then run again: "
            "finished takes are kept"
        ) from error


def write_atomic_by(path: Path, write: Callable[[Path], object]) -> None:
    """As ``write_atomic`` for content too large to hold: ``write`` is given a temporary path and makes the file there.

    Raises ReplikkError naming the file when the folder cannot be written or the disk is full. Libraries that write
    in other languages report a full disk as RuntimeError, so that counts as one too.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = _open_beside(path, path.suffix)
        os.close(handle)
        write(Path(temporary))
        with open(temporary, "rb+") as file:  # noqa: PTH123 - a string until here
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # noqa: PTH101 - as above
        os.replace(temporary, path)  # noqa: PTH105 - as above
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ReplikkError(
            f"{path}: cannot be written ({reason.splitlines()[0]}); make room or mend the folder's rights"
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)  # gone already where all went well


def _open_beside(path: Path, suffix: str) -> tuple[int, str]:
    """A new empty file in the folder of ``path``: its descriptor and its name, which nobody else has.

    ``tempfile`` does the same, but loading it (and with it random numbers and three ways to compress) takes a twentieth
    of the time of a stage that has little to do, and every stage writes files.
    """
    while True:
        name = f"{path.parent}/.tmp-{os.urandom(4).hex()}{suffix}"
        with contextlib.suppress(FileExistsError):
            return os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), name


def write_if_changed(path: Path, data: bytes, *, sync: bool = True) -> bool:
    """Write only when the content differs, so that an unchanged file keeps its modification time."""
    try:
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return False
    except OSError:
        pass  # not there, or in the way: writing says which
    write_atomic(path, data, sync=sync)
    return True


REFUSALS = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR,
    errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EIO, errno.ESTALE,
    errno.EBUSY, errno.ETXTBSY, errno.ENXIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOLCK, errno.ENODEV,
    errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTDOWN,
})  # fmt: skip
"""What a system says of files and disks that a user can do something about. Anything else is a fault of ours."""


def unusable(error: OSError) -> ReplikkError:
    """What a user can do about a file that the system refuses.

    Raises ``error`` itself where a sentence would hide what happened: then the whole account is needed to mend it.
    """
    if error.errno not in REFUSALS:
        raise error
    name = "a file" if error.filename is None else str(error.filename)
    return ReplikkError(
        f"{name}: cannot be used ({error.strerror or error}); make room or mend its rights, then run again: "
        "finished takes are kept"
    )


def canonical_json(value: Any) -> bytes:
    """The one JSON spelling of a value: sorted keys, no spaces, UTF-8. Used for keys and for files."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def digest(value: Any) -> str:
    """SHA-256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def write_jsonl(path: Path, records: Iterable[Any]) -> None:
    """One canonical JSON value per line."""
    write_atomic(path, b"".join(canonical_json(record) + b"\n" for record in records))


def read_jsonl(path: Path) -> Iterator[Any]:
    """The values of a file written by ``write_jsonl``. Raises ReplikkError naming file and row."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield orjson.loads(line)
            except ValueError as error:
                raise ReplikkError(f"{path}:{number}: is not JSON; delete the file and run again") from error


def read_json(path: Path) -> Any:
    """The value of a file that the build wrote. Raises ReplikkError naming a file that was damaged."""
    try:
        return orjson.loads(path.read_bytes())
    except ValueError as error:
        raise ReplikkError(f"{path}: is not JSON; delete the file and run again") from error


def sha256_file(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
