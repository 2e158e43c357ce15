"""How alike takes are to their voices' reference recordings: a speaker model, loaded once, and what it found of each
reference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from replikk.audio.recordings import read_recording
from replikk.dialogue.records import Voice
from replikk.judges.speaker_models import SpeakerModel, fingerprint, similarity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ReferenceLikeness:
    """The measure with one model file, which is loaded at once. Raises ReplikkError where that is impossible."""

    def __init__(self, model: str) -> None:
        self.fingerprint = fingerprint(model)
        """Names the model; part of the key of what was measured."""
        self._model = SpeakerModel(model)
        self._references: dict[str, NDArray[np.float32] | None] = {}

    def of(self, voice: Voice, samples: NDArray[np.int16], rate: int) -> float | None:
        """Of a take, int16 [samples]: -1 to 1. None where the voice has no reference, or one of the two is too short.

        Raises AudioError naming the reference where it cannot be read.
        """
        if not voice.reference_audio:
            return None
        if voice.name not in self._references:
            recording = read_recording(Path(voice.reference_audio))
            self._references[voice.name] = self._model.embed(recording.samples, recording.sample_rate_hz)
        reference, here = self._references[voice.name], self._model.embed(samples, rate)
        return None if reference is None or here is None else similarity(reference, here)
