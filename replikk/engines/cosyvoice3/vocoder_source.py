"""The vocoder's source: what the voice would be without a throat, made from the mel's pitch.

    mel -> pitch predictor (causal convolutions, the first looks 3 frames ahead) -> f0 in Hz a frame
    f0 -> 9 harmonics, each a sine held for a whole frame of 480 samples; silent where f0 is at most 10 Hz
    plus fixed noise a sample, weak in voiced frames, strong in the others
    -> one weighted sum, tanh -> source [lines, samples]

The published code computes all of this for each sample and harmonic. Only the noise is different from sample to sample:
here sines are computed a frame, and the noise, whose weighted sum over the harmonics is the same for every line, is
summed once.

The phase is a sum over all frames so far, 1e4 to 1e5 radians in float32. Its rounding shows in any comparison of
samples, so the order of operations is the published one: a float32 sum of fractions (added up in double precision, as
torch does on a CPU and does not on a GPU), times 2 pi, times 480. A pitch that differs in the sixth digit is another
phase after ten seconds, therefore the predictor runs in float64 unless told otherwise; it is small.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from replikk.engines.cosyvoice3.convolutions import Convolution, folded_convolution
from replikk.engines.cosyvoice3.fixed_noise import SourceNoise
from replikk.engines.cosyvoice3.sizes import MEL_HOP_SAMPLES, VocoderSizes

SAMPLE_RATE_HZ = 24_000
VOICED_ABOVE_HZ = 10.0
SINE_AMPLITUDE = 0.1
VOICED_NOISE = 0.003
UNVOICED_NOISE = SINE_AMPLITUDE / 3


@dataclass(frozen=True)
class PitchWeights:
    """The pitch predictor, in the type it computes in."""

    convolutions: tuple[Convolution, ...]
    out: tuple[Tensor, Tensor]  # [1, channels], [1]

    @property
    def look_ahead_frames(self) -> int:
        """Frames the first convolution looks to the right."""
        return self.convolutions[0].reach


def pitch_weights(
    state: Mapping[str, Tensor], sizes: VocoderSizes, device: torch.device, dtype: torch.dtype
) -> PitchWeights:
    """Takes the pitch predictor out of a vocoder checkpoint, weight norm folded in ``dtype``."""
    # Every second part of the list is an activation.
    names = [f"f0_predictor.condnet.{2 * i}" for i in range(len(sizes.f0_kernels))]
    return PitchWeights(
        convolutions=tuple(folded_convolution(state, name, device, dtype) for name in names),
        out=(
            state["f0_predictor.classifier.weight"].to(device, dtype, copy=True),
            state["f0_predictor.classifier.bias"].to(device, dtype, copy=True),
        ),
    )


def pitch(weights: PitchWeights, mel: Tensor) -> Tensor:
    """Pitch in Hz, [lines, frames], in the predictor's own type.

    ``mel`` [lines, mel_bins, frames] must be 0 after the end of a line; where more mel follows than the caller
    wants pitch for, it is context.
    """
    x = mel.to(weights.out[0].dtype)
    for i, convolution in enumerate(weights.convolutions):
        ahead = convolution(F.pad(x, (0, convolution.reach))) if i == 0 else convolution.looking_back(x)
        x = F.elu(ahead)
    return F.linear(x.transpose(1, 2), *weights.out).squeeze(-1).abs()


def harmonic_sines(f0_hz: Tensor, harmonics: int) -> Tensor:
    """The sines of the harmonics, held for a frame: float32 f0 [lines, frames] -> [lines, frames, harmonics]."""
    multiple = torch.arange(1, harmonics + 1, device=f0_hz.device, dtype=f0_hz.dtype)
    turns = (f0_hz[..., None] * multiple / SAMPLE_RATE_HZ) % 1
    phase = turns.double().cumsum(1).float() * (2 * math.pi) * MEL_HOP_SAMPLES
    return SINE_AMPLITUDE * phase.sin()


def noise_amplitude(f0_hz: Tensor) -> Tensor:
    """How strong the noise is, [lines, frames]."""
    return torch.where(f0_hz > VOICED_ABOVE_HZ, VOICED_NOISE, UNVOICED_NOISE)


class Source:
    """Makes sources from pitch, with the noise summed once and kept as long as the longest line so far."""

    def __init__(self, state: Mapping[str, Tensor], device: torch.device, noise: SourceNoise) -> None:
        self._weight = state["m_source.l_linear.weight"].to(device, torch.float32, copy=True)  # [1, harmonics]
        self._bias = state["m_source.l_linear.bias"].to(device, torch.float32, copy=True)
        self._noise = noise
        self._summed = torch.zeros(0, device=device)

    def __call__(self, f0_hz: Tensor) -> Tensor:
        """Float32 f0 [lines, frames] -> source [lines, 480 * frames]."""
        voiced = (f0_hz > VOICED_ABOVE_HZ)[..., None]
        sines = F.linear(harmonic_sines(f0_hz, self._weight.shape[1]) * voiced, self._weight, self._bias)
        noise = self._summed_noise(f0_hz.shape[1] * MEL_HOP_SAMPLES).view(-1, MEL_HOP_SAMPLES)
        return (sines + noise_amplitude(f0_hz)[..., None] * noise).tanh().flatten(1)

    def _summed_noise(self, samples: int) -> Tensor:
        summed = self._summed
        if len(summed) < samples:
            more = self._noise(samples)[len(summed) :].to(summed.device)
            summed = self._summed = torch.cat((summed, (more @ self._weight.T).squeeze(-1)))
        return summed[:samples]
