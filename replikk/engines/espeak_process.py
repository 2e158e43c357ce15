"""The voice process: a small program that holds the library and forks one child per clip.

Why a program of its own: the library is bit-identical only when each clip starts from the same freshly initialised
state, which a fork gives at the price of a millisecond. A fork copies the page tables of the whole process and is not
safe among threads, so it is done from a bare interpreter (no site-packages, about 10 MB) and never from the build's
process, which may hold numpy, torch and threads.

Started as ``python -I -S espeak_process.py LIBRARY DATA``. Frames in both directions: on stdin a length and a JSON
request; on stdout a kind (``OK`` or ``FAILED``), a length and a payload. The first frame says hello. A child that
crashes or hangs costs its own clip only: its audio comes through a pipe, complete with a length, or not at all.
End of input, also when the build was killed, ends this process and the child in flight.
"""

from __future__ import annotations

import json
import os
import select
import signal
import struct
import sys
import time
from typing import Any

OK, FAILED = 0, 1
REQUEST_HEADER = struct.Struct("<I")
REPLY_HEADER = struct.Struct("<BI")
CLIP_HEADER = struct.Struct("<I")
"""In front of a clip: how many segments; then the speech samples of each as such integers, then the PCM."""
_READ_BYTES = 1 << 18
_ORPHAN_S = 10
"""A child ends itself this long after its time limit, should this process be killed and leave it alone."""


def _speak(library: Any, request: dict[str, Any]) -> bytes:
    """One clip: the segments' speech, each followed by its silence. See ``CLIP_HEADER`` for the layout."""
    library.prepare(**request["parameters"])
    counts, pieces = [], []
    for text, silence_samples in request["segments"]:
        pcm = library.speak(text.encode("utf-8", "ignore")) if text else b""
        counts.append(len(pcm) // 2)
        pieces += [pcm, bytes(2 * silence_samples)]
    return b"".join([CLIP_HEADER.pack(len(counts)), *(CLIP_HEADER.pack(count) for count in counts), *pieces])


def _child(library: Any, request: dict[str, Any], out: int) -> None:
    """What the forked child does; it never returns."""
    code = 1
    try:
        os.dup2(2, 1)  # the frames on stdout are the parent's alone
        signal.alarm(int(request["timeout_s"]) + _ORPHAN_S)
        # Only the self-test engine ``faulty`` asks for this: a real crash and a real hang, to prove containment.
        if request.get("misbehave") == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        while request.get("misbehave") == "hang":
            time.sleep(1)
        try:
            kind, payload = OK, _speak(library, request)
        except Exception as error:
            kind, payload = FAILED, str(error).encode("utf-8", "replace")
        write_all(out, REPLY_HEADER.pack(kind, len(payload)) + payload)
        code = 0
    finally:
        os._exit(code)


def write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _make_clip(library: Any, request: dict[str, Any]) -> tuple[int, bytes]:
    """Fork, collect, wait: the reply's kind and payload."""
    inlet, outlet = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(library, request, outlet)
    os.close(outlet)
    deadline = time.monotonic() + request["timeout_s"]
    pieces: list[bytes] = []
    hung = False
    while True:
        ready, _, _ = select.select([inlet, 0], [], [], max(0.0, deadline - time.monotonic()))
        if inlet in ready:
            piece = os.read(inlet, _READ_BYTES)
            if not piece:
                break
            pieces.append(piece)
        elif 0 in ready:
            # One request is sent at a time: input now can only be its end, the build is gone.
            os.kill(pid, signal.SIGKILL)
            os._exit(0)
        else:
            hung = True
            os.kill(pid, signal.SIGKILL)
            break
    os.close(inlet)
    _, status = os.waitpid(pid, 0)
    if hung:
        return FAILED, f"the voice process was stopped: no audio after {request['timeout_s']:g} s".encode()
    if os.WIFSIGNALED(status):
        return FAILED, f"the voice process stopped (signal {os.WTERMSIG(status)})".encode()
    reply = b"".join(pieces)
    if os.WEXITSTATUS(status) == 0 and len(reply) >= REPLY_HEADER.size:
        kind, length = REPLY_HEADER.unpack_from(reply)
        if len(reply) == REPLY_HEADER.size + length:
            return kind, reply[REPLY_HEADER.size :]
    return FAILED, f"the voice process stopped (exit status {os.WEXITSTATUS(status)})".encode()


def _read_exactly(handle: int, count: int) -> bytes:
    """``count`` bytes, or fewer at the end of the input."""
    pieces = []
    while count:
        piece = os.read(handle, count)
        if not piece:
            break
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def serve(library: Any) -> None:
    """Answer requests until the input ends."""
    while True:
        header = _read_exactly(0, REQUEST_HEADER.size)
        if len(header) < REQUEST_HEADER.size:
            return
        (length,) = REQUEST_HEADER.unpack(header)
        data = _read_exactly(0, length)
        if len(data) < length:
            return
        kind, payload = _make_clip(library, json.loads(data))
        write_all(1, REPLY_HEADER.pack(kind, len(payload)) + payload)


def main() -> None:
    # Ctrl-C reaches the whole process group; the build decides, and this process ends with its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib costs start-up time
    import espeak_library  # type: ignore[import-not-found,unused-ignore]

    library_path, data_path = sys.argv[1:]
    try:
        library = espeak_library.Library(library_path, data_path)
    except espeak_library.LibraryError as error:
        payload = str(error).encode("utf-8", "replace")
        write_all(1, REPLY_HEADER.pack(FAILED, len(payload)) + payload)
        return
    hello = json.dumps({"version": library.version(), "sample_rate_hz": library.sample_rate_hz}).encode()
    write_all(1, REPLY_HEADER.pack(OK, len(hello)) + hello)
    try:
        serve(library)
    except BrokenPipeError:
        os._exit(0)  # the build is gone; nobody is left to tell


if __name__ == "__main__":
    main()
