"""An adapter from a training speaks in a build only if its gate promoted it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from replikk.models.promoted import unpromoted_adapter_problem
from replikk.models.settings import ModelSettings, read_model_settings


def settings(adapter: Path, **more: object) -> ModelSettings:
    found, problems = read_model_settings("models", {"adapter": str(adapter), "adapter_licence": "own", **more})
    assert not problems
    return found


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A training with a checkpoint, and a release of its averaged adapter."""
    run = tmp_path / "build" / "training" / "lora"
    for folder in ("checkpoints/step_0001000/adapter", "released/step_0001000.ema_adapter/adapter"):
        (run / folder).mkdir(parents=True)
    (run / "run.json").write_text("{}")
    decide(run, "step_0001000/ema_adapter")
    return run


def decide(run: Path, promoted: str | None) -> None:
    content = json.dumps({"promoted": promoted})
    (run / "released" / "step_0001000.ema_adapter" / "decision.json").write_text(content)


def test_what_the_gate_promoted_may_speak(run: Path) -> None:
    assert unpromoted_adapter_problem(settings(run / "released" / "step_0001000.ema_adapter" / "adapter")) is None


@pytest.mark.parametrize("path", ["step_0001000/adapter", "step_0001000/adapter/adapter_model.safetensors"])
def test_a_checkpoint_may_not_unless_told_otherwise(run: Path, path: str) -> None:
    adapter = run / "checkpoints" / path
    said = unpromoted_adapter_problem(settings(adapter))
    assert said is not None and "is a checkpoint, and no gate has promoted it" in said
    assert "unpromoted_adapter: true" in said and "\n" not in said
    assert unpromoted_adapter_problem(settings(adapter, unpromoted_adapter=True)) is None


def test_nor_by_another_name(run: Path, tmp_path: Path) -> None:
    (tmp_path / "best").symlink_to(run / "checkpoints" / "step_0001000" / "adapter")
    assert unpromoted_adapter_problem(settings(tmp_path / "best"))


def test_nor_moved_away_from_its_run(run: Path, tmp_path: Path) -> None:
    """As a checkpoint is moved to go on from the one before it."""
    checkpoint = run / "checkpoints" / "step_0001000"
    (checkpoint / "ema_adapter").mkdir()
    (checkpoint / "state.json").write_text("{}")
    moved = checkpoint.rename(tmp_path / "aside")
    said = unpromoted_adapter_problem(settings(moved / "ema_adapter"))
    assert said is not None and "is a checkpoint, and no gate has promoted it" in said


@pytest.mark.parametrize("promoted", [None, "step_0002000/adapter"])
def test_a_release_that_its_decision_does_not_name(run: Path, promoted: str | None) -> None:
    decide(run, promoted)
    said = unpromoted_adapter_problem(settings(run / "released" / "step_0001000.ema_adapter" / "adapter"))
    assert said is not None and "is not what its decision.json promoted" in said


def test_a_damaged_decision_promotes_nothing(run: Path) -> None:
    (run / "released" / "step_0001000.ema_adapter" / "decision.json").write_text("{")
    assert unpromoted_adapter_problem(settings(run / "released" / "step_0001000.ema_adapter" / "adapter"))


def test_adapters_from_elsewhere_are_not_ours_to_judge(tmp_path: Path) -> None:
    assert unpromoted_adapter_problem(settings(tmp_path / "checkpoints" / "mine" / "adapter")) is None
    assert unpromoted_adapter_problem(read_model_settings("models", {})[0]) is None


def test_the_setting_is_true_or_false() -> None:
    _, problems = read_model_settings("models", {"unpromoted_adapter": "yes"})
    assert problems == ["config.yaml: models.unpromoted_adapter: is 'yes'; write true or false"]
