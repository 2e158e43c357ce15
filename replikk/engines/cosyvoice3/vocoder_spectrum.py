"""Short-time spectra of the vocoder: 16 samples a window, every 4 samples, centred, reflected at the ends.

What a library does for one signal is done here for lines of different lengths in one padded batch, so that each gets
what it would get alone: the reflection stands at each line's own end, and at the way back only a line's own columns are
added up and counted. A window is so short that its Fourier transform is one small matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

SMALLEST_POWER = 1e-11
"""Where no window counts there is no sound; keeps the division finite."""


@dataclass(frozen=True)
class ShortTimeTransform:
    """Both directions, float32. ``bins`` are the real parts, then the imaginary parts: size + 2 together."""

    size: int
    hop: int
    to_bins: Tensor  # [size, size + 2], window included
    to_samples: Tensor  # [size + 2, size], window included
    window_power: Tensor  # [size]

    def columns(self, samples: Tensor) -> Tensor:
        """Columns of signals of so many samples."""
        return samples // self.hop + 1

    def spectrum(self, signal: Tensor, samples: Tensor | None) -> Tensor:
        """Signals [lines, longest] -> bins [lines, size + 2, columns].

        A signal is reflected at its beginning and after its own ``samples`` [lines]; with None, all are whole.
        """
        half = self.size // 2
        padded = F.pad(signal[:, None], (half, half), mode="reflect").squeeze(1)
        if samples is not None:
            end = samples[:, None] + half  # of each signal, in ``padded``
            offset = torch.arange(half, device=signal.device)
            padded.scatter_(1, end + offset, padded.gather(1, end - 2 - offset))
        return (padded.unfold(1, self.size, self.hop) @ self.to_bins).transpose(1, 2)

    def signal(self, bins: Tensor, samples: Tensor) -> Tensor:
        """Bins [lines, size + 2, columns] -> signals [lines, longest], of which ``samples`` [lines] are meant."""
        column = torch.arange(bins.shape[-1], device=bins.device)
        counts = (column < self.columns(samples)[:, None])[..., None]  # [lines, columns, 1]
        windows = torch.where(counts, bins.transpose(1, 2) @ self.to_samples, 0.0)
        power = self._overlapped(counts * self.window_power)
        return self._overlapped(windows) / power.clamp(min=SMALLEST_POWER)

    def _overlapped(self, windows: Tensor) -> Tensor:
        """Adds windows [lines, columns, size] up, one every ``hop``; half a window is cut off at both ends."""
        lines, columns, _ = windows.shape
        parts = windows.unflatten(-1, (-1, self.hop))  # [lines, columns, size / hop, hop]
        total = windows.new_zeros(lines, columns + parts.shape[2] - 1, self.hop)
        for i in range(parts.shape[2]):
            total[:, i : i + columns] += parts[:, :, i]
        return total.flatten(1)[:, self.size // 2 : -(self.size // 2)]


def short_time_transform(size: int, hop: int, device: torch.device) -> ShortTimeTransform:
    """The transform with a periodic Hann window; its matrices are made in float64."""
    window = torch.hann_window(size, periodic=True, dtype=torch.float64)
    forward = torch.fft.rfft(torch.diag(window))
    unit = torch.eye(size // 2 + 1, dtype=torch.float64)
    backward = torch.cat((torch.fft.irfft(unit, size), torch.fft.irfft(1j * unit, size))) * window
    return ShortTimeTransform(
        size=size,
        hop=hop,
        to_bins=torch.cat((forward.real, forward.imag), dim=1).float().to(device),
        to_samples=backward.float().to(device),
        window_power=window.square().float().to(device),
    )
