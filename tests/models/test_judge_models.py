"""The judge's models among those that are fetched and looked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from replikk.config import read_config
from replikk.errors import ReplikkError
from replikk.models.judge_catalogue import CTC_EARS, WHISPERS
from replikk.models.present import missing_models, require_judge_models

PROJECT = Path(__file__).parents[2]


def config_with(**settings: object):  # type: ignore[no-untyped-def]
    return read_config({"judge": "nb-whisper", "judges": {"nb-whisper": settings}})


@pytest.mark.parametrize("model", [*WHISPERS.values(), *CTC_EARS.values()], ids=lambda model: model.name)
def test_the_catalogue_is_sound(model) -> None:  # type: ignore[no-untyped-def]
    assert model.repository == f"NbAiLab/{model.name}" and model.licence == "Apache-2.0"
    assert re.fullmatch("([0-9a-f]{40})?", model.revision)
    paths = [file.path for file in model.files]
    assert len(set(paths)) == len(paths) and "config.json" in paths and "README.md" in paths
    assert any(path.endswith((".safetensors", ".bin")) for path in paths)
    assert not any(".." in path or path.startswith("/") for path in paths)


def test_what_the_judge_wants_is_fetched_with_the_rest() -> None:
    models = config_with(model="medium", second_opinion="large", second_ear="bokmaal-300m").models
    names = [model.name for model in models.fetched]
    assert names[-3:] == ["nb-whisper-medium-verbatim", "nb-whisper-large-verbatim", "nb-wav2vec2-300m-bokmaal-v2"]
    assert not set(models.judges) & set(models.published)


def test_judges_without_models_fetch_none(tmp_path: Path) -> None:
    assert read_config({}).models.judges == ()
    assert config_with(model=str(tmp_path)).models.judges == ()
    require_judge_models(read_config({}).models)


def test_what_is_missing_is_told_with_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    models = config_with(model="large").models
    with pytest.raises(ReplikkError, match=r"fetch nb-whisper-large-verbatim \(6\.17 GB\) with: snakemake"):
        require_judge_models(models)
    assert "whisper" not in (missing_models(models) or "")  # the voice's models are another question


def test_the_command_that_fetches_a_judge_is_told_with_the_settings_that_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them it would fetch the voice, be content, and the build would name the same command again."""
    monkeypatch.chdir(tmp_path)
    models = config_with(model="medium").models
    with pytest.raises(ReplikkError, match="snakemake --cores 1 models  and the --configfile or --config of"):
        require_judge_models(models)
    assert str(missing_models(models)).endswith("of this build, which name the judge")
    assert str(missing_models(read_config({}).models)).endswith("with: snakemake --cores 1 models")


def ready_models():  # type: ignore[no-untyped-def]
    return read_config(yaml.safe_load((PROJECT / "config" / "norsk.yaml").read_text(encoding="utf-8"))).models


def test_the_ready_settings_hear_with_medium_and_ask_large_about_what_fails() -> None:
    assert ready_models().judges == (WHISPERS["medium"], WHISPERS["large"])
    assert [model.name for model in ready_models().fetched] == [
        "Fun-CosyVoice3-0.5B-2512",
        "cosyvoice3-norwegian-lora",
        "nb-whisper-medium-verbatim",
        "nb-whisper-large-verbatim",
    ]


@pytest.mark.parametrize("page", ["config/norsk.yaml", "README.md", "docs/models.md", "docs/judge.md"])
def test_what_the_ready_settings_fetch_is_as_large_as_the_pages_say(page: str) -> None:
    size = sum(file.bytes or file.about_bytes for model in ready_models().fetched for file in model.files)
    [line] = [
        line
        for line in (PROJECT / page).read_text(encoding="utf-8").splitlines()
        if "models --configfile config/norsk.yaml" in line
    ]
    assert f"{size / 1e9:.1f} GB" in line


def test_wrong_settings_are_told_with_all_others() -> None:
    with pytest.raises(ReplikkError) as caught:
        read_config({"judge": "nb-whisper", "judges": {"nb-whisper": {"model": "larg"}}, "seed": -1})
    assert "judges.nb-whisper.model: there is no model 'larg'; did you mean 'large'?" in str(caught.value)
    assert "seed" in str(caught.value)
