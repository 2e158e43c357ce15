"""LoRA on the real voice: every layout that PEFT itself writes, what half a file says, and the way back to factors.

The layouts are made by the real ``peft`` around a small Qwen2 that sits where CosyVoice 3 has it, and the expected
weights are those that PEFT's own ``merge_and_unload`` gives. That costs some seconds of imports, once.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from cosyvoice3_small import LANGUAGE_MODEL, qwen_config, small_states
from safetensors.torch import load_file, save_file
from torch import Tensor

from replikk.engines.cosyvoice3.adapter_paths import adapter_files
from replikk.engines.cosyvoice3.adapters import Adapter, read_adapter
from replikk.engines.cosyvoice3.checkpoint_layout import LM_HEAD, language_model_layout, projections
from replikk.engines.cosyvoice3.export import export_language_model
from replikk.engines.cosyvoice3.factor import factor_adapter, write_peft_adapter
from replikk.engines.cosyvoice3.merging import merge_adapter
from replikk.errors import EngineError

State = dict[str, Tensor]

RANK, ALPHA = 4, 8.0
PROJECTIONS = projections(LANGUAGE_MODEL.layers)
ALL_KINDS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
QUERY = "llm.model.model.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def base() -> State:
    return {key: value for key, value in small_states().language_model.items() if key != LM_HEAD}


@dataclass(frozen=True)
class Trained:
    """A file as PEFT leaves it, and the merged weights by PEFT's own arithmetic."""

    path: Path
    merged: State
    alpha: float | None
    """Given where the file has no ``adapter_config.json``."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, base: State) -> dict[str, Trained]:
    peft = pytest.importorskip("peft")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("trained")
    model = _published_modules(transformers, base)
    return {name: make(peft, copy.deepcopy(model), folder / name) for name, make in LAYOUTS.items()}


def _published_modules(transformers: Any, base: State) -> torch.nn.Module:
    """Modules under the names of the published code: enough of them to be wrapped, saved and merged."""
    config = transformers.Qwen2Config(**{k: v for k, v in qwen_config(LANGUAGE_MODEL).items() if k != "architectures"})
    model = torch.nn.Module()
    model.llm = torch.nn.Module()
    model.llm.model = transformers.Qwen2ForCausalLM(config).to(torch.float32)
    model.speech_embedding = torch.nn.Embedding(LANGUAGE_MODEL.speech_head, LANGUAGE_MODEL.hidden)
    model.llm_decoder = torch.nn.Linear(LANGUAGE_MODEL.hidden, LANGUAGE_MODEL.speech_head, bias=False)
    missing, unexpected = model.load_state_dict(base, strict=False)
    assert (missing, unexpected) == ([LM_HEAD], [])
    return model


def _train(model: torch.nn.Module) -> None:
    """Random values in place of training: the factors, and whatever else PEFT made trainable."""
    draws = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = 0.1 * torch.randn(parameter.shape, generator=draws)
            if "magnitude" in name:
                parameter.data = 1.0 + parameter.data.abs()
        elif "modules_to_save" in name or (parameter.requires_grad and name.endswith("bias")):
            parameter.data = parameter.data + 0.1 * torch.randn(parameter.shape, generator=draws)


def _config(peft: Any, **options: Any) -> Any:
    return peft.LoraConfig(**{"r": RANK, "lora_alpha": ALPHA, "target_modules": ALL_KINDS, **options})


def _finished(model: torch.nn.Module) -> State:
    return {key: value.clone() for key, value in model.state_dict().items() if key != LM_HEAD}


def _around_qwen(saves: str, **options: Any) -> Callable[[Any, torch.nn.Module, Path], Trained]:
    def make(peft: Any, model: Any, path: Path) -> Trained:
        model.llm.model = peft.get_peft_model(model.llm.model, _config(peft, **options))
        _train(model)
        path = _save(model, model.llm.model, path, saves)
        model.llm.model = model.llm.model.merge_and_unload()
        return Trained(path, _finished(model), ALPHA if saves == "state" else None)

    return make


def _around_all(saves: str, **options: Any) -> Callable[[Any, torch.nn.Module, Path], Trained]:
    def make(peft: Any, model: Any, path: Path) -> Trained:
        wrapped = peft.get_peft_model(model, _config(peft, **options))
        _train(wrapped)
        path = _save(wrapped, wrapped, path, saves)
        return Trained(path, _finished(wrapped.merge_and_unload()), ALPHA if saves == "state" else None)

    return make


def _injected(peft: Any, model: Any, path: Path) -> Trained:
    """As the published recipe: ``inject_adapter_in_model`` keeps all other names."""
    model = peft.inject_adapter_in_model(_config(peft, target_modules=["q_proj", "v_proj"]), model)
    _train(model)
    path = _save(model, model, path, "state")
    for module in [module for module in model.modules() if hasattr(module, "lora_A")]:
        module.merge()
    state = {key.replace(".base_layer.", "."): value for key, value in _finished(model).items() if "lora_" not in key}
    return Trained(path, state, ALPHA)


def _merged_ema(peft: Any, model: Any, path: Path) -> Trained:
    """As the published file: full merged weights and two counters."""
    model.llm.model = peft.get_peft_model(model.llm.model, _config(peft))
    _train(model)
    model.llm.model = model.llm.model.merge_and_unload()
    path.mkdir()
    torch.save({**model.state_dict(), "epoch": 12, "step": 20880}, path / "model_20880_ema.pt")
    return Trained(path / "model_20880_ema.pt", _finished(model), None)


def _save(model: torch.nn.Module, wrapped: Any, path: Path, saves: str) -> Path:
    if saves == "adapter":
        wrapped.save_pretrained(path)
        return path
    path.mkdir()
    state = model.state_dict()
    if saves == "ddp":
        state = {f"module.{key}": value for key, value in state.items()}
    torch.save({**state, "epoch": 1, "step": 2}, path / "epoch_1.pt")
    return path / "epoch_1.pt"


LAYOUTS: dict[str, Callable[[Any, torch.nn.Module, Path], Trained]] = {
    "adapter around Qwen2": _around_qwen("adapter"),
    "adapter around the whole": _around_all("adapter"),
    "adapter of queries and values": _around_all("adapter", target_modules=["q_proj", "v_proj"]),
    "adapter by a pattern": _around_qwen("adapter", target_modules=r".*layers\.1\.mlp\.(gate|up)_proj"),
    "adapter of one layer": _around_qwen("adapter", layers_to_transform=[1]),
    "adapter with rsLoRA": _around_qwen("adapter", use_rslora=True),
    "adapter with DoRA": _around_qwen("adapter", use_dora=True),
    "adapter with exceptions": _around_qwen("adapter", alpha_pattern={"q_proj": 3}, rank_pattern={"mlp.up_proj": 2}),
    "adapter with embeddings": _around_all("adapter", target_modules=["q_proj", "speech_embedding", "embed_tokens"]),
    "adapter with saved modules": _around_all("adapter", modules_to_save=["speech_embedding", "llm_decoder"]),
    "adapter with biases": _around_qwen("adapter", bias="lora_only"),
    "weights, PEFT around Qwen2": _around_qwen("state"),
    "weights, PEFT around the whole": _around_all("state"),
    "weights with saved modules": _around_all("state", modules_to_save=["speech_embedding"]),
    "weights of distributed training": lambda peft, model, path: _with_alpha(_around_qwen("ddp")(peft, model, path)),
    "weights, LoRA injected": _injected,
    "merged weights": _merged_ema,
}


def _with_alpha(made: Trained) -> Trained:
    return Trained(made.path, made.merged, ALPHA)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_merges_as_peft_merges_it(layout: str, trained: dict[str, Trained], base: State) -> None:
    made = trained[layout]
    adapter = read_adapter(made.path, LANGUAGE_MODEL, alpha=made.alpha)
    merged, report = merge_adapter(base, adapter)
    assert merged.keys() == base.keys() == made.merged.keys()
    for key, expected in made.merged.items():
        torch.testing.assert_close(merged[key], expected, rtol=2e-6, atol=2e-7)
    really_changed = {key for key in base if not torch.equal(made.merged[key], base[key])}
    assert {f"{module}.weight" for module in report.changed} | set(report.others) == really_changed
    assert report.projections == len(PROJECTIONS)
    for module, size in report.changed.items():
        before = base[f"{module}.weight"]
        expected_size = (made.merged[f"{module}.weight"] - before).norm() / before.norm()
        assert size == pytest.approx(float(expected_size), rel=1e-4)


def test_the_published_merged_file_comes_out_bit_for_bit(trained: dict[str, Trained], base: State) -> None:
    made = trained["merged weights"]
    adapter = read_adapter(made.path, LANGUAGE_MODEL)
    merged, report = merge_adapter(base, adapter)
    assert all(torch.equal(merged[key], made.merged[key]) for key in base)
    assert adapter.counters == {"epoch": 12, "step": 20880} and adapter.layout == "merged weights"
    assert len(report.changed) == 14 and not report.others
    assert "14 of 14 projections changed" in report.summary()


@pytest.mark.parametrize("layout", ["adapter around Qwen2", "merged weights", "weights, LoRA injected"])
@pytest.mark.parametrize("strength", [0.3, 1.7])
def test_strength_scales_the_change(layout: str, strength: float, trained: dict[str, Trained], base: State) -> None:
    made = trained[layout]
    adapter = read_adapter(made.path, LANGUAGE_MODEL, alpha=made.alpha)
    merged, report = merge_adapter(base, adapter, strength)
    whole = merge_adapter(base, adapter)[1]
    for module, size in report.changed.items():
        key = f"{module}.weight"
        torch.testing.assert_close(merged[key], base[key] + strength * (made.merged[key] - base[key]))
        assert size == pytest.approx(strength * whole.changed[module], rel=1e-4)


@pytest.mark.parametrize("strength", [0.0, -1.0, 10.0, float("nan"), float("inf")])
def test_impossible_strengths(strength: float, lora: Path, base: State) -> None:
    with pytest.raises(EngineError, match="strength"):
        merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL), strength)


# --- hand-made files: what a user's mistakes look like


def _lora_tensors(modules: tuple[str, ...] = PROJECTIONS, scale: float = 0.1) -> State:
    draws = torch.Generator().manual_seed(2)
    layout = language_model_layout(LANGUAGE_MODEL)
    tensors = {}
    for module in modules:
        rows, columns = layout[f"{module}.weight"]
        path = "base_model.model." + module.removeprefix("llm.model.")
        tensors[f"{path}.lora_A.weight"] = torch.randn(RANK, columns, generator=draws)
        tensors[f"{path}.lora_B.weight"] = scale * torch.randn(rows, RANK, generator=draws)
    return tensors


def _write_lora(folder: Path, tensors: State, **options: Any) -> Path:
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "target_modules": ALL_KINDS, **options}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    return _write_lora(tmp_path / "lora", _lora_tensors())


def _refusal(path: Path, **options: Any) -> str:
    with pytest.raises(EngineError) as caught:
        read_adapter(path, LANGUAGE_MODEL, **options)
    message = str(caught.value)
    assert message.startswith(str(path)) and len(message.splitlines()) == 1
    return message


def test_untrained_adapter_changes_nothing_and_says_so(tmp_path: Path, base: State) -> None:
    adapter = read_adapter(_write_lora(tmp_path / "lora", _lora_tensors(scale=0.0)), LANGUAGE_MODEL)
    with pytest.raises(EngineError, match=r"changes nothing .*lora_B are zero"):
        merge_adapter(base, adapter)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_base_model_given_as_its_own_adapter(dtype: torch.dtype, tmp_path: Path, base: State) -> None:
    """In 16 bits every weight differs by rounding, and still nothing was trained."""
    save_file({key: value.to(dtype) for key, value in base.items()}, tmp_path / "merged.safetensors")
    with pytest.raises(EngineError, match=r"changes nothing .*base model's own"):
        merge_adapter(base, read_adapter(tmp_path / "merged.safetensors", LANGUAGE_MODEL))


def test_merged_weights_in_16_bits(tmp_path: Path, base: State) -> None:
    """Trained weights are taken with their rounding; the others stay exactly the base's."""
    tuned = dict(base)
    for module in PROJECTIONS[:7]:
        tuned[f"{module}.weight"] = base[f"{module}.weight"] * 1.1
    torch.save({key: value.bfloat16() for key, value in tuned.items()}, tmp_path / "merged.pt")
    merged, report = merge_adapter(base, read_adapter(tmp_path / "merged.pt", LANGUAGE_MODEL))
    assert set(report.changed) == set(PROJECTIONS[:7]) and not report.others
    assert all(0.09 < size < 0.11 for size in report.changed.values())
    assert {value.dtype for value in merged.values()} == {torch.float32}
    assert all(merged[key] is base[key] for key in base if key.removesuffix(".weight") not in report.changed)


