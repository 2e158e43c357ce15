"""The LoRA on fused projections: its size, what PEFT makes of its files, and that nothing else can be trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from cosyvoice3_small import LANGUAGE_MODEL, qwen_config, small_states
from torch import Tensor

from replikk.engines.cosyvoice3.adapters import read_adapter
from replikk.engines.cosyvoice3.checkpoint_layout import LM_HEAD
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.merging import merge_adapter
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes
from replikk.engines.cosyvoice3.training_sequences import TrainingSample, training_sequence
from replikk.errors import ReplikkError
from replikk.training.low_rank import (
    PUBLISHED_PARAMETERS,
    PUBLISHED_RANK,
    LowRankAdapter,
    adapter_size,
    check_trainable,
    read_factors,
    write_adapter,
)
from replikk.training.low_rank_product import low_rank_product
from replikk.training.packing import hidden_states, packed

FULL_SIZE = LanguageModelSizes(
    hidden=896, layers=24, heads=14, kv_heads=2, head_dim=64, intermediate=4864, text_vocabulary=151_936,
    speech_head=6761, rope_theta=1e6, rms_eps=1e-6,
)  # fmt: skip
SAMPLE = TrainingSample([1, 2, 3], [4, 5, 6, 7, 8, 9], list(range(100, 140)))


@pytest.fixture
def state() -> dict[str, Tensor]:
    return {key: value for key, value in small_states().language_model.items() if key != LM_HEAD}


@pytest.fixture
def model(state: dict[str, Tensor]) -> LanguageModel:
    return loaded(state)


def loaded(state: dict[str, Tensor]) -> LanguageModel:
    model = LanguageModel(LANGUAGE_MODEL)
    model.load_state(state)
    return model.requires_grad_(False)


def states_of(model: LanguageModel) -> Tensor:
    return hidden_states(model, packed([training_sequence(SAMPLE, model.sizes, True)])).detach()


def randomised(adapter: LowRankAdapter) -> LowRankAdapter:
    draws = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for factor in adapter.factors.values():
            factor.copy_(0.1 * torch.randn(factor.shape, generator=draws))
    return adapter


def optimizer_of(adapter: LowRankAdapter) -> torch.optim.Optimizer:
    return torch.optim.AdamW([adapter.values])


def test_the_published_size() -> None:
    """Rank 24 on all seven projections of all 24 layers: counted on the real shapes, weights left out."""
    assert adapter_size(FULL_SIZE, PUBLISHED_RANK) == PUBLISHED_PARAMETERS == 13_197_312
    model = LanguageModel(FULL_SIZE).requires_grad_(False)
    adapter = LowRankAdapter(model, PUBLISHED_RANK, 48.0, seed=0)
    assert check_trainable(model, adapter, optimizer_of(adapter)) == 13_197_312
    assert len(adapter.factors) == 2 * 168


def test_an_untrained_adapter_changes_nothing_and_comes_off_again(model: LanguageModel) -> None:
    before = states_of(model)
    adapter = LowRankAdapter(model, 4, 8.0, seed=0)
    assert torch.equal(states_of(model), before)
    randomised(adapter)
    assert not torch.allclose(states_of(model), before, atol=0.01)
    adapter.detach()
    assert torch.equal(states_of(model), before)


def test_merged_by_the_engine_it_says_the_same(model: LanguageModel, state: dict[str, Tensor], tmp_path: Path) -> None:
    adapter = randomised(LowRankAdapter(model, 4, 6.0, seed=0))
    write_adapter(tmp_path, adapter.factors, adapter.rank, adapter.alpha)
    found = read_adapter(tmp_path, LANGUAGE_MODEL)
    assert len(found.low_rank) == 7 * LANGUAGE_MODEL.layers
    merged, report = merge_adapter(state, found)
    assert len(report.changed) == report.projections
    assert torch.allclose(states_of(loaded(merged)), states_of(model), atol=1e-4)


def test_peft_loads_it_and_says_the_same(model: LanguageModel, state: dict[str, Tensor], tmp_path: Path) -> None:
    """The file goes into PEFT itself, around the published code's modules; the text half of the model is compared."""
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    adapter = randomised(LowRankAdapter(model, 4, 6.0, seed=0))
    write_adapter(tmp_path, adapter.factors, adapter.rank, adapter.alpha)
    config = {key: value for key, value in qwen_config(LANGUAGE_MODEL).items() if key != "architectures"}
    whole: Any = torch.nn.Module()
    whole.llm = torch.nn.Module()
    whole.llm.model = transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**config)).to(torch.float32)
    whole.load_state_dict(state, strict=False)
    wrapped = peft.PeftModel.from_pretrained(whole, tmp_path)
    assert sum("lora_" in name for name, _ in wrapped.named_parameters()) == len(adapter.factors)
    embeddings = model.embed([("text", [1, 2, 3, 4, 5, 6, 7])])[None]
    with torch.no_grad():
        theirs = wrapped.base_model.model.llm.model.model(inputs_embeds=embeddings).last_hidden_state
        assert torch.allclose(model.hidden(embeddings), theirs, atol=1e-4)


