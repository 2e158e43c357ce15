"""Weights of the real voice: what loads, what it is compared with, and what a user reads when it is wrong."""

from __future__ import annotations

import json
import logging
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from cosyvoice3_small import (
    FLOW,
    LANGUAGE_MODEL,
    VOCODER,
    SmallStates,
    make_small_model,
    qwen_config,
    small_states,
)
from golden_cases import FOLDER, GoldenCase, read_case
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from replikk.engines.cosyvoice3 import checkpoint_layout as layouts
from replikk.engines.cosyvoice3.checkpoint_files import read_flow, read_language_model, read_vocoder
from replikk.engines.cosyvoice3.convert import convert_model
from replikk.engines.cosyvoice3.export import export_language_model
from replikk.engines.cosyvoice3.model_folder import open_model_folder
from replikk.engines.cosyvoice3.sizes import (
    FlowSizes,
    LanguageModelSizes,
    VocoderSizes,
    flow_sizes,
    language_model_sizes,
    vocoder_sizes,
)
from replikk.errors import EngineError, ReplikkError

CONFIG = qwen_config(LANGUAGE_MODEL)

PUBLISHED_LANGUAGE_MODEL = LanguageModelSizes(896, 24, 14, 2, 64, 4864, 151936, 6761, 1e6, 1e-6)
PUBLISHED_FLOW = FlowSizes(6561, 80, 192, 1024, 4, 3, 1024, 22, 16, 64, 2048, 256, 31, 16)
PUBLISHED_VOCODER = VocoderSizes(
    80, 512, (256, 128, 64), (8, 5, 3), (16, 11, 7), (30, 6, 1), (15, 3, 1), (7, 7, 11), (3, 7, 11), 3, 5, 7, 9, 16, 4,
    512, (4, 3, 3, 3, 3),
)  # fmt: skip


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def states() -> SmallStates:
    return small_states()


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(published, tmp_path / "model")


# --- keys and sizes


def elements(layout: layouts.Layout) -> int:
    return sum(torch.Size(shape).numel() for shape in layout.values())


@pytest.mark.parametrize(
    ("layout", "keys", "count"),
    [
        # lm_head shares the text embedding's storage, so it adds a key but no element
        (layouts.language_model_layout(PUBLISHED_LANGUAGE_MODEL), 293, 506_148_480 + 151_936 * 896),
        (layouts.flow_layout(PUBLISHED_FLOW), 330, 332_257_120),
        (layouts.vocoder_layout(PUBLISHED_VOCODER), 328, 20_779_887),
    ],
)
def test_published_files_have_these_many_keys_and_elements(layout: layouts.Layout, keys: int, count: int) -> None:
    """The counts explain the sizes of the published files to within their containers."""
    assert len(layout) == keys
    assert elements(layout) == count


def test_168_projections_can_be_adapted_at_full_size() -> None:
    projections = layouts.projections(24)
    assert len(set(projections)) == 168
    assert {f"{name}.weight" for name in projections} < set(layouts.language_model_layout(PUBLISHED_LANGUAGE_MODEL))


def golden_model(part: str) -> GoldenCase:
    if not (FOLDER / part / "model.json").exists():
        pytest.skip(f"no reference weights of {part} here")
    case = read_case(part, "model")
    assert case.tensors
    return case


def test_language_model_layout_is_that_of_the_golden_weights() -> None:
    """The published code wrote these keys; nothing of ours was asked."""
    case = golden_model("llm")
    sizes = language_model_sizes(case.tensors, case.facts["qwen2"])
    assert layouts.first_difference(layouts.language_model_layout(sizes), case.tensors) == ""
    assert sizes.heads == case.facts["qwen2"]["num_attention_heads"]
    ids = (sizes.start_id, sizes.end_id, sizes.task_id, sizes.fill_id)
    assert ids == tuple(case.facts[key] for key in ("sos", "eos", "task_id", "fill"))


