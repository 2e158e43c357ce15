"""Settings, schedule, and the order of the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.config import read_config
from replikk.corpus.tokens import MadeWith, TokenisedUtterance, read_token_corpus, write_token_shard
from replikk.errors import ReplikkError
from replikk.training.batches import check_lengths, epoch_plan, lengths_of
from replikk.training.opening import open_training
from replikk.training.schedule import ema_decay, learning_rate
from replikk.training.settings import TrainingSettings, read_training_settings


def test_defaults_are_the_published_recipe() -> None:
    found = read_training_settings({})
    assert found == TrainingSettings()
    assert (found.rank, found.peak_learning_rate, found.warm_up_steps) == (24, 1e-5, 2000)
    assert found.run_folder(Path("build")) == Path("build/training/lora")
    assert read_training_settings({"alpha": 24}).alpha == 24.0


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("rang", 24, "training.rang: is not a setting; did you mean 'rank'?"),
        ("rank", 0, "training.rank: is 0; write a whole number from 1 to 512"),
        ("rank", True, "training.rank: is True; write a whole number"),
        ("rank", 2.5, "training.rank: is 2.5; write a whole number"),
        ("peak_learning_rate", "1e-5", "training.peak_learning_rate: is '1e-5'; write a number from"),
        ("peak_learning_rate", float("nan"), "training.peak_learning_rate: is nan; write a number from"),
        ("save_every_epochs", 3, "training.save_every_epochs: is 3; write a whole number from 1 to 2"),
        ("interleave", "yes", "training.interleave: is 'yes'; write true or false"),
        ("precision", "fp16", "training.precision: is 'fp16'; write bf16 or float32"),
        ("name", "../up", "training.name: is '../up'; write a short name"),
        ("corpus", 3, "training.corpus: is 3; write a path"),
        ("gate_texts", 11, "training.gate_texts: is 11; write a whole number from 1 to 10"),
        ("outside_controls", 3, "training.outside_controls: is 3; write a section of names"),
        ("outside_controls", {"a/b": {}}, "training.outside_controls.a/b: write a short name"),
        ("outside_controls", {"Base": {}}, "training.outside_controls.Base: is what the gate calls one of its own"),
        ("outside_controls", {"step_1": {}}, "training.outside_controls.step_1: is what the gate calls one of its own"),
        ("outside_controls", {"x": "http://a"}, "training.outside_controls.x: is 'http://a'; write {url:"),
        ("outside_controls", {"x": {"url": "http://a"}}, "training.outside_controls.x.model: is None; write the name"),
        (
            "outside_controls",
            {"x": {"urls": 1}},
            "training.outside_controls.x.urls: is not a setting; did you mean 'url'",
        ),
        (
            "outside_controls",
            {"x": {"url": "http://a", "model": "m"}, "X": {"url": "http://a", "model": "m"}},
            "training.outside_controls.X: differs from another one in case only",
        ),
        ("gpus", 3, "training.accumulate: is 4; write a multiple of gpus (3)"),
    ],
)
def test_wrong_settings_are_named(key: str, value: Any, said: str) -> None:
    with pytest.raises(ReplikkError) as error:
        read_training_settings({key: value})
    assert f"config.yaml: {said}" in str(error.value)


def test_outside_controls_are_read_and_are_no_part_of_the_weights() -> None:
    section = {"cosyvoice2": {"url": "http://127.0.0.1:8091", "model": "CosyVoice2-0.5B"}}
    found = read_training_settings({"outside_controls": section})
    assert found.outside_controls == section
    assert found.of_result() == TrainingSettings().of_result()
    assert read_training_settings({"outside_controls": None}) == TrainingSettings()


def test_numbers_on_the_command_line_arrive_as_text() -> None:
    """``--config 'training={epochs: 2, …}'``; what is a name stays one."""
    section = {"epochs": "2", "peak_learning_rate": "1e-4", "interleave": "false", "name": "7", "corpus": "2026"}
    found = read_training_settings(read_config({"training": section}).training)
    assert (found.epochs, found.peak_learning_rate, found.interleave) == (2, 1e-4, False)
    assert (found.name, found.corpus) == ("7", "2026")


def test_all_wrong_settings_at_once() -> None:
    with pytest.raises(ReplikkError) as error:
        read_training_settings({"rank": 0, "epochs": -1, "what": 1})
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("step", "rate"), [(1, 5e-9), (1000, 5e-6), (2000, 1e-5), (8000, 5e-6), (20_880, 1e-5 * (2000 / 20_880) ** 0.5)]
)
def test_learning_rate_rises_then_falls_with_the_root(step: int, rate: float) -> None:
    assert learning_rate(step, 1e-5, 2000) == pytest.approx(rate)


def test_the_average_follows_closely_at_first() -> None:
    assert ema_decay(1, 0.999) < 0.2
    assert ema_decay(1000, 0.999) < ema_decay(100_000, 0.999) == 0.999


def corpus_of(folder: Path, lengths: list[int]) -> Any:
    write_token_shard(
        folder, "a", MadeWith("a", "b", 1, 6561, 9),
        [TokenisedUtterance(f"u{n}", "s", "", "", [9], [1], [0] * length) for n, length in enumerate(lengths)],
    )  # fmt: skip
    return read_token_corpus(folder)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=80), st.integers(64, 200), st.integers(1, 4), st.integers(0, 5)
)
def test_every_utterance_once_an_epoch_in_full_batches(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], most: int, accumulate: int, epoch: int
) -> None:
    corpus = corpus_of(tmp_path_factory.mktemp("corpus"), lengths)
    check_lengths(corpus, most)
    plan = epoch_plan(corpus, epoch, most, accumulate, 7, True)
    batches = [batch for step in plan.steps for batch in step]
    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    positions = lengths_of(corpus)
    assert all(positions[batch].sum() <= most for batch in batches)
    assert all(len(step) == accumulate for step in plan.steps[:-1]) and 1 <= len(plan.steps[-1]) <= accumulate
    again = epoch_plan(corpus, epoch, most, accumulate, 7, True)
    assert again.steps == plan.steps and np.array_equal(again.draws, plan.draws)


def test_epochs_differ(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, [5, 9, 13, 17] * 10)
    plans = [epoch_plan(corpus, epoch, 64, 2, 7, True) for epoch in range(3)]
    assert len({str(plan.steps) for plan in plans}) == 3
    assert epoch_plan(corpus, 0, 64, 2, 8, True).steps != plans[0].steps


def test_another_judge_or_voice_is_another_gate_and_no_other_training(tmp_path: Path) -> None:
    voices = tmp_path / "dialogue" / "voices.yaml"
    voices.parent.mkdir()
    voices.write_text("voices: {}\n")
    plain: dict[str, Any] = {"dialogue_dir": str(voices.parent), "build_dir": str(tmp_path / "build")}
    before = open_training(plain)
    changed = [
        {"judge": "speech-api", "judges": {"speech-api": {"url": "http://127.0.0.1:9", "model": "m"}}},
        {"training": {"gate_texts": 2}},
        {"training": {"outside_controls": {"x": {"url": "http://127.0.0.1:9", "model": "m"}}}},
        {"evidence": {"speaker_model": "eres2net.onnx"}},
        {"models": {"adapter": "none"}},
    ]
    found = [open_training(plain | more) for more in changed]
    voices.write_text("voices: {kari: {}}\n")
    found.append(open_training(plain))
    assert len({before.gate_fingerprint, *(one.gate_fingerprint for one in found)}) == 7
    assert {one.fingerprint for one in found} == {before.fingerprint}


def test_the_settings_in_config_yaml_are_the_defaults() -> None:
    written = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text(encoding="utf-8"))["training"]
    assert read_training_settings(written) == TrainingSettings()
