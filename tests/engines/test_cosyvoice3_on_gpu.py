"""CosyVoice 3 on a GPU, without one: tensors in their place, steps as graphs, memory that runs out (pretend_gpu)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cosyvoice3_language_models import SMALL, random_prefix, random_state
from cosyvoice3_small import make_small_model
from pretend_gpu import Capture, pretend_gpu
from test_cosyvoice3_decoding import random_jobs, tokens_of
from test_cosyvoice3_engine import LINES, Scarce, engine, request, spoken

from replikk.engines.cosyvoice3.decoding import DecodeJob, DecodeSettings, decode
from replikk.engines.cosyvoice3.flow import Flow
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.records import Take

pytestmark = pytest.mark.usefixtures("one_thread")

LAST_BIT = 4
"""Of 32,767: lines are rendered together on a GPU, which changes the last bits of sums."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_model(tmp_path_factory.mktemp("model"))


def test_takes_are_those_of_the_cpu(model: Path, tmp_path: Path) -> None:
    requests = [request(line, "stille" if line.endswith("?") else "") for line in LINES]
    wanted = spoken(engine(model, tmp_path / "cpu"), *requests)
    with pretend_gpu():
        found = spoken(engine(model, tmp_path / "gpu", device="cuda"), *requests)
    assert_nearly_the_same(found, wanted)


def assert_nearly_the_same(found: dict[str, Take], wanted: dict[str, Take]) -> None:
    assert found.keys() == wanted.keys()
    for key, take in wanted.items():
        assert len(found[key].samples) == len(take.samples)
        apart = np.abs(found[key].samples.astype(np.int32) - take.samples)
        assert apart.max() <= LAST_BIT, key


def test_bf16_speaks_too(model: Path, tmp_path: Path) -> None:
    with pretend_gpu():
        takes = spoken(engine(model, tmp_path, device="cuda", precision="bf16"), *map(request, LINES))
    assert len(takes) == len(LINES)


def decoded_on_gpu(graphs: bool, slots: int) -> dict[str, tuple[list[int], bool]]:
    with pretend_gpu() as gpu:
        language_model = LanguageModel(SMALL, device=gpu)
        language_model.load_state(random_state(SMALL))
        long = DecodeJob("long", 5, random_prefix(SMALL, 1, text=200, speech=40), 30, 30)
        jobs = [*random_jobs(3, most=20), long, *random_jobs(2, seed=2, most=20)]
        return tokens_of(decode(language_model, jobs, DecodeSettings(cuda_graphs=graphs), slots))


def test_graphs_say_what_plain_steps_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines come and go and outgrow the cache, which replaces the tensors that graphs were captured with."""
    replays = count_calls(monkeypatch, "replay")
    captures = count_calls(monkeypatch, "end")
    plain = decoded_on_gpu(graphs=False, slots=3)
    assert not replays
    assert decoded_on_gpu(graphs=True, slots=3) == plain
    assert len(replays) > len(captures) > 1  # more steps than captures, and more than one capture


def count_calls(monkeypatch: pytest.MonkeyPatch, method: str) -> list[int]:
    calls: list[int] = []
    whole = getattr(Capture, method)

    def counted(graph: Capture) -> None:
        calls.append(id(graph))
        whole(graph)

    monkeypatch.setattr(Capture, method, counted)
    return calls


@pytest.mark.parametrize(
    ("network", "method", "refused"),
    [
        pytest.param(LanguageModel, "prefill", 1, id="while lines are begun"),
        pytest.param(LanguageModel, "step", 2, id="before a graph is captured"),
        pytest.param(LanguageModel, "step", 3, id="while a graph is captured"),
        pytest.param(Flow, "mels", 1, id="while lines are rendered"),
    ],
)
def test_out_of_memory_goes_on_with_less_at_once(
    network: type, method: str, refused: int, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [request(line) for line in ("Hei.", "Ja!")]
    wanted = spoken(engine(model, tmp_path / "cpu"), *requests)
    scarce = Scarce(monkeypatch, network, method, lambda calls, *_: calls == refused)
    with pretend_gpu():
        found = spoken(engine(model, tmp_path / "gpu", device="cuda"), *requests)
    assert scarce.refused == 1
    assert_nearly_the_same(found, wanted)