@pytest.mark.parametrize(
    ("dropped", "said"),
    [
        ("llm.model.model.layers.1.mlp.up_proj.weight", "1 missing: llm.model.model.layers.1.mlp.up_proj.weight"),
        ("llm_decoder.weight", "1 missing: llm_decoder.weight"),
    ],
)
def test_half_of_merged_weights(dropped: str, said: str, tmp_path: Path, base: State) -> None:
    torch.save({key: value for key, value in base.items() if key != dropped}, tmp_path / "merged.pt")
    assert said in _refusal(tmp_path / "merged.pt")


def test_half_an_adapter(tmp_path: Path) -> None:
    folder = _write_lora(tmp_path / "lora", _lora_tensors(PROJECTIONS[:7]))
    assert "adapts 7 modules, and 7 more should be there" in _refusal(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").unlink()
    assert "7 more should be there" in _refusal(folder / "adapter_model.safetensors", alpha=8.0)


def test_a_factor_without_its_twin(tmp_path: Path) -> None:
    tensors = _lora_tensors()
    del tensors["base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"]
    folder = _write_lora(tmp_path / "lora", tensors)
    assert "layers.1.mlp.up_proj has no lora_B" in _refusal(folder / "adapter_model.safetensors")


def test_keys_of_another_model(tmp_path: Path) -> None:
    """The mistake that ``strict=False`` hides: nothing matches, nothing is said."""
    tensors = {key.replace(".layers.", ".h."): value for key, value in _lora_tensors().items()}
    message = _refusal(_write_lora(tmp_path / "lora", tensors) / "adapter_model.safetensors")
    assert "28 of its 28 keys fit nowhere in this language model: base_model.model.model.h.0" in message


def test_an_adapter_of_more_layers(tmp_path: Path) -> None:
    tensors = _lora_tensors()
    extra = {key.replace(".1.", ".7."): value.clone() for key, value in tensors.items() if ".layers.1." in key}
    message = _refusal(_write_lora(tmp_path / "lora", {**tensors, **extra}) / "adapter_model.safetensors")
    assert "14 of its 42 keys fit nowhere" in message


def test_an_adapter_of_a_wider_model(tmp_path: Path) -> None:
    tensors = _lora_tensors()
    key = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    tensors[key] = torch.zeros(RANK, 896)
    message = _refusal(_write_lora(tmp_path / "lora", tensors) / "adapter_model.safetensors")
    assert "lora_A [4, 896] do not make a change" in message


def test_nan_in_an_adapter(tmp_path: Path) -> None:
    tensors = _lora_tensors()
    tensors["base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"][0, 0] = torch.nan
    assert "values that are no numbers" in _refusal(_write_lora(tmp_path / "l", tensors) / "adapter_model.safetensors")


def test_two_adapters_in_one_file(tmp_path: Path) -> None:
    tensors = {}
    for key, value in _lora_tensors().items():
        for name in ("norsk", "svensk"):
            tensors[key.replace(".weight", f".{name}.weight")] = value.clone()
    message = _refusal(_write_lora(tmp_path / "lora", tensors) / "adapter_model.safetensors")
    assert "holds 2 adapters (norsk, svensk)" in message


def test_alpha_is_in_no_tensor(lora: Path, base: State) -> None:
    with_config = merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL))[0]
    (lora / "adapter_config.json").unlink()
    file = lora / "adapter_model.safetensors"
    assert "without its alpha" in _refusal(file) and "adapter_config.json" in _refusal(file)
    with_setting = merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL, alpha=ALPHA))[0]
    assert all(torch.equal(with_config[key], with_setting[key]) for key in base)
    stabilised = read_adapter(lora, LANGUAGE_MODEL, alpha=ALPHA, rank_stabilised=True)
    assert {change.scale for change in stabilised.low_rank.values()} == {ALPHA / RANK**0.5}


