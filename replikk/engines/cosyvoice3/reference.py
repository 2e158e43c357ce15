"""A voice's reference features: made once from its recording, kept on disk by content.

The name of a kept file is the hash of everything that it depends on: the recording's bytes, both ONNX models, and the
version of the features. So a renamed recording finds its features again, a changed one never finds old ones, and files
are safe to delete. Each holds a hash of its own tensors; one that is damaged is made again. The transcript is not
part of it: correcting a transcript needs no model.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from replikk.engines.cosyvoice3 import features, onnx_models, versions
from replikk.engines.cosyvoice3.onnx_models import ReferenceModels
from replikk.engines.cosyvoice3.records import FRAMES_PER_TOKEN, MEL_BINS, SPEAKER_VALUES, ReferenceFeatures
from replikk.engines.cosyvoice3.reference_audio import ReferenceAudio, read_reference
from replikk.errors import EngineError
from replikk.files import digest, sha256_file, write_atomic

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReferenceSource:
    """A reference as a voice names it."""

    audio: Path
    transcript: str


class ReferenceStore:
    """The features of references, kept in ``folder``.

    ``models_sha256`` are the content hashes of the speech tokenizer and the speaker model; ``open_models`` opens them
    and is called only when features have to be made, at most once.
    """

    def __init__(
        self, folder: Path, models_sha256: tuple[str, str], open_models: Callable[[], ReferenceModels]
    ) -> None:
        self._folder = folder
        self._models_sha256 = models_sha256
        self._open_models = open_models
        self._models: ReferenceModels | None = None

    def path_of(self, audio_sha256: str) -> Path:
        """Where the features of a recording are kept."""
        parts = {
            "audio": audio_sha256,
            "models": list(self._models_sha256),
            "versions": [versions.REFERENCE, versions.FEATURES],
        }
        return self._folder / f"{digest(parts)}.safetensors"

    def features_of(self, source: ReferenceSource) -> ReferenceFeatures:
        """The features of a reference, from disk where they are kept.

        Raises EngineError with everything that is wrong with the recording, its transcript or the models.
        """
        audio_sha256 = _audio_sha256(source.audio)
        kept = self.path_of(audio_sha256)
        # The checks also compare the transcript, which may be new; they cost milliseconds.
        audio = read_reference(source.audio, source.transcript)
        for remark in audio.remarks:
            _LOG.info("%s", remark)
        tensors = _read_kept(kept)
        if tensors is None:
            tensors = compute_features(audio, self._opened())
            if _audio_sha256(source.audio) != audio_sha256:  # or these features would be kept under another's name
                raise EngineError(f"{source.audio}: was changed while it was read; run again")
            write_atomic(kept, _packed(tensors))
            _LOG.info("%s: features made from %.1f s", source.audio, audio.duration_s)
        tokens, mel, speaker = tensors
        return ReferenceFeatures(tokens, mel, speaker, " ".join(source.transcript.split()))

    def _opened(self) -> ReferenceModels:
        if self._models is None:
            self._models = self._open_models()
        return self._models

    def close(self) -> None:
        """Let go of the models (the published ones hold about 1 GB)."""
        self._models = None


def compute_features(audio: ReferenceAudio, models: ReferenceModels) -> tuple[Tensor, Tensor, Tensor]:
    """Speech tokens int32 [n], mel float32 [2n, 80], speaker embedding float32 [192] of a recording.

    Tokens and mel are cut to the same time: whichever of the two ends first. Raises EngineError when a model is wrong.
    """
    samples = torch.from_numpy(audio.samples)
    at_24k = features.resample(samples, audio.sample_rate_hz, features.MEL_RATE_HZ)
    at_16k = features.resample(samples, audio.sample_rate_hz, features.TOKEN_RATE_HZ)
    heard = at_16k[: round(onnx_models.LONGEST_TOKENIZED_S * features.TOKEN_RATE_HZ)]
    mel = features.mel_spectrogram(at_24k, MEL_BINS)
    tokens = onnx_models.speech_tokens(models, features.whisper_log_mel(heard))
    speaker = onnx_models.speaker_embedding(models, features.kaldi_filterbank(at_16k))
    count = min(len(mel) // FRAMES_PER_TOKEN, len(tokens))
    if abs(len(mel) / FRAMES_PER_TOKEN - len(tokens)) > 2:  # both stand for the same recording, at 25 a second
        raise EngineError(
            f"{models.speech_tokenizer_path}: gives {len(tokens)} tokens for {audio.duration_s:.1f} s, where "
            f"{audio.duration_s * 25:.0f} belong; it is another model, fetch it again with  snakemake models"
        )
    return tokens[:count].clone(), mel[: FRAMES_PER_TOKEN * count].clone(), speaker


def _audio_sha256(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise EngineError(
            f"{path}: cannot be read ({error.strerror or error}); mend 'reference' in voices.yaml"
        ) from error


def _packed(tensors: tuple[Tensor, Tensor, Tensor]) -> bytes:
    from safetensors.torch import save

    tokens, mel, speaker = tensors
    return save({"speech_tokens": tokens, "mel": mel, "speaker": speaker}, {"sha256": _sha256(tensors)})


def _read_kept(path: Path) -> tuple[Tensor, Tensor, Tensor] | None:
    """Kept features; None when there are none, or damaged ones."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            tensors = file.get_tensor("speech_tokens"), file.get_tensor("mel"), file.get_tensor("speaker")
            stated = (file.metadata() or {}).get("sha256")
    except (SafetensorError, OSError, ValueError) as error:
        _LOG.warning("%s: is damaged (%s); it is made again", path, error)
        return None
    if stated != _sha256(tensors) or not _fit_together(*tensors):
        _LOG.warning("%s: is damaged; it is made again", path)
        return None
    return tensors


def _fit_together(tokens: Tensor, mel: Tensor, speaker: Tensor) -> bool:
    shapes = tokens.dim() == 1 and mel.shape == (FRAMES_PER_TOKEN * len(tokens), MEL_BINS)
    return shapes and speaker.shape == (SPEAKER_VALUES,) and tokens.dtype == torch.int32


def _sha256(tensors: tuple[Tensor, Tensor, Tensor]) -> str:
    """Of the values with their shapes and types."""
    whole = hashlib.sha256()
    for tensor in tensors:
        whole.update(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
        whole.update(tensor.contiguous().numpy().tobytes())
    return whole.hexdigest()
