"""The sizes of the three networks, read from the shapes of their weights.

Nothing in this engine is hard-wired to the published model: a small random model in the same layout goes through the
same code. What shapes cannot tell (how many heads share a projection of the language model, the base of its rotary
embedding) comes from ``CosyVoice-BlankEN/config.json``; what neither can tell (strides of the vocoder) follows from
rules that hold for this family and is derived here, in one place.

Only names and shapes are looked at, so a memory-mapped file costs nothing. A mapping that lacks a key, or has it in
another rank, is an EngineError naming file and key.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from replikk.errors import EngineError

EXTRA_SPEECH_IDS = 200
"""Rows of the speech embedding past the codebook: sos, eos, task, fill, and 196 that nothing uses."""

MEL_HOP_SAMPLES = 480
"""One mel frame is 20 ms at 24 kHz."""

LLM_LAYERS_PREFIX = "llm.model.model.layers."
FLOW_BLOCKS_PREFIX = "decoder.estimator.transformer_blocks."


@dataclass(frozen=True)
class LanguageModelSizes:
    """Text and speech tokens in, speech tokens out: a Qwen2 decoder with a second embedding and head."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    text_vocabulary: int
    """Rows of the text embedding; the tokenizer may be shorter."""
    speech_head: int
    """Rows of the speech embedding and of its head: codebook + 200."""
    rope_theta: float
    rms_eps: float

    @property
    def speech_vocabulary(self) -> int:
        """Size of the codebook; ids from here on end a line."""
        return self.speech_head - EXTRA_SPEECH_IDS

    @property
    def start_id(self) -> int:
        return self.speech_vocabulary

    @property
    def end_id(self) -> int:
        return self.speech_vocabulary + 1

    @property
    def task_id(self) -> int:
        return self.speech_vocabulary + 2

    @property
    def fill_id(self) -> int:
        return self.speech_vocabulary + 3


@dataclass(frozen=True)
class FlowSizes:
    """Speech tokens in, mel frames out: a diffusion transformer (DiT)."""

    speech_vocabulary: int
    mel_bins: int
    speaker: int
    """Length of the speaker embedding."""
    lookahead_channels: int
    lookahead_kernel: int
    """Kernel of the convolution that looks to the right: look-ahead tokens + 1."""
    lookahead_second_kernel: int
    hidden: int
    blocks: int
    heads: int
    head_dim: int
    """``heads * head_dim`` need not be ``hidden``."""
    feed_forward: int
    time_features: int
    """Sines and cosines that stand for the time of the solver."""
    position_kernel: int
    position_groups: int


@dataclass(frozen=True)
class VocoderSizes:
    """Mel frames in, sound out."""

    mel_bins: int
    base_channels: int
    stage_channels: tuple[int, ...]
    upsample_rates: tuple[int, ...]
    upsample_kernels: tuple[int, ...]
    source_kernels: tuple[int, ...]
    source_strides: tuple[int, ...]
    source_block_kernels: tuple[int, ...]
    """One source block a stage."""
    block_kernels: tuple[int, ...]
    """Kernels of the blocks of one stage, whose mean is taken; the same at every stage."""
    dilations: int
    """Pairs of convolutions in a block."""
    pre_kernel: int
    post_kernel: int
    harmonics: int
    """Sines of the source, the fundamental included."""
    n_fft: int
    stft_hop: int
    f0_channels: int
    f0_kernels: tuple[int, ...]