def test_flow_layout_is_that_of_the_golden_weights() -> None:
    case = golden_model("flow")
    sizes = flow_sizes(case.tensors)
    assert layouts.first_difference(layouts.flow_layout(sizes), case.tensors) == ""
    found = (sizes.hidden, sizes.blocks, sizes.heads, sizes.head_dim)
    assert found == tuple(case.facts[key] for key in ("dim", "depth", "heads", "dim_head"))


def test_vocoder_layout_is_that_of_the_golden_weights() -> None:
    case = golden_model("hift")
    sizes = vocoder_sizes(case.tensors)
    assert layouts.first_difference(layouts.vocoder_layout(sizes), case.tensors) == ""
    assert (sizes.base_channels, sizes.f0_channels) == (case.facts["base"], case.facts["cond"])


language_models = st.builds(
    LanguageModelSizes,
    hidden=st.integers(1, 40),
    layers=st.integers(1, 12),
    heads=st.sampled_from([2, 4, 6]),
    kv_heads=st.sampled_from([1, 2]),
    head_dim=st.sampled_from([2, 8, 10]),
    intermediate=st.integers(1, 40),
    text_vocabulary=st.integers(1, 50),
    speech_head=st.integers(201, 300),
    rope_theta=st.sampled_from([1e4, 1e6]),
    rms_eps=st.sampled_from([1e-6, 1e-5]),
)


@given(language_models)
@settings(max_examples=40, deadline=None)
def test_sizes_come_back_from_the_weights(sizes: LanguageModelSizes) -> None:
    layout = layouts.language_model_layout(sizes)
    state = {key: torch.empty(shape, device="meta") for key, shape in layout.items()}
    assert language_model_sizes(state, qwen_config(sizes)) == sizes


def test_newer_configurations_nest_the_rotary_base(states: SmallStates) -> None:
    config = {key: value for key, value in CONFIG.items() if key != "rope_theta"}
    config["rope_parameters"] = {"rope_theta": 5e5, "rope_type": "default"}
    assert language_model_sizes(states.language_model, config).rope_theta == 5e5


# --- what loads


def test_the_download_loads_as_it_is(published: Path, states: SmallStates) -> None:
    model = open_model_folder(published)
    language_model, flow, vocoder = model.read_language_model(), model.read_flow(), model.read_vocoder()
    assert (language_model.sizes, flow.sizes, vocoder.sizes) == (LANGUAGE_MODEL, FLOW, VOCODER)
    assert layouts.LM_HEAD not in language_model.state, "tied and never computed"
    for found, made in (
        (language_model.state, {k: v for k, v in states.language_model.items() if k != layouts.LM_HEAD}),
        (flow.state, states.flow),
        (vocoder.state, states.vocoder),
    ):
        assert found.keys() == made.keys()
        assert all(torch.equal(found[key], made[key]) and found[key].dtype == torch.float32 for key in made)


def test_llm_without_its_head_is_whole_too(tmp_path: Path, states: SmallStates) -> None:
    state = {key: value for key, value in states.language_model.items() if key != layouts.LM_HEAD}
    torch.save(state, tmp_path / "llm.pt")
    assert read_language_model(tmp_path / "llm.pt", CONFIG).sizes == LANGUAGE_MODEL


def test_counters_of_the_published_trainer_are_dropped(tmp_path: Path, states: SmallStates) -> None:
    torch.save({**states.language_model, "epoch": 3, "step": 20880}, tmp_path / "llm.pt")
    assert set(read_language_model(tmp_path / "llm.pt", CONFIG).state) < set(states.language_model)


def test_prefixes_of_distributed_training_and_compilation_are_dropped(tmp_path: Path, states: SmallStates) -> None:
    wrapped = {f"module._orig_mod.{key}": value for key, value in states.flow.items()}
    torch.save(wrapped, tmp_path / "flow.pt")
    assert read_flow(tmp_path / "flow.pt").state.keys() == states.flow.keys()


