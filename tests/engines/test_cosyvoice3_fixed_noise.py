"""The published model's fixed noise, drawn again: the right numbers, from any length, without a side effect."""

from __future__ import annotations

import pytest
import torch

from replikk.engines.cosyvoice3 import fixed_noise
from replikk.engines.cosyvoice3.fixed_noise import PublishedSourceNoise, flow_noise
from replikk.errors import EngineError

# Values of the tables that the published program makes.
FLOW_FIRST = [-1.1258398294448853, -1.152360200881958, -0.2505785822868347, -0.4338788092136383,
              0.8487103581428528, 0.6920091509819031, -0.31601276993751526, -2.1152193546295166]  # fmt: skip
FLOW_SUM = -1291.2013939017716
SOURCE_FIRST = [0.9228259921073914, 0.477447509765625, 0.8270518183708191, 0.2834571599960327, 0.7934815883636475,
                0.1734347939491272, 0.8523750305175781, 0.9228546023368835, 0.7310199737548828, 0.9203429222106934,
                0.2437329888343811, 0.7897198796272278, 0.35796988010406494, 0.018229246139526367, 0.7697782516479492,
                0.09047377109527588, 0.013283789157867432, 0.5192269682884216]  # fmt: skip
SOURCE_SUM = 32401675.79375869


def test_flow_noise_is_the_published_one() -> None:
    noise = flow_noise()
    assert noise.shape == (15_000, 80) and noise.dtype == torch.float32
    assert noise[:8, 0].tolist() == pytest.approx(FLOW_FIRST, abs=1e-7)
    assert noise.double().sum().item() == pytest.approx(FLOW_SUM, abs=1e-3)


def test_source_noise_begins_as_the_published_table() -> None:
    rows = PublishedSourceNoise()(2)
    assert rows.shape == (2, 9) and rows.dtype == torch.float32
    assert rows.flatten().tolist() == SOURCE_FIRST


def test_source_noise_is_the_published_table_to_its_end() -> None:
    generator = fixed_noise._generator_before_source(9)
    blocks = 300  # a second each; all at once would be 259 MB
    total = sum(torch.rand(24_000, 9, generator=generator).double().sum().item() for _ in range(blocks))
    assert total == pytest.approx(SOURCE_SUM, abs=0.01)


@pytest.mark.parametrize("lengths", [(480,), (96_000, 96_001), (10, 200_000, 150_000), (97_440, 500_000)])
def test_source_noise_does_not_depend_on_what_was_asked_before(lengths: tuple[int, ...]) -> None:
    whole = torch.rand(500_000, 9, generator=fixed_noise._generator_before_source(9))
    noise = PublishedSourceNoise()
    for samples in lengths:
        assert torch.equal(noise(samples), whole[:samples])


def test_drawing_leaves_torchs_own_random_numbers_alone() -> None:
    torch.manual_seed(4711)
    before = torch.get_rng_state()
    flow_noise.__wrapped__()
    PublishedSourceNoise()(480)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_line_of_more_than_300_s_is_refused() -> None:
    with pytest.raises(EngineError, match="cut it into shorter pieces"):
        PublishedSourceNoise()(300 * 24_000 + 1)


def test_another_random_stream_is_noticed(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(fixed_noise, "SEED", 1)
    PublishedSourceNoise()(480)
    assert "draws other random numbers" in caplog.text
