"""What passes between the parts of the CosyVoice 3 engine: a voice's reference as the networks want it.

All three features come from the same recording and are cut to the same length: n speech tokens of 40 ms and 2n mel
frames of 20 ms. They live on the CPU in float32; whoever computes moves them.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

TOKENS_PER_SECOND = 25
FRAMES_PER_TOKEN = 2
MEL_BINS = 80
SPEAKER_VALUES = 192


@dataclass(frozen=True)
class ReferenceFeatures:
    """A voice's reference recording, ready for the language model and the flow."""

    speech_tokens: Tensor  # int32 [n], ids 0..6560
    mel: Tensor  # float32 [2n, 80], natural log of the 24 kHz mel spectrogram
    speaker: Tensor  # float32 [192], the speaker embedding as CAM++ gives it, not normalised
    transcript: str
    """What is said in the recording; read by the language model in zero-shot mode."""

    @property
    def duration_s(self) -> float:
        """Length of the recording as the networks see it."""
        return len(self.speech_tokens) / TOKENS_PER_SECOND