def test_alpha_that_contradicts_the_file(lora: Path) -> None:
    assert read_adapter(lora, LANGUAGE_MODEL, alpha=ALPHA).low_rank
    with pytest.raises(EngineError, match=r"adapter_config.json: says alpha 8, and lora_alpha"):
        read_adapter(lora, LANGUAGE_MODEL, alpha=32.0)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"peft_type": "LOHA"}, "is of type LOHA, not LORA"),
        ({"r": 16}, "says rank 16, and the tensors of llm.model.model.layers.0"),
        ({"r": 0}, "r must be a number above 0"),
        ({"lora_alpha": "8"}, "lora_alpha must be a number above 0"),
        ({"init_lora_weights": "pissa_niter_4"}, "changes the base model before training"),
        ({"lora_bias": True}, "uses lora_bias, which cannot be merged here"),
        ({"trainable_token_indices": [1, 2]}, "uses trainable_token_indices"),
        ({"use_dora": True}, "has no lora_magnitude_vector"),
        ({"alpha_pattern": {"(a+)+$": 4}}, "only plain module names are read"),
        ({"alpha_pattern": {"q_proj": None}}, "alpha_pattern must be a number above 0"),
        ({"layers_to_transform": ["x"]}, "layers_to_transform must list layer numbers"),
        ({"target_modules": [*ALL_KINDS, "speech_embedding"]}, "1 more should be there: speech_embedding"),
    ],
)
def test_configurations_that_mean_something_else(options: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = _write_lora(tmp_path / "lora", _lora_tensors(), **options)
    with pytest.raises(EngineError) as caught:
        read_adapter(folder, LANGUAGE_MODEL)
    assert str(caught.value).startswith(str(folder)) and said in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "{", "\xff" * 3])
