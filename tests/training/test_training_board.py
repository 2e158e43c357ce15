"""The board: real event files of TensorBoard, read back with TensorBoard's own reader."""

from __future__ import annotations

import io
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


RATES = {
    "base": 0.2, "cosyvoice2": 0.3, "step_0000100/adapter": 0.1, "step_0000100/ema_adapter": 0.15,
    "step_0000200/adapter": 0.05,
}  # fmt: skip
DURATIONS_S = {"short": 5, "middle": 15, "long": 35}


def reading(tier: str, clip: str) -> Heard:
    failure = "" if clip else "the voice process stopped"
    return Heard(Reading(tier, "en tekst", "kari", 11, 2, 0, 0, 0, 0, 0, 0, 0, 1.0, failure=failure), clip)  # type: ignore[arg-type]


def held_gate(folder: Path, clips: dict[str, list[str]]) -> GateResult:
    """Everybody has read the same; ``clips`` are the sounds by tier, one empty where a take failed."""
    (folder / "clips").mkdir(parents=True)
    for tier, duration_s in DURATIONS_S.items():
        tone_hz = 200 * (1 + list(DURATIONS_S).index(tier))
        tone = 0.5 * np.sin(np.arange(24_000 * duration_s) * 2 * np.pi * tone_hz / 24_000)
        soundfile.write(folder / "clips" / f"{tier}.ogg", tone, 24_000)
    record = {
        "rates": {name: {"short": {"value": rate, "low": 0, "high": 1}} for name, rate in RATES.items()},
        "likeness": {name: {"short": {"value": 1 - rate, "low": 0, "high": 1}} for name, rate in RATES.items()},
    }
    heard = [reading(tier, clip) for tier, some in clips.items() for clip in some]
    return GateResult(record, dict.fromkeys(RATES, heard))


def sounds(folder: Path, tag: str) -> list[tuple[int, np.ndarray, int]]:
    """Step, samples and sample rate in Hz of the sounds of a curve."""
    board = read_board(folder)
    events = board.Audio(tag) if tag in board.Tags()["audio"] else []
    return [(event.step, *soundfile.read(io.BytesIO(event.encoded_audio_string))) for event in events]


def pitch_hz(samples: np.ndarray, sample_rate_hz: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * sample_rate_hz / len(samples))


def test_the_gate_is_on_the_same_board(tmp_path: Path) -> None:
    """Curves of the raw and the averaged adapter, and level lines of the controls."""
    result = held_gate(tmp_path / "gate", {"short": ["clips/short.ogg"]})
    for _ in range(2):  # a gate that is held again draws its board anew
        show_gate(tmp_path, result, tmp_path / "gate")
    board = tmp_path / "board"
    assert scalars(board / "gate-raw", "gate/word_errors_short") == [(100, 0.1), (200, 0.05)]
    assert scalars(board / "gate-averaged", "gate/word_errors_short") == [(100, 0.15)]
    assert scalars(board / "gate-base", "gate/word_errors_short") == [(100, 0.2), (200, 0.2)]
    assert scalars(board / "gate-raw", "gate/likeness_short") == [(100, 0.9), (200, 0.95)]


@pytest.mark.parametrize(
    ("who", "steps"),
    [("gate-raw", [100, 200]), ("gate-averaged", [100]), ("gate-base", [200]), ("gate-cosyvoice2", [200])],
)
def test_everybody_can_be_heard_on_the_board_at_every_length(tmp_path: Path, who: str, steps: list[int]) -> None:
    """One sound of each length and step, whole, and at a rate at which a long run has room."""
    clips = {tier: [f"clips/{tier}.ogg"] * 3 for tier in DURATIONS_S}  # three readings of each length
    show_gate(tmp_path, held_gate(tmp_path / "gate", clips), tmp_path / "gate")
    for number, (tier, duration_s) in enumerate(DURATIONS_S.items(), start=1):
        found = sounds(tmp_path / "board" / who, f"gate/{tier}")
        assert [step for step, _, _ in found] == steps
        for _, samples, sample_rate_hz in found:
            assert (sample_rate_hz, len(samples)) == (16_000, 16_000 * duration_s)
            assert pitch_hz(samples, sample_rate_hz) == pytest.approx(200 * number, abs=1)


def test_a_reader_who_failed_once_is_heard_with_another_text(tmp_path: Path) -> None:
    clips = {"short": ["", "clips/short.ogg", "clips/middle.ogg"], "middle": [""], "long": ["clips/long.ogg"]}
    show_gate(tmp_path, held_gate(tmp_path / "gate", clips), tmp_path / "gate")
    folder = tmp_path / "board" / "gate-raw"
    assert [len(samples) for _, samples, _ in sounds(folder, "gate/short")] == [16_000 * 5] * 2
    assert sounds(folder, "gate/middle") == [], "there is nothing to hear"
    assert len(sounds(folder, "gate/long")) == 2


def test_who_babbles_without_end_does_not_fill_the_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replikk.training.board.SOUND_S", 20)
    show_gate(tmp_path, held_gate(tmp_path / "gate", {"long": ["clips/long.ogg"]}), tmp_path / "gate")
    for _, samples, _ in sounds(tmp_path / "board" / "gate-raw", "gate/long"):
        assert len(samples) == 16_000 * 20
        assert pitch_hz(samples, 16_000) == pytest.approx(600, abs=1), "it is cut, and not played faster"
