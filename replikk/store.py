"""The content-addressed store of finished work: takes, what judges heard, verdicts, encoded clips.

    store/takes/<2>/<key>.flac      one finished take, lossless
    store/clips/<2>/<key>.<suffix>  one encoded clip as it is delivered
    store/takes.journal …           one small record per entry (``replikk.journal``)
    store/work.jsonl                what stages did, how long it took, and whether a GPU worked on it

Snakemake never sees this folder as an output, because it would delete or roll back what a failed job has finished.
An entry exists when its journal line exists and its file has the size that the line says; the file is written first.
Content is checked whenever it is read; an entry that fails is forgotten and made again.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from replikk.errors import AudioError
from replikk.files import canonical_json, write_atomic
from replikk.journal import Journal

if TYPE_CHECKING:  # builds that have nothing to speak never load numpy
    import numpy as np
    from numpy.typing import NDArray


class Store:
    """The store of one build folder. Journals are opened when they are first needed."""

    def __init__(self, build_dir: Path) -> None:
        self.root = build_dir / "store"
        self._journals: dict[str, Journal] = {}

    def journal(self, name: str) -> Journal:
        """Of ``takes``, ``clips``, ``measures``, ``traits``, ``evidence``, ``verdicts``, ``transcripts-…`` …"""
        if name not in self._journals:
            self._journals[name] = Journal(self.root / f"{name}.journal")
        return self._journals[name]

    # Takes ----------------------------------------------------------------------------------------------------------

    def take_path(self, key: str) -> Path:
        return Path(f"{self.root}/takes/{key[:2]}/{key}.flac")

    def take_record(self, key: str) -> dict[str, Any] | None:
        """What is known of a take that is there: bytes, sha256, samples, sample_rate_hz. None when it must be made."""
        record = self._record("takes", key, f"{self.root}/takes/{key[:2]}/{key}.flac")
        return record if record is not None else self._adopt_take(key)

    def _adopt_take(self, key: str) -> dict[str, Any] | None:
        """A take whose file was finished but whose journal line a kill prevented, or whose journal was lost."""
        from replikk.audio.flac import decode_flac

        path = self.take_path(key)
        if not path.exists():
            return None
        data = path.read_bytes()
        try:
            samples, sample_rate_hz = decode_flac(data)
        except AudioError:
            path.unlink(missing_ok=True)
            return None
        return self._remember_take(key, data, samples, sample_rate_hz)

    def put_take(self, key: str, samples: NDArray[np.int16], sample_rate_hz: int) -> dict[str, Any]:
        """Keep a finished take; ``samples`` is [samples]."""
        from replikk.audio.flac import encode_flac

        data = encode_flac(samples, sample_rate_hz)
        write_atomic(self.take_path(key), data)
        return self._remember_take(key, data, samples, sample_rate_hz)

    def _remember_take(self, key: str, data: bytes, samples: NDArray[np.int16], sample_rate_hz: int) -> dict[str, Any]:
        record = {
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "samples": len(samples),
            "sample_rate_hz": sample_rate_hz,
        }
        self.journal("takes").append(key, record)
        return record

    def load_take(self, key: str) -> tuple[NDArray[np.int16], int] | None:
        """The samples [samples] and sample rate of a take; None, and forgotten, when it is missing or damaged."""
        from replikk.audio.flac import decode_flac

        record = self.take_record(key)
        if record is None:
            return None
        try:
            data = self.take_path(key).read_bytes()
            if hashlib.sha256(data).hexdigest() != record["sha256"]:
                raise AudioError(f"take {key}: the file in the store was changed")
            return decode_flac(data)
        except (OSError, AudioError):
            self.forget_take(key)
            return None

    def forget_take(self, key: str) -> None:
        self.take_path(key).unlink(missing_ok=True)
        self.journal("takes").forget(key)

    def note_speed(self, stage: str, characters: int, took_s: float) -> None:
        """Remember how long a stage took for how much text, for the estimates of ``replikk status``."""
        path = self.root / "speed.json"
        try:
            speeds = orjson.loads(path.read_bytes())
        except (FileNotFoundError, ValueError):
            speeds = None
        speeds = speeds if isinstance(speeds, dict) else {}
        write_atomic(path, canonical_json({**speeds, stage: {"characters": characters, "seconds": round(took_s, 3)}}))
        done = {
            "stage": stage,
            "characters": characters,
            "seconds": round(took_s, 3),
            "ended": round(time.time(), 3),
            "gpu": _works_on_gpu(),
        }
        with (self.root / "work.jsonl").open("ab") as file:
            file.write(canonical_json(done) + b"\n")

    def work_since(self, start: int) -> tuple[list[dict[str, Any]], int]:
        """What stages have done since the record of it was ``start`` bytes long, and how long it is now.

        Each with stage, characters, seconds, ended (seconds since 1970) and gpu. A record that was made anew is read
        from its beginning.
        """
        try:
            with (self.root / "work.jsonl").open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(start if start <= size else 0)
                data = file.read(size - file.tell())
        except FileNotFoundError:
            return [], 0
        found = []
        for line in data.splitlines():
            try:
                done = orjson.loads(line)
                found.append(
                    {
                        "stage": str(done["stage"]),
                        "characters": int(done["characters"]),
                        "seconds": float(done["seconds"]),
                        "ended": float(done["ended"]),
                        "gpu": bool(done["gpu"]),
                    }
                )
            except (ValueError, TypeError, KeyError):
                continue  # a line that a kill cut short
        return found, size

    # Clips ----------------------------------------------------------------------------------------------------------

    def clip_path(self, key: str, suffix: str) -> Path:
        return Path(f"{self.root}/clips/{key[:2]}/{key}{suffix}")

    def put_clip(self, key: str, suffix: str, data: bytes, record: dict[str, Any]) -> dict[str, Any]:
        """Keep an encoded clip and what was measured on it."""
        record = {**record, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "suffix": suffix}
        # Not synced: a clip that a power cut damages is found by its hash and encoded again from the take.
        write_atomic(self.clip_path(key, suffix), data, sync=False)
        self.journal("clips").append(key, record)
        return record

    def clip_record(self, key: str, suffix: str) -> dict[str, Any] | None:
        return self._record("clips", key, f"{self.root}/clips/{key[:2]}/{key}{suffix}")

    def load_clip(self, key: str, suffix: str) -> bytes | None:
        """The bytes of an encoded clip; None, and forgotten, when it is missing or damaged."""
        record = self.clip_record(key, suffix)
        if record is None:
            return None
        path = self.clip_path(key, suffix)
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != record["sha256"]:
            path.unlink(missing_ok=True)
            self.journal("clips").forget(key)
            return None
        return data

    def _record(self, journal: str, key: str, path: str) -> dict[str, Any] | None:
        # A plain string and os.stat: a Path per entry took most of the time of a stage that has nothing to do.
        record = self.journal(journal).get(key)
        if record is None:
            return None
        try:
            intact = os.stat(path).st_size == record["bytes"]  # noqa: PTH116
        except OSError:
            intact = False
        if not intact:
            Path(path).unlink(missing_ok=True)
            self.journal(journal).forget(key)
            return None
        return record


def _works_on_gpu() -> bool:
    """Whether this process has put something on a GPU; who never loaded torch has not."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())
