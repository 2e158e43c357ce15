"""Weights from files that are trusted with nothing: read without running code, memory-mapped, compared both ways.

A reader hands back exactly the keys that a network of the file's own sizes has, in float32, or says in one sentence
what is wrong with which file. The order of the checks is the order of a user's mistakes: no such file, half a download
or a pointer instead of one, an archive that wants to run code, another model under this name, other keys or shapes,
values that are not numbers. Names and shapes are checked before any weight is touched, so a wrong file of 2 GB is
refused in milliseconds; looking for NaN then reads every page once, which loading does anyway.
"""

from __future__ import annotations

import logging
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from replikk.engines.cosyvoice3 import checkpoint_layout as layouts
from replikk.engines.cosyvoice3.downloaded_files import AGAIN, check_is_downloaded
from replikk.engines.cosyvoice3.sizes import (
    FlowSizes,
    LanguageModelSizes,
    VocoderSizes,
    flow_sizes,
    language_model_sizes,
    vocoder_sizes,
)
from replikk.errors import EngineError, printable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What a file of weights holds, before anything is known about it."""

    path: Path
    tensors: dict[str, Tensor]
    """Memory-mapped where the format allows; as the file has them, dtype included."""
    entries: dict[str, Any]
    """What is no weight: the published trainer's ``epoch`` and ``step``."""


class LanguageModelWeights(NamedTuple):
    """Without ``lm_head``, which is tied to the text embedding and never computed."""

    state: dict[str, Tensor]
    sizes: LanguageModelSizes


class FlowWeights(NamedTuple):
    state: dict[str, Tensor]
    sizes: FlowSizes


class VocoderWeights(NamedTuple):
    """Keys without ``generator.``, weight norm as the file spells it."""

    state: dict[str, Tensor]
    sizes: VocoderSizes


def read_language_model(path: Path, config: Mapping[str, Any]) -> LanguageModelWeights:
    """``llm.pt`` or its converted form; ``config`` is Qwen2's ``config.json``. Raises EngineError naming the file."""
    tensors = without_wrappers(read_checkpoint(path).tensors)
    _expect(path, tensors, "a CosyVoice 3 language model")
    sizes = language_model_sizes(tensors, config, str(path))
    check_layout(path, tensors, layouts.language_model_layout(sizes))
    tensors.pop(layouts.LM_HEAD, None)
    return LanguageModelWeights(float32_state(path, tensors), sizes)


def read_flow(path: Path) -> FlowWeights:
    """``flow.pt`` or its converted form. Raises EngineError naming the file."""
    tensors = without_wrappers(read_checkpoint(path).tensors)
    _expect(path, tensors, "a CosyVoice 3 flow")
    sizes = flow_sizes(tensors, str(path))
    check_layout(path, tensors, layouts.flow_layout(sizes))
    return FlowWeights(float32_state(path, tensors), sizes)


def read_vocoder(path: Path) -> VocoderWeights:
    """``hift.pt`` or its converted form. Raises EngineError naming the file."""
    named = without_wrappers(read_checkpoint(path).tensors)
    tensors = {key.replace("generator.", ""): tensor for key, tensor in named.items()}
    _expect(path, tensors, "a vocoder")
    sizes = vocoder_sizes(tensors, str(path))
    old_names = "conv_pre.weight_v" in tensors
    check_layout(path, tensors, layouts.vocoder_layout(sizes, old_names))
    return VocoderWeights(float32_state(path, tensors), sizes)


def read_checkpoint(path: Path) -> Checkpoint:
    """The weights of a ``.pt``, ``.bin`` or ``.safetensors`` file, memory-mapped, without running any code of it.

    Raises EngineError naming the file: missing, empty, truncated, a pointer, a pickle that builds more than weights.
    """
    check_is_downloaded(path)
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    tensors: dict[str, Tensor] = {}
    entries: dict[str, Any] = {}
    for key, value in content.items():
        if not isinstance(key, str):
            raise EngineError(f"{path}: is no state dict (its keys are {type(key).__name__}); {AGAIN}")
        if isinstance(value, Tensor) and key not in layouts.TRAINER_ENTRIES:
            tensors[key] = _plain_tensor(path, key, value)
        else:
            entries[key] = value
    strange = [key for key in entries if key not in layouts.TRAINER_ENTRIES]
    if strange or not tensors:
        found = ", ".join(printable(key, 60) for key in strange[:3]) or "nothing"
        raise EngineError(
            f"{path}: is no plain state dict: beside {len(tensors)} weights it holds {found}; save only the weights "
            "(torch.save(model.state_dict(), …))"
        )
    return Checkpoint(path, tensors, entries)


