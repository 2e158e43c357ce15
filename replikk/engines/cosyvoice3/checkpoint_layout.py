"""The keys and shapes that a checkpoint of given sizes must have, and what a file with other keys probably is.

The layouts are generated from the sizes, not stored: the same code checks the published files, small models of tests
and a future model of another size. ``recognise`` looks at names alone, so that a wrong file under a right name is
called by what it is ("these are flow weights") before anything else is said about it.

Language model: Qwen2 under ``llm.model.``, a speech embedding and a speech head. Its ``llm.model.lm_head.weight`` is
tied to the text embedding and never computed here; files have it or not, both are whole. Vocoder: weight norm has two
spellings (``parametrizations.weight.original0/1`` and the older ``weight_g``/``weight_v``); both load.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

from replikk.engines.cosyvoice3.sizes import (
    FLOW_BLOCKS_PREFIX,
    LLM_LAYERS_PREFIX,
    FlowSizes,
    LanguageModelSizes,
    VocoderSizes,
)

Layout = dict[str, tuple[int, ...]]

LM_HEAD = "llm.model.lm_head.weight"
TEXT_EMBEDDING = "llm.model.model.embed_tokens.weight"

COSYVOICE_2_KEYS = ("llm_embedding.weight", "llm_decoder.bias")
"""In the language model of CosyVoice 2 and of no CosyVoice 3."""

TRAINER_ENTRIES = ("epoch", "step")
"""Counters that the published trainer writes between the weights."""


def language_model_layout(sizes: LanguageModelSizes) -> Layout:
    """The 293 keys (at 24 layers) of ``llm.pt``, the tied ``LM_HEAD`` included."""
    hidden, kv_width, q_width = sizes.hidden, sizes.kv_heads * sizes.head_dim, sizes.heads * sizes.head_dim
    layout: Layout = {TEXT_EMBEDDING: (sizes.text_vocabulary, hidden)}
    for number in range(sizes.layers):
        layer = f"{LLM_LAYERS_PREFIX}{number}."
        layout[f"{layer}input_layernorm.weight"] = (hidden,)
        for name, width in (("q_proj", q_width), ("k_proj", kv_width), ("v_proj", kv_width)):
            layout[f"{layer}self_attn.{name}.weight"] = (width, hidden)
            layout[f"{layer}self_attn.{name}.bias"] = (width,)
        layout[f"{layer}self_attn.o_proj.weight"] = (hidden, q_width)
        layout[f"{layer}post_attention_layernorm.weight"] = (hidden,)
        layout[f"{layer}mlp.gate_proj.weight"] = (sizes.intermediate, hidden)
        layout[f"{layer}mlp.up_proj.weight"] = (sizes.intermediate, hidden)
        layout[f"{layer}mlp.down_proj.weight"] = (hidden, sizes.intermediate)
    layout["llm.model.model.norm.weight"] = (hidden,)
    layout[LM_HEAD] = (sizes.text_vocabulary, hidden)
    layout["llm_decoder.weight"] = (sizes.speech_head, hidden)
    layout["speech_embedding.weight"] = (sizes.speech_head, hidden)
    return layout


def projections(layers: int) -> tuple[str, ...]:
    """The modules that a LoRA may adapt: seven a layer, 168 at full size."""
    names = (*(f"self_attn.{name}_proj" for name in "qkvo"), *(f"mlp.{name}_proj" for name in ("gate", "up", "down")))
    return tuple(f"{LLM_LAYERS_PREFIX}{number}.{name}" for number in range(layers) for name in names)


def flow_layout(sizes: FlowSizes) -> Layout:
    """The 330 keys (at 22 blocks) of ``flow.pt``."""
    mel, hidden, attention = sizes.mel_bins, sizes.hidden, sizes.heads * sizes.head_dim
    estimator = "decoder.estimator."
    layout: Layout = {"input_embedding.weight": (sizes.speech_vocabulary, mel)}
    layout |= _with_bias("spk_embed_affine_layer", (mel, sizes.speaker))
    layout |= _with_bias("pre_lookahead_layer.conv1", (sizes.lookahead_channels, mel, sizes.lookahead_kernel))
    layout |= _with_bias("pre_lookahead_layer.conv2", (mel, sizes.lookahead_channels, sizes.lookahead_second_kernel))
    layout |= _with_bias(f"{estimator}time_embed.time_mlp.0", (hidden, sizes.time_features))
    layout |= _with_bias(f"{estimator}time_embed.time_mlp.2", (hidden, hidden))
    layout |= _with_bias(f"{estimator}input_embed.proj", (hidden, 4 * mel))  # noisy mel, prompt, tokens, speaker
    for number in (1, 2):
        shape = (hidden, hidden // sizes.position_groups, sizes.position_kernel)
        layout |= _with_bias(f"{estimator}input_embed.conv_pos_embed.conv{number}.0", shape)
    layout[f"{estimator}rotary_embed.inv_freq"] = (sizes.head_dim // 2,)
    for number in range(sizes.blocks):
        block = f"{FLOW_BLOCKS_PREFIX}{number}."
        layout |= _with_bias(f"{block}attn_norm.linear", (6 * hidden, hidden))
        for name in ("to_q", "to_k", "to_v"):
            layout |= _with_bias(f"{block}attn.{name}", (attention, hidden))
        layout |= _with_bias(f"{block}attn.to_out.0", (hidden, attention))
        layout |= _with_bias(f"{block}ff.ff.0.0", (sizes.feed_forward, hidden))
        layout |= _with_bias(f"{block}ff.ff.2", (hidden, sizes.feed_forward))
    layout |= _with_bias(f"{estimator}norm_out.linear", (2 * hidden, hidden))
    layout |= _with_bias(f"{estimator}proj_out", (mel, hidden))
    return layout


def vocoder_layout(sizes: VocoderSizes, old_weight_norm: bool = False) -> Layout:
    """The 328 keys of ``hift.pt``, without ``generator.``; ``old_weight_norm``: with ``weight_g`` and ``weight_v``."""
    spectrum, kernels = sizes.n_fft + 2, sizes.block_kernels
    layout: Layout = {}

    def normed(name: str, shape: tuple[int, ...]) -> None:
        gain, direction = ("weight_g", "weight_v") if old_weight_norm else ("original0", "original1")
        path = name if old_weight_norm else f"{name}.parametrizations.weight"
        layout[f"{name}.bias"] = shape[:1]
        layout[f"{path}.{gain}"] = (shape[0], 1, 1)
        layout[f"{path}.{direction}"] = shape

    def residual_block(name: str, channels: int, kernel: int) -> None:
        for half in (1, 2):
            for number in range(sizes.dilations):
                normed(f"{name}.convs{half}.{number}", (channels, channels, kernel))
                layout[f"{name}.activations{half}.{number}.alpha"] = (channels,)

    layout |= _with_bias("m_source.l_linear", (1, sizes.harmonics))
    normed("conv_pre", (sizes.base_channels, sizes.mel_bins, sizes.pre_kernel))
    before = sizes.base_channels
    for stage, channels in enumerate(sizes.stage_channels):
        normed(f"ups.{stage}", (channels, before, sizes.upsample_kernels[stage]))
        layout |= _with_bias(f"source_downs.{stage}", (channels, spectrum, sizes.source_kernels[stage]))
        residual_block(f"source_resblocks.{stage}", channels, sizes.source_block_kernels[stage])
        for number, kernel in enumerate(kernels):
            residual_block(f"resblocks.{stage * len(kernels) + number}", channels, kernel)
        before = channels
    normed("conv_post", (spectrum, before, sizes.post_kernel))
    channels = sizes.mel_bins
    for number, kernel in enumerate(sizes.f0_kernels):
        normed(f"f0_predictor.condnet.{2 * number}", (sizes.f0_channels, channels, kernel))  # an activation between
        channels = sizes.f0_channels
    layout |= _with_bias("f0_predictor.classifier", (1, sizes.f0_channels))
    return layout


def recognise(keys: Iterable[str]) -> str:
    """What weights with these keys are, in words: ``""`` for nothing that is known."""
    known = set(keys)
    if any(key.endswith(COSYVOICE_2_KEYS) for key in known):
        return "the language model of CosyVoice 2"
    if any(".lora_A." in key or ".lora_B." in key for key in known):
        return "a LoRA adapter, or weights with one inside"
    if "speech_embedding.weight" in known:
        return "a CosyVoice 3 language model"
    if "decoder.estimator.rotary_embed.inv_freq" in known or any(key.startswith(FLOW_BLOCKS_PREFIX) for key in known):
        return "a CosyVoice 3 flow"
    if any(key.startswith("decoder.estimator.") for key in known):
        return "a flow of CosyVoice 1 or 2"
    if any(key.removeprefix("generator.").startswith("f0_predictor.condnet.") for key in known):
        return "a vocoder"
    if "model.embed_tokens.weight" in known:
        return "a bare Qwen2 language model (CosyVoice-BlankEN/model.safetensors?)"
    return ""


def first_difference(layout: Layout, state: Mapping[str, Tensor], shown: int = 3) -> str:
    """Where ``state`` and ``layout`` differ, in words, the first keys of each kind; ``""`` where they agree.

    ``LM_HEAD`` may be missing: it is tied to the text embedding.
    """
    missing = [key for key in layout if key not in state and key != LM_HEAD]
    unexpected = [key for key in state if key not in layout]
    wrong = [
        f"{key} {list(state[key].shape)} instead of {list(shape)}"
        for key, shape in layout.items()
        if key in state and tuple(state[key].shape) != shape
    ]
    parts = [
        f"{len(found)} {what}: {', '.join(found[:shown])}{' …' if len(found) > shown else ''}"
        for what, found in (("missing", missing), ("not of this model", unexpected), ("of another shape", wrong))
        if found
    ]
    return "; ".join(parts)


def _with_bias(name: str, shape: tuple[int, ...]) -> Layout:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
