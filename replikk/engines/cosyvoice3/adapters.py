"""LoRA adapters and fine-tuned language models in every layout in use, read into one form.

How a file's keys look depends on what PEFT was wrapped around and on what was saved; the published recipe adds a
merged file with two counters between the weights. A loader that ignores unknown keys therefore loads nothing and says
nothing. Here every key must find its place in the base model, or the file is refused:

1. wrappers around everything (``module.`` of DistributedDataParallel) are taken off;
2. the end of a key tells what it is: LoRA factor, DoRA magnitude, weight under a LoRA (``base_layer``), saved module,
   or plain weight;
3. what remains is a module's path: without ``base_model.model.``, and with the part of the base model's path that lies
   above what was wrapped, it is one of the base model's, or the key does not belong.

A file without factors, or with the weights under them, is a whole model and must have every key of one. Adapters alone
must cover each projection that they touch in every layer: half a file is no voice. ``merging`` puts the result into
the base weights.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from replikk.engines.cosyvoice3 import checkpoint_layout as layouts
from replikk.engines.cosyvoice3.adapter_config import NAME as CONFIG_NAME
from replikk.engines.cosyvoice3.adapter_config import AdapterConfig, read_adapter_config
from replikk.engines.cosyvoice3.adapter_paths import adapter_files
from replikk.engines.cosyvoice3.checkpoint_files import check_layout, check_values, read_checkpoint, without_wrappers
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes
from replikk.errors import EngineError, printable

_FINAL_NORM = "llm.model.model.norm.weight"
_WRAPPED = "base_model.model."
_ABOVE = ("", "llm.", "llm.model.", "llm.model.model.")
"""What lies above the wrapped module: the whole model, its encoder, Qwen2ForCausalLM, Qwen2Model."""

_FACTOR = re.compile(r"(.+)\.lora_(A|B)(?:\.([^.]+))?\.weight")
_EMBEDDING_FACTOR = re.compile(r"(.+)\.lora_embedding_(A|B)(?:\.([^.]+))?")
_MAGNITUDE = re.compile(r"(.+)\.lora_(magnitude)_vector(?:\.(?!weight$)([^.]+))?(?:\.weight)?")
_SAVED_MODULE = re.compile(r"(.+)\.modules_to_save\.([^.]+)\.(weight|bias)")


@dataclass(frozen=True)
class LowRank:
    """A change of one weight W [out, in]: ``W + scale * b @ a``; with a magnitude its rows get that length (DoRA)."""

    a: Tensor  # [rank, in]
    b: Tensor  # [out, rank]
    scale: float
    magnitude: Tensor | None = None  # [out]

    @property
    def rank(self) -> int:
        return self.a.shape[0]


@dataclass(frozen=True)
class Adapter:
    """What a file changes in the language model, by the published names."""

    path: Path
    layout: str
    """What kind of file it was, in words."""
    low_rank: dict[str, LowRank]
    """By module path, without ``.weight``."""
    replaced: dict[str, Tensor]
    """Whole weights by key, in the dtype of the file; without ``lm_head``, which is never computed."""
    counters: dict[str, int]
    """The trainer's ``epoch`` and ``step`` where the file has them."""


def read_adapter(
    path: Path, sizes: LanguageModelSizes, alpha: float | None = None, rank_stabilised: bool = False
) -> Adapter:
    """An adapter, or a fine-tuned language model, for a base model of these sizes.

    ``alpha`` and ``rank_stabilised`` stand in for ``adapter_config.json`` where a file came without one. Raises
    EngineError naming the file: keys that fit nowhere, missing parts, other shapes, no alpha, NaN.
    """
    file, *beside = adapter_files(path)
    checkpoint = read_checkpoint(file)
    tensors = without_wrappers(checkpoint.tensors)
    layout = layouts.language_model_layout(sizes)
    kind = layouts.recognise(tensors)
    if kind not in ("a LoRA adapter, or weights with one inside", "a CosyVoice 3 language model", ""):
        raise EngineError(f"{file}: is {kind}, no adapter or fine-tuned language model of CosyVoice 3; give its path")
    check_values(file, tensors)
    factors, replaced, under_adapter = _sorted_out(file, tensors, layout)
    low_rank: dict[str, LowRank] = {}
    config = None
    if factors:
        config = _config(file, beside, alpha, rank_stabilised)
        low_rank = {module: _low_rank(file, module, found, layout, config) for module, found in factors.items()}
    whole = not factors or _FINAL_NORM in replaced or under_adapter
    if whole:
        check_layout(file, replaced, layout)
    else:
        assert config is not None
        _check_coverage(file, low_rank, replaced, sizes.layers, config)
        check_layout(file, replaced, {key: shape for key, shape in layout.items() if key in replaced})
    replaced.pop(layouts.LM_HEAD, None)
    low_rank.pop(layouts.LM_HEAD.removesuffix(".weight"), None)
    words = {(True, False): "merged weights", (True, True): "full weights with a LoRA inside"}
    counters = {key: value for key, value in checkpoint.entries.items() if isinstance(value, int)}
    return Adapter(file, words.get((whole, bool(factors)), "a LoRA adapter"), low_rank, replaced, counters)


