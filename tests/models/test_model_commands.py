"""``replikk model``: check, convert, factor and export, on a small model in the published layout."""

from __future__ import annotations

import json
import shutil
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import Tensor

sys.path.append(str(Path(__file__).parent.parent / "engines"))  # the small model of the engine's tests

from cosyvoice3_small import LANGUAGE_MODEL, make_small_model, small_states, write_tokenizer

from replikk.cli import main
from replikk.engines.cosyvoice3.adapters import read_adapter
from replikk.engines.cosyvoice3.checkpoint_layout import LM_HEAD, TEXT_EMBEDDING, language_model_layout, projections
from replikk.engines.cosyvoice3.engine_settings import EngineSettings
from replikk.engines.cosyvoice3.identity import engine_fingerprint
from replikk.engines.cosyvoice3.merging import merge_adapter
from replikk.engines.cosyvoice3.model_folder import CONVERTED_MARKER, open_model_folder
from replikk.models.catalogue import NORWEGIAN_LORA
from replikk.models.settings import read_model_settings

State = dict[str, Tensor]
Run = Callable[..., str]

RANK = 4
PROJECTIONS = projections(LANGUAGE_MODEL.layers)
QUERY = "llm.model.model.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, base: State) -> Path:
    """A folder with the model in ``base``, a LoRA in ``lora`` and the same, merged as published, in ``merged.pt``."""
    folder = tmp_path_factory.mktemp("small")
    make_small_model(folder / "base")
    write_lora(folder / "lora")
    torch.save({**tuned(folder / "lora", base), "epoch": 3, "step": 20880}, folder / "merged.pt")
    return folder


@pytest.fixture(scope="module")
def base() -> State:
    return small_states().language_model


@pytest.fixture
def place(small: Path, tmp_path: Path) -> Path:
    """A copy of these for a test of its own, which runs in it."""
    return shutil.copytree(small, tmp_path, dirs_exist_ok=True)


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """What the command says on stdout; with ``fails`` the sentences of its refusal."""

    def command(*arguments: object, fails: bool = False) -> str:
        status = main(["model", *map(str, arguments)])
        said = capsys.readouterr()
        assert status == int(fails), said.err
        if not fails:
            return said.out
        assert not said.out and "Traceback" not in said.err
        return said.err

    return command


def write_lora(folder: Path, size: float = 0.1) -> None:
    draws = torch.Generator().manual_seed(2)
    layout = language_model_layout(LANGUAGE_MODEL)
    tensors = {}
    for module in PROJECTIONS:
        rows, columns = layout[f"{module}.weight"]
        tensors[f"base_model.model.{module}.lora_A.weight"] = torch.randn(RANK, columns, generator=draws) / 8
        tensors[f"base_model.model.{module}.lora_B.weight"] = size * torch.randn(rows, RANK, generator=draws)
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 2 * RANK}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")


def tuned(lora: Path, state: State) -> State:
    """The language model with a LoRA in it, ``lm_head`` as published."""
    without_head = {key: value for key, value in state.items() if key != LM_HEAD}
    merged, _ = merge_adapter(without_head, read_adapter(lora, LANGUAGE_MODEL))
    return {**merged, LM_HEAD: merged[TEXT_EMBEDDING]}


def change(path: Path, key: str, value: Tensor | None) -> None:
    """Put another weight into a file, or take one out."""
    state = torch.load(path, weights_only=True)
    if value is None:
        del state[key]
    else:
        state[key] = value
    torch.save(state, path)