def test_what_was_written_is_read_back_to_the_bit(model: LanguageModel, tmp_path: Path) -> None:
    adapter = randomised(LowRankAdapter(model, 4, 8.0, seed=0))
    write_adapter(tmp_path, adapter.factors, 4, 8.0)
    again = read_factors(tmp_path)
    assert {name: value.tolist() for name, value in again.items()} == {
        name: value.tolist() for name, value in adapter.factors.items()
    }
    assert json.loads((tmp_path / "adapter_config.json").read_text())["lora_alpha"] == 8.0


def test_a_run_that_would_train_the_base_model_is_an_error(model: LanguageModel) -> None:
    adapter = LowRankAdapter(model, 4, 8.0, seed=0)
    optimizer = optimizer_of(adapter)
    check_trainable(model, adapter, optimizer)
    model.norm.requires_grad_(True)
    with pytest.raises(ReplikkError, match=r"1 weights of the base model would be trained \(norm, …\)"):
        check_trainable(model, adapter, optimizer)
    model.norm.requires_grad_(False)
    with pytest.raises(ReplikkError, match="parameters would be trained, and an adapter of rank 4"):
        check_trainable(model, adapter, torch.optim.AdamW([adapter.values, model.norm]))


def test_a_run_that_would_train_a_part_or_nothing_is_an_error(model: LanguageModel) -> None:
    adapter = LowRankAdapter(model, 4, 8.0, seed=0)
    with pytest.raises(ReplikkError, match="parameters would be trained, and an adapter of rank 4"):
        check_trainable(model, adapter, torch.optim.AdamW([torch.nn.Parameter(adapter.values.detach()[:-1])]))
    optimizer = optimizer_of(adapter)
    adapter.values.requires_grad_(False)
    with pytest.raises(ReplikkError, match="nothing was trained"):
        check_trainable(model, adapter, optimizer)


def test_factors_are_views_of_what_is_trained(model: LanguageModel) -> None:
    adapter = LowRankAdapter(model, 4, 8.0, seed=0)
    name = "llm.model.model.layers.1.self_attn.k_proj.lora_B"
    with torch.no_grad():
        adapter.values.fill_(2.0)
    assert bool((adapter.factors[name] == 2).all())
    numbers = torch.arange(float(len(adapter.values)))
    assert torch.equal(adapter.vector_of(adapter.parts_of(numbers)), numbers)
    parts = adapter.parts_of(numbers)
    parts.pop(name)
    with pytest.raises(ReplikkError, match="another model or another rank"):
        adapter.vector_of(parts)


@pytest.mark.parametrize("shape", [(5,), (2, 3)], ids=["packed", "lines"])
@pytest.mark.parametrize("rows", [(6,), (4, 4), (6, 2, 2)], ids=["output", "gate_up", "qkv"])
def test_the_written_out_gradients_are_those_of_autograd(rows: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """In float64, against differences and against the formula left to PyTorch."""
    draws = torch.Generator().manual_seed(0)

    def drawn(*sizes: int) -> Tensor:
        return torch.randn(*sizes, generator=draws, dtype=torch.float64).requires_grad_()

    rank, scale = 2, 1.5
    inputs, weight, down = drawn(*shape, 7), drawn(sum(rows), 7), drawn(rank * len(rows), 7)
    up = [drawn(count, rank) for count in rows]

    def written_out(inputs: Tensor, weight: Tensor, down: Tensor, *up: Tensor) -> Tensor:
        return low_rank_product(inputs, inputs @ weight.T, scale, down, up)

    def formula(inputs: Tensor, weight: Tensor, down: Tensor, *up: Tensor) -> Tensor:
        inner = (inputs @ down.T).split(rank, dim=-1)
        return inputs @ weight.T + scale * torch.cat([x @ b.T for x, b in zip(inner, up, strict=True)], dim=-1)

    everything = (inputs, weight, down, *up)
    torch.testing.assert_close(written_out(*everything), formula(*everything))
    assert torch.autograd.gradcheck(written_out, everything)
    for ours, theirs in zip(
        torch.autograd.grad(written_out(*everything).square().sum(), everything),
        torch.autograd.grad(formula(*everything).square().sum(), everything),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)
