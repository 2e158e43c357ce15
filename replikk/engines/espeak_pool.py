"""Several voice processes at once, driven from one thread.

Each voice process makes one clip at a time (``espeak_process.py``). The pool hands the next job to whichever is free,
reads all of them with ``select`` and yields outcomes as they come. No threads, no forks here: this side may have
numpy, torch or threads in it. A voice process that itself dies or goes silent costs the job it had, and is started
again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replikk.engines import espeak_process
from replikk.errors import EngineError

_log = logging.getLogger(__name__)

SAMPLE_RATE_HZ = 22_050
"""What the Norwegian voice gives; checked when a voice process starts."""

_START_TIMEOUT_S = 60.0
"""A voice process starts in about 30 ms; a minute is a machine that is swapping."""
_GRACE_S = 30.0
"""How much longer than a clip's own time limit we wait for the voice process before we give it up."""
_CLOSE_TIMEOUT_S = 5.0
_TICK_S = 1.0
"""How often time limits are looked at while nothing arrives."""
_READ_BYTES = 1 << 20
_MISSING = (
    "espeak: the package espeakng-loader is missing or has no library for this machine; run pip install -e . again"
)


@dataclass(frozen=True)
class Job:
    """One clip to be spoken, as the library wants it."""

    tag: Any
    """The caller's; handed back with the outcome."""
    parameters: dict[str, Any]
    """Keyword arguments of ``Library.prepare``."""
    segments: tuple[tuple[str, int], ...]
    """(text, samples of silence after it)"""
    timeout_s: float
    misbehave: str = ""
    """``crash`` or ``hang``: only the self-test engine asks for it."""

    def frame(self) -> bytes:
        body = json.dumps(
            {
                "parameters": self.parameters,
                "segments": self.segments,
                "timeout_s": self.timeout_s,
                "misbehave": self.misbehave,
            }
        ).encode()
        return espeak_process.REQUEST_HEADER.pack(len(body)) + body


@dataclass(frozen=True)
class Clip:
    """What a job gave."""

    pcm: memoryview
    """Little-endian int16, mono."""
    speech_samples: tuple[int, ...]
    """Samples of speech per segment, the silence after it not counted."""


@dataclass(frozen=True)
class Failure:
    reason: str


def find_library() -> tuple[Path, Path]:
    """The library file and the data folder of the wheel. Raises EngineError when there is none for this machine."""
    try:
        import espeakng_loader

        library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    except (ImportError, RuntimeError) as error:
        raise EngineError(_MISSING) from error
    if not library.is_file() or not (data / "no_dict").is_file():
        raise EngineError(_MISSING)
    if not hasattr(os, "fork"):
        raise EngineError("espeak: this system cannot fork processes; use Linux, macOS or WSL")
    return library, data


class VoiceProcess:
    """One running voice process and the job it is at."""

    def __init__(self, library_path: Path, data_path: Path) -> None:
        command = [sys.executable, "-I", "-S", espeak_process.__file__, str(library_path), str(data_path)]
        # One locale for everybody, so that the same text is the same bytes on every machine.
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._stdin, self.stdout = self._process.stdin, self._process.stdout
        self._received = bytearray()
        self.job: Job | None = None
        self._deadline = time.monotonic() + _START_TIMEOUT_S
        reply = None
        while reply is None:
            reply = self.poll(max(0.0, self._deadline - time.monotonic()))
        kind, payload = reply
        if kind != espeak_process.OK:
            self.close()
            raise EngineError(f"espeak: {bytes(payload).decode('utf-8', 'replace')}; run pip install -e . again")
        sample_rate_hz = json.loads(bytes(payload))["sample_rate_hz"]
        if sample_rate_hz != SAMPLE_RATE_HZ:
            self.close()
            raise EngineError(
                f"espeak: the library speaks at {sample_rate_hz} Hz, not {SAMPLE_RATE_HZ}; "
                "install the version of espeakng-loader that pyproject.toml names"
            )

    def send(self, job: Job) -> None:
        self.job = job
        self._deadline = time.monotonic() + job.timeout_s + _GRACE_S
        with contextlib.suppress(OSError):  # it died: the next read says so
            espeak_process.write_all(self._stdin.fileno(), job.frame())

    def poll(self, timeout_s: float) -> tuple[int, memoryview] | None:
        """The next reply, or None when it is not complete yet; a dead or silent process is a FAILED reply."""
        ready, _, _ = select.select([self.stdout], [], [], timeout_s)
        if not ready:
            if time.monotonic() < self._deadline:
                return None
            self.close()
            return espeak_process.FAILED, memoryview(b"the voice process did not answer")
        piece = os.read(self.stdout.fileno(), _READ_BYTES)
        if not piece:
            self.close()
            return espeak_process.FAILED, memoryview(f"the voice process ended ({self._process.returncode})".encode())
        self._received += piece
        header = espeak_process.REPLY_HEADER
        if len(self._received) < header.size:
            return None
        kind, length = header.unpack_from(self._received)
        if len(self._received) < header.size + length:
            return None
        payload = memoryview(bytes(self._received))[header.size : header.size + length]
        self._received = bytearray()  # one request at a time: nothing can follow
        return kind, payload

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    def close(self) -> None:
        """End the process, whatever it is doing: it stops at the end of its input and takes its child along."""
        self._stdin.close()
        self.stdout.close()
        try:
            self._process.wait(_CLOSE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _clip(payload: memoryview) -> Clip:
    size = espeak_process.CLIP_HEADER.size
    (count,) = espeak_process.CLIP_HEADER.unpack_from(payload)
    lengths = [espeak_process.CLIP_HEADER.unpack_from(payload, size * (1 + i))[0] for i in range(count)]
    return Clip(payload[size * (1 + count) :], tuple(lengths))


def run_jobs(next_job: Callable[[], Job | None], workers: int) -> Iterator[tuple[Job, Clip | Failure]]:
    """Speak what ``next_job`` hands out until it returns None; outcomes come as they are ready, in any order.

    ``next_job`` is asked again after each outcome, so a consumer can put a job back. Raises EngineError when the
    library cannot be used at all. Ending the iteration early ends the voice processes.
    """
    processes: list[VoiceProcess] = []
    library_path, data_path = find_library()

    def hand_out() -> None:
        """Give every free process a job; start another process while there are jobs for it."""
        idle = [process for process in processes if process.job is None]
        while idle or len(processes) < workers:
            job = next_job()
            if job is None:
                return
            if idle:
                process = idle.pop()
            else:
                process = VoiceProcess(library_path, data_path)
                processes.append(process)
            process.send(job)

    try:
        while True:
            hand_out()
            busy = [process for process in processes if process.job is not None]
            if not busy:
                return
            select.select([process.stdout for process in busy], [], [], _TICK_S)
            for process in busy:
                reply = process.poll(0.0)
                if reply is None:
                    continue
                job, process.job = process.job, None
                assert job is not None
                kind, payload = reply
                if not process.alive:
                    _log.warning("espeak: %s; a new one is started", bytes(payload).decode())
                    processes.remove(process)
                hand_out()  # before the consumer stores this clip: the process works meanwhile
                if kind == espeak_process.OK:
                    yield job, _clip(payload)
                else:
                    yield job, Failure(bytes(payload).decode("utf-8", "replace"))
    finally:
        for process in processes:
            if process.alive:
                process.close()
