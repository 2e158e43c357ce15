"""Talking to the Hugging Face hub: what a file is, and its bytes, from where an earlier transfer stopped.

``huggingface_hub`` brings endpoint (HF_ENDPOINT), login, proxies and retries. Its own ``hf_hub_download`` throws a
half-finished file away when it is interrupted, which for 2 GB over a slow line means never to finish. So the
part file is ours, and the library's ``http_get`` continues it. It writes in blocks of 10 MiB: an interruption loses
at most one. (Its other transport, Xet, cannot continue a file; plain HTTP serves the same bytes.)
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from replikk.errors import ReplikkError
from replikk.models.catalogue import spell_bytes
from replikk.progress import EVERY_S, spell_duration

log = logging.getLogger(__name__)

# Read when the library is imported. With telemetry it tells the hub which program on this machine asks, and makes
# requests of its own for that.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

OFFLINE_WAY = "or name a folder that has the models with --config models_dir=…"
_SHA256_DIGITS = 64


@dataclass(frozen=True)
class HubFile:
    """What the hub says about one file at one revision."""

    revision: str
    """The commit, 40 hex digits."""
    bytes: int
    sha256: str
    """Empty for small files, for which the hub states another hash."""


def hub_file(repository: str, revision: str, path: str) -> HubFile | None:
    """Ask the hub about a file; None when the repository has none of that name.

    Raises ReplikkError with the reason and a remedy for everything else that can go wrong.
    """
    with _explained(repository, revision, path):
        from huggingface_hub import get_hf_file_metadata
        from huggingface_hub.errors import RemoteEntryNotFoundError

        try:
            found = get_hf_file_metadata(_url(repository, revision, path), endpoint=_endpoint())
        except RemoteEntryNotFoundError:
            return None
    if found.commit_hash is None or found.etag is None or found.size is None:
        raise ReplikkError(
            f"{repository}: {path}: the answer to the question for it did not come from a Hugging Face hub; mend "
            f"HF_ENDPOINT or the proxy, then run again, {OFFLINE_WAY}"
        )
    return HubFile(found.commit_hash, found.size, found.etag if len(found.etag) == _SHA256_DIGITS else "")


def download(repository: str, revision: str, path: str, part: Path, expected_bytes: int, total: TotalProgress) -> None:
    """Bring ``part`` to its full size, from where it ends.

    Raises ReplikkError with the reason and a remedy; what has arrived by then is kept for the next call.
    """
    with _explained(repository, revision, path):
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        with part.open("ab") as file:
            here = file.tell()
            if here:
                log.info("%s: %s of %s are here already", path, spell_bytes(here), spell_bytes(expected_bytes))
            total.begin(path, expected_bytes, here)
            http_get(
                _url(repository, revision, path),
                file,
                resume_size=here,
                # Not compressed: a part of a compressed answer could not be continued.
                headers={**build_hf_headers(library_name="replikk"), "Accept-Encoding": "identity"},
                expected_size=expected_bytes,
                displayed_filename=path,
                tqdm_class=total.bar,  # type: ignore[arg-type]  # anything callable will do
            )
            file.flush()
            os.fsync(file.fileno())


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _url(repository: str, revision: str, path: str) -> str:
    from huggingface_hub import hf_hub_url

    name = repository.removeprefix("datasets/")  # so the hub itself tells data sets from models
    kind = "dataset" if name != repository else None
    return hf_hub_url(name, path, repo_type=kind, revision=revision, endpoint=_endpoint())


class TotalProgress:
    """The log of a download: one line every few seconds about the file and the whole."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        """Of this run: without what earlier ones brought."""
        self._done_bytes = 0
        self._start_s = self._last_s = time.monotonic()
        self._file, self._file_bytes, self._file_done = "", 0, 0

    def begin(self, file: str, file_bytes: int, here: int) -> None:
        self._file, self._file_bytes, self._file_done = file, file_bytes, here

    def bar(self, **_: Any) -> _Bar:
        """What the library reports to, in the place of its own progress bar."""
        return _Bar(self)

    def add(self, count: int) -> None:
        """Bytes that have arrived; fewer than none when the library had to start a file anew."""
        self._done_bytes += count
        self._file_done += count
        now_s = time.monotonic()
        if now_s - self._last_s < EVERY_S or self._done_bytes <= 0:
            return
        self._last_s = now_s
        pace = self._done_bytes / (now_s - self._start_s)  # bytes per second
        left_s = max(0, self._total_bytes - self._done_bytes) / pace
        log.info(
            "%s: %s of %s; %s of %s in all, %s a second, about %s left",
            self._file, spell_bytes(self._file_done), spell_bytes(self._file_bytes), spell_bytes(self._done_bytes),
            spell_bytes(self._total_bytes), spell_bytes(int(pace)), spell_duration(left_s),
        )  # fmt: skip


class _Bar:
    """As much of a progress bar as the library uses."""

    def __init__(self, total: TotalProgress) -> None:
        self._total = total

    def update(self, count: int) -> None:
        self._total.add(int(count))

    def __enter__(self) -> _Bar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


@contextlib.contextmanager
def _explained(repository: str, revision: str, path: str) -> Iterator[None]:
    """Turn what can go wrong on the way to the hub into one sentence with a remedy."""
    try:
        from huggingface_hub import errors
    except ImportError as error:
        raise ReplikkError(
            f"{repository}: the Python package huggingface_hub, which fetches it, is not installed; run "
            "pip install 'huggingface_hub>=2.4,<3'"
        ) from error
    again = "then run again: what has arrived is kept"
    try:
        yield
    except errors.GatedRepoError as error:
        raise ReplikkError(
            f"{repository}: its owner wants you to agree to terms first; open https://huggingface.co/{repository}, "
            "agree, run 'hf auth login', then run again"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ReplikkError(
            f"{repository}: the hub has no revision {revision or 'main'} of it any more; ask for a newer version of "
            f"replikk, {OFFLINE_WAY}"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ReplikkError(
            f"{repository}: the hub has no such repository, or shows it only to some; run 'hf auth login' if you may "
            f"see it, {OFFLINE_WAY}"
        ) from error
    except errors.OfflineModeIsEnabled as error:
        raise ReplikkError(f"{repository}: HF_HUB_OFFLINE forbids to ask the hub; unset it, {OFFLINE_WAY}") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        raise ReplikkError(f"{repository}: {path}: the hub answered with {status}; wait a little, {again}") from error
    except errors.HTTPError as error:  # the base of what the library's HTTP client raises
        reason = str(error) or type(error).__name__
        raise ReplikkError(
            f"{repository}: {path}: the connection to the hub failed ({reason}); check it, {again}; {OFFLINE_WAY}"
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ReplikkError(f"{repository}: {path}: the disk is full; make room, {again}") from error
        if error.errno is None:  # the library's own complaint about a transfer that ended too early
            raise ReplikkError(f"{repository}: {path}: the transfer broke off; {again}") from error
        raise
