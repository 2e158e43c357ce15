"""A small random CosyVoice 3 in the published layout: a folder that opens through the same code as the real download.

Every file of the download is there: weights in ``.pt`` files (about 8 MB together), two ONNX models with the right
signatures, the Qwen2 folder with a byte-level tokenizer of a few hundred tokens. What it says is noise, but the same
noise for the same seed. ``speech_tokenizer_v3.onnx`` takes log-mel features [1, 128, frames] and their number of
frames int32 [1], and gives a quarter as many tokens; ``campplus.onnx`` takes filterbanks [1, frames, 80] and gives
[1, 192]. Both read their input: other sound, other tokens.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from replikk.engines.cosyvoice3 import checkpoint_layout as layouts
from replikk.engines.cosyvoice3.sizes import FlowSizes, LanguageModelSizes, VocoderSizes

MERGES = ("e r", "e n", "e t", "Ġ d", "s k", "t e", "Ġ h", "a n", "er e", "en Ġ", "Ġd et", "r e", "Ã ¥", "Ã ¸", "Ã ¦")
"""Merges of common Norwegian letter pairs; the last three make å, ø and æ one token each."""

LANGUAGE_MODEL = LanguageModelSizes(
    hidden=64, layers=2, heads=4, kv_heads=2, head_dim=16, intermediate=96, text_vocabulary=640, speech_head=6761,
    rope_theta=1e6, rms_eps=1e-6,
)  # fmt: skip
FLOW = FlowSizes(
    speech_vocabulary=6561, mel_bins=80, speaker=192, lookahead_channels=48, lookahead_kernel=4,
    lookahead_second_kernel=3, hidden=64, blocks=2, heads=2, head_dim=16, feed_forward=96, time_features=256,
    position_kernel=31, position_groups=16,
)  # fmt: skip
VOCODER = VocoderSizes(
    mel_bins=80, base_channels=32, stage_channels=(16, 8, 4), upsample_rates=(8, 5, 3), upsample_kernels=(16, 11, 7),
    source_kernels=(30, 6, 1), source_strides=(15, 3, 1), source_block_kernels=(7, 7, 11), block_kernels=(3, 7, 11),
    dilations=3, pre_kernel=5, post_kernel=7, harmonics=9, n_fft=16, stft_hop=4, f0_channels=24,
    f0_kernels=(4, 3, 3, 3, 3),
)  # fmt: skip


@dataclass(frozen=True)
class SmallStates:
    """The three state dicts, keys as published (the vocoder's without ``generator.``)."""

    language_model: dict[str, Tensor]
    flow: dict[str, Tensor]
    vocoder: dict[str, Tensor]


def small_states(seed: int = 0) -> SmallStates:
    """Random weights of the sizes above, the language head tied to the text embedding."""
    draws = torch.Generator().manual_seed(seed)
    language_model = _random_state(layouts.language_model_layout(LANGUAGE_MODEL), draws)
    language_model[layouts.LM_HEAD] = language_model[layouts.TEXT_EMBEDDING]
    flow = _random_state(layouts.flow_layout(FLOW), draws)
    exponents = torch.arange(0, FLOW.head_dim, 2, dtype=torch.float32) / FLOW.head_dim
    flow["decoder.estimator.rotary_embed.inv_freq"] = 1.0 / 10000.0**exponents
    return SmallStates(language_model, flow, _random_state(layouts.vocoder_layout(VOCODER), draws))


def make_small_model(folder: Path, seed: int = 0) -> Path:
    """Writes the whole model folder (made if missing) and returns it."""
    qwen = folder / "CosyVoice-BlankEN"
    qwen.mkdir(parents=True, exist_ok=True)
    states = small_states(seed)
    torch.save(states.language_model, folder / "llm.pt")
    torch.save(states.flow, folder / "flow.pt")
    torch.save({f"generator.{key}": value for key, value in states.vocoder.items()}, folder / "hift.pt")
    (folder / "cosyvoice3.yaml").write_text("sample_rate: 24000\n", encoding="utf-8")
    write_onnx_models(folder, seed)
    write_tokenizer(qwen)
    _write_json(qwen / "config.json", qwen_config(LANGUAGE_MODEL))
    _write_json(qwen / "generation_config.json", {"do_sample": True})
    return folder


def qwen_config(sizes: LanguageModelSizes) -> dict[str, Any]:
    """``CosyVoice-BlankEN/config.json`` as transformers of the published model's time writes it."""
    return {
        "architectures": ["Qwen2ForCausalLM"],
        "hidden_act": "silu",
        "hidden_size": sizes.hidden,
        "intermediate_size": sizes.intermediate,
        "max_position_embeddings": 32768,
        "model_type": "qwen2",
        "num_attention_heads": sizes.heads,
        "num_hidden_layers": sizes.layers,
        "num_key_value_heads": sizes.kv_heads,
        "rms_norm_eps": sizes.rms_eps,
        "rope_theta": sizes.rope_theta,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
        "vocab_size": sizes.text_vocabulary,
    }


def write_tokenizer(folder: Path) -> None:
    """A byte-level BPE: the 256 bytes, the merges above, then Qwen2's three special tokens."""
    vocabulary = {symbol: number for number, symbol in enumerate(byte_symbols())}
    for merge in MERGES:
        vocabulary.setdefault(merge.replace(" ", ""), len(vocabulary))
    specials = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    _write_json(folder / "vocab.json", vocabulary)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{merge}\n" for merge in MERGES), encoding="utf-8")
    _write_json(
        folder / "tokenizer_config.json",
        {
            "added_tokens_decoder": {
                str(len(vocabulary) + number): {"content": text, "special": True}
                for number, text in enumerate(specials)
            },
            "additional_special_tokens": list(specials[1:]),
            "eos_token": specials[0],
            "pad_token": specials[0],
            "tokenizer_class": "Qwen2Tokenizer",
        },
    )


def byte_symbols() -> list[str]:
    """The printable letter that byte-level BPE writes for each of the 256 bytes, in the usual order of ids."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(byte) for byte in printable] + [chr(256 + number) for number in range(256 - len(printable))]


def write_onnx_models(folder: Path, seed: int = 0) -> None:
    """``speech_tokenizer_v3.onnx`` and ``campplus.onnx``, a few kilobytes each."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    draws = np.random.default_rng(seed)

    def save(name: str, nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: dict[str, Any]) -> None:
        values = [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()]
        graph = helper.make_graph(nodes, "small", inputs, outputs, values)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, folder / name)

    save(
        "speech_tokenizer_v3.onnx",
        [
            helper.make_node("Cast", ["feats_length"], ["frames"], to=TensorProto.INT64),
            helper.make_node("Slice", ["feats", "zero", "frames", "time"], ["heard"]),
            helper.make_node("Conv", ["heard", "filters"], ["codes"], kernel_shape=[4], strides=[4]),
            helper.make_node("Sin", ["codes"], ["bounded"]),
            helper.make_node("Mul", ["bounded", "half"], ["scaled"]),
            helper.make_node("Add", ["scaled", "half"], ["positive"]),  # 0 .. 6560
            helper.make_node("Floor", ["positive"], ["whole"]),
            helper.make_node("Squeeze", ["whole", "channel"], ["flat"]),
            helper.make_node("Cast", ["flat"], ["indices"], to=TensorProto.INT32),
        ],
        [
            helper.make_tensor_value_info("feats", TensorProto.FLOAT, [1, 128, "T"]),
            helper.make_tensor_value_info("feats_length", TensorProto.INT32, [1]),
        ],
        [helper.make_tensor_value_info("indices", TensorProto.INT32, [1, "N"])],
        {
            "zero": np.array([0], np.int64),
            "time": np.array([2], np.int64),
            "channel": np.array([1], np.int64),
            "filters": draws.normal(0.0, 0.3, (1, 128, 4)).astype(np.float32),
            "half": np.float32(3280.0),
        },
    )
    save(
        "campplus.onnx",
        [
            helper.make_node("Abs", ["input"], ["loudness"]),  # the mean over time is zero by construction
            helper.make_node("ReduceMean", ["loudness"], ["mean"], axes=[1], keepdims=0),
            helper.make_node("MatMul", ["mean", "weights"], ["output"]),
        ],
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, "T", 80])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 192])],
        {"weights": draws.normal(0.0, 0.5, (80, 192)).astype(np.float32)},
    )


def _random_state(layout: layouts.Layout, draws: torch.Generator) -> dict[str, Tensor]:
    """Weights at about the scale of a freshly built network, so that nothing vanishes or overflows."""
    state: dict[str, Tensor] = {}
    for key, shape in layout.items():
        noise = torch.randn(shape, generator=draws)
        if key.endswith(("layernorm.weight", "norm.weight", "alpha")):
            state[key] = 1.0 + 0.1 * noise
        elif key.endswith("original0"):
            state[key] = 0.6 + 0.05 * noise
        elif key.endswith("bias"):
            state[key] = 0.05 * noise
        elif "embed" in key and len(shape) == 2 and shape[0] > 500:
            state[key] = 0.5 * noise
        else:
            fan_in = noise[0].numel() if noise.dim() > 1 else 1
            state[key] = noise / fan_in**0.5
    return state


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