def test_both_spellings_of_weight_norm_load(tmp_path: Path, states: SmallStates) -> None:
    old = {
        key.replace(".parametrizations.weight.original0", ".weight_g").replace(
            ".parametrizations.weight.original1", ".weight_v"
        ): value
        for key, value in states.vocoder.items()
    }
    torch.save(old, tmp_path / "hift.pt")
    weights = read_vocoder(tmp_path / "hift.pt")
    assert weights.sizes == VOCODER
    assert "conv_pre.weight_v" in weights.state


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions_become_float32(
    dtype: torch.dtype, tmp_path: Path, states: SmallStates, caplog: pytest.LogCaptureFixture
) -> None:
    torch.save({key: value.to(dtype) for key, value in states.language_model.items()}, tmp_path / "llm.pt")
    with caplog.at_level(logging.WARNING):
        state = read_language_model(tmp_path / "llm.pt", CONFIG).state
    assert {value.dtype for value in state.values()} == {torch.float32}
    assert ("rounding" in caplog.text) == (dtype != torch.float64)


def test_files_of_old_torch_load(tmp_path: Path, states: SmallStates) -> None:
    torch.save(states.flow, tmp_path / "flow.pt", _use_new_zipfile_serialization=False)
    assert read_flow(tmp_path / "flow.pt").sizes == FLOW


def test_weights_stay_in_the_file_until_they_are_used(published: Path) -> None:
    """Memory-mapped: the storage's address lies in a mapping of the file."""
    weights = read_language_model(published / "llm.pt", CONFIG)
    address = weights.state["speech_embedding.weight"].data_ptr()
    mappings = Path("/proc/self/maps")
    if not mappings.exists():
        pytest.skip("no list of mappings on this system")
    for line in mappings.read_text(encoding="utf-8").splitlines():
        start, end = (int(number, 16) for number in line.split()[0].split("-"))
        if start <= address < end:
            assert line.endswith("llm.pt")
            return
    pytest.fail("the weight is in no mapping")


# --- what is refused: one sentence, the file first, then what to do


class _RunsCode:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch was_run",)


def _truncate(path: Path, share: float) -> None:
    with path.open("rb+") as file:
        file.truncate(int(path.stat().st_size * share))


