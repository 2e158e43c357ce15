"""CosyVoice 3 at its published size with random weights: what the benchmark speaks with instead of the download.

How long a network takes does not depend on what its weights are, so none are needed: they are drawn in memory, one
network after the other, in the published layout. What is drawn keeps numbers in the range of a trained network (the
variance of a signal stays what it is from layer to layer, the pitch is that of a voice, the best few of the 6,561
tokens have most of the probability), so that errors of bf16 can be stated; they remain errors on random weights.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from replikk.engines.cosyvoice3 import checkpoint_layout as layouts
from replikk.engines.cosyvoice3.checkpoint_files import read_flow, read_language_model, read_vocoder
from replikk.engines.cosyvoice3.flow import Flow
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.networks import DTYPES, Networks
from replikk.engines.cosyvoice3.records import FRAMES_PER_TOKEN, ReferenceFeatures
from replikk.engines.cosyvoice3.sizes import FlowSizes, LanguageModelSizes, VocoderSizes
from replikk.engines.cosyvoice3.vocoder import Vocoder

State = dict[str, Tensor]


@dataclass(frozen=True)
class ModelSizes:
    """The three networks."""

    language_model: LanguageModelSizes
    flow: FlowSizes
    vocoder: VocoderSizes


PUBLISHED = ModelSizes(
    LanguageModelSizes(
        hidden=896, layers=24, heads=14, kv_heads=2, head_dim=64, intermediate=4864, text_vocabulary=151_936,
        speech_head=6761, rope_theta=1e6, rms_eps=1e-6,
    ),
    FlowSizes(
        speech_vocabulary=6561, mel_bins=80, speaker=192, lookahead_channels=1024, lookahead_kernel=4,
        lookahead_second_kernel=3, hidden=1024, blocks=22, heads=16, head_dim=64, feed_forward=2048, time_features=256,
        position_kernel=31, position_groups=16,
    ),
    VocoderSizes(
        mel_bins=80, base_channels=512, stage_channels=(256, 128, 64), upsample_rates=(8, 5, 3),
        upsample_kernels=(16, 11, 7), source_kernels=(30, 6, 1), source_strides=(15, 3, 1),
        source_block_kernels=(7, 7, 11), block_kernels=(3, 7, 11), dilations=3, pre_kernel=5, post_kernel=7,
        harmonics=9, n_fft=16, stft_hop=4, f0_channels=512, f0_kernels=(4, 3, 3, 3, 3),
    ),
)  # fmt: skip
"""Fun-CosyVoice3-0.5B-2512: Qwen2-0.5B (its config.json) with two tables of 6,761 rows; the rest by cosyvoice3.yaml.
``check_published_sizes`` holds them against the sizes of the published files."""

PUBLISHED_FILE_BYTES = (2_024_669_519, 1_329_116_148, 83_202_622)
"""llm.pt, flow.pt, hift.pt on the hub: float32 weights and some 80 kB of names."""

SMALL = ModelSizes(
    LanguageModelSizes(
        hidden=64, layers=24, heads=4, kv_heads=2, head_dim=16, intermediate=96, text_vocabulary=640, speech_head=6761,
        rope_theta=1e6, rms_eps=1e-6,
    ),
    FlowSizes(
        speech_vocabulary=6561, mel_bins=80, speaker=192, lookahead_channels=48, lookahead_kernel=4,
        lookahead_second_kernel=3, hidden=64, blocks=22, heads=2, head_dim=16, feed_forward=96, time_features=256,
        position_kernel=31, position_groups=16,
    ),
    VocoderSizes(
        mel_bins=80, base_channels=32, stage_channels=(16, 8, 4), upsample_rates=(8, 5, 3),
        upsample_kernels=(16, 11, 7), source_kernels=(30, 6, 1), source_strides=(15, 3, 1),
        source_block_kernels=(7, 7, 11), block_kernels=(3, 7, 11), dilations=3, pre_kernel=5, post_kernel=7,
        harmonics=9, n_fft=16, stft_hop=4, f0_channels=24, f0_kernels=(4, 3, 3, 3, 3),
    ),
)  # fmt: skip
"""As deep as the published one and next to nothing to compute: what remains is the time of Python and of starting
kernels."""

LOGIT_SPREAD = 8.0
"""Standard deviation of the language model's logits: the best few of 6,561 normal draws then share the probability."""
PITCH_HZ = 180.0
PITCH_SPREAD_HZ = 30.0
QUIET_LOG_MAGNITUDE = -3.0
"""Bias of the vocoder's magnitudes; keeps the sound below full scale."""
REFERENCE_MEL = (-6.0, 2.0)
"""Mean and standard deviation of the natural-log mel of speech."""
TRANSCRIPT_IDS_PER_SECOND = 8
"""Text tokens of a transcript: about 25 for 3 s, which is also what Norwegian takes."""
SYLLABLES_PER_SECOND = 4.4
"""Of a line's text, one id each; under the 4.6 by which the engine would cut a line of 12 s."""
ROTARY_BASE = 10_000.0


