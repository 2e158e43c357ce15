"""``snakemake train`` as a person runs it, and what the gate keeps and releases of such a run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from replikk.config import read_config
from replikk.engines.cosyvoice3.adapters import read_adapter
from replikk.engines.cosyvoice3.merging import merge_adapter
from replikk.engines.cosyvoice3.model_folder import open_model_folder
from replikk.errors import ReplikkError
from replikk.files import canonical_json
from replikk.training.gate import decide
from replikk.training.promote import candidate_adapters, promote
from replikk.training.release import write_release
from replikk.training.settings import read_training_settings
from replikk.training.trials import Reading

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project(model_folder: Path, corpora: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project without sheets."""
    folder = tmp_path_factory.mktemp("project")
    settings = {
        "models": {"base": str(model_folder), "base_licence": "Apache-2.0", "adapter": "none"},
        "training": {
            "corpus": str(corpora["f2"]), "precision": "float32", "device": "cpu", "tokens_per_batch": 250,
            "accumulate": 2, "rank": 4, "epochs": 2, "peak_learning_rate": 1e-3, "warm_up_steps": 3,
        },
    }  # fmt: skip
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return folder


def snakemake(folder: Path, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            sys.executable, "-m", "snakemake", *more, "-s", str(PROJECT / "Snakefile"), "--cores", "1", "--resources",
            "gpu=1",
        ],
        cwd=folder, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=False, timeout=300,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(project: Path) -> Path:
    done = snakemake(project, "train")
    assert done.returncode == 0, done.stdout
    return project / "build" / "training" / "lora"


def test_train_makes_checkpoints_and_says_so(project: Path, run: Path) -> None:
    finished = json.loads((run / "finished.json").read_bytes())
    assert finished["checkpoints"] == [path.name for path in sorted((run / "checkpoints").iterdir())]
    assert len(finished["checkpoints"]) == 2
    assert "Nothing to be done" in snakemake(project, "train", "-n").stdout


def test_more_epochs_train_on(project: Path, run: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in (run / "checkpoints").iterdir()}
    settings = yaml.safe_load((project / "config.yaml").read_text())
    settings["training"]["epochs"] = 3
    (project / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = snakemake(project, "train")
    assert done.returncode == 0, done.stdout
    assert "going on after step" in done.stdout
    after = {path.name: path.stat().st_mtime_ns for path in (run / "checkpoints").iterdir()}
    assert len(after) == 3
    assert before.items() <= after.items()


def test_a_folder_that_was_copied_without_snakemakes_memory_is_trained_on(
    project: Path, run: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(project, tmp_path / "copied", symlinks=True, ignore=shutil.ignore_patterns(".snakemake"))
    assert "Nothing to be done" in snakemake(copied, "train", "-n").stdout
    planned = snakemake(copied, "train", "-n", "--config", "training={epochs: 9}").stdout
    assert "train_lora" in planned and "Nothing to be done" not in planned


def test_wrong_settings_stop_at_once(project: Path) -> None:
    done = snakemake(project, "train", "--config", "training={rang: 3}")
    assert done.returncode != 0
    assert "--config: training.rang: is not a setting; did you mean 'rank'?" in done.stdout


FEW = ("short", "middle", "long")


def test_a_release_is_whole_and_can_be_checked(project: Path, run: Path) -> None:
    candidates = candidate_adapters(run)
    name = list(candidates)[-1]
    assert name.endswith("/ema_adapter")
    control = [
        Reading(tier, f"{tier} {n}", "kari", 11, 20, 2, 0, 0, 0, 0, 0, 0, 5.0)  # type: ignore[arg-type]
        for tier in FEW
        for n in range(4)
    ]
    better = [Reading(**{**one.to_json(), "word_errors": 0}) for one in control]
    decision = decide({name: better}, {"base": control}, "base", outside={"cosyvoice2": control})
    assert decision.promoted == name
    record = {**decision.to_json(), "voices": ["kari"], "seeds": [11], "judge": "nb-whisper 1"}
    record |= {"speaker_model": "speaker 2 abc", "likeness": {name: {"all": {"value": 0.7, "low": 0.6, "high": 0.8}}}}
    config = read_config(yaml.safe_load((project / "config.yaml").read_text()) | {"build_dir": str(project / "build")})
    release = write_release(config, run, candidates[name], name, record)
    assert sums_of(release) == listed_sums(release)
    card = (release / "README.md").read_text(encoding="utf-8")
    assert "| all | 0.0 % | -10.0 (-10.0 to -10.0) | -10.0 (-10.0 to -10.0) |" in card
    assert "makes 10.0 word errors in a hundred fewer than base" in card
    assert "the licences of the corpus stand in its own card, which is not at hand here" in card
    assert "Likeness to the voices' reference recordings, a cosine by speaker 2 abc: all 0.70 (0.60 to 0.80)." in card
    assert "| length | word errors | base | cosyvoice2, from outside |" in card
    read = open_model_folder(config.models.base.path).read_language_model()  # type: ignore[union-attr]
    merged, _ = merge_adapter(read.state, read_adapter(release / "adapter", read.sizes))
    exported = torch.load(release / "llm.pt", weights_only=True)
    assert all(torch.equal(exported[key], value) for key, value in merged.items())

    # A later gate promotes it again: card and decision are those of that gate, and the weights stay.
    weights = {path: path.stat().st_mtime_ns for path in (release / "llm.pt", *(release / "adapter").iterdir())}
    later = {**record, "seeds": [11, 12], "why": "makes fewer word errors than before"}
    assert write_release(config, run, candidates[name], name, later) == release
    card = (release / "README.md").read_text(encoding="utf-8")
    assert "Promoted because it makes fewer word errors than before." in card and "from 2 seeds" in card
    assert (release / "decision.json").read_bytes() == canonical_json(later)
    assert weights == {path: path.stat().st_mtime_ns for path in weights}
    assert sums_of(release) == listed_sums(release)

    # Weights that were changed by hand are not described as the ones that were heard.
    (release / "adapter" / "adapter_model.safetensors").write_bytes(b"another one")
    assert write_release(config, run, candidates[name], name, later) == release
    assert sums_of(release / "adapter") == sums_of(candidates[name]) and sums_of(release) == listed_sums(release)
    aside = release.with_name(f"{release.name}.changed1")
    assert (aside / "adapter" / "adapter_model.safetensors").read_bytes() == b"another one"
    assert sorted(path.name for path in release.parent.iterdir()) == [release.name, aside.name]


def sums_of(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its name below the folder, without the list itself."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def listed_sums(release: Path) -> dict[str, str]:
    rows = [line.split("  ") for line in (release / "SHA256SUMS").read_text().splitlines()]
    return {path: sha256 for sha256, path in rows}


def test_the_gate_needs_the_real_voice_and_checkpoints(project: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load((project / "config.yaml").read_text())
    config = read_config(settings)
    training = read_training_settings(config.training)
    with pytest.raises(ReplikkError, match="checkpoints are heard as builds speak them: write cosyvoice3"):
        promote(config, training, tmp_path / "decision.json")
    config = read_config({**settings, "engine": "cosyvoice3", "build_dir": str(tmp_path)})
    with pytest.raises(ReplikkError, match="has no checkpoints; train first"):
        promote(config, training, tmp_path / "decision.json")