def _damage(folder: Path, states: SmallStates, how: str) -> None:
    llm = folder / "llm.pt"
    state = dict(states.language_model)
    gate = "llm.model.model.layers.1.mlp.gate_proj.weight"
    match how:
        case "truncated":
            _truncate(llm, 0.7)
        case "almost whole":
            _truncate(llm, 0.9999)
        case "empty":
            llm.write_bytes(b"")
        case "pointer":
            llm.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 2024669519\n")
        case "web page":
            llm.write_text("<!doctype html><title>404</title>")
        case "runs code":
            torch.save({**state, "epoch": _RunsCode()}, llm)
        case "bare pickle":
            llm.write_bytes(pickle.dumps(_RunsCode(), protocol=2))
        case "flow":
            shutil.copy(folder / "flow.pt", llm)
        case "vocoder":
            shutil.copy(folder / "hift.pt", llm)
        case "cosyvoice 2":
            state["llm_embedding.weight"] = torch.zeros(2, 64)
            state["llm_decoder.bias"] = torch.zeros(6564)
            torch.save(state, llm)
        case "missing key":
            del state[gate]
            torch.save(state, llm)
        case "extra key":
            torch.save({**state, "llm.model.surplus.weight": torch.zeros(1)}, llm)
        case "other shape":
            torch.save({**state, gate: torch.zeros(96, 65)}, llm)
        case "missing layer":
            torch.save({k: v for k, v in state.items() if ".layers.1." not in k}, llm)
        case "nan" | "infinite":
            value = state[gate].clone()
            value[5, 6] = float("nan" if how == "nan" else "-inf")
            torch.save({**state, gate: value}, llm)
        case "quantised":
            torch.save({**state, gate: torch.zeros(96, 64, dtype=torch.int8)}, llm)
        case "boastful":
            torch.save({**state, gate: torch.zeros(1, 1).expand(96, 64)}, llm)
        case "nested":
            torch.save({"state_dict": state}, llm)
        case "list":
            torch.save(list(state.values()), llm)
        case "qwen":
            bare = {k.removeprefix("llm.model."): v for k, v in state.items() if k.startswith("llm.model.")}
            torch.save(bare, llm)
        case "adapter":
            torch.save({"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": torch.zeros(4, 64)}, llm)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("truncated", "the download was cut off"),
        ("almost whole", "the download was cut off"),
        ("empty", "is empty"),
        ("pointer", "Git LFS pointer"),
        ("web page", "is no whole checkpoint"),
        ("runs code", "wants to run code when it is opened (posix.system)"),
        ("bare pickle", "wants to run code when it is opened (posix.system)"),
        ("flow", "is a CosyVoice 3 flow, not a CosyVoice 3 language model"),
        ("vocoder", "is a vocoder, not a CosyVoice 3 language model"),
        ("cosyvoice 2", "is the language model of CosyVoice 2"),
        ("missing key", "1 missing: llm.model.model.layers.1.mlp.gate_proj.weight"),
        ("extra key", "1 not of this model: llm.model.surplus.weight"),
        ("other shape", "llm.model.model.layers.1.mlp.gate_proj.weight [96, 65] instead of [96, 64]"),
        ("missing layer", "num_hidden_layers is 1 by the weights and 2 by"),
        ("nan", "'llm.model.model.layers.1.mlp.gate_proj.weight' has values that are no numbers"),
        ("infinite", "'llm.model.model.layers.1.mlp.gate_proj.weight' has values that are no numbers"),
        ("quantised", "is torch.int8, not floating point"),
        ("boastful", "claims to be larger than the file holds"),
        ("nested", "holds state_dict"),
        ("list", "holds a list, not named weights"),
        ("qwen", "is a bare Qwen2 language model"),
        ("adapter", "is a LoRA adapter"),
    ],
)
def test_wrong_weights_are_named_with_their_file(
    how: str, said: str, folder: Path, states: SmallStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    _damage(folder, states, how)
    with pytest.raises(EngineError) as caught:
        open_model_folder(folder).read_language_model()
    message = str(caught.value)
    assert message.startswith(str(folder / "llm.pt")) and said in message
    assert len(message.splitlines()) == 1
    assert not (folder / "was_run").exists()


@pytest.mark.parametrize(("part", "other"), [("flow.pt", "llm.pt"), ("hift.pt", "flow.pt")])
def test_parts_under_each_others_names(part: str, other: str, folder: Path) -> None:
    shutil.copy(folder / other, folder / part)
    model = open_model_folder(folder)
    with pytest.raises(EngineError, match=f"{part}: is a CosyVoice 3 "):
        model.read_flow() if part == "flow.pt" else model.read_vocoder()


@given(st.binary(min_size=1, max_size=400), st.sampled_from([".pt", ".safetensors"]))
@settings(max_examples=60, deadline=None)
def test_no_bytes_bring_another_error_than_ours(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, kind: str
) -> None:
    path = tmp_path_factory.getbasetemp() / f"anything{kind}"
    path.write_bytes(data)
    with pytest.raises(EngineError):
        read_flow(path)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_flipped_byte_at_the_start_is_an_error_or_harmless(published: Path, data: st.DataObject) -> None:
    """Names, shapes and the archive's index are at both ends of the file; no damage there is a traceback."""
    content = bytearray((published / "hift.pt").read_bytes())
    place = data.draw(st.one_of(st.integers(0, 30_000), st.integers(len(content) - 40_000, len(content) - 1)))
    content[place] ^= data.draw(st.integers(1, 255))
    path = published.parent / "flipped.pt"
    path.write_bytes(bytes(content))
    try:
        read_vocoder(path)
    except EngineError as error:
        assert str(error).startswith(str(path))


# --- the folder


@pytest.mark.parametrize(
    "names",
    [["campplus.onnx"], ["speech_tokenizer_v3.onnx", "CosyVoice-BlankEN/vocab.json"], ["cosyvoice3.yaml"], ["hift.pt"]],
)
def test_all_missing_files_are_named_at_once(names: list[str], folder: Path) -> None:
    for name in names:
        (folder / name).unlink()
    with pytest.raises(EngineError) as caught:
        open_model_folder(folder)
    assert str(caught.value).startswith(f"{folder}: lacks ")
    assert all(name in str(caught.value) for name in names) and "snakemake models" in str(caught.value)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="there is no such folder; 'snakemake models' fetches the model"):
        open_model_folder(tmp_path / "nothing")


