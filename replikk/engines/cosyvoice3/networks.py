"""The three networks with their weights on one device, adapter merged: what ``speaking`` speaks with.

Files are memory-mapped, checked and merged in float32 on the CPU, one network after the other, so that loading needs
little more memory than the largest of them; then they go to the device in the precision asked for.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from replikk.engines.cosyvoice3.adapters import read_adapter
from replikk.engines.cosyvoice3.device_errors import too_small_device_is_named
from replikk.engines.cosyvoice3.engine_settings import EngineSettings
from replikk.engines.cosyvoice3.flow import Flow
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.merging import merge_adapter
from replikk.engines.cosyvoice3.model_folder import ModelFolder
from replikk.engines.cosyvoice3.tokenizer import TextTokenizer, read_tokenizer
from replikk.engines.cosyvoice3.vocoder import Vocoder
from replikk.errors import EngineError

log = logging.getLogger(__name__)

DTYPES = {"bf16": torch.bfloat16, "float32": torch.float32}


@dataclass(frozen=True)
class Networks:
    """Loaded and ready."""

    tokenizer: TextTokenizer
    language_model: LanguageModel
    flow: Flow
    vocoder: Vocoder

    @property
    def device(self) -> torch.device:
        return self.language_model.device


def load_networks(
    folder: ModelFolder, adapter: Path | None, adapter_strength: float, settings: EngineSettings
) -> Networks:
    """Read, check and merge all weights.

    Raises EngineError naming the file that is wrong, or the device on which there is no room.
    """
    start_s = time.monotonic()
    device = choose_device(settings.device)
    with too_small_device_is_named(device, settings.precision):
        networks = _load(folder, adapter, adapter_strength, device, DTYPES[settings.precision])
    log.info(
        "CosyVoice 3 loaded on %s in %.1f s (%s)", device_name(device), time.monotonic() - start_s, settings.precision
    )
    return networks


def _load(
    folder: ModelFolder, adapter: Path | None, adapter_strength: float, device: torch.device, dtype: torch.dtype
) -> Networks:
    tokenizer = read_tokenizer(folder.qwen)
    read = folder.read_language_model()
    if tokenizer.size > read.sizes.text_vocabulary:
        raise EngineError(
            f"{folder.qwen}: the tokenizer has {tokenizer.size} tokens, and {folder.language_model.name} knows "
            f"{read.sizes.text_vocabulary}; take both from the same download"
        )
    state = read.state
    if adapter is not None:
        state, _ = merge_adapter(state, read_adapter(adapter, read.sizes), adapter_strength)
    language_model = LanguageModel(read.sizes, dtype, device)
    language_model.load_state(state)
    language_model.pack()
    del state, read
    flow_weights = folder.read_flow()
    flow = Flow(flow_weights.sizes, device=device, matmul_dtype=dtype)
    flow.load_state(flow_weights.state)
    del flow_weights
    vocoder_weights = folder.read_vocoder()
    vocoder = Vocoder(vocoder_weights.sizes, device=device)
    vocoder.load_state(vocoder_weights.state)
    return Networks(tokenizer, language_model, flow, vocoder)


def choose_device(
    wanted: str,
    section: str = "engines.cosyvoice3",
    on_cpu: str = "CosyVoice 3 speaks on the CPU, some ten seconds for each second of speech",
) -> torch.device:
    """The device for a setting ``device`` of a section of config.yaml; ``on_cpu`` is told where there is no GPU.

    Raises EngineError when a GPU is asked for and there is none.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if wanted == "cuda":
        raise EngineError(
            f"config.yaml: {section}: device is cuda, but PyTorch sees no GPU; check the driver (nvidia-smi), "
            "or write device: auto"
        )
    log.warning("PyTorch sees no GPU: %s", on_cpu)
    return torch.device("cpu")


def device_name(device: torch.device) -> str:
    """What people call the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU"
