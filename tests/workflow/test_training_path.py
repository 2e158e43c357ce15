"""From recordings to a voice in a game: corpus, training, gate and a build, as run by hand with config/mini.yaml.

The base model is small and random, and so what is trained on it speaks noise: the gate promotes nothing, which is the
right outcome. So that a build with a promoted adapter is tried as well, the last test writes the decision itself.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from game_folder import PROJECT

from replikk.config import read_config
from replikk.training.release import write_release

RUN = Path("build/mini/training/lora")
VOICE = {
    "cosyvoice3": {},
    "reference": {
        "audio": "kari.flac",
        "transcript": "Kom og se! Jeg har funnet en bokstav i sanda, og jeg tror den har ligget her i mange år.",
    },
    "rights": {"who": "nobody", "licence": "own", "evidence": "made by the embedded voice"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a game of one line, after corpus, training and gate."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "dialogue").mkdir()
    shutil.copy(PROJECT / "dialogue" / "references" / "kari.flac", folder / "dialogue")
    (folder / "dialogue" / "voices.yaml").write_text(yaml.safe_dump({"voices": {"kari": VOICE}}), encoding="utf-8")
    (folder / "dialogue" / "havn.csv").write_text("id;text;voice\nhavn_001;Ja, det vil jeg.;kari\n", encoding="utf-8")
    shutil.copy(PROJECT / "config.yaml", folder)
    (folder / "config").mkdir()
    shutil.copy(PROJECT / "config" / "mini.yaml", folder / "config")
    done = snakemake(folder, "corpus", "train", "promote")
    assert done.returncode == 0, done.stdout
    return folder


def snakemake(folder: Path, *targets: str, settings: Sequence[Path] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), "--cores", "2", "--resources", "gpu=1",
            "--configfile", "config/mini.yaml", *map(str, settings), "--", *targets,
        ],
        cwd=folder, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False, timeout=500,
    )  # fmt: skip


def adapter_of(project: Path, path: Path) -> Path:
    """A second settings file, with which a build speaks with that adapter."""
    chosen = project / "config" / "adapter.yaml"
    settings = {"max_rounds": 1, "models": {"adapter": str(path), "adapter_licence": "own"}}
    chosen.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return chosen


def test_every_step_leaves_what_the_next_one_needs(project: Path) -> None:
    assert list((project / "build/mini/corpus").rglob("*.html")) != []  # the card
    finished = json.loads((project / RUN / "finished.json").read_bytes())
    assert finished["checkpoints"]
    decision = json.loads((project / RUN / "gate" / "decision.json").read_bytes())
    assert decision["promoted"] is None and set(decision["rates"]) > {"base"}
    assert (project / RUN / "gate" / "index.html").is_file()
    assert not (project / RUN / "released").exists()


def test_a_second_run_has_nothing_to_do(project: Path) -> None:
    done = snakemake(project, "corpus", "train", "promote")
    assert done.returncode == 0 and "Nothing to be done" in done.stdout


def test_a_game_is_built_with_what_was_promoted_and_not_with_a_checkpoint(project: Path) -> None:
    checkpoint = sorted((project / RUN / "checkpoints").iterdir())[-1]
    refused = snakemake(project, settings=[adapter_of(project, checkpoint / "adapter")])
    assert refused.returncode != 0 and "no gate has promoted it" in refused.stdout

    settings = yaml.safe_load((project / "config" / "mini.yaml").read_text(encoding="utf-8"))
    name = f"{checkpoint.name}/adapter"
    decision = json.loads((project / RUN / "gate" / "decision.json").read_bytes()) | {"promoted": name}
    before = Path.cwd()
    os.chdir(project)
    try:
        release = write_release(read_config(settings), RUN, checkpoint / "adapter", name, decision)
    finally:
        os.chdir(before)
    card = (project / release / "README.md").read_text(encoding="utf-8")
    assert "hours of speech (embedded), licence" in card and "the licences of the corpus: " in card
    built = snakemake(project, settings=[adapter_of(project, release / "adapter")])
    assert built.returncode == 0, built.stdout
    manifest = json.loads((project / "build/mini/assets/manifest.json").read_bytes())
    assert [clip["id"] for clip in manifest["clips"]] == ["havn_001"]
    assert (project / "build/mini/assets" / manifest["clips"][0]["path"]).stat().st_size > 0