def test_a_pointer_in_place_of_an_onnx_file(folder: Path) -> None:
    (folder / "campplus.onnx").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(EngineError, match=r"campplus.onnx: is a Git LFS pointer"):
        open_model_folder(folder)


@pytest.mark.parametrize(
    ("marker", "generation"), [("cosyvoice2.yaml", "CosyVoice 2"), ("cosyvoice.yaml", "CosyVoice 1")]
)
def test_the_folder_of_another_generation(marker: str, generation: str, folder: Path) -> None:
    (folder / "cosyvoice3.yaml").rename(folder / marker)
    with pytest.raises(EngineError, match=generation):
        open_model_folder(folder)


def test_the_variant_is_read_where_it_is_asked_for(folder: Path) -> None:
    (folder / "llm.pt").rename(folder / "llm.rl.pt")
    assert open_model_folder(folder, "llm.rl.pt").read_language_model().sizes == LANGUAGE_MODEL
    with pytest.raises(EngineError, match=r"lacks llm\.pt \(llm\.rl\.pt is there"):
        open_model_folder(folder)
    with pytest.raises(EngineError, match=r"use llm\.pt or llm\.rl\.pt"):
        open_model_folder(folder, "../llm.pt")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no readable JSON"),
        ("[]", "is no configuration"),
        ('{"num_attention_heads": 3, "num_key_value_heads": 1}', "does not fit 3 heads"),
        ('{"num_attention_heads": "4"}', "num_attention_heads must be a whole number"),
        (
            '{"num_attention_heads": 4, "num_key_value_heads": 2, "hidden_size": 896}',
            "hidden_size is 64 by the weights",
        ),
        (
            '{"num_attention_heads": 4, "num_key_value_heads": 2, "rope_theta": -1}',
            "rope_theta must be a number above 0",
        ),
    ],
)
def test_a_wrong_configuration(content: str, said: str, folder: Path) -> None:
    (folder / "CosyVoice-BlankEN" / "config.json").write_text(content)
    with pytest.raises(EngineError) as caught:
        open_model_folder(folder).read_language_model()
    assert "config.json" in str(caught.value) and said in str(caught.value)


