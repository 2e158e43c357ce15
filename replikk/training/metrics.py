"""What training measures, step by step: ``metrics.jsonl``, one record a line.

A run that was killed goes on from its last checkpoint and makes the steps after it again. So at every start the lines
of later steps are taken out, and the file reads as if nothing had happened. Steps that are logged have a line with what
was trained; steps with a checkpoint have another one with what was measured on held-out speech.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replikk.files import canonical_json, write_atomic

NAME = "metrics.jsonl"


class Metrics:
    """The file of a run; opened after ``step`` steps."""

    def __init__(self, run: Path, step: int) -> None:
        import orjson

        self._path = run / NAME
        kept = []
        for line in self._path.read_bytes().splitlines() if self._path.exists() else []:
            try:
                if orjson.loads(line)["step"] <= step:
                    kept.append(line + b"\n")
            except (ValueError, KeyError, TypeError):
                break  # the line that a kill cut off; nothing whole comes after it
        write_atomic(self._path, b"".join(kept))

    def add(self, step: int, **values: Any) -> None:
        """One more line."""
        with self._path.open("ab") as file:
            file.write(canonical_json({"step": step, **values}) + b"\n")