def test_a_configuration_that_is_no_json(content: str, lora: Path) -> None:
    (lora / "adapter_config.json").write_text(content, encoding="latin-1")
    with pytest.raises(EngineError, match=r"adapter_config\.json: is "):
        read_adapter(lora, LANGUAGE_MODEL)


def test_folder_without_an_adapter_points_at_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "model_20880_ema.pt").write_bytes(b"weights")
    with pytest.raises(EngineError, match=r"give the path of model_20880_ema\.pt"):
        adapter_files(tmp_path)


def test_files_that_the_hash_must_cover(lora: Path) -> None:
    assert [path.name for path in adapter_files(lora)] == ["adapter_model.safetensors", "adapter_config.json"]
    assert adapter_files(lora / "adapter_model.safetensors") == adapter_files(lora)


def test_flow_weights_as_an_adapter(tmp_path: Path) -> None:
    torch.save(small_states().flow, tmp_path / "flow.pt")
    assert "is a CosyVoice 3 flow, no adapter" in _refusal(tmp_path / "flow.pt")


def test_cosyvoice_2_weights_with_a_lora(tmp_path: Path, base: State) -> None:
    torch.save({**base, "llm_embedding.weight": torch.zeros(2, 64), **_lora_tensors()}, tmp_path / "merged.pt")
    assert "the language model of CosyVoice 2" in _refusal(tmp_path / "merged.pt", alpha=8.0)