def without_wrappers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights without the prefix that DistributedDataParallel or torch.compile puts before every key."""
    stripped = dict(tensors)
    for prefix in ("module.", "_orig_mod.", "module."):  # each may be inside the other
        if stripped and all(key.startswith(prefix) for key in stripped):
            stripped = {key[len(prefix) :]: value for key, value in stripped.items()}
    return stripped


def check_layout(path: Path, state: Mapping[str, Tensor], layout: layouts.Layout) -> None:
    """Raises EngineError with the first keys that differ, either way, or have another shape."""
    difference = layouts.first_difference(layout, state)
    if difference:
        raise EngineError(f"{path}: the weights are not those of this model: {printable(difference, 500)}; {AGAIN}")


def check_values(path: Path, state: Mapping[str, Tensor]) -> None:
    """Raises EngineError naming file and key of weights that are whole numbers, NaN or infinite; reads every value."""
    for key, tensor in state.items():
        if not tensor.dtype.is_floating_point:
            raise EngineError(
                f"{path}: '{printable(key)}' is {tensor.dtype}, not floating point; quantised weights do not load, "
                "take the float32 or bfloat16 file"
            )
        # One pass without a temporary of the weight's size; NaN comes through minimum and maximum.
        low, high = torch.aminmax(tensor if tensor.dtype.itemsize > 1 else tensor.to(torch.float32))
        if not (torch.isfinite(low) and torch.isfinite(high)):
            raise EngineError(
                f"{path}: '{printable(key)}' has values that are no numbers (NaN or infinite): the file is damaged, "
                f"or its training failed; {AGAIN}"
            )


def float32_state(path: Path, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights, checked, in float32; what is float32 in the file stays memory-mapped."""
    check_values(path, state)
    narrow = sorted(
        {str(tensor.dtype).removeprefix("torch.") for tensor in state.values() if tensor.dtype.itemsize < 4}
    )
    if narrow:
        log.warning("%s: weights in %s are computed in float32, with the rounding they have", path, ", ".join(narrow))
    return {key: tensor.to(torch.float32) for key, tensor in state.items()}


def _expect(path: Path, state: Mapping[str, Tensor], wanted: str) -> None:
    """Raises EngineError where the keys say that this is something else altogether."""
    found = layouts.recognise(state)
    if found != wanted:
        shown = ", ".join(printable(key, 80) for key in list(state)[:3])
        what = f"is {found}, not {wanted}" if found else f"is not {wanted} (its first keys: {shown})"
        raise EngineError(f"{path}: {what}; put the file of Fun-CosyVoice3-0.5B-2512 here, or {AGAIN}")


def _read_safetensors(path: Path) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise EngineError(f"{path}: is no whole safetensors file ({_first_line(error)}); {AGAIN}") from error


def _read_pickle(path: Path) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # torch warns of what is an error here
            # Only archives can be mapped; files of torch before 1.6 are read whole.
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        wanted = re.search(r"GLOBAL (\S+)", str(error))
        if wanted is None:
            raise EngineError(f"{path}: is no whole checkpoint, or none at all ({_size(path)}); {AGAIN}") from error
        raise EngineError(
            f"{path}: wants to run code when it is opened ({printable(wanted[1], 80)}), which weights never need; it "
            "was not run. Do not open the file with another program; take it from its publisher and compare the sha256"
        ) from error
    except Exception as error:  # a damaged archive fails in whichever layer meets the damage first
        raise EngineError(
            f"{path}: is no whole checkpoint: the download was cut off, or it is another kind of file ({_size(path)}; "
            f"{_first_line(error)}); {AGAIN}"
        ) from error
    if not isinstance(content, Mapping):
        raise EngineError(f"{path}: holds a {type(content).__name__}, not named weights; {AGAIN}")
    return dict(content)


def _plain_tensor(path: Path, key: str, tensor: Tensor) -> Tensor:
    """The weight itself; a shape larger than what is stored would fill the memory when it is copied."""
    value = tensor.detach()
    if value.layout != torch.strided or value.is_quantized or value.device.type != "cpu":
        raise EngineError(f"{path}: '{printable(key)}' is no plain tensor; save the weights as dense float32")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise EngineError(f"{path}: '{printable(key)}' claims to be larger than the file holds; {AGAIN}")
    return value


def _size(path: Path) -> str:
    return f"{path.stat().st_size:,} bytes"


def _first_line(error: Exception) -> str:
    return printable((str(error) or type(error).__name__).splitlines()[0], 120)
