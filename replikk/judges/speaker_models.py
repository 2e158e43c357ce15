"""How alike a take and its voice's reference recording are, by a speaker model that no engine here uses. Optional.

CosyVoice is conditioned on CAM++, so CAM++ would find its own copy good. Made for ERes2Net (3D-Speaker, Apache-2.0),
through sherpa-onnx (Apache-2.0), which reads the model's rate and features from the model file itself; any
embedding model that sherpa-onnx reads will do. Nothing is downloaded: ``evidence.speaker_model`` names the file.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.errors import ReplikkError
from replikk.files import sha256_file

if TYPE_CHECKING:  # builds that judge from memory never load numpy
    import numpy as np
    from numpy.typing import NDArray

VERSION = 2
"""Raise it when the same clip would get another direction: it is part of every key."""
_RATE_HZ = 16_000
"""What speaker models are trained at. Clips are brought there before: sherpa-onnx can do so too, and tells it on the
screen for every clip."""
_SHORTEST_S = 0.5
"""A shorter take says too little of its speaker; it gets no similarity."""


def fingerprint(model: str) -> str:
    """Names the model; empty when none is wanted or sherpa-onnx is not installed. Raises ReplikkError: no such file."""
    if not model or find_spec("sherpa_onnx") is None:
        return ""
    path = Path(model)
    if not path.is_file():
        raise ReplikkError(
            f"config.yaml: evidence.speaker_model: there is no file '{model}'; name an ONNX speaker "
            "model, or leave it out"
        )
    return f"speaker {VERSION} {sha256_file(path)[:16]}"


class SpeakerModel:
    """A loaded speaker model."""

    def __init__(self, model: str) -> None:
        """Raises ReplikkError when sherpa-onnx cannot use the file."""
        import sherpa_onnx

        settings = sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=model, num_threads=1)
        if not settings.validate():
            raise ReplikkError(f"{model}: sherpa-onnx cannot read it; name a speaker embedding model in ONNX format")
        try:
            self._extractor: Any = sherpa_onnx.SpeakerEmbeddingExtractor(settings)
        except RuntimeError as error:
            raise ReplikkError(
                f"{model}: sherpa-onnx cannot read it ({error}); name a speaker embedding model"
            ) from error

    def embed(self, samples: NDArray[np.int16], rate: int) -> NDArray[np.float32] | None:
        """The direction [dimensions], of length 1, of a clip's speaker; None for a clip that is too short."""
        import numpy as np

        if len(samples) < _SHORTEST_S * rate:
            return None
        from replikk.audio.resample import resample

        plain: NDArray[np.float32] = (samples / np.float32(32768)).astype(np.float32)
        stream = self._extractor.create_stream()
        stream.accept_waveform(_RATE_HZ, resample(plain, rate, _RATE_HZ))
        stream.input_finished()
        if not self._extractor.is_ready(stream):
            return None
        vector = np.asarray(self._extractor.compute(stream), dtype=np.float32)
        length = float(np.linalg.norm(vector))
        return vector / length if np.isfinite(length) and length > 0 else None


def similarity(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Cosine of two embeddings [dimensions] of length 1; -1 to 1."""
    return round(float(one @ other), 4)