def test_factors_on_something_that_is_no_matrix(tmp_path: Path) -> None:
    extra = {f"base_model.model.model.norm.lora_{part}.weight": torch.ones(RANK, RANK) for part in "AB"}
    message = _refusal(_write_lora(tmp_path / "lora", _lora_tensors() | extra) / "adapter_model.safetensors")
    assert "do not make a change of llm.model.model.norm.weight [64]" in message


def test_the_base_is_left_as_it_was(lora: Path, base: State) -> None:
    before = {key: value.clone() for key, value in base.items()}
    merged, _ = merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL))
    assert all(torch.equal(base[key], before[key]) for key in base)
    assert merged["speech_embedding.weight"] is base["speech_embedding.weight"], "what is unchanged takes no memory"


# --- back to factors, and out to the published layout


def test_merged_weights_factor_back_into_their_adapter(lora: Path, base: State, tmp_path: Path) -> None:
    merged, report = merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL))
    factored = factor_adapter(base, merged, RANK)
    assert set(factored.residuals) == set(PROJECTIONS) and not factored.others
    assert max(factored.residuals.values()) < 1e-5 and factored.relative_residual < 1e-5
    assert "leave" in factored.summary()
    write_peft_adapter(tmp_path / "again", factored)
    again, second = merge_adapter(base, read_adapter(tmp_path / "again", LANGUAGE_MODEL))
    for key in base:
        torch.testing.assert_close(again[key], merged[key], rtol=1e-5, atol=1e-6)
    assert second.changed == pytest.approx(report.changed, rel=1e-4)


