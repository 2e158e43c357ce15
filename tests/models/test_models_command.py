"""``snakemake models``, and builds without the models, through real Snakemake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_hub import SmallHub, serve

PROJECT = Path(__file__).parents[2]
NO_HUB = "http://127.0.0.1:9"  # nobody listens on 'discard': whoever asks the network there fails


@pytest.fixture
def game(tmp_path: Path) -> Path:
    (tmp_path / "dialogue").mkdir()
    (tmp_path / "dialogue" / "voices.yaml").write_text("voices: {kari: {espeak: {}}}\n", encoding="utf-8")
    (tmp_path / "dialogue" / "havn.csv").write_text("id;text;voice\na_1;Hei på deg.;kari\n", encoding="utf-8")
    (tmp_path / "config.yaml").write_text("{}\n", encoding="utf-8")
    return tmp_path


def snakemake(game: Path, *more: str, endpoint: str = NO_HUB) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), "--cores", "1", *more]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HF_ENDPOINT": endpoint, "HF_HOME": str(game / "home")}
    return subprocess.run(
        command, cwd=game, env=environment, text=True, timeout=300, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("dry", [(), ("-n",)], ids=["build", "dry run"])
def test_without_the_weights_a_build_stops_at_once_with_the_command_that_fetches_them(game: Path, dry: tuple) -> None:
    ready = str(PROJECT / "config" / "norsk.yaml")
    done = snakemake(game, "--resources", "gpu=1", "--configfile", ready, *dry)
    assert done.returncode != 0
    assert "cosyvoice3.yaml: is not there" in done.stdout
    assert "with: snakemake --cores 1 models" in done.stdout
    assert not (game / "build" / "rounds").exists()


def test_a_commercial_build_with_the_norwegian_adapter_stops_at_once(game: Path) -> None:
    ready = str(PROJECT / "config" / "norsk.yaml")
    done = snakemake(game, "--configfile", ready, "--config", "commercial=true")
    assert done.returncode != 0
    assert "CC-BY-NC-4.0, which forbids commercial use, and this build is commercial" in done.stdout


def test_fetching_asks_the_hub_and_needs_no_sheets(game: Path) -> None:
    (game / "dialogue" / "voices.yaml").write_text("voices: [", encoding="utf-8")
    with serve(SmallHub()) as hub:
        done = snakemake(game, "models", endpoint=hub.url)
    assert done.returncode != 0
    assert "FunAudioLLM/Fun-CosyVoice3-0.5B-2512: the hub has no such repository" in done.stdout
    assert hub.requests[0][:2] == (
        "HEAD",
        "/FunAudioLLM/Fun-CosyVoice3-0.5B-2512/resolve/29e01c4e8d000f4bcd70751be16fa94bf3d85a18/cosyvoice3.yaml",
    )
    assert "the hub has no such repository" in (game / "build" / "logs" / "fetch_models.log").read_text("utf-8")


def test_fetching_works_where_config_yaml_itself_names_the_real_voice(game: Path) -> None:
    """The build that would need the models cannot be opened yet: fetching must not open it."""
    (game / "config.yaml").write_text(yaml.safe_dump({"engine": "cosyvoice3"}), encoding="utf-8")
    done = snakemake(game, "models")
    assert "the connection to the hub failed" in done.stdout


def test_a_copy_of_ones_own_asks_no_network(game: Path) -> None:
    (game / "copy").mkdir()
    with serve(SmallHub()) as hub:
        done = snakemake(game, "models", "--config", "models_dir=copy", endpoint=hub.url)
    assert done.returncode != 0
    assert "copy: has no Fun-CosyVoice3-0.5B-2512; put" in done.stdout
    assert hub.requests == []


def test_with_models_of_ones_own_there_is_nothing_to_fetch(game: Path) -> None:
    (game / "voice").mkdir()
    own = {"models": {"base": "./voice", "base_licence": "own", "adapter": "none"}}
    (game / "config.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    done = snakemake(game, "models")
    assert done.returncode == 0, done.stdout
    assert "voice: is a model of your own, nothing to fetch" in done.stdout


def test_a_build_with_the_embedded_voice_asks_no_network(game: Path) -> None:
    with serve(SmallHub()) as hub:
        done = snakemake(game, endpoint=hub.url)
    assert done.returncode == 0, done.stdout
    assert hub.requests == []


def test_settings_of_the_models_are_checked_in_every_build(game: Path) -> None:
    (game / "config.yaml").write_text("models: {adaptor: none}\n", encoding="utf-8")
    for target in ((), ("models",)):
        done = snakemake(game, *target)
        assert done.returncode != 0
        assert "config.yaml: models.adaptor: is not a setting; did you mean 'adapter'?" in done.stdout
