"""The vocoder: mel frames to 24,000 samples a second, for many lines at once.

    mel [lines, 80, frames] -> source (``vocoder_source``) -> its short-time spectrum, 120 columns a frame
    mel -> convolution (looks 4 frames ahead) -> three stages: x8, x5, x3 in time, half the channels each,
           the source's spectrum added, mean of three blocks of convolutions
        -> magnitude and phase, 120 columns a frame -> inverse short-time transform -> samples

Batches are exact. Apart from the look ahead at the way in, everything looks back only, so what pads a line on the
right never reaches it, with two exceptions that are handled where they stand: the mel is 0 after its end, and the
short-time transforms know each line's own end. Lines of similar length share a batch; alone or not, samples agree to
rounding (1e-5 at full scale 1).

float32 throughout, the pitch predictor in float64: vocoding is a few per cent of the work. (On a GPU torch rounds the
operands of float32 convolutions to TF32 unless ``torch.backends.cudnn.allow_tf32`` is off; the published code leaves
that as it is too.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from replikk.engines.cosyvoice3.convolutions import (
    Convolution,
    UpsamplingConvolution,
    folded_convolution,
    padded,
    repeated_then,
)
from replikk.engines.cosyvoice3.fixed_noise import PublishedSourceNoise, SourceNoise
from replikk.engines.cosyvoice3.length_batches import LARGEST_PADDING, batches_of_similar_length
from replikk.engines.cosyvoice3.sizes import MEL_HOP_SAMPLES, VocoderSizes
from replikk.engines.cosyvoice3.vocoder_source import PitchWeights, Source, pitch, pitch_weights
from replikk.engines.cosyvoice3.vocoder_spectrum import short_time_transform

STAGE_SLOPE = 0.1
LAST_SLOPE = 0.01
LARGEST_MAGNITUDE = 100.0
LARGEST_SAMPLE = 0.99
SNAKE_EPSILON = 1e-9
LOST_FRAMES = 1
"""Without an end, the last frame of what is computed is not given: the next chunk's overlaps it."""
MOST_FRAMES = {"cpu": 600, "cuda": 6_000}
"""Frames of a batch unless the caller knows better. A frame's largest tensors take 30 kB each, about ten at a time:
0.2 GB on a CPU (where larger tensors come fresh from the system each time, a fifth slower), 2 GB on a GPU."""


@dataclass(frozen=True)
class Snake:
    """x + sin(alpha x)^2 / alpha, with alpha a channel."""

    alpha: Tensor  # [channels, 1]
    inverse: Tensor  # [channels, 1]

    def __call__(self, x: Tensor, room: int) -> Tensor:
        """[lines, channels, columns] with ``room`` zeros put before them, ready for a convolution that looks back.

        Every pass over these tensors costs as much as a tenth of a convolution, so all of it happens in place.
        """
        lines, channels, columns = x.shape
        whole = x.new_empty(lines, room + columns, channels).transpose(1, 2)  # the layout of ``convolutions``
        whole[..., :room] = 0
        wave = torch.mul(x, self.alpha, out=whole[..., room:])
        torch.addcmul(x, wave.sin_().square_(), self.inverse, out=wave)
        return whole


@dataclass(frozen=True)
class Block:
    """Pairs of convolutions over the same channels, the first of each pair dilated 1, 3, 5, …"""

    pairs: tuple[tuple[Snake, Convolution, Snake, Convolution], ...]

    def __call__(self, x: Tensor) -> Tensor:
        for i, (before_first, first, before_second, second) in enumerate(self.pairs):
            dilation = 2 * i + 1
            y = first(before_first(x, first.reach * dilation), dilation)
            x = second(before_second(y, second.reach)).add_(x)
        return x


@dataclass(frozen=True)
class Stage:
    """One stage: raises the rate, adds the source, shapes."""

    up: UpsamplingConvolution
    source_stride: int
    source_down: Convolution
    source_block: Block
    blocks: tuple[Block, ...]


