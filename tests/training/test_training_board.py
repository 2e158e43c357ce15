"""The board: real event files of TensorBoard, read back with TensorBoard's own reader."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from replikk.training.board import show_gate
from replikk.training.harness import GateResult
from replikk.training.metrics import Metrics
from replikk.training.readings import Heard
from replikk.training.trials import Reading

ROW = {"epoch": 0, "loss": 3.0, "accuracy": 0.2, "gradient_norm": 1.5, "learning_rate": 1e-5, "tokens_per_s": 800.0,
       "hours_per_hour": 7.5}  # fmt: skip


def read_board(folder: Path) -> Any:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(folder), size_guidance={"scalars": 0, "audio": 0})
    board.Reload()
    return board


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, pytest.approx(event.value)) for event in read_board(folder).Scalars(tag)]


def test_what_training_measures_is_on_the_board(tmp_path: Path) -> None:
    metrics = Metrics(tmp_path, 0)
    metrics.add(10, **ROW)
    metrics.add(20, **{**ROW, "loss": 2.0})
    metrics.add(20, held_out_loss=2.5, held_out_accuracy=0.25)
    metrics.close()
    board = read_board(tmp_path / "board" / "training")
    assert set(board.Tags()["scalars"]) == {
        "training/loss", "training/accuracy", "training/gradient_norm", "training/learning_rate",
        "training/tokens_per_s", "training/hours_per_hour", "held_out/loss", "held_out/accuracy",
    }  # fmt: skip
    assert scalars(tmp_path / "board" / "training", "training/loss") == [(10, 3.0), (20, 2.0)]
    assert scalars(tmp_path / "board" / "training", "held_out/loss") == [(20, 2.5)]


def test_steps_that_a_kill_threw_away_are_not_there_twice(tmp_path: Path) -> None:
    before = Metrics(tmp_path, 0)
    for step, loss in ((10, 3.0), (20, 2.0), (30, 9.0)):
        before.add(step, **{**ROW, "loss": loss})
    before.close()
    after = Metrics(tmp_path, 20)  # the last checkpoint was that of step 20
    after.add(30, **{**ROW, "loss": 1.0})
    after.close()
    assert scalars(tmp_path / "board" / "training", "training/loss") == [(10, 3.0), (20, 2.0), (30, 1.0)]


def test_without_tensorboard_the_file_has_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)  # as if it was not installed
    with caplog.at_level(logging.INFO):
        metrics = Metrics(tmp_path, 0)
    metrics.add(10, **ROW)
    metrics.close()
    assert caplog.text.count("no TensorBoard here") == 1
    assert [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()] == [{"step": 10, **ROW}]
    assert not (tmp_path / "board").exists()


def test_the_gate_is_on_the_same_board(tmp_path: Path) -> None:
    """Curves of the raw and the averaged adapter, level lines of the controls, and sound."""
    gate = tmp_path / "gate"
    (gate / "clips").mkdir(parents=True)
    soundfile.write(gate / "clips" / "a.ogg", np.sin(np.arange(24_000) / 20).astype(np.float32), 24_000)
    rates = {"base": 0.2, "step_0000100/adapter": 0.1, "step_0000100/ema_adapter": 0.15, "step_0000200/adapter": 0.05}
    one = Heard(Reading("short", "en tekst", "kari", 11, 2, 0, 0, 0, 0, 0, 0, 0, 1.0), "clips/a.ogg")
    record = {
        "rates": {name: {"short": {"value": rate, "low": 0, "high": 1}} for name, rate in rates.items()},
        "likeness": {name: {"short": {"value": 1 - rate, "low": 0, "high": 1}} for name, rate in rates.items()},
    }
    for _ in range(2):  # a gate that is held again draws its board anew
        show_gate(tmp_path, GateResult(record, {name: [one] for name in rates}), gate)
    board = tmp_path / "board"
    assert scalars(board / "gate-raw", "gate/word_errors_short") == [(100, 0.1), (200, 0.05)]
    assert scalars(board / "gate-averaged", "gate/word_errors_short") == [(100, 0.15)]
    assert scalars(board / "gate-base", "gate/word_errors_short") == [(100, 0.2), (200, 0.2)]
    assert scalars(board / "gate-raw", "gate/likeness_short") == [(100, 0.9), (200, 0.95)]
    heard = read_board(board / "gate-raw").Audio("gate/short")
    assert [event.step for event in heard] == [100, 200]
    assert all(event.sample_rate == 24_000 and event.encoded_audio_string[:4] == b"RIFF" for event in heard)
