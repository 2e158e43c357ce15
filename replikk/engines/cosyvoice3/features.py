"""Acoustic features of a reference recording, and the stretching of a mel spectrogram.

Four transforms, each as the published model was trained with them; every constant is part of the model:

- ``mel_spectrogram``: 24 kHz, 80 bins, natural log; what the flow makes and the vocoder reads;
- ``whisper_log_mel``: 16 kHz, 128 bins, base-10 log, squeezed to about -1 to 1; what the speech tokenizer reads;
- ``kaldi_filterbank``: 16 kHz, 80 bins; what the speaker model reads;
- ``resample``: windowed-sinc resampling with the defaults of torchaudio.

Signals are float32 in [-1, 1], shape [samples].

Raise ``versions.FEATURES`` when any value computed here changes: features are kept under a name that has it.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional

MEL_RATE_HZ = 24_000
TOKEN_RATE_HZ = 16_000

_MEL_FFT, _MEL_HOP = 1920, 480  # 80 ms windows every 20 ms
_WHISPER_FFT, _WHISPER_HOP, WHISPER_BINS = 400, 160, 128  # 25 ms windows every 10 ms
_KALDI_FRAME, _KALDI_HOP, _KALDI_FFT, KALDI_BINS = 400, 160, 512, 80
_KALDI_LOW_HZ = 20.0
_PRE_EMPHASIS = 0.97
_EPSILON = torch.finfo(torch.float32).eps

# torchaudio's defaults: a sinc of 6 zero crossings on either side under a squared-cosine (Hann) window, cut off at
# 99 % of the lower Nyquist frequency.
_ZERO_CROSSINGS = 6
_ROLL_OFF = 0.99


def mel_spectrogram(samples: Tensor, bins: int = 80) -> Tensor:
    """Log-mel spectrogram [frames, bins] of 24 kHz ``samples`` [samples]; floor(samples / 480) frames of 20 ms.

    Needs more than 720 samples, which are mirrored at either end.
    """
    padding = (_MEL_FFT - _MEL_HOP) // 2
    padded = functional.pad(samples[None, None], (padding, padding), mode="reflect")[0, 0]
    window = torch.hann_window(_MEL_FFT, device=samples.device)
    spectrum = torch.stft(padded, _MEL_FFT, _MEL_HOP, window=window, center=False, return_complex=True)
    magnitude = (spectrum.real.square() + spectrum.imag.square() + 1e-9).sqrt()  # [961, frames]
    filters = slaney_filterbank(MEL_RATE_HZ, _MEL_FFT, bins).to(samples.device)
    return (filters @ magnitude).clamp(min=1e-5).log().T.contiguous()


def whisper_log_mel(samples: Tensor, bins: int = WHISPER_BINS) -> Tensor:
    """Log-mel spectrogram [bins, frames] of 16 kHz ``samples`` [samples]; floor(samples / 160) frames of 10 ms.

    Not padded to 30 s. Values depend on the loudest one of the whole recording: everything more than 80 dB below it is
    raised to that.
    """
    window = torch.hann_window(_WHISPER_FFT, device=samples.device)
    spectrum = torch.stft(samples, _WHISPER_FFT, _WHISPER_HOP, window=window, return_complex=True)
    power = spectrum[:, :-1].abs().square()  # [201, frames]
    filters = slaney_filterbank(TOKEN_RATE_HZ, _WHISPER_FFT, bins).to(samples.device)
    logarithm = (filters @ power).clamp(min=1e-10).log10()
    logarithm = torch.maximum(logarithm, logarithm.max() - 8.0)
    return (logarithm + 4.0) / 4.0


def kaldi_filterbank(samples: Tensor, *, subtract_mean: bool = True) -> Tensor:
    """Kaldi's log filterbank energies [frames, 80] of 16 kHz ``samples`` [samples] in [-1, 1], 25 ms frames every
    10 ms, only whole frames, without dither; by default with each bin's mean over time taken off.

    Needs at least 400 samples.
    """
    frames = samples.unfold(0, _KALDI_FRAME, _KALDI_HOP)  # [frames, 400]
    frames = frames - frames.mean(dim=1, keepdim=True)
    before = functional.pad(frames[None], (1, 0), mode="replicate")[0, :, :-1]
    frames = frames - _PRE_EMPHASIS * before
    # Kaldi's own "Povey" window: a symmetric Hann window to the power of 0.85, which goes to zero at its ends.
    window = torch.hann_window(_KALDI_FRAME, periodic=False, device=samples.device).pow(0.85)
    spectrum = torch.fft.rfft(functional.pad(frames * window, (0, _KALDI_FFT - _KALDI_FRAME)))
    power = spectrum.abs().square()  # [frames, 257]
    energies = (power @ htk_filterbank().to(samples.device).T).clamp(min=_EPSILON).log()
    return energies - energies.mean(dim=0, keepdim=True) if subtract_mean else energies


def resample(samples: Tensor, from_hz: int, to_hz: int) -> Tensor:
    """``samples`` [..., samples] at another rate: ceil(samples * to / from) of them.

    Windowed-sinc interpolation: output sample k stands at the time k/to; the kernel depends only on where that falls
    between two input samples, which repeats every to/gcd samples. So one strided convolution with to/gcd kernels
    makes all of them.
    """
    if from_hz == to_hz:
        return samples
    divisor = math.gcd(from_hz, to_hz)
    step, phases = from_hz // divisor, to_hz // divisor
    kernels, reach = _sinc_kernels(step, phases)
    shape, count = samples.shape[:-1], samples.shape[-1]
    padded = functional.pad(samples.reshape(-1, 1, count), (reach, reach + step))
    out = functional.conv1d(padded, kernels.to(samples), stride=step)  # [signals, phases, count / step]
    wanted = -(-phases * count // step)
    return out.transpose(1, 2).reshape(*shape, -1)[..., :wanted]


def change_speed(mel: Tensor, speed: float) -> Tensor:
    """A mel spectrogram [..., frames, bins] spoken ``speed`` times as fast: int(frames / speed) frames, by linear
    interpolation. Pitch stays, because each frame holds its own spectrum."""
    if speed == 1.0:
        return mel
    frames = int(mel.shape[-2] / speed)
    rows = mel.transpose(-1, -2).reshape(-1, mel.shape[-1], mel.shape[-2])
    stretched = functional.interpolate(rows, size=frames, mode="linear", align_corners=False)
    return stretched.transpose(-1, -2).reshape(*mel.shape[:-2], frames, mel.shape[-1])


@functools.lru_cache(maxsize=8)
def slaney_filterbank(rate_hz: int, fft: int, bins: int) -> Tensor:
    """Triangular filters [bins, fft / 2 + 1] over the frequencies 0 to half the rate, float32.

    The scale is Slaney's (Auditory Toolbox, Interval Research report 1998-010, 1998): 200/3 Hz a step below 1000 Hz,
    above it 27 steps a factor of 6.4. Each filter has the area 1 over hertz times two ("Slaney's norm").
    """
    linear_hz, break_hz = 200 / 3, 1000.0
    break_mel, log_step = break_hz / linear_hz, math.log(6.4) / 27
    top_mel = break_mel + math.log(rate_hz / 2 / break_hz) / log_step
    mels = torch.linspace(0, top_mel, bins + 2, dtype=torch.float64)
    above = break_hz * torch.exp(log_step * (mels - break_mel))
    corners = torch.where(mels < break_mel, linear_hz * mels, above)  # [bins + 2] Hz
    frequencies = torch.linspace(0, rate_hz / 2, fft // 2 + 1, dtype=torch.float64)
    triangles = _triangles(corners, frequencies)
    return (triangles * (2 / (corners[2:] - corners[:-2]))[:, None]).float()


@functools.lru_cache(maxsize=1)
def htk_filterbank() -> Tensor:
    """Kaldi's triangular filters [80, 257] over 20 to 8000 Hz, computed in float32 like the ones trained with.

    The scale is HTK's, 1127 ln(1 + f/700), and unlike Slaney's the triangles are straight on that scale, not in hertz.
    The last column, the Nyquist frequency, is where the last filter ends.
    """

    low, high = (1127.0 * math.log1p(hertz / 700.0) for hertz in (_KALDI_LOW_HZ, TOKEN_RATE_HZ / 2))
    corners = low + torch.arange(KALDI_BINS + 2) * ((high - low) / (KALDI_BINS + 1))
    frequencies = TOKEN_RATE_HZ / _KALDI_FFT * torch.arange(_KALDI_FFT // 2 + 1)
    triangles = _triangles(corners, 1127.0 * (1.0 + frequencies / 700.0).log())
    triangles[:, -1] = 0.0  # the filter ends there; rounding must not leave a trace
    return triangles


def _triangles(corners: Tensor, places: Tensor) -> Tensor:
    """Filters [len(corners) - 2, len(places)] that rise from one corner to the next and fall to the one after."""
    rising = (places - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - places) / (corners[2:] - corners[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp(min=0.0)


@functools.lru_cache(maxsize=8)
def _sinc_kernels(step: int, phases: int) -> tuple[Tensor, int]:
    """Kernels [phases, 1, 2 * reach + step] that make ``phases`` samples of every ``step``, and their reach."""
    cut_off = min(step, phases) * _ROLL_OFF  # in units of the common divisor of both rates
    reach = math.ceil(_ZERO_CROSSINGS * step / cut_off)
    at = torch.arange(-reach, reach + step, dtype=torch.float64)[None, None] / step
    at = at - torch.arange(phases, dtype=torch.float64)[:, None, None] / phases
    crossings = (at * cut_off).clamp(-_ZERO_CROSSINGS, _ZERO_CROSSINGS)
    window = torch.cos(crossings * (math.pi / _ZERO_CROSSINGS / 2)).square()
    kernels = torch.sinc(crossings) * window * (cut_off / step)
    return kernels.float(), reach
