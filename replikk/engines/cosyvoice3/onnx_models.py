"""The two ONNX models that turn a reference recording into tokens and a speaker embedding.

``speech_tokenizer_v3.onnx`` (about 1 GB) and ``campplus.onnx`` (28 MB) run in onnxruntime on the CPU, once per voice:
their results are kept, so a build with known voices never opens them. They come from a download and are told apart by
nothing but their names, so inputs and outputs are compared with what each must have before anything is run, and
what comes out is checked too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from replikk.engines.cosyvoice3.features import KALDI_BINS, WHISPER_BINS
from replikk.engines.cosyvoice3.records import SPEAKER_VALUES
from replikk.errors import EngineError, printable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SPEECH_TOKENIZER_FILE = "speech_tokenizer_v3.onnx"
SPEAKER_FILE = "campplus.onnx"

SPEECH_VOCABULARY = 6561
"""Ids 0 to 6560: eight digits of base 3 (finite scalar quantisation)."""
LONGEST_TOKENIZED_S = 30.0
"""The tokenizer was trained on at most this much."""


@dataclass(frozen=True)
class _Input:
    kind: str
    shape: tuple[int | None, ...]
    """None where any size will do."""


_SPEECH_TOKENIZER = (_Input("tensor(float)", (1, WHISPER_BINS, None)), _Input("tensor(int32)", (1,)))
_SPEAKER = (_Input("tensor(float)", (1, None, KALDI_BINS)),)


@dataclass(frozen=True)
class ReferenceModels:
    """Both models, opened. Made by ``open_reference_models``."""

    speech_tokenizer: InferenceSession
    speaker: InferenceSession
    speech_tokenizer_path: Path
    speaker_path: Path


def open_reference_models(speech_tokenizer: Path, speaker: Path, threads: int = 1) -> ReferenceModels:
    """Open both; takes seconds and about 1 GB of memory for the published tokenizer.

    Raises EngineError naming the file that is missing, damaged or another model, or the package that is missing.
    """
    return ReferenceModels(
        _open(speech_tokenizer, _SPEECH_TOKENIZER, threads),
        _open(speaker, _SPEAKER, threads),
        speech_tokenizer,
        speaker,
    )


def speech_tokens(models: ReferenceModels, log_mel: Tensor) -> Tensor:
    """Speech tokens int32 [tokens], one for 40 ms, of a whisper log-mel [128, frames of 10 ms]."""
    frames = log_mel.shape[1]
    values = _run(
        models.speech_tokenizer,
        models.speech_tokenizer_path,
        [log_mel[None].numpy(), np.array([frames], dtype=np.int32)],
    )
    tokens = values.reshape(-1).astype(np.int64)
    if not len(tokens) or not np.array_equal(tokens, values.reshape(-1)):
        raise EngineError(f"{models.speech_tokenizer_path}: gives no whole numbers; {_FETCH_AGAIN}")
    if tokens.min() < 0 or tokens.max() >= SPEECH_VOCABULARY:
        raise EngineError(
            f"{models.speech_tokenizer_path}: gives token {int(tokens.max())} where 0 to {SPEECH_VOCABULARY - 1} are "
            f"possible; {_FETCH_AGAIN}"
        )
    return torch.from_numpy(tokens.astype(np.int32))


def speaker_embedding(models: ReferenceModels, filterbank: Tensor) -> Tensor:
    """Speaker embedding float32 [192] of Kaldi filterbank energies [frames, 80] without their mean."""
    values = _run(models.speaker, models.speaker_path, [filterbank[None].numpy()]).reshape(-1)
    if len(values) != SPEAKER_VALUES or not np.isfinite(values).all():
        raise EngineError(
            f"{models.speaker_path}: gives {len(values)} values for a voice where {SPEAKER_VALUES} finite ones are "
            f"wanted; {_FETCH_AGAIN}"
        )
    return torch.from_numpy(values.astype(np.float32))


_FETCH_AGAIN = "it is damaged or another model, fetch it again with  snakemake models"


def _open(path: Path, expected: tuple[_Input, ...], threads: int) -> InferenceSession:
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineError(
            "onnxruntime: this Python package is missing and CosyVoice 3 needs it for new voices; "
            "install it with  pip install 'replikk[gpu]'"
        ) from error

    if not path.is_file():
        raise EngineError(f"{path}: is missing; fetch it with  snakemake models  or check models_dir")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only; what goes wrong is raised, not printed
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base of their own
        raise EngineError(
            f"{path}: cannot be opened as an ONNX model ({printable(_first_line(error), 160)}); {_FETCH_AGAIN}"
        ) from error
    given = session.get_inputs()
    if len(given) != len(expected) or not all(map(_fits, given, expected)):
        takes = " and ".join(f"{entry.type} {entry.shape}" for entry in given) or "nothing"
        wants = " and ".join(f"{entry.kind} {_shown(entry)}" for entry in expected)
        raise EngineError(
            f"{path}: is another model (it takes {printable(takes, 120)}, wanted is {wants}); check that the file has "
            "its right name, or fetch it again with  snakemake models"
        )
    return session


def _fits(given: Any, expected: _Input) -> bool:
    """Whether an input of a model has the type and the fixed sizes; a size given by name fits any."""
    if given.type != expected.kind:
        return False
    if not given.shape:  # not stated in the file
        return True
    if len(given.shape) != len(expected.shape):
        return False
    pairs = zip(given.shape, expected.shape, strict=True)
    return all(not isinstance(have, int) or want is None or have == want for have, want in pairs)


def _run(session: InferenceSession, path: Path, values: list[Any]) -> Any:
    names = [entry.name for entry in session.get_inputs()]
    try:
        return np.asarray(session.run(None, dict(zip(names, values, strict=True)))[0])
    except Exception as error:
        raise EngineError(
            f"{path}: fails on a recording ({printable(_first_line(error), 160)}); {_FETCH_AGAIN}"
        ) from error


def _shown(entry: _Input) -> str:
    return "[" + ", ".join("any" if size is None else str(size) for size in entry.shape) + "]"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