def test_hashes_follow_content_and_are_remembered(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "hashes.json"
    first = open_model_folder(folder).content_sha256(cache)
    assert len(first) == 8 and all(len(value) == 64 for value in first.values())
    remembered = json.loads(cache.read_text())
    # the cache is believed where path, size and time agree, so a marked entry shows that nothing was hashed
    key = str((folder / "flow.pt").resolve())
    remembered[key][2] = "remembered"
    cache.write_text(json.dumps(remembered))
    assert open_model_folder(folder).content_sha256(cache) == {**first, "flow": "remembered"}
    os.utime(folder / "flow.pt", ns=(1, 1))
    assert open_model_folder(folder).content_sha256(cache) == first
    cache.write_text("not JSON")
    assert open_model_folder(folder).content_sha256(cache) == first


# --- converting and exporting


def test_converted_folder_is_the_same_model(published: Path, tmp_path: Path) -> None:
    source = open_model_folder(published)
    converted = convert_model(source, tmp_path / "converted", tmp_path / "hashes.json")
    for part in ("read_language_model", "read_flow", "read_vocoder"):
        before, after = getattr(source, part)(), getattr(converted, part)()
        assert before.sizes == after.sizes and before.state.keys() == after.state.keys()
        assert all(torch.equal(before.state[key], after.state[key]) for key in before.state)
    assert converted.content_sha256() == source.content_sha256(), "no take is made anew"
    assert not list((tmp_path / "converted").rglob("*.pt"))
    with pytest.raises(EngineError, match="converted folder already"):
        convert_model(converted, tmp_path / "again")


def test_a_converted_file_that_was_exchanged_is_noticed(published: Path, states: SmallStates, tmp_path: Path) -> None:
    converted = convert_model(open_model_folder(published), tmp_path / "converted")
    save_file({key: value + 1 for key, value in states.flow.items()}, converted.flow)
    with pytest.raises(EngineError, match=r"flow.safetensors: is not the file that was converted"):
        converted.content_sha256()


def test_half_a_conversion_is_no_model(published: Path, tmp_path: Path) -> None:
    converted = convert_model(open_model_folder(published), tmp_path / "converted")
    (tmp_path / "converted" / "replikk-model.json").unlink()
    with pytest.raises(EngineError, match="lacks"):
        open_model_folder(converted.path)


@pytest.mark.parametrize("share", [0.0001, 0.5, 0.999])
def test_truncated_safetensors(share: float, published: Path, tmp_path: Path) -> None:
    converted = convert_model(open_model_folder(published), tmp_path / "converted")
    _truncate(converted.language_model, share)
    with pytest.raises(EngineError, match=r"language_model.safetensors: is no whole safetensors file"):
        converted.read_language_model()


def test_export_is_what_a_strict_load_expects(states: SmallStates, tmp_path: Path) -> None:
    path = tmp_path / "llm.pt"
    without_head = {key: value for key, value in states.language_model.items() if key != layouts.LM_HEAD}
    export_language_model(path, without_head, LANGUAGE_MODEL)
    content = torch.load(path, weights_only=True)
    assert list(content) == list(layouts.language_model_layout(LANGUAGE_MODEL))
    assert all(torch.equal(content[key], states.language_model[key]) for key in content)
    assert content[layouts.LM_HEAD].data_ptr() == content[layouts.TEXT_EMBEDDING].data_ptr(), "tied: no room taken"
    stored = 4 * sum(value.numel() for value in without_head.values())
    assert stored < path.stat().st_size < stored + 100_000
    again = read_language_model(path, CONFIG)
    assert again.sizes == LANGUAGE_MODEL
    assert all(torch.equal(again.state[key], without_head[key]) for key in without_head)


def test_export_repeats_its_bytes_and_keeps_an_old_file_on_failure(states: SmallStates, tmp_path: Path) -> None:
    path, other = tmp_path / "llm.pt", tmp_path / "other.pt"
    export_language_model(path, states.language_model, LANGUAGE_MODEL)
    export_language_model(other, states.language_model, LANGUAGE_MODEL)
    assert path.read_bytes() == other.read_bytes()
    damaged = {**states.language_model, "llm_decoder.weight": torch.full((6761, 64), torch.nan)}
    with pytest.raises(EngineError, match="no numbers"):
        export_language_model(path, damaged, LANGUAGE_MODEL)
    assert path.read_bytes() == other.read_bytes()
    (tmp_path / "a file").write_text("in the way")
    with pytest.raises(ReplikkError, match="cannot be written"):
        export_language_model(tmp_path / "a file" / "llm.pt", states.language_model, LANGUAGE_MODEL)
    assert sorted(child.name for child in tmp_path.iterdir()) == ["a file", "llm.pt", "other.pt"]


def test_an_exported_file_holds_nothing_but_float32_weights(states: SmallStates, tmp_path: Path) -> None:
    export_language_model(tmp_path / "llm.pt", states.language_model, LANGUAGE_MODEL)
    content = torch.load(tmp_path / "llm.pt", weights_only=True, mmap=True)
    assert type(content) is dict
    assert {type(value) for value in content.values()} == {torch.Tensor}
    assert {value.dtype for value in content.values()} == {torch.float32}
