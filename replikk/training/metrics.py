"""What training measures, step by step: ``metrics.jsonl``, one record a line, and the same in TensorBoard.

A run that was killed goes on from its last checkpoint and makes the steps after it again. So at every start the lines
of later steps are taken out, and the file reads as if nothing had happened. Steps that are logged have a line with what
was trained; steps with a checkpoint have another one with what was measured on held-out speech.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replikk.files import canonical_json, write_atomic
from replikk.training.board import open_board, show_row

NAME = "metrics.jsonl"


class Metrics:
    """The file of a run; opened after ``step`` steps."""

    def __init__(self, run: Path, step: int) -> None:
        import orjson

        self._path = run / NAME
        kept = []
        for line in self._path.read_bytes().splitlines() if self._path.exists() else []:
            try:
                row = orjson.loads(line)
                if row["step"] <= step:
                    kept.append(row)
            except (ValueError, KeyError, TypeError):
                break  # the line that a kill cut off; nothing whole comes after it
        write_atomic(self._path, b"".join(canonical_json(row) + b"\n" for row in kept))
        self._board = open_board(run, "training", kept)

    def add(self, step: int, **values: Any) -> None:
        """One more line."""
        row = {"step": step, **values}
        with self._path.open("ab") as file:
            file.write(canonical_json(row) + b"\n")
        if self._board is not None:
            show_row(self._board, row)

    def close(self) -> None:
        """Whatever the board has not written yet is written."""
        if self._board is not None:
            self._board.close()
