"""Whole trainings on the CPU: a voice is learnt, a second one beside it, and kills leave no trace."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import torch

from replikk.config import read_config
from replikk.corpus.tokens import TokenCorpus, read_corpus
from replikk.engines.cosyvoice3.adapters import read_adapter
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.merging import merge_adapter
from replikk.engines.cosyvoice3.model_folder import open_model_folder
from replikk.errors import ReplikkError
from replikk.stages.running import EXIT_TOLD
from replikk.training.batches import epoch_plan, sequences_of
from replikk.training.checkpoints import checkpoints, open_run, read_checkpoint, read_state, run_record
from replikk.training.packing import loss_sum, packed
from replikk.training.run import train_lora
from replikk.training.settings import TrainingSettings, read_training_settings
from replikk.training.state import Training, start_training
from replikk.training.trainer import run_training, teacher_forced
from replikk.training.workers import Workers

PROJECT = Path(__file__).parents[2]
SMALL: dict[str, Any] = {
    "precision": "float32", "device": "cpu", "tokens_per_batch": 250, "accumulate": 2, "rank": 4, "epochs": 4,
    "peak_learning_rate": 1e-3, "warm_up_steps": 3, "save_every_steps": 2, "log_every_steps": 1,
}  # fmt: skip


def settings(**values: Any) -> TrainingSettings:
    return read_training_settings({**SMALL, **values})


def small_model(folder: Path) -> LanguageModel:
    read = open_model_folder(folder).read_language_model()
    model = LanguageModel(read.sizes)
    model.load_state({key: value.clone() for key, value in read.state.items()})
    return model


def trained(run: Path, chosen: TrainingSettings, model: LanguageModel, corpus: Path, **more: Any) -> Training:
    """A run begun, or gone on with."""
    record = run_record(chosen.of_result(), {"base": "small"})
    open_run(run, record)
    splits = read_corpus(corpus)
    found = checkpoints(run)
    checkpoint = read_checkpoint(found[-1]) if found else None
    training = start_training(chosen, run, record, model, splits["train"], splits["held_out"], checkpoint=checkpoint)
    run_training(training, **more)
    return training


# --- learning


@pytest.fixture(scope="module")
def first_voice(model_folder: Path, corpora: dict[str, Path]) -> tuple[LanguageModel, TokenCorpus]:
    """A small model that has learnt one voice with all its weights, over the batches and loss of the trainer."""
    model = small_model(model_folder)
    corpus = read_corpus(corpora["f2"])["train"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for epoch in range(20):
        plan = epoch_plan(corpus, epoch, 1000, 1, 0, interleave=True)
        for (numbers,) in plan.steps:
            batch = packed(sequences_of(corpus, numbers, plan.draws, model.sizes))
            loss, _ = loss_sum(model, batch)
            (loss / len(batch.targets)).backward()
            optimizer.step()
            optimizer.zero_grad()
    return model, corpus


def test_a_small_model_learns_the_embedded_voice(first_voice: tuple[LanguageModel, TokenCorpus]) -> None:
    model, corpus = first_voice
    _, accuracy = teacher_forced(settings(), model, corpus)
    assert accuracy > 0.95


def test_a_lora_learns_a_second_voice_and_leaves_the_base_alone(
    first_voice: tuple[LanguageModel, TokenCorpus], corpora: dict[str, Path], tmp_path: Path
) -> None:
    model, first = first_voice
    second = read_corpus(corpora["m3"])["train"]
    chosen = settings(
        rank=24, epochs=60, peak_learning_rate=1e-2, warm_up_steps=20, tokens_per_batch=1000, accumulate=1,
        save_every_steps=1000, save_every_epochs=2, ema_decay=0.9,
    )  # fmt: skip
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    _, of_first = teacher_forced(chosen, model, first)
    _, of_second = teacher_forced(chosen, model, second)
    assert of_second < 0.05
    training = trained(tmp_path, chosen, model, corpora["m3"])
    assert teacher_forced(chosen, model, second)[1] > 0.95
    training.adapter.detach()
    assert all(torch.equal(before[name], weight) for name, weight in model.named_parameters())
    assert teacher_forced(chosen, model, first)[1] == of_first
    state = {key: weight.detach()[rows] for key, weight, rows in model.published_parts()}
    for kind in ("adapter", "ema_adapter"):  # and what was saved is what was learnt
        merged, _ = merge_adapter(state, read_adapter(checkpoints(tmp_path)[-1] / kind, model.sizes))
        tuned = LanguageModel(model.sizes)
        tuned.load_state(merged)
        assert teacher_forced(chosen, tuned, second)[1] > 0.95


def test_bfloat16_learns_too(model_folder: Path, corpora: dict[str, Path], tmp_path: Path) -> None:
    read = open_model_folder(model_folder).read_language_model()
    model = LanguageModel(read.sizes, torch.bfloat16)
    model.load_state(read.state)
    chosen = settings(precision="bf16", epochs=6, peak_learning_rate=1e-2, save_every_steps=1000)
    training = trained(tmp_path, chosen, model, corpora["f2"])
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows if "loss" in row]
    assert losses[-1] < losses[0] - 1
    assert all(parameter.dtype == torch.float32 for parameter in training.adapter.factors.values())


# --- kills


def run_hashes(run: Path) -> dict[str, dict[str, str]]:
    """The hashes of every file of every checkpoint."""
    return {path.name: read_state(path)["sha256"] for path in checkpoints(run)}


class KilledError(Exception):
    """Stands for a kill between two steps: nothing is saved, nothing is cleaned up."""


@pytest.fixture(scope="module")
def whole_run(model_folder: Path, corpora: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("whole") / "run"
    trained(run, settings(), small_model(model_folder), corpora["f2"])
    return run


def test_checkpoints_come_by_steps_and_by_epochs(whole_run: Path) -> None:
    """285 tokens and texts of 6 utterances make 3 batches of 250, so 2 steps an epoch, and 4 epochs."""
    rows = [json.loads(line) for line in (whole_run / "metrics.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if "loss" in row]
    assert steps == list(range(1, len(steps) + 1))
    saved = [int(path.name.removeprefix("step_")) for path in checkpoints(whole_run)]
    assert saved == [row["step"] for row in rows if "held_out_loss" in row]
    assert saved[-1] == steps[-1]
    assert set(range(2, steps[-1] + 1, 2)) <= set(saved)
    state = read_state(checkpoints(whole_run)[-1])
    assert state["place"] == {"step": steps[-1], "epoch": 4, "step_in_epoch": 0}
    assert {"loss", "held_out_loss", "learning_rate", "trained_parameters", "run"} <= set(state)


def test_killed_after_every_step_the_run_ends_in_the_same_bits(
    whole_run: Path, model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    deaths = 0
    for _ in range(100):
        left = 3  # three steps a life, a checkpoint every two

        def die(_: Training) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise KilledError

        try:
            trained(tmp_path, settings(), small_model(model_folder), corpora["f2"], after_step=die)
            break
        except KilledError:
            deaths += 1
    assert deaths >= 2
    assert run_hashes(tmp_path) == run_hashes(whole_run)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    wanted = [json.loads(line) for line in (whole_run / "metrics.jsonl").read_text().splitlines()]
    timing = ("tokens_per_s", "hours_per_hour")
    assert [{k: v for k, v in row.items() if k not in timing} for row in rows] == [
        {k: v for k, v in row.items() if k not in timing} for row in wanted
    ]


def test_more_epochs_go_on_where_the_run_ended(
    whole_run: Path, model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    trained(tmp_path, settings(epochs=2), small_model(model_folder), corpora["f2"])
    trained(tmp_path, settings(epochs=4), small_model(model_folder), corpora["f2"])
    assert run_hashes(tmp_path) == run_hashes(whole_run)


def project(folder: Path, model: Path, corpus: Path, **values: Any) -> dict[str, Any]:
    """The settings of a project whose training is small."""
    return {
        "build_dir": str(folder / "build"),
        "models": {"base": str(model), "base_licence": "Apache-2.0", "adapter": "none"},
        "training": {**SMALL, "corpus": str(corpus), **values},
    }


def command(folder: Path, content: dict[str, Any], *launcher: str) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.json"
    config.write_bytes(orjson.dumps(content))
    script = str(PROJECT / "scripts" / "train_lora.py")
    return [
        sys.executable, *launcher, script, "--config", str(config), "--log", str(folder / "log.txt"),
        "--finished", str(folder / "finished.json"),
    ]  # fmt: skip


ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def wait_for(path: Path, process: subprocess.Popen) -> None:
    for _ in range(3000):
        if path.exists() or process.poll() is not None:
            return
        time.sleep(0.01)


def test_sigkill_and_sigterm(model_folder: Path, corpora: dict[str, Path], tmp_path: Path) -> None:
    """A process that is killed while it trains, one that is asked to end, and one that comes to the end."""
    content = project(tmp_path, model_folder, corpora["f2"], epochs=30, save_every_steps=5, save_every_epochs=2)
    run = tmp_path / "build" / "training" / "lora"
    for sent, step in ((signal.SIGKILL, 5), (signal.SIGTERM, 15)):
        process = subprocess.Popen(command(tmp_path, content), env=ONE_THREAD, stderr=subprocess.DEVNULL)
        wait_for(run / "checkpoints" / f"step_{step:07d}", process)
        process.send_signal(sent)
        process.wait(60)
        assert process.returncode == (-signal.SIGKILL if sent == signal.SIGKILL else EXIT_TOLD)
    log = (tmp_path / "log.txt").read_text()
    assert "stopped after step" in log
    assert "going on after step" in log
    asked = checkpoints(run)[-1]
    # Who asks does not wait for what is measured on held-out speech.
    assert "loss" in read_state(asked) and "held_out_loss" not in read_state(asked)
    assert not (tmp_path / "finished.json").exists()
    done = subprocess.run(command(tmp_path, content), env=ONE_THREAD, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    listed = json.loads((tmp_path / "finished.json").read_bytes())["checkpoints"]
    assert listed == [path.name for path in checkpoints(run)]

    whole = tmp_path / "whole"
    config = read_config(
        project(whole, model_folder, corpora["f2"], epochs=30, save_every_steps=5, save_every_epochs=2)
    )
    train_lora(config, read_training_settings(config.training), whole / "finished.json")
    wanted = run_hashes(whole / "build" / "training" / "lora")
    found = run_hashes(run)
    found = {name: hashes for name, hashes in found.items() if name in wanted or name != asked.name}
    assert found == wanted


class AskedWhileSumming(Workers):
    """Asked to end while the sums of a step are made, where a GPU is waited for most of the time."""

    def sum(self, vector: torch.Tensor) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_wish_to_end_is_heard_whenever_it_comes(model_folder: Path, corpora: dict[str, Path], tmp_path: Path) -> None:
    chosen, train = settings(), read_corpus(corpora["f2"])["train"]
    record = run_record(chosen.of_result(), {"base": "small"})
    training = start_training(chosen, tmp_path, record, small_model(model_folder), train, workers=AskedWhileSumming())
    with pytest.raises(ReplikkError, match="stopped after step 2, as asked"):
        run_training(training)
    assert [path.name for path in checkpoints(tmp_path)] == ["step_0000002"]


def test_two_processes_train_what_one_trains(
    whole_run: Path, model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    """To the bit, because each has one batch of a step: whoever adds two gradients gets the same sum. In the second
    step of each epoch, of the third batch alone, the second process has nothing to do."""
    content = project(tmp_path, model_folder, corpora["f2"], gpus=2)
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--")
    done = subprocess.run(
        command(tmp_path, content, *launcher), env=ONE_THREAD, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = checkpoints(tmp_path / "build" / "training" / "lora")
    assert [path.name for path in found] == [path.name for path in checkpoints(whole_run)]
    one, two = read_checkpoint(checkpoints(whole_run)[-1]), read_checkpoint(found[-1])
    for of_one, of_two in ((one.adapter, two.adapter), (one.ema, two.ema), (one.moments, two.moments)):
        assert of_one.keys() == of_two.keys()
        assert [name for name in of_one if not torch.equal(of_one[name], of_two[name])] == []


# --- what is refused


def test_a_checkpoint_is_never_overwritten(
    whole_run: Path, model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole_run, run)
    kept = checkpoints(run)
    for path in kept[1:-1]:
        path.rename(tmp_path / path.name)
    newest = kept[-1].rename(tmp_path / "newest")
    (run / "checkpoints" / ".tmp-half").mkdir()
    (tmp_path / kept[-2].name).rename(kept[-2])  # the run goes on from here
    before = run_hashes(run)
    trained(run, settings(), small_model(model_folder), corpora["f2"])
    assert not (run / "checkpoints" / ".tmp-half").exists()
    assert {name: hashes for name, hashes in run_hashes(run).items() if name in before} == before
    assert read_state(newest)["sha256"] == run_hashes(run)[kept[-1].name]
    # A checkpoint that lies where a run comes by again is no reason to write over it.
    (run / "checkpoints" / kept[-1].name).rename(tmp_path / "aside")
    (run / "checkpoints" / kept[-1].name).mkdir()
    with pytest.raises(ReplikkError, match=r"has no state\.json; move this checkpoint away"):
        trained(run, settings(), small_model(model_folder), corpora["f2"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rank": 8}, r"settings.rank was 4 and is 8"),
        ({"peak_learning_rate": 2e-3}, r"settings.peak_learning_rate was 0.001 and is 0.002"),
        ({"tokens_per_batch": 300, "seed": 2}, r"settings.seed was 0 and is 2; settings.tokens_per_batch was 250"),
    ],
)
def test_a_run_is_not_gone_on_with_otherwise(changed: dict[str, Any], said: str, whole_run: Path) -> None:
    before = run_hashes(whole_run)
    with pytest.raises(ReplikkError, match=said):
        open_run(whole_run, run_record(settings(**changed).of_result(), {"base": "small"}))
    with pytest.raises(ReplikkError, match="base was 'small' and is 'another'"):
        open_run(whole_run, run_record(settings().of_result(), {"base": "another"}))
    assert run_hashes(whole_run) == before


@pytest.mark.parametrize("name", ["adapter/adapter_model.safetensors", "optimizer.safetensors", "random.safetensors"])
def test_a_damaged_checkpoint_is_named(name: str, whole_run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(checkpoints(whole_run)[-1], tmp_path / "copy"))
    content = bytearray((copy / name).read_bytes())
    content[-1] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ReplikkError, match=f"{name}: is damaged; move this checkpoint away"):
        read_checkpoint(copy)
    (copy / name).unlink()
    with pytest.raises(ReplikkError, match="does not have the files that were saved"):
        read_checkpoint(copy)


def test_a_loss_that_is_no_number_ends_the_run(model_folder: Path, corpora: dict[str, Path], tmp_path: Path) -> None:
    model = small_model(model_folder)
    with torch.no_grad():
        model.norm[0] = float("nan")
    with pytest.raises(ReplikkError, match="the loss of step 1 is no number"):
        trained(tmp_path, settings(), model, corpora["f2"])


def test_an_adapter_that_the_loss_does_not_reach_ends_the_run(
    model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    model = small_model(model_folder)
    with torch.no_grad():
        model.norm.zero_()
    with pytest.raises(ReplikkError, match="parts of the adapter had no gradient in the first step"):
        trained(tmp_path, settings(), model, corpora["f2"])


def test_base_weights_that_change_during_training_end_the_run(
    model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    def meddle(training: Training) -> None:
        with torch.no_grad():
            training.model.norm.mul_(1.0)  # the same bits, but somebody wrote

    with pytest.raises(ReplikkError, match="1 weights of the base model were changed during training"):
        trained(tmp_path, settings(), small_model(model_folder), corpora["f2"], after_step=meddle)
    assert not checkpoints(tmp_path)


def test_memory_that_is_too_small_is_told(
    model_folder: Path, corpora: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As PyTorch says it; no machine of the tests has too little for a small model."""

    def full(training: Training) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nmore lines")

    monkeypatch.setattr("replikk.training.run.run_training", full)
    config = read_config(project(tmp_path, model_folder, corpora["f2"]))
    with pytest.raises(ReplikkError, match=r"\(CUDA out of memory\); close .* half of training\.") as told:
        train_lora(config, read_training_settings(config.training), tmp_path / "finished.json")
    assert "\n" not in str(told.value)


