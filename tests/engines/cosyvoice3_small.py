"""A small random CosyVoice 3 in the published layout: the one that config/mini.yaml trains."""

from replikk.corpus.small_model import (
    FLOW,
    LANGUAGE_MODEL,
    MERGES,
    VOCODER,
    SmallStates,
    byte_symbols,
    make_small_model,
    qwen_config,
    small_states,
    write_onnx_models,
    write_tokenizer,
)

__all__ = [
    "FLOW",
    "LANGUAGE_MODEL",
    "MERGES",
    "VOCODER",
    "SmallStates",
    "byte_symbols",
    "make_small_model",
    "qwen_config",
    "small_states",
    "write_onnx_models",
    "write_tokenizer",
]
