"""An adapter from a training speaks in a build only if its gate promoted it."""

from __future__ import annotations

import hashlib
import json
import shutil
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
    release = run / "released" / "step_0001000.ema_adapter"
    adapter = {"adapter/adapter_model.safetensors": b"promoted", "adapter/adapter_config.json": b"{}"}
    contents = {**adapter, "llm.pt": b"all"}
    for name, content in contents.items():
        (release / name).write_bytes(content)
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items()]
    (release / "SHA256SUMS").write_text("".join(sums))
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


@pytest.mark.parametrize("named", ["adapter", "adapter/adapter_model.safetensors", "llm.pt"])
def test_a_release_speaks_by_whichever_of_its_files(run: Path, named: str) -> None:
    assert unpromoted_adapter_problem(settings(run / "released" / "step_0001000.ema_adapter" / named)) is None


@pytest.mark.parametrize(
    ("named", "changed", "content"),
    [
        ("adapter", "adapter/adapter_model.safetensors", b"swapped!"),
        ("adapter", "adapter/adapter_config.json", b'{"lora_alpha": 99}'),
        ("adapter", "adapter/adapter_config.json", None),
        ("adapter/adapter_model.safetensors", "adapter/adapter_model.safetensors", b"swapped!"),
        ("adapter/other.safetensors", "adapter/other.safetensors", b"added"),
        ("llm.pt", "llm.pt", b"swapped!"),
        ("adapter", "SHA256SUMS", None),
        ("adapter", "SHA256SUMS", b"\xff\n\n"),
    ],
)
def test_a_release_whose_files_changed_since_its_promotion(
    run: Path, named: str, changed: str, content: bytes | None
) -> None:
    release = run / "released" / "step_0001000.ema_adapter"
    (release / changed).unlink(missing_ok=True)
    if content is not None:
        (release / changed).write_bytes(content)
    said = unpromoted_adapter_problem(settings(release / named))
    assert said is not None and "\n" not in said
    assert ("/adapter/adapter_model.safetensors'" if changed == "SHA256SUMS" else f"/{changed}'") in said
    assert "is not what SHA256SUMS of its release says was promoted" in said and "run snakemake promote" in said
    assert unpromoted_adapter_problem(settings(release / named, unpromoted_adapter=True)) is None


def test_its_hashes_are_remembered_where_the_build_remembers_them(run: Path, tmp_path: Path) -> None:
    """By path, size and time: 50 MB are not read at the start of every build."""
    adapter, hashes = run / "released" / "step_0001000.ema_adapter" / "adapter", tmp_path / "hashes.json"
    assert unpromoted_adapter_problem(settings(adapter), hashes) is None
    assert not hashes.exists()  # a build that may yet be refused leaves nothing behind
    hashes.write_text("{}")
    assert unpromoted_adapter_problem(settings(adapter), hashes) is None
    known = json.loads(hashes.read_text())
    assert str(adapter / "adapter_model.safetensors") in known
    swapped = shutil.copyfile(adapter / "adapter_config.json", adapter / "adapter_model.safetensors")
    assert str(swapped) in str(unpromoted_adapter_problem(settings(adapter), hashes))


def test_adapters_from_elsewhere_are_not_ours_to_judge(tmp_path: Path) -> None:
    assert unpromoted_adapter_problem(settings(tmp_path / "checkpoints" / "mine" / "adapter")) is None
    assert unpromoted_adapter_problem(read_model_settings("models", {})[0]) is None


def test_the_setting_is_true_or_false() -> None:
    _, problems = read_model_settings("models", {"unpromoted_adapter": "yes"})
    assert problems == ["config.yaml: models.unpromoted_adapter: is 'yes'; write true or false"]