def test_a_gpu_that_is_not_there_is_told_by_the_setting_of_training(
    model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    config = read_config(project(tmp_path, model_folder, corpora["f2"], device="cuda"))
    with pytest.raises(ReplikkError, match=r"config\.yaml: training: device is cuda, but PyTorch sees no GPU"):
        train_lora(config, read_training_settings(config.training), tmp_path / "finished.json")


def test_a_corpus_of_another_model_is_refused(model_folder: Path, corpora: dict[str, Path], tmp_path: Path) -> None:
    other = Path(shutil.copytree(model_folder, tmp_path / "other"))
    merges = other / "CosyVoice-BlankEN" / "merges.txt"
    merges.write_text(merges.read_text() + "e l\n", encoding="utf-8")
    vocabulary = json.loads((merges.parent / "vocab.json").read_text(encoding="utf-8"))
    (merges.parent / "vocab.json").write_text(
        json.dumps({**vocabulary, "el": len(vocabulary)}, ensure_ascii=False), encoding="utf-8"
    )
    (merges.parent / "tokenizer_config.json").unlink()
    config = read_config(project(tmp_path, other, corpora["f2"]))
    with pytest.raises(ReplikkError, match=r"was tokenised for another model \(text_tokenizer, end_of_prompt differ"):
        train_lora(config, read_training_settings(config.training), tmp_path / "finished.json")


def test_an_utterance_longer_than_a_batch_is_named(
    model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    config = read_config(project(tmp_path, model_folder, corpora["f2"], tokens_per_batch=60))
    with pytest.raises(ReplikkError, match=r"utterances are longer than training.tokens_per_batch \(60\)"):
        train_lora(config, read_training_settings(config.training), tmp_path / "finished.json")