def test_too_small_a_rank_leaves_what_the_singular_values_say(lora: Path, base: State) -> None:
    """The residual is that of the best approximation (Eckart and Young), from a full decomposition."""
    merged, _ = merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL))
    factored = factor_adapter(base, merged, RANK - 1)
    for module, residual in factored.residuals.items():
        key = f"{module}.weight"
        values = torch.linalg.svdvals((merged[key] - base[key]).double())
        assert residual == pytest.approx(float(values[RANK - 1 :].norm() / values.norm()), rel=1e-4)


def test_damage_shows_in_the_residual(lora: Path, base: State) -> None:
    """The integrity test of a download: some wrong bytes in one weight, and its change has no low rank any more."""
    merged, _ = merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL))
    key = f"{QUERY}.weight"
    damaged = merged[key].clone()
    damaged[10:40] = damaged[10:40].roll(17, dims=1)
    factored = factor_adapter(base, {**merged, key: damaged}, RANK)
    assert factored.residuals[QUERY] > 0.1
    assert max(size for module, size in factored.residuals.items() if module != QUERY) < 1e-5
    assert QUERY in factored.summary()


def test_other_trained_weights_go_along_whole(trained: dict[str, Trained], base: State, tmp_path: Path) -> None:
    made = trained["adapter with saved modules"]
    factored = factor_adapter(base, made.merged, RANK)
    assert set(factored.others) == {"speech_embedding.weight", "llm_decoder.weight"}
    write_peft_adapter(tmp_path / "again", factored)
    again, _ = merge_adapter(base, read_adapter(tmp_path / "again", LANGUAGE_MODEL))
    for key in base:
        torch.testing.assert_close(again[key], made.merged[key], rtol=1e-5, atol=1e-6)


def test_factored_adapter_loads_into_peft(trained: dict[str, Trained], base: State, tmp_path: Path) -> None:
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    made = trained["merged weights"]
    write_peft_adapter(tmp_path / "adapter", factor_adapter(base, made.merged, RANK))
    model = peft.PeftModel.from_pretrained(_published_modules(transformers, base), tmp_path / "adapter")
    state = _finished(model.merge_and_unload())
    for key in base:
        torch.testing.assert_close(state[key], made.merged[key], rtol=1e-5, atol=1e-6)


def test_factoring_what_cannot_be_factored(base: State) -> None:
    with pytest.raises(EngineError, match="no projection differs"):
        factor_adapter(base, base, RANK)
    with pytest.raises(EngineError, match=r"not in both models.*llm_decoder\.weight"):
        factor_adapter(base, {key: value for key, value in base.items() if key != "llm_decoder.weight"}, RANK)
    with pytest.raises(EngineError, match="at least rank 1"):
        factor_adapter(base, base, 0)


def test_factoring_repeats_and_leaves_the_global_random_state_alone(lora: Path, base: State, tmp_path: Path) -> None:
    merged, _ = merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL))
    before = torch.get_rng_state()
    for name in ("one", "two"):
        write_peft_adapter(tmp_path / name, factor_adapter(base, merged, RANK))
    assert torch.equal(torch.get_rng_state(), before)
    names = ("adapter_model.safetensors", "adapter_config.json")
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)


def test_exported_voice_is_read_back_as_the_same_merged_weights(lora: Path, base: State, tmp_path: Path) -> None:
    adapter: Adapter = read_adapter(lora, LANGUAGE_MODEL)
    merged, report = merge_adapter(base, adapter)
    export_language_model(tmp_path / "llm.pt", merged, LANGUAGE_MODEL)
    again, second = merge_adapter(base, read_adapter(tmp_path / "llm.pt", LANGUAGE_MODEL))
    assert all(torch.equal(again[key], merged[key]) for key in base)
    assert second.changed == report.changed


def test_adapter_saved_as_a_pickle(lora: Path, base: State) -> None:
    tensors = load_file(lora / "adapter_model.safetensors")
    expected = merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL))[0]
    (lora / "adapter_model.safetensors").unlink()
    torch.save(tensors, lora / "adapter_model.bin")
    merged = merge_adapter(base, read_adapter(lora, LANGUAGE_MODEL))[0]
    assert all(torch.equal(merged[key], expected[key]) for key in base)


def test_truncated_adapter(lora: Path) -> None:
    file = lora / "adapter_model.safetensors"
    shutil.copy(file, lora / "whole")
    file.write_bytes((lora / "whole").read_bytes()[:-10])
    assert "is no whole safetensors file" in _refusal(file)