def _sorted_out(
    file: Path, tensors: Mapping[str, Tensor], layout: layouts.Layout
) -> tuple[dict[str, dict[str, Tensor]], dict[str, Tensor], bool]:
    """LoRA tensors by module and part ("A", "B", "magnitude"), plain weights by key, and whether projections are
    there with their base weights."""
    modules = {key.rpartition(".")[0] for key in layout}
    factors: dict[str, dict[str, Tensor]] = {}
    replaced: dict[str, Tensor] = {}
    strange: list[str] = []
    names: set[str] = set()
    under_adapter = False
    for key, tensor in tensors.items():
        if ".original_module." in key:
            continue  # the frozen twin of a saved module
        factor = _FACTOR.fullmatch(key) or _EMBEDDING_FACTOR.fullmatch(key) or _MAGNITUDE.fullmatch(key)
        if factor:
            module, part = _published(factor[1], modules), factor[2]
            names.add(factor[3] or "")
            if factor.re is _EMBEDDING_FACTOR and tensor.dim() == 2:
                # An embedding looks rows up: its weight is [rows, out], so its factors are those of the transpose.
                part, tensor = "AB"[part == "A"], tensor.T
            if module is None or part in factors.get(module, {}):
                strange.append(key)
            else:
                factors.setdefault(module, {})[part] = tensor
            continue
        saved = _SAVED_MODULE.fullmatch(key)
        plain = f"{saved[1]}.{saved[3]}" if saved else key.replace(".base_layer.", ".")
        name = _published(plain, layout)
        if name is None or name in replaced:
            strange.append(key)
            continue
        under_adapter = under_adapter or (".base_layer.weight" in key and "_proj." in key)
        replaced[name] = tensor
    if strange or len(names) > 1:
        if len(names) > 1:
            why = f"holds {len(names)} adapters ({printable(', '.join(sorted(names)), 80)})"
        else:
            shown = printable(", ".join(strange[:3]) + (" …" if len(strange) > 3 else ""), 400)
            why = f"{len(strange)} of its {len(tensors)} keys fit nowhere in this language model: {shown}"
        raise EngineError(f"{file}: {why}; save one adapter of Fun-CosyVoice3-0.5B-2512, or its merged weights")
    return factors, replaced, under_adapter


def _published(path: str, known: Collection[str]) -> str | None:
    """A module's path, or a key, as the base model has it."""
    rest = path.replace(_WRAPPED, "", 1)
    return next((above + rest for above in _ABOVE if above + rest in known), None)


def _config(file: Path, beside: list[Path], alpha: float | None, rank_stabilised: bool) -> AdapterConfig:
    if beside:
        config = read_adapter_config(beside[0])
        if alpha is not None and (alpha != config.alpha or rank_stabilised != config.rank_stabilised):
            raise EngineError(
                f"{beside[0]}: says alpha {config.alpha:g}, and lora_alpha or lora_rank_stabilised say something else; "
                "leave them out where the adapter brings its own"
            )
        return config
    if alpha is None:
        raise EngineError(
            f"{file}: is a LoRA without its alpha, which is in no tensor; put the {CONFIG_NAME} of its training beside "
            'it, or write one: {"peft_type": "LORA", "r": rank, "lora_alpha": alpha}'
        )
    if not 0 < alpha < 1e6:
        raise EngineError(f"{file}: lora_alpha must be a number above 0, not {alpha:g}")
    return AdapterConfig(source="lora_alpha", alpha=float(alpha), rank_stabilised=rank_stabilised)


def _low_rank(
    file: Path, module: str, found: Mapping[str, Tensor], layout: layouts.Layout, config: AdapterConfig
) -> LowRank:
    key = f"{module}.weight"
    a, b, magnitude = found.get("A"), found.get("B"), found.get("magnitude")
    if a is None or b is None or (config.magnitudes and magnitude is None):
        absent = "lora_A" if a is None else "lora_B" if b is None else "lora_magnitude_vector"
        raise EngineError(
            f"{file}: {module} has no {absent}: a part of the file is missing; download the adapter again"
        )
    shape = layout[key]
    fits = a.dim() == b.dim() == 2 and a.shape[0] == b.shape[1] > 0 and (b.shape[0], a.shape[1]) == shape
    if not fits or (magnitude is not None and magnitude.numel() != shape[0]):
        raise EngineError(
            f"{file}: lora_B {list(b.shape)} and lora_A {list(a.shape)} do not make a change of {key} {list(shape)}; "
            "the adapter was trained on another model: take one of Fun-CosyVoice3-0.5B-2512"
        )
    return LowRank(a, b, config.scale(module, a.shape[0]), None if magnitude is None else magnitude.reshape(-1))


def _check_coverage(
    file: Path, low_rank: Mapping[str, LowRank], replaced: Collection[str], layers: int, config: AdapterConfig
) -> None:
    """Every kind of projection that is adapted at all, or that the configuration names, is adapted in every layer."""
    adapted = {*low_rank, *(key.rpartition(".")[0] for key in replaced)}
    missing = [name for name in config.targets if not any(f".{module}".endswith(f".{name}") for module in adapted)]
    if not config.pattern_chosen:
        every = layouts.projections(layers)
        kinds = {name for name in config.targets if "." not in name}
        if not config.targets:
            kinds = {module.rpartition(".")[2] for module in low_rank if module in every}
        missing += [
            module
            for module in every
            if module.rpartition(".")[2] in kinds
            and (config.layers is None or _layer_number(module) in config.layers)
            and module not in low_rank
        ]
    if missing:
        raise EngineError(
            f"{file}: adapts {len(low_rank)} modules, and {len(missing)} more should be there: "
            f"{printable(', '.join(missing[:3]), 300)}; the file is not whole, download or save it again"
        )


def _layer_number(module: str) -> int:
    return int(module.removeprefix(layouts.LLM_LAYERS_PREFIX).partition(".")[0])
