"""How a stage runs inside a job: its rule's files and numbers come on the command line, its log goes to the job's file
and to the screen, and an error a user can mend ends the job with its one clear sentence instead of a traceback."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import orjson

from replikk.config import read_config
from replikk.errors import ReplikkError
from replikk.files import unusable
from replikk.written_settings import kept_places, name_places

EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
EXIT_TOLD = 3
"""The user has been told in one sentence what is wrong; a traceback ends Python with 1, a wrong option with 2."""
EXIT_FAULT = 1
"""As Python ends with a traceback, which is on the screen and in the log file."""
CALLBACKS = ("vio_get_filelen", "vio_seek", "vio_read", "vio_write", "vio_tell")
"""Functions of soundfile that libsndfile calls."""
ASK_AGAIN_S = 0.005


@contextlib.contextmanager
def open_job(
    paths: Sequence[str] = (), lists: Sequence[str] = (), numbers: Sequence[str] = (), words: Sequence[str] = ()
) -> Iterator[argparse.Namespace]:
    """What the rule says, by name: a path, a list of paths, a whole number or a word each; and ``config``.

    ``fingerprint`` names the settings and the code that only this rule depends on, for rules of a build.

    Inside, the log is open as in ``stage_log``. The process ends with the block, also when the block succeeds.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--fingerprint", default="")
    for name in ("config", "log", *paths):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in lists:
        parser.add_argument(f"--{name}", type=Path, nargs="*", required=True)
    for name in numbers:
        parser.add_argument(f"--{name}", type=int, required=True)
    for name in words:
        parser.add_argument(f"--{name}", required=True)
    job = parser.parse_args()
    # A stage makes hundreds of thousands of plain records that stay: looking for cycles in them finds nothing.
    gc.set_threshold(1_000_000, 20, 20)
    end_between_callbacks()
    with stage_log(job.log, job.config):
        job.config = read_config(orjson.loads(job.config.read_bytes()))
        yield job
    # All files are closed and all workers gone. What is left is to free hundreds of thousands of records one by one,
    # as long as a third of some stages, for memory that the system takes back anyway.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def end_between_callbacks() -> None:
    """Let Ctrl-C end this process, but not inside a callback of libsndfile.

    C code cannot hand an exception on: there it would be lost, the stage would go on, and half a file would be written
    as a whole one.
    """
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)


def _interrupt(_number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_name in CALLBACKS:
            signal.setitimer(signal.ITIMER_REAL, ASK_AGAIN_S)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


@contextlib.contextmanager
def stage_log(log_file: str | Path, settings: Path | None = None) -> Iterator[None]:
    """Log to ``log_file`` and to standard error; turn a ReplikkError into a message and exit status ``EXIT_TOLD``.

    ``settings`` is the file with the settings of the build: beside it lies where each of them was written.
    """
    Path(log_file).parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [
        logging.StreamHandler(sys.stderr),
        logging.FileHandler(log_file, mode="w", encoding="utf-8"),
    ]
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers, force=True)
    logging.raiseExceptions = False  # a full disk would print a traceback per message that cannot be logged
    try:
        yield
    except ReplikkError as error:
        message = str(error) if settings is None else name_places(str(error), kept_places(settings))
        logging.getLogger("replikk").error("%s", message)
        sys.exit(EXIT_TOLD)
    except OSError as error:
        try:
            message = str(unusable(error))
        except OSError:
            logging.getLogger("replikk").exception("a fault of replikk, not of your files; please report it with this:")
            sys.exit(EXIT_FAULT)
        logging.getLogger("replikk").error("%s", message)
        sys.exit(EXIT_TOLD)
    except KeyboardInterrupt:
        logging.getLogger("replikk").error("interrupted; finished takes are kept")
        sys.exit(EXIT_INTERRUPTED)
    except MemoryError:
        logging.getLogger("replikk").error("out of memory; use more shards (config.yaml: shards) or fewer cores")
        sys.exit(EXIT_TOLD)