def language_model_sizes(
    state: Mapping[str, Tensor], config: Mapping[str, Any], file: str = "llm.pt"
) -> LanguageModelSizes:
    """Sizes of the language model; ``config`` is the Qwen2 ``config.json``.

    Raises EngineError naming ``file`` where a weight is missing, or weights and configuration disagree.
    """
    text_vocabulary, hidden = _shape(state, "llm.model.model.embed_tokens.weight", 2, file)
    speech_head = _shape(state, "speech_embedding.weight", 2, file)[0]
    layers = count_parts(state, LLM_LAYERS_PREFIX)
    first = f"{LLM_LAYERS_PREFIX}0."
    q_width = _shape(state, first + "self_attn.q_proj.weight", 2, file)[0]
    kv_width = _shape(state, first + "self_attn.k_proj.weight", 2, file)[0]
    intermediate = _shape(state, first + "mlp.gate_proj.weight", 2, file)[0]
    heads = _positive(config, "num_attention_heads")
    kv_heads = _positive(config, "num_key_value_heads", heads)
    head_dim = q_width // heads
    for name, width, count in (("q_proj", q_width, heads), ("k_proj", kv_width, kv_heads)):
        if not head_dim or width != count * head_dim or head_dim % 2 or heads % kv_heads:
            raise EngineError(
                f"{file}: {name} has {width} rows, which does not fit {heads} heads and {kv_heads} key heads of "
                "CosyVoice-BlankEN/config.json; take both from the same download"
            )
    for key, found in (("hidden_size", hidden), ("num_hidden_layers", layers), ("intermediate_size", intermediate)):
        if _positive(config, key, found) != found:
            raise EngineError(
                f"{file}: {key} is {found} by the weights and {config[key]} by CosyVoice-BlankEN/config.json; "
                "take both from the same download"
            )
    if speech_head <= EXTRA_SPEECH_IDS:
        raise EngineError(
            f"{file}: speech_embedding.weight has {speech_head} rows, and CosyVoice 3 has {EXTRA_SPEECH_IDS} more than "
            "speech tokens; download llm.pt again"
        )
    return LanguageModelSizes(
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate=intermediate,
        text_vocabulary=text_vocabulary,
        speech_head=speech_head,
        rope_theta=_rope_theta(config),
        rms_eps=_number(config, "rms_norm_eps", 1e-6),
    )


def flow_sizes(state: Mapping[str, Tensor], file: str = "flow.pt") -> FlowSizes:
    """Sizes of the flow. Raises EngineError naming ``file`` where a weight is missing or does not fit."""
    estimator = "decoder.estimator."
    speech_vocabulary, mel_bins = _shape(state, "input_embedding.weight", 2, file)
    lookahead = _shape(state, "pre_lookahead_layer.conv1.weight", 3, file)
    position = _shape(state, estimator + "input_embed.conv_pos_embed.conv1.0.weight", 3, file)
    first = f"{FLOW_BLOCKS_PREFIX}0."
    attention = _shape(state, first + "attn.to_q.weight", 2, file)[0]
    hidden = _shape(state, estimator + "proj_out.weight", 2, file)[1]
    head_dim = 2 * _shape(state, estimator + "rotary_embed.inv_freq", 1, file)[0]
    if not head_dim or attention % head_dim:
        raise EngineError(
            f"{file}: attn.to_q has {attention} rows, not a multiple of the {head_dim} rotated channels of one head; "
            "download flow.pt again"
        )
    if position[0] != hidden or not position[1] or hidden % position[1]:
        raise EngineError(
            f"{file}: conv_pos_embed.conv1.0.weight is {list(position)}, which does not divide {hidden} channels into "
            "groups; download flow.pt again"
        )
    return FlowSizes(
        speech_vocabulary=speech_vocabulary,
        mel_bins=mel_bins,
        speaker=_shape(state, "spk_embed_affine_layer.weight", 2, file)[1],
        lookahead_channels=lookahead[0],
        lookahead_kernel=lookahead[2],
        lookahead_second_kernel=_shape(state, "pre_lookahead_layer.conv2.weight", 3, file)[2],
        hidden=hidden,
        blocks=count_parts(state, FLOW_BLOCKS_PREFIX),
        heads=attention // head_dim,
        head_dim=head_dim,
        feed_forward=_shape(state, first + "ff.ff.0.0.weight", 2, file)[0],
        time_features=_shape(state, estimator + "time_embed.time_mlp.0.weight", 2, file)[1],
        position_kernel=position[2],
        position_groups=hidden // position[1],
    )