def check_published_sizes() -> None:
    """Raises AssertionError if the sizes above do not give files of the published lengths."""
    sizes = PUBLISHED
    language_model = layouts.language_model_layout(sizes.language_model)
    del language_model[layouts.LM_HEAD]  # tied: no bytes of its own
    found = (language_model, layouts.flow_layout(sizes.flow), layouts.vocoder_layout(sizes.vocoder))
    for layout, expected in zip(found, PUBLISHED_FILE_BYTES, strict=True):
        names_bytes = expected - 4 * sum(math.prod(shape) for shape in layout.values())
        assert 0 < names_bytes < 100_000, names_bytes


def random_state(layout: layouts.Layout, seed: int) -> State:
    """Weights for a layout, float32: uniform with variance 1 / inputs, norms 1."""
    draws = torch.Generator().manual_seed(seed)
    state: State = {}
    for key, shape in layout.items():
        if key.endswith(("norm.weight", ".alpha")) and len(shape) == 1:
            state[key] = torch.ones(shape)
        elif key.endswith("rotary_embed.inv_freq"):
            state[key] = ROTARY_BASE ** -(torch.arange(shape[0]) / shape[0])
        else:
            limit = math.sqrt(3 / math.prod(shape[1:])) if len(shape) > 1 else 0.05
            state[key] = torch.empty(shape).uniform_(-limit, limit, generator=draws)
    for key in [key for key in state if key.endswith(".original0")]:
        state[key] = state[key.removesuffix("0") + "1"].norm(dim=(1, 2), keepdim=True)  # the drawn weights as they are
    return state


def language_model_state(sizes: LanguageModelSizes) -> State:
    layout = layouts.language_model_layout(sizes)
    del layout[layouts.LM_HEAD]
    state = random_state(layout, 1)
    state["llm_decoder.weight"] *= LOGIT_SPREAD
    return state


def flow_state(sizes: FlowSizes) -> State:
    return random_state(layouts.flow_layout(sizes), 2)