class TestCheck:
    def test_describes_everything_that_it_opened(self, place: Path, run: Run) -> None:
        said = run("check", "--base", "base", "--adapter", "merged.pt")
        assert "base (as published):" in said
        assert "llm.pt (3.88 MB): language model, 2 layers of 64, 4 heads (2 for keys and values)" in said
        assert "text tokenizer, 552 tokens, which fit the 640 that the language model knows" in said
        assert "flow.pt" in said and "flow, 2 blocks of 64" in said and "vocoder, 3 stages from 32" in said
        assert "campplus.onnx" in said and "both open" in said
        assert "merged weights (epoch 3, step 20880); at strength 1 it changes 14 of 14 projections" in said
        assert "the engine can speak with these" in said

    @pytest.mark.parametrize(
        ("adapter", "said"), [("lora", "a LoRA adapter (rank 4)"), ("merged.pt", "merged weights")]
    )
    def test_says_which_layout_an_adapter_has_and_how_much_it_changes(
        self, adapter: str, said: str, place: Path, base: State, run: Run
    ) -> None:
        rows = run("check", "--base", "base", "--adapter", adapter, "--strength", "0.5").splitlines()
        assert any(said in row and "at strength 0.5" in row for row in rows)
        after = tuned(place / "lora", base)
        keys = [f"{module}.weight" for module in PROJECTIONS if module.endswith("q_proj")]
        sizes = sorted(0.5 * float((after[key] - base[key]).norm() / base[key].norm()) for key in keys)
        assert next(row.split() for row in rows if "q_proj" in row) == [
            "q_proj", "2", f"{sizes[0]:.3%}", "to", f"{sizes[1]:.3%}",
        ]  # fmt: skip

    def test_without_adapter(self, place: Path, run: Run) -> None:
        said = run("check", "--base", "base", "--adapter", "none")
        assert "projections" not in said and "the engine can speak with these" in said

    def test_takes_the_models_of_the_config(self, place: Path, run: Run) -> None:
        models = {
            "base": "./base",
            "base_licence": "Apache-2.0",
            "adapter": "./lora",
            "adapter_licence": "CC-BY-NC-4.0",
        }
        (place / "config.yaml").write_text(yaml.safe_dump({"models": models}), encoding="utf-8")
        said = run("check")
        assert "lora (" in said and "14 of 14 projections" in said
        assert "licence of base: Apache-2.0\nlicence of lora: CC-BY-NC-4.0\n" in said
        assert "note: " in said and "forbids commercial use, and this build is commercial" in said

    def test_nothing_fetched_yet(self, run: Run) -> None:
        said = run("check", fails=True)
        assert said.startswith("models/Fun-CosyVoice3-0.5B-2512/cosyvoice3.yaml: is not there")
        assert "with: snakemake --cores 1 models" in said and said.count("\n") == 1

    @pytest.mark.parametrize(
        ("option", "said"),
        [
            (("--base", "nothing"), "--base nothing: there is no such file or folder"),
            (("--base", "base", "--adapter", "no.pt"), "--adapter no.pt: there is no such file or folder"),
            (("--base", "base", "--adapter", "lora", "--strength", "9"), "strength 9 is not above 0 and at most 2"),
            (("--base", "base", "--adapter", "base/flow.pt"), "flow.pt: is a CosyVoice 3 flow, no adapter"),
            (("--base", "base", "--adapter", "base/llm.pt"), "llm.pt: changes nothing"),
            (("--base", "base", "--adapter", "none", "--language-model", "llm.rl.pt"), "base: lacks llm.rl.pt"),
        ],
    )
    def test_what_does_not_fit(self, option: tuple[str, ...], said: str, place: Path, run: Run) -> None:
        refusal = run("check", *option, fails=True)
        assert said in refusal and refusal.count("\n") == 1

    def test_each_wrong_file_is_named_in_one_sentence(self, place: Path, run: Run) -> None:
        change(place / "base" / "flow.pt", "spk_embed_affine_layer.bias", torch.full((80,), torch.nan))
        change(place / "base" / "hift.pt", "generator.conv_post.bias", None)
        (place / "base" / "campplus.onnx").write_bytes(b"no model")
        (place / "lora" / "adapter_config.json").write_text("{", encoding="utf-8")
        said = run("check", "--base", "base", "--adapter", "lora", fails=True).splitlines()
        assert [row.partition(":")[0] for row in said] == [
            "lora/adapter_config.json", "base/flow.pt", "base/hift.pt", "base/campplus.onnx",
        ]  # fmt: skip
        assert "no numbers (NaN or infinite)" in said[1] and "1 missing: conv_post.bias" in said[2]

    def test_a_cut_language_model(self, place: Path, run: Run) -> None:
        file = place / "base" / "llm.pt"
        file.write_bytes(file.read_bytes()[:100_000])
        said = run("check", "--base", "base", "--adapter", "lora", fails=True)
        assert said.startswith("base/llm.pt: is no whole checkpoint") and said.count("\n") == 1

    def test_a_tokenizer_that_is_too_large(self, place: Path, run: Run) -> None:
        qwen = place / "base" / "CosyVoice-BlankEN"
        write_tokenizer(qwen)
        vocabulary = json.loads((qwen / "vocab.json").read_text(encoding="utf-8"))
        vocabulary.update({f"word{number}": len(vocabulary) + number for number in range(100)})
        (qwen / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
        (qwen / "tokenizer_config.json").unlink()
        said = run("check", "--base", "base", "--adapter", "none", fails=True)
        assert "CosyVoice-BlankEN: the tokenizer has 652 tokens, and llm.pt knows 640" in said

    def test_pytorch_is_missing(self, place: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "torch", None)
        for command in (("check",), ("convert", "x"), ("factor", "merged.pt"), ("export", "x.pt")):
            assert "PyTorch is not installed; run: pip install 'replikk[gpu]'" in run(*command, fails=True)


class TestConvert:
    def test_the_folder_speaks_as_the_download_and_the_config_takes_it(self, place: Path, run: Run) -> None:
        said = run("convert", "fast", "--base", "base")
        assert "of safetensors, made from base (llm.pt)" in said
        download, converted = open_model_folder(place / "base"), open_model_folder(place / "fast")
        prints = [engine_fingerprint(folder, None, 1.0, EngineSettings(), None) for folder in (download, converted)]
        assert prints[0] == prints[1], "no take is spoken anew"
        section = yaml.safe_load(said.partition("\n\n")[2])["models"]
        assert section == {"base": "./fast", "base_licence": "Apache-2.0"}
        assert "if yours is another model, write its own" in said
        settings, _ = read_model_settings("models", section)
        assert settings.base.path == Path("fast")  # type: ignore[union-attr]
        assert "a converted folder" in run("check", "--base", "fast", "--adapter", "lora")

    def test_the_licence_of_the_config_goes_along(self, place: Path, run: Run) -> None:
        models = {"base": "./base", "base_licence": "CC0-1.0"}
        (place / "config.yaml").write_text(yaml.safe_dump({"models": models}), encoding="utf-8")
        said = run("convert", place / "fast")
        section = yaml.safe_load(said.partition("\n\n")[2])["models"]
        assert section == {"base": str(place / "fast"), "base_licence": "CC0-1.0"}
        assert read_model_settings("models", section)[1] == []

    def test_the_variant_is_named_in_the_settings(self, place: Path, run: Run) -> None:
        shutil.copy(place / "base" / "llm.pt", place / "base" / "llm.rl.pt")
        said = run("convert", "fast", "--base", "base", "--language-model", "llm.rl.pt")
        assert yaml.safe_load(said.partition("\n\n")[2])["engines"] == {"cosyvoice3": {"language_model": "llm.rl.pt"}}

    def test_what_exists_is_made_anew_only_when_forced(self, place: Path, run: Run) -> None:
        run("convert", "fast", "--base", "base")
        weights = place / "fast" / "flow.safetensors"
        whole = weights.read_bytes()
        weights.write_bytes(b"damaged")
        assert "is a converted model already; --force makes it anew" in run(
            "convert", "fast", "--base", "base", fails=True
        )
        assert weights.read_bytes() == b"damaged"
        run("convert", "fast", "--base", "base", "--force")
        assert weights.read_bytes() == whole

    def test_a_killed_conversion_is_done_again(self, place: Path, run: Run) -> None:
        run("convert", "fast", "--base", "base")
        (place / "fast" / CONVERTED_MARKER).unlink()
        (place / "fast" / "flow.safetensors").rename(place / "fast" / ".tmp-half.safetensors")
        run("convert", "fast", "--base", "base")
        open_model_folder(place / "fast")

    @pytest.mark.parametrize("force", [(), ("--force",)], ids=["asked", "forced"])
    @pytest.mark.parametrize(
        ("target", "said"),
        [("base", "base: has other files in it"), ("lora", "has other files in it"), ("merged.pt", "is a file")],
    )
    def test_never_into_something_else(
        self, target: str, said: str, force: tuple[str, ...], place: Path, run: Run
    ) -> None:
        before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
        assert said in run("convert", target, "--base", "base", *force, fails=True)
        assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before

    def test_a_converted_folder_is_not_converted_into_itself(self, place: Path, run: Run) -> None:
        run("convert", "fast", "--base", "base")
        assert "is a converted folder already" in run("convert", "fast", "--base", "fast", "--force", fails=True)
        open_model_folder(place / "fast")


class TestFactor:
    def test_a_merged_lora_comes_out_as_a_lora(self, place: Path, base: State, run: Run) -> None:
        said = run("factor", "merged.pt", "--base", "base", "--rank", RANK, "--out", "again")
        assert "14 of 14 projections changed" in said
        assert f"it is a LoRA of rank {RANK} over this base: nothing but rounding is left over" in said
        assert "its licence is that of merged.pt" in said and "adapter: ./again" in said
        expected, found = tuned(place / "lora", base), tuned(place / "again", base)
        for key in base:
            torch.testing.assert_close(found[key], expected[key], rtol=1e-5, atol=1e-6)
        assert "a LoRA adapter (rank 4)" in run("check", "--base", "base", "--adapter", "again")

    def test_without_a_folder_it_only_looks(self, place: Path, run: Run) -> None:
        before = set(place.rglob("*"))
        assert f"it is a LoRA of rank {RANK}" in run("factor", "merged.pt", "--base", "base", "--rank", RANK)
        assert set(place.rglob("*")) == before

    def test_a_higher_rank_fits_too(self, place: Path, run: Run) -> None:
        assert "it is a LoRA of rank 8 over" in run("factor", "merged.pt", "--base", "base", "--rank", 8)

    def test_too_low_a_rank_names_the_right_one(self, place: Path, run: Run) -> None:
        said = run("factor", "merged.pt", "--base", "base", "--rank", 3, "--out", "again")
        assert "it is no LoRA of rank 3 over this base, but may be one of rank 4" in said and "try --rank 4" in said
        assert "the adapter at rank 3, which lacks what is left over" in said

    @pytest.mark.parametrize("there", [True, False])
    def test_over_another_base(self, there: bool, place: Path, run: Run) -> None:
        """As when the LoRA was trained over ``llm.rl.pt``: the two bases differ everywhere."""
        draws = torch.Generator().manual_seed(5)
        other = {
            key: value + 0.02 * value.std() * torch.randn(value.shape, generator=draws)
            for key, value in small_states().language_model.items()
        }
        torch.save(tuned(place / "lora", {**other, LM_HEAD: other[TEXT_EMBEDDING]}), "other.pt")
        if there:
            torch.save(other, place / "base" / "llm.rl.pt")
        said = run("factor", "other.pt", "--base", "base", "--rank", RANK)
        assert "it is no LoRA over this base, neither of rank 4 nor of another small one" in said
        assert ("llm.rl.pt: --language-model llm.rl.pt?" in said) == there and "(llm.rl.pt" in said
        if there:
            right = run("factor", "other.pt", "--base", "base", "--rank", RANK, "--language-model", "llm.rl.pt")
            assert "it is a LoRA of rank 4 over this base: nothing" in right

    def test_damage_in_one_projection(self, place: Path, run: Run) -> None:
        weight = torch.load("merged.pt", weights_only=True)[f"{QUERY}.weight"].clone()
        weight[10:40] = weight[10:40].roll(17, dims=1)
        change(place / "merged.pt", f"{QUERY}.weight", weight)
        said = run("factor", "merged.pt", "--base", "base", "--rank", RANK)
        assert f"it is no LoRA of rank 4 in 1 of 14 projections ({QUERY}), and is one in the others" in said

    def test_an_average_of_merged_weights_is_nearly_one(self, place: Path, base: State, run: Run) -> None:
        draws = torch.Generator().manual_seed(6)
        state = torch.load("merged.pt", weights_only=True)
        for module in PROJECTIONS:
            weight = state[f"{module}.weight"]
            rest = torch.randn(weight.shape, generator=draws)
            whole = (weight - base[f"{module}.weight"]).norm()
            state[f"{module}.weight"] = weight + 0.05 * whole / rest.norm() * rest
        torch.save(state, "averaged.pt")
        said = run("factor", "averaged.pt", "--base", "base", "--rank", RANK)
        assert "it is nearly a LoRA of rank 4 over this base: all but 4." in said

    def test_a_rank_that_says_nothing(self, place: Path, run: Run) -> None:
        """The keys have 32 rows: at rank 32 every change is low rank."""
        said = run("factor", "merged.pt", "--base", "base", "--rank", 32)
        assert "rank 32 is so high that changes of any kind fit" in said and "at most --rank 16" in said

    def test_weights_that_were_trained_whole_beside_the_lora(self, place: Path, base: State, run: Run) -> None:
        change(place / "merged.pt", "llm_decoder.weight", base["llm_decoder.weight"] * 1.5)
        said = run("factor", "merged.pt", "--base", "base", "--rank", RANK, "--out", "again")
        assert "it is a LoRA of rank 4 over this base, with other weights changed as a whole (1)" in said
        found = tuned(place / "again", base)
        assert torch.equal(found["llm_decoder.weight"], base["llm_decoder.weight"] * 1.5)

    @pytest.mark.parametrize(
        ("size", "said"),
        [(0.1, "it is a LoRA of rank 4"), (0.001, "whether it is a LoRA of rank 4 cannot be told")],
        ids=["large change", "change as small as the rounding"],
    )
    def test_a_file_in_16_bits(self, size: float, said: str, place: Path, base: State, run: Run) -> None:
        write_lora(place / "other", size)
        torch.save({key: value.bfloat16() for key, value in tuned(place / "other", base).items()}, "narrow.pt")
        assert said in run("factor", "narrow.pt", "--base", "base", "--rank", RANK)

    def test_an_adapter_that_exists_is_replaced_only_when_forced(self, place: Path, run: Run) -> None:
        factor = ("factor", "merged.pt", "--base", "base", "--rank", RANK, "--out", "lora")
        before = (place / "lora" / "adapter_model.safetensors").read_bytes()
        assert "lora/adapter_model.safetensors: exists already; --force replaces it" in run(*factor, fails=True)
        assert (place / "lora" / "adapter_model.safetensors").read_bytes() == before
        run(*factor, "--force")
        assert (place / "lora" / "adapter_model.safetensors").read_bytes() != before

    @pytest.mark.parametrize(
        ("file", "said"),
        [("base/llm.pt", "llm.pt: changes nothing"), ("no.pt", "no.pt: cannot be read"), ("base/hift.pt", "a vocoder")],
    )
    def test_what_is_no_merged_file(self, file: str, said: str, place: Path, run: Run) -> None:
        assert said in run("factor", file, "--base", "base", "--out", "again", fails=True)
        assert not (place / "again").exists()


class TestExport:
    def test_the_file_is_what_a_strict_load_of_the_published_code_expects(
        self, place: Path, base: State, run: Run
    ) -> None:
        said = run("export", "out/llm.pt", "--base", "base", "--adapter", "lora")
        assert "14 of 14 projections changed" in said
        assert "licence: that of lora (adapter) goes with the file" in said
        state, expected = torch.load("out/llm.pt", weights_only=True), tuned(place / "lora", base)
        assert list(state) == list(language_model_layout(LANGUAGE_MODEL))
        assert all(torch.equal(state[key], expected[key]) and state[key].dtype == torch.float32 for key in state)

    def test_it_stands_in_for_llm_pt(self, place: Path, run: Run) -> None:
        """A copy of the download with the file in it speaks with the adapter's voice, and needs none."""
        run("export", "voice.pt", "--base", "base", "--adapter", "merged.pt")
        (place / "voice.pt").replace(place / "base" / "llm.pt")
        assert "the engine can speak with these" in run("check", "--base", "base", "--adapter", "none")
        assert "changes nothing" in run("check", "--base", "base", "--adapter", "merged.pt", fails=True)

    def test_strength(self, place: Path, base: State, run: Run) -> None:
        run("export", "half.pt", "--base", "base", "--adapter", "lora", "--strength", "0.5")
        key = f"{QUERY}.weight"
        halfway = base[key] + 0.5 * (tuned(place / "lora", base)[key] - base[key])
        torch.testing.assert_close(torch.load("half.pt", weights_only=True)[key], halfway)

    def test_the_norwegian_adapter_takes_its_licence_along(self, place: Path, run: Run) -> None:
        models = {"base": "./base", "base_licence": "Apache-2.0"}
        (place / "config.yaml").write_text(yaml.safe_dump({"models": models}), encoding="utf-8")
        fetched = place / "models" / NORWEGIAN_LORA.folders[0]
        fetched.mkdir(parents=True)
        (place / "merged.pt").rename(fetched / NORWEGIAN_LORA.main_file)
        said = run("export", "llm.pt")
        assert "licence: Apache-2.0 (base) goes with the file\nlicence: CC-BY-NC-4.0 (adapter) goes with" in said
        rank = run("factor", fetched / NORWEGIAN_LORA.main_file, "--rank", RANK, "--out", "own")
        section = yaml.safe_load(rank.partition("\n\n")[2])["models"]
        assert section == {"adapter": "./own", "adapter_licence": "CC-BY-NC-4.0"}
        assert read_model_settings("models", section)[1] == []

    def test_a_converted_base_goes_back_into_the_published_layout(self, place: Path, base: State, run: Run) -> None:
        run("convert", "fast", "--base", "base")
        run("export", "llm.pt", "--base", "fast", "--adapter", "none")
        state = torch.load("llm.pt", weights_only=True)
        assert state.keys() == base.keys() and all(torch.equal(state[key], base[key]) for key in base)

    @pytest.mark.parametrize(
        ("out", "force", "said"),
        [
            ("merged.pt", (), "merged.pt: exists already; --force replaces it"),
            ("base/llm.pt", ("--force",), "is what the voice is made from"),
            ("base/hift.pt", ("--force",), "is what the voice is made from"),
            ("link.pt", ("--force",), "is what the voice is made from"),
            ("base", (), "base: is a folder; name a file in it, for example base/llm.pt"),
            ("voice.safetensors", (), "name a file that ends in .pt"),
        ],
    )
    def test_what_is_not_written_over(self, out: str, force: tuple[str, ...], said: str, place: Path, run: Run) -> None:
        (place / "link.pt").symlink_to(place / "base" / "llm.pt")
        before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
        assert said in run("export", out, "--base", "base", "--adapter", "lora", *force, fails=True)
        assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before

    def test_forced(self, place: Path, run: Run) -> None:
        run("export", "merged.pt", "--base", "base", "--adapter", "lora", "--force")
        assert "step" not in torch.load("merged.pt", weights_only=True)

    def test_nothing_to_merge(self, place: Path, run: Run) -> None:
        said = run("export", "llm.pt", "--base", "base", "--adapter", "none", fails=True)
        assert "llm.pt: is that file already, and there is no adapter to merge" in said


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    "command",
    [
        ("convert", "out/fast", "--base", "base"),
        ("factor", "merged.pt", "--base", "base", "--out", "out/again"),
        ("export", "out/llm.pt", "--base", "base", "--adapter", "lora"),
    ],
    ids=lambda command: command[0],
)
def test_a_full_disk_is_noticed_before_anything_is_written(
    command: tuple[str, ...], place: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 1000, 1000))
    said = run(*command, fails=True)
    assert "are free" in said and "are needed; make room" in said and said.count("\n") == 1
    assert not [path for path in place.rglob("out/**/*") if path.is_file()]


def test_saved_adapter_loads_as_safetensors_alone(place: Path, run: Run) -> None:
    """What is published is two small files: no pickle in them."""
    run("factor", "merged.pt", "--base", "base", "--rank", RANK, "--out", "again")
    assert sorted(path.name for path in (place / "again").iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors",
    ]  # fmt: skip
    assert len(load_file(place / "again" / "adapter_model.safetensors")) == 2 * len(PROJECTIONS)