def vocoder_sizes(state: Mapping[str, Tensor], file: str = "hift.pt") -> VocoderSizes:
    """Sizes of the vocoder, keys without ``generator.``, weight norm under its new or its old names.

    Raises EngineError naming ``file`` where a weight is missing or does not fit.
    """
    stages = count_parts(state, "ups.")
    ups = [_shape(state, weight_norm_keys(state, f"ups.{i}")[1], 3, file) for i in range(stages)]
    downs = [_shape(state, f"source_downs.{i}.weight", 3, file) for i in range(stages)]
    pre = _shape(state, weight_norm_keys(state, "conv_pre")[1], 3, file)
    post = _shape(state, weight_norm_keys(state, "conv_post")[1], 3, file)
    spectrum = post[0]  # real and imaginary part, or magnitude and phase: 2 * (n_fft / 2 + 1)
    n_fft = spectrum - 2
    stft_hop = n_fft // 4
    # A strided convolution of this family is two strides wide; where nothing is left to skip its kernel is 1.
    strides = [max(1, down[2] // 2) for down in downs]
    rates = [MEL_HOP_SAMPLES // max(1, stft_hop * strides[0])] if strides else []
    rates += [before // after for before, after in itertools.pairwise(strides)]
    product = stft_hop
    for rate in rates:
        product *= rate
    blocks_total = count_parts(state, "resblocks.")
    if not stages or product != MEL_HOP_SAMPLES or blocks_total % stages or spectrum % 2 or strides[-1] != 1:
        raise EngineError(
            f"{file}: the upsampling stages do not make {MEL_HOP_SAMPLES} samples of a mel frame (kernels "
            f"{[up[2] for up in ups]}, source {[down[2] for down in downs]}); it is no CosyVoice 3 vocoder, "
            "download hift.pt again"
        )
    f0 = _shape(state, weight_norm_keys(state, "f0_predictor.condnet.0")[1], 3, file)
    return VocoderSizes(
        mel_bins=pre[1],
        base_channels=pre[0],
        stage_channels=tuple(up[0] for up in ups),
        upsample_rates=tuple(rates),
        upsample_kernels=tuple(up[2] for up in ups),
        source_kernels=tuple(down[2] for down in downs),
        source_strides=tuple(strides),
        source_block_kernels=tuple(_block_kernel(state, f"source_resblocks.{i}", file) for i in range(stages)),
        block_kernels=tuple(_block_kernel(state, f"resblocks.{i}", file) for i in range(blocks_total // stages)),
        dilations=count_parts(state, "resblocks.0.convs1."),
        pre_kernel=pre[2],
        post_kernel=post[2],
        harmonics=_shape(state, "m_source.l_linear.weight", 2, file)[1],
        n_fft=n_fft,
        stft_hop=stft_hop,
        f0_channels=f0[0],
        f0_kernels=tuple(
            _shape(state, weight_norm_keys(state, f"f0_predictor.condnet.{2 * i}")[1], 3, file)[2]
            for i in range(count_parts(state, "f0_predictor.condnet."))
        ),
    )


def weight_norm_keys(state: Mapping[str, Tensor], name: str) -> tuple[str, str]:
    """The keys of gain and direction of a weight-normed convolution, under whichever names ``state`` has them."""
    if f"{name}.weight_v" in state:
        return f"{name}.weight_g", f"{name}.weight_v"
    return f"{name}.parametrizations.weight.original0", f"{name}.parametrizations.weight.original1"


def count_parts(state: Mapping[str, Tensor], prefix: str) -> int:
    """How many numbered parts a list of modules has: different numbers right after ``prefix``."""
    return len({key[len(prefix) :].split(".", 1)[0] for key in state if key.startswith(prefix)})


def _block_kernel(state: Mapping[str, Tensor], name: str, file: str) -> int:
    return _shape(state, weight_norm_keys(state, f"{name}.convs1.0")[1], 3, file)[2]


def _shape(state: Mapping[str, Tensor], key: str, rank: int, file: str) -> tuple[int, ...]:
    if key not in state:
        raise EngineError(f"{file}: has no '{key}'; it is not this part of CosyVoice 3, or a damaged file: download it")
    shape = tuple(state[key].shape)
    if len(shape) != rank or 0 in shape:
        raise EngineError(f"{file}: '{key}' is {list(shape)}, not {rank}-dimensional weights; download the file again")
    return shape


def _rope_theta(config: Mapping[str, Any]) -> float:
    """Base of the rotary embedding: a key of its own, or in ``rope_parameters`` as newer files write it."""
    nested = config.get("rope_parameters")
    if isinstance(nested, Mapping) and "rope_theta" in nested:
        return _number(nested, "rope_theta", 1e6)
    return _number(config, "rope_theta", 1e6)  # the published model's, from its specification


def _positive(config: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise EngineError(
            f"CosyVoice-BlankEN/config.json: {key} must be a whole number above 0, not {value!r:.40}; download the "
            "folder CosyVoice-BlankEN again"
        )
    return value


def _number(config: Mapping[str, Any], key: str, default: float) -> float:
    value = config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise EngineError(
            f"CosyVoice-BlankEN/config.json: {key} must be a number above 0, not {value!r:.40}; download the folder "
            "CosyVoice-BlankEN again"
        )
    return float(value)
