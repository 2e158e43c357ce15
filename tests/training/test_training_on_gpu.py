"""LoRA training on a GPU, without one: tensors in their place, bf16, checkpoints that go on where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pretend_gpu import GPU, pretend_gpu
from test_training_run import SMALL, project

from replikk.config import read_config
from replikk.corpus.tokens import read_corpus
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.model_folder import open_model_folder
from replikk.training.checkpoints import Checkpoint, checkpoints, read_checkpoint
from replikk.training.run import train_lora
from replikk.training.settings import read_training_settings
from replikk.training.state import start_training
from replikk.training.trainer import _plan, train_step

pytestmark = pytest.mark.usefixtures("one_thread")


def checkpoint_of_run(folder: Path, model: Path, corpus: Path, *epochs: int, **values: Any) -> Checkpoint:
    """The last checkpoint of a run that was ended and gone on with once for each of ``epochs``."""
    for count in epochs:
        config = read_config(project(folder, model, corpus, epochs=count, **values))
        train_lora(config, read_training_settings(config.training), folder / "finished.json")
    return read_checkpoint(checkpoints(folder / "build" / "training" / "lora")[-1])


def test_a_run_on_a_gpu_learns_what_one_on_the_cpu_learns(
    model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    wanted = checkpoint_of_run(tmp_path / "cpu", model_folder, corpora["f2"], 2)
    with pretend_gpu():
        found = checkpoint_of_run(tmp_path / "gpu", model_folder, corpora["f2"], 2, device="cuda")
        resumed = checkpoint_of_run(tmp_path / "two", model_folder, corpora["f2"], 1, 2, device="cuda")
    for of_cpu, of_gpu, of_two in (
        (wanted.adapter, found.adapter, resumed.adapter),
        (wanted.ema, found.ema, resumed.ema),
        (wanted.moments, found.moments, resumed.moments),
    ):
        assert of_cpu.keys() == of_gpu.keys() == of_two.keys()
        for name in of_cpu:
            torch.testing.assert_close(of_gpu[name], of_cpu[name], atol=1e-6, rtol=1e-4)  # fused AdamW rounds elsewhere
            assert torch.equal(of_two[name], of_gpu[name]), name
    assert "cuda" in found.random


def test_adapters_stay_float32_beside_weights_in_bf16(
    model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    with pretend_gpu():
        found = checkpoint_of_run(tmp_path, model_folder, corpora["f2"], 1, device="cuda", precision="bf16")
    assert {tensor.dtype for tensor in (*found.adapter.values(), *found.ema.values())} == {torch.float32}
    assert all(torch.isfinite(tensor).all() for tensor in found.adapter.values())


def test_everything_that_is_trained_lies_on_the_gpu(
    model_folder: Path, corpora: dict[str, Path], tmp_path: Path
) -> None:
    with pretend_gpu() as gpu:
        read = open_model_folder(model_folder).read_language_model()
        model = LanguageModel(read.sizes, torch.bfloat16, gpu)
        model.load_state(read.state)
        settings = read_training_settings({**SMALL, "precision": "bf16"})
        training = start_training(settings, tmp_path, {}, model, read_corpus(corpora["f2"])["train"])
        train_step(training, _plan(training))
        state = [value for values in training.optimizer.state.values() for value in values.values()]
        tensors = [
            training.adapter.values,
            *training.adapter.factors.values(),
            training.ema,
            training.gradients,
            *state,
        ]
        assert {tensor.device for tensor in tensors} == {GPU}
        assert training.gradients.any()