class Vocoder:
    """The vocoder with its weights on one device; ``load_state`` first."""

    def __init__(
        self,
        sizes: VocoderSizes,
        *,
        device: torch.device | str = "cpu",
        pitch_dtype: torch.dtype = torch.float64,
        noise: SourceNoise | None = None,
    ) -> None:
        self.sizes = sizes
        self.device = torch.device(device)
        self.pitch_dtype = pitch_dtype
        self._noise = noise or PublishedSourceNoise(sizes.harmonics)

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Takes the weights of a vocoder checkpoint, whose keys have been compared with the layout."""
        sizes, device = self.sizes, self.device

        def convolution(name: str) -> Convolution:
            return folded_convolution(state, name, device)

        def snake(name: str) -> Snake:
            alpha = state[f"{name}.alpha"].to(device, torch.float32, copy=True)[:, None]
            return Snake(alpha, 1 / (alpha + SNAKE_EPSILON))

        def block(name: str) -> Block:
            return Block(
                tuple(
                    (
                        snake(f"{name}.activations1.{i}"),
                        convolution(f"{name}.convs1.{i}"),
                        snake(f"{name}.activations2.{i}"),
                        convolution(f"{name}.convs2.{i}"),
                    )
                    for i in range(sizes.dilations)
                )
            )

        with torch.inference_mode():
            self.pitch_weights: PitchWeights = pitch_weights(state, sizes, device, self.pitch_dtype)
            self.source = Source(state, device, self._noise)
            self._entry = convolution("conv_pre")
            self._exit = convolution("conv_post")
            blocks = len(sizes.block_kernels)
            self._stages = tuple(
                Stage(
                    up=repeated_then(convolution(f"ups.{i}"), rate),
                    source_stride=sizes.source_strides[i],
                    source_down=convolution(f"source_downs.{i}"),
                    source_block=block(f"source_resblocks.{i}"),
                    blocks=tuple(block(f"resblocks.{i * blocks + j}") for j in range(blocks)),
                )
                for i, rate in enumerate(sizes.upsample_rates)
            )
            self._transform = short_time_transform(sizes.n_fft, sizes.stft_hop, device)

    @property
    def look_ahead_frames(self) -> int:
        """Frames that a chunk without an end must have beyond those it gives sound for."""
        return self.pitch_weights.look_ahead_frames + self._entry.reach + LOST_FRAMES

    def waves(
        self,
        mels: Sequence[Tensor],
        *,
        final: bool = True,
        most_frames: int | None = None,
        largest_padding: float = LARGEST_PADDING,
    ) -> list[Tensor]:
        """Samples in -0.99..0.99 of mels [frames, mel_bins], float32 [480 * frames] each, on the vocoder's device.

        Without ``final`` more mel will follow: the last 8 frames are only looked at, and give no samples.
        ``most_frames`` bounds a batch, and with it memory. Raises EngineError past 300 s.
        """
        waves = [torch.zeros(0, device=self.device)] * len(mels)
        lengths = [len(mel) if final or len(mel) > self.look_ahead_frames else 0 for mel in mels]
        for batch in batches_of_similar_length(lengths, most_frames or self._most_frames(), largest_padding):
            with torch.inference_mode():
                batched = torch.nn.utils.rnn.pad_sequence(
                    [mels[i].to(self.device, torch.float32) for i in batch], batch_first=True
                )
                samples = self._samples(batched.transpose(1, 2), [lengths[i] for i in batch], final)
            for row, i in zip(samples, batch, strict=True):
                frames = lengths[i] if final else lengths[i] - self.look_ahead_frames
                waves[i] = row[: frames * MEL_HOP_SAMPLES].clone()
        return waves

    def _most_frames(self) -> int:
        return MOST_FRAMES.get(self.device.type, MOST_FRAMES["cpu"])

    def f0(self, mel: Tensor) -> Tensor:
        """Pitch in Hz of mel [lines, mel_bins, frames], in the predictor's type; silence after the end is assumed."""
        return pitch(self.pitch_weights, mel)

    def _samples(self, mel: Tensor, lengths: Sequence[int], final: bool) -> Tensor:
        """Samples of a padded batch of mels [lines, mel_bins, frames], 0 after each line's end."""
        frames = torch.tensor(lengths, device=mel.device)
        source = self.source(self.f0(mel).float())
        if not final:  # pitch and mel beyond these are known, but not what they need to know
            frames = frames - self.pitch_weights.look_ahead_frames - self._entry.reach
        samples = frames * MEL_HOP_SAMPLES
        spectrum = self._transform.spectrum(source, samples if final else None)
        return self._spoken(self._decode(mel, spectrum), samples)

    def _decode(self, mel: Tensor, spectrum: Tensor) -> Tensor:
        """The network proper: mel [lines, mel_bins, frames] -> [lines, n_fft + 2, 120 * frames + 1]."""
        x = self._entry(padded(mel, 0, self._entry.reach))
        for i, stage in enumerate(self._stages):
            x = stage.up(F.leaky_relu(x, STAGE_SLOPE))
            if i == len(self._stages) - 1:
                x = padded(x, 1)  # the spectrum has one column more than frames
                x[..., 0] = x[..., 2]  # which mirrors the second of the others
            reach = stage.source_stride - 1 if stage.source_stride > 1 else 0
            down = stage.source_down(padded(spectrum, reach), stride=stage.source_stride)
            x = x + stage.source_block(down)[..., : x.shape[-1]]
            x = _mean([block(x) for block in stage.blocks])
        return self._exit.looking_back(F.leaky_relu(x, LAST_SLOPE))

    def _spoken(self, decoded: Tensor, samples: Tensor) -> Tensor:
        """Magnitudes and angles [lines, n_fft + 2, columns] -> samples [lines, longest]."""
        magnitude, angle = decoded.chunk(2, dim=1)
        magnitude, angle = magnitude.exp().clamp(max=LARGEST_MAGNITUDE), angle.sin()
        bins = torch.cat((magnitude * angle.cos(), magnitude * angle.sin()), dim=1)
        return self._transform.signal(bins, samples).clamp(-LARGEST_SAMPLE, LARGEST_SAMPLE)


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    total = tensors[0]
    for tensor in tensors[1:]:
        total += tensor  # nobody else holds the first one
    return total.div_(len(tensors))
