"""The weights on a device: loading, checks, features, and how many clips fit side by side.

transformers reads the folder and computes; nothing is asked of the network (``local_files_only``), and no code of the
folder is run. What it would only warn of (missing weights become random ones) is an error here.
"""

from __future__ import annotations

import gc
import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from replikk.device_errors import is_out_of_memory
from replikk.errors import JudgeError, printable
from replikk.judges.nb_whisper.model_folder import AGAIN, RecogniserFolder
from replikk.judges.nb_whisper.vocabulary import Vocabulary, read_vocabulary
from replikk.judges.nb_whisper.windows import SAMPLE_RATE_HZ

log = logging.getLogger(__name__)

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
GB = 1e9
RESERVE_GB = 0.5
"""CUDA's own context and workspaces."""
CPU_ROWS = 8
"""A CPU gains little from larger batches, and a kill loses what is in flight."""
MOST_ROWS = 128
ONLY_FOR_TRAINING = "masked_spec_embed"
"""A weight of wav2vec 2.0 that listening never reads; some publish their models without it."""
HOP_SAMPLES, WINDOW_SAMPLES = 160, 400
"""10 and 25 ms, as all Whispers were trained."""


@dataclass(frozen=True)
class WhisperNetwork:
    """Loaded and ready."""

    name: str
    model: Any
    """transformers' WhisperForConditionalGeneration."""
    vocabulary: Vocabulary
    mel_filters: Tensor  # [frequencies, bins]
    device: torch.device
    dtype: torch.dtype

    @property
    def window_s(self) -> float:
        """The length that every window is padded to: 30 s in all published models."""
        return float(2 * self.model.config.max_source_positions * HOP_SAMPLES / SAMPLE_RATE_HZ)

    def features(self, batch: NDArray[np.float32]) -> Tensor:
        """Log-mel features of padded windows. [windows, samples] -> [windows, bins, frames], in ``dtype``."""
        wave = torch.from_numpy(batch).to(self.device)
        window = torch.hann_window(WINDOW_SAMPLES, device=self.device)
        spectrum = torch.stft(wave, WINDOW_SAMPLES, HOP_SAMPLES, window=window, return_complex=True)
        power = spectrum[..., :-1].abs() ** 2
        mel = torch.clamp(self.mel_filters.T @ power, min=1e-10).log10()
        # Each window by its own loudest value, so that it never depends on its neighbours.
        mel = torch.maximum(mel, mel.amax(dim=(1, 2), keepdim=True) - 8.0)
        return ((mel + 4.0) / 4.0).to(self.dtype)


def load_whisper(folder: RecogniserFolder, device_wanted: str, precision: str) -> WhisperNetwork:
    """Read and check all weights. Raises JudgeError naming folder or file where anything is wrong."""
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    started_s = time.monotonic()
    vocabulary = read_vocabulary(folder)
    device = choose_device(device_wanted)
    dtype = torch.float32 if device.type == "cpu" else DTYPES[precision]
    model = load_weights(WhisperForConditionalGeneration, folder, dtype, device)
    config = model.config
    features = WhisperFeatureExtractor(feature_size=config.num_mel_bins)
    filters = torch.from_numpy(np.asarray(features.mel_filters, np.float32)).to(device)
    log.info("%s loaded on %s in %.1f s", folder.name, device_name(device), time.monotonic() - started_s)
    return WhisperNetwork(folder.name, model, vocabulary, filters, device, dtype)


def load_weights(kind: Any, folder: RecogniserFolder, dtype: torch.dtype, device: torch.device) -> Any:
    """A model of transformers' class ``kind`` with the folder's weights, all of them and none but sound numbers."""
    import transformers

    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()  # what it warns of is an error here
    bar = transformers.logging.is_progress_bar_enabled()
    transformers.logging.disable_progress_bar()
    try:
        model, report = kind.from_pretrained(
            str(folder.path),
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=any(file.suffix == ".safetensors" for file in folder.files),
            ignore_mismatched_sizes=True,  # they are told below
            output_loading_info=True,
        )
    except Exception as error:  # anything may be raised for a damaged file
        if is_out_of_memory(error):
            raise JudgeError(f"{folder.path}: the model does not fit into memory; take a smaller one") from error
        what = printable(str(error) or type(error).__name__, 160)
        raise JudgeError(f"{folder.path}: the weights cannot be read ({what}); {AGAIN}") from error
    finally:
        transformers.logging.set_verbosity(before)
        if bar:
            transformers.logging.enable_progress_bar()
    wrong = [str(name) for key in ("missing_keys", "mismatched_keys") for name in report.get(key, ())]
    wrong = [name for name in wrong if not name.endswith(ONLY_FOR_TRAINING)]
    if wrong:
        raise JudgeError(
            f"{folder.path}: lacks {len(wrong)} of the model's weights, or has them in another shape, first "
            f"{printable(sorted(wrong)[0], 80)}; {AGAIN}"
        )
    for name, weight in model.named_parameters():
        if not bool(torch.isfinite(weight).all()):
            raise JudgeError(f"{folder.path}: the weight {name} holds values that are no numbers; {AGAIN}")
    try:
        return model.to(device).eval()
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise JudgeError(
                f"{folder.path}: the model does not fit into the GPU's memory; close what else uses it, take a "
                "smaller model, or write device: cpu"
            ) from error
        raise


def choose_device(wanted: str) -> torch.device:
    """The device for a setting ``device``. Raises JudgeError when a GPU is asked for and there is none."""
    if wanted == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if wanted == "cuda":
        raise JudgeError(
            "config.yaml: judges.nb-whisper.device: is cuda, but PyTorch sees no GPU; check the driver (nvidia-smi), "
            "or write device: auto"
        )
    log.warning("PyTorch sees no GPU: nb-whisper listens on the CPU, which takes many times as long")
    return torch.device("cpu")


def device_name(device: torch.device) -> str:
    """What people call the device."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU"


def rows_that_fit(device: torch.device, max_memory_gb: float, row_bytes: int) -> int:
    """How many clips are listened to side by side, beside weights that lie on ``device`` already; at least 1."""
    if device.type == "cpu":
        return CPU_ROWS
    used = torch.cuda.memory_allocated(device)
    free, _ = torch.cuda.mem_get_info(device)
    # What PyTorch keeps for its next tensors is ours, too: the batches of a first model may have left all of it there.
    free += max(0, torch.cuda.memory_reserved(device) - used)
    left = min(max_memory_gb * GB - used, free) - RESERVE_GB * GB
    return max(1, min(MOST_ROWS, int(left / row_bytes)))


def whisper_row_bytes(config: Any, dtype: torch.dtype) -> int:
    """Memory of one window: keys and values of the cross-attention, and the encoder's activations of one layer."""
    size = torch.finfo(dtype).bits // 8
    positions, width = config.max_source_positions, config.d_model
    cross = 2 * config.decoder_layers * positions * width * size
    own = 2 * config.decoder_layers * config.max_target_positions * width * size
    # The feed-forward is four times as wide and counted twice (before and after its activation).
    activations = positions * (6 * width + 2 * config.encoder_ffn_dim) * size
    logits = config.max_target_positions * config.vocab_size * 4  # of the second pass, which scores all tokens at once
    return int(cross + own + activations + logits)


def release_memory() -> None:
    """Give back what networks that nobody holds any more took; transformers' refer to themselves."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
