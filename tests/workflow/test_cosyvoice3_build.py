"""The whole build with the engine cosyvoice3, through real Snakemake, on a small random model in the published layout.

What it says is noise, so every line is tried again and then flagged; which takes are made, kept and made anew is the
subject here.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from game_folder import PROJECT, Game
from safetensors.torch import save_file
from test_reliability import kill_and_finish, take_files

sys.path.insert(0, str(PROJECT / "tests" / "engines"))

from cosyvoice3_small import LANGUAGE_MODEL, make_small_model

from replikk.engines.cosyvoice3.checkpoint_layout import language_model_layout, projections

REFERENCE = PROJECT / "dialogue" / "references" / "kari.flac"
VOICE = {
    "cosyvoice3": {},
    "espeak": {},
    "reference": {
        "audio": "kari.flac",
        "transcript": "Kom og se! Jeg har funnet en bokstav i sanda, og jeg tror den har ligget her i mange år.",
    },
    "rights": {"who": "nobody", "licence": "own", "evidence": "made by the embedded voice"},
}
LINES = [
    {"id": "havn_001", "text": "Velkommen til den gamle havna.", "voice": "kari", "style": ""},
    {"id": "havn_002", "text": "Har du sett nøkkelen min?", "voice": "kari", "style": "si dette stille"},
    {"id": "havn_003", "text": "Ja!", "voice": "kari", "style": ""},
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_model(tmp_path_factory.mktemp("model"))


def set_up(game: Game, model: Path, **models: object) -> None:
    shutil.copy(REFERENCE, game.dialogue / "kari.flac")
    game.voices = {"kari": json.loads(json.dumps(VOICE))}
    game.write_voices()
    game.write_sheet("havn.csv", LINES)
    game.configure(
        engine="cosyvoice3",
        engines={"cosyvoice3": {"precision": "float32", "device": "cpu"}},
        models={"base": str(model), "base_licence": "Apache-2.0", "adapter": "none", **models},
        max_rounds=2,
    )


def write_adapter(folder: Path, size: float) -> Path:
    """A LoRA of rank 2 on every projection."""
    folder.mkdir()
    draws = torch.Generator().manual_seed(1)
    layout, tensors = language_model_layout(LANGUAGE_MODEL), {}
    for module in projections(LANGUAGE_MODEL.layers):
        rows, columns = layout[f"{module}.weight"]
        path = "base_model.model." + module.removeprefix("llm.model.")
        tensors[f"{path}.lora_A.weight"] = torch.randn(2, columns, generator=draws)
        tensors[f"{path}.lora_B.weight"] = size * torch.randn(rows, 2, generator=draws)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": "all-linear"}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_every_line_is_spoken_judged_and_delivered(game: Game, model: Path) -> None:
    set_up(game, model)
    game.make()
    clips = game.clips()
    assert set(clips) == {line["id"] for line in LINES}
    assert {clip["licences"]["engine"] for clip in clips.values()} == {f"Apache-2.0 ({model.name})"}
    assert all(clip["duration_s"] > 0.05 and clip["verdict"] == "flagged" for clip in clips.values())
    assert len(game.takes()) == 2 * len(LINES)  # noise: each line was tried again once
    assert "Nothing to be done" in game.make()


def test_one_changed_line_speaks_one_line(game: Game, model: Path) -> None:
    set_up(game, model)
    game.make()
    before = take_files(game)
    game.write_sheet("havn.csv", [{**LINES[0], "text": "Velkommen til den nye havna."}, *LINES[1:]])
    game.make()
    after = take_files(game)
    assert {key: after[key] for key in before} == before
    assert len(after) == len(before) + 2


def test_another_adapter_is_another_voice_and_the_old_one_is_found_again(
    game: Game, model: Path, tmp_path: Path
) -> None:
    set_up(game, model)
    game.make()
    plain, assets = game.takes(), game.assets()
    adapter = {"adapter": str(write_adapter(tmp_path / "lora", 0.3)), "adapter_licence": "CC-BY-4.0"}
    set_up(game, model, **adapter)
    output = game.make()
    assert f"{2 * 7} of {2 * 7} projections changed" in output
    tuned = game.takes() - plain
    assert len(tuned) == len(plain)
    assert "CC-BY-4.0 (lora)" in game.manifest()["engine"]["licence"]
    set_up(game, model, **adapter, adapter_strength=0.5)
    game.make()
    assert len(game.takes()) == 3 * len(plain)
    set_up(game, model)  # back to the base model: everything is there already
    game.make()
    assert len(game.takes()) == 3 * len(plain) and game.assets() == assets


def test_a_killed_build_goes_on_where_it_was(game: Game, model: Path) -> None:
    set_up(game, model)
    game.write_sheet("havn.csv", [{**LINES[0], "id": f"l_{n}", "text": f"Jeg ser {n} båter."} for n in range(24)])
    kill_and_finish(game, kills=3, seed=5)
    killed = game.assets()
    game.forget_build()
    game.make()
    assert game.assets() == killed


def test_a_non_commercial_adapter_stops_a_commercial_build(game: Game, model: Path, tmp_path: Path) -> None:
    adapter = {"adapter": str(write_adapter(tmp_path / "lora", 0.3)), "adapter_licence": "CC-BY-NC-4.0"}
    set_up(game, model, **adapter)
    done = game.run()
    assert done.returncode == 1 and "CC-BY-NC-4.0" in done.stdout and not game.build.joinpath("rounds").exists()
    game.configure(commercial=False)
    game.make()


def test_other_terms_of_the_same_model_reach_the_manifest(game: Game, model: Path) -> None:
    set_up(game, model)
    game.make()
    takes = take_files(game)
    set_up(game, model, base_licence="CC-BY-4.0")
    game.make()
    assert take_files(game) == takes
    assert game.manifest()["engine"]["licence"] == f"CC-BY-4.0 ({model.name})"
    assert {clip["licences"]["engine"] for clip in game.clips().values()} == {f"CC-BY-4.0 ({model.name})"}


def test_everything_wrong_with_voices_is_said_before_anything_is_spoken(game: Game, model: Path) -> None:
    set_up(game, model)
    game.voices["ola"] = {"cosyvoice3": {"speed": 9}}
    game.voices["kari"]["reference"]["transcript"] = "Hei."
    game.write_voices()
    output = game.run().stdout
    assert "ola" in output and "reference: is missing" in output and "speed: is 9" in output
    assert "kari.flac" in output and "transcript" in output


def test_a_machine_without_the_weights_is_told_the_command_that_fetches_them(tmp_path: Path) -> None:
    game = Game(tmp_path / "game")
    shutil.rmtree(game.dialogue)
    shutil.copytree(PROJECT / "dialogue", game.dialogue)
    done = game.run("--configfile", str(PROJECT / "config" / "norsk.yaml"))
    assert done.returncode == 1 and "snakemake --cores 1 models" in done.stdout
    assert not (game.build / "rounds").exists()