def vocoder_state(sizes: VocoderSizes) -> State:
    state = random_state(layouts.vocoder_layout(sizes), 3)
    state["f0_predictor.classifier.weight"] *= PITCH_SPREAD_HZ
    state["f0_predictor.classifier.bias"].fill_(PITCH_HZ)
    state["conv_post.parametrizations.weight.original0"] *= 0.3
    state["conv_post.bias"][: sizes.n_fft // 2 + 1] = QUIET_LOG_MAGNITUDE
    return state


class RandomIds:
    """Stands for the text tokenizer, whose vocabulary is not here either: as many ids as a text has syllables.

    Tokenizing takes a tenth of a millisecond a line and is not measured.
    """

    def __init__(self, text_vocabulary: int) -> None:
        self.size = text_vocabulary

    def encode(self, text: str) -> list[int]:
        """Some ids, the same for the same text."""
        first = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")
        return [(first + 7919 * place) % self.size for place in range(len(text.split()))]

    encode_speech = encode


@dataclass(frozen=True)
class Loaded:
    """Networks, and the seconds it took from their states to networks that can speak."""

    networks: Networks
    load_s: float
    weight_bytes: int


def load(sizes: ModelSizes, precision: str, device: torch.device, folder: Path | None = None) -> Loaded:
    """The networks, ready to speak. With a ``folder`` they are read from ``llm.pt``, ``flow.pt`` and ``hift.pt`` there,
    which are written first if they are missing; reading then counts as loading. Without, drawing does not count."""
    dtype = DTYPES[precision]
    if folder is not None:
        write_missing(folder, sizes)

    def language_model(state: State) -> LanguageModel:
        network = LanguageModel(sizes.language_model, dtype, device)
        network.load_state(state)
        return network.pack()

    def flow(state: State) -> Flow:
        network = Flow(sizes.flow, device=device, matmul_dtype=dtype)
        network.load_state(state)
        return network

    def vocoder(state: State) -> Vocoder:
        network = Vocoder(sizes.vocoder, device=device)
        network.load_state(state)
        return network

    states: list[Callable[[], State]]
    if folder is None:
        states = [
            lambda: language_model_state(sizes.language_model),
            lambda: flow_state(sizes.flow),
            lambda: vocoder_state(sizes.vocoder),
        ]
    else:
        states = [
            lambda: read_language_model(folder / "llm.pt", config(sizes.language_model)).state,
            lambda: read_flow(folder / "flow.pt").state,
            lambda: read_vocoder(folder / "hift.pt").state,
        ]
    networks: list[Any] = []
    load_s = 0.0
    for state_of, network_of in zip(states, (language_model, flow, vocoder), strict=True):
        drawn = state_of() if folder is None else None
        started = time.perf_counter()
        networks.append(network_of(state_of() if drawn is None else drawn))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        load_s += time.perf_counter() - started
        del drawn
    tokenizer: Any = RandomIds(sizes.language_model.text_vocabulary)
    return Loaded(Networks(tokenizer, *networks), load_s, weight_bytes(sizes, dtype.itemsize))


def weight_bytes(sizes: ModelSizes, element_bytes: int) -> int:
    """What the networks keep: all of the language model without text head, the flow without its time layers."""
    llm = sizes.language_model
    language_model = layouts.language_model_layout(llm)
    del language_model[layouts.LM_HEAD]
    matrices = sum(math.prod(shape) for shape in language_model.values()) * element_bytes
    float32_extra = 2 * llm.speech_head * llm.hidden * (4 - element_bytes)  # speech embedding and head stay float32
    flow = sum(math.prod(s) for key, s in layouts.flow_layout(sizes.flow).items() if ".linear." not in key)
    vocoder = sum(math.prod(shape) for shape in layouts.vocoder_layout(sizes.vocoder).values())
    return matrices + float32_extra + flow * element_bytes + vocoder * 4


def config(sizes: LanguageModelSizes) -> dict[str, float]:
    """What CosyVoice-BlankEN/config.json says and shapes do not."""
    return {
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.kv_heads,
        "rope_theta": sizes.rope_theta,
        "rms_norm_eps": sizes.rms_eps,
    }


def write_missing(folder: Path, sizes: ModelSizes) -> None:
    """Writes the weight files that are not in ``folder``, 3.4 GB at the published size."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "llm.pt").exists():
        torch.save(language_model_state(sizes.language_model), folder / "llm.pt")
    if not (folder / "flow.pt").exists():
        torch.save(flow_state(sizes.flow), folder / "flow.pt")
    if not (folder / "hift.pt").exists():
        state = vocoder_state(sizes.vocoder)
        torch.save({f"generator.{key}": tensor for key, tensor in state.items()}, folder / "hift.pt")


def random_reference(sizes: ModelSizes, seconds: float) -> ReferenceFeatures:
    """A recording of that length as the networks see it."""
    draws = torch.Generator().manual_seed(4)
    tokens = round(25 * seconds)
    mean, spread = REFERENCE_MEL
    words = round(TRANSCRIPT_IDS_PER_SECOND * seconds)
    return ReferenceFeatures(
        speech_tokens=torch.randint(0, sizes.flow.speech_vocabulary, (tokens,), generator=draws, dtype=torch.int32),
        mel=mean + spread * torch.randn(FRAMES_PER_TOKEN * tokens, sizes.flow.mel_bins, generator=draws),
        speaker=torch.randn(sizes.flow.speaker, generator=draws),
        transcript=" ".join(["ta"] * words),
    )


def line_text(seconds: float) -> str:
    """A text that takes about so long to say, and is never cut into pieces."""
    return " ".join(["ta"] * max(1, round(SYLLABLES_PER_SECOND * seconds))) + "."


def lengths_of_script(lines: int, seconds: Sequence[float]) -> list[float]:
    """Lengths in seconds, whole tokens: all alike, or spread evenly in logarithm between two bounds, in mixed order."""
    low, high = seconds[0], seconds[-1]
    spread = [low * (high / low) ** ((place + 0.5) / lines) for place in range(lines)]
    order = torch.randperm(lines, generator=torch.Generator().manual_seed(5)).tolist()
    return [max(1, round(25 * spread[place])) / 25 for place in order]
