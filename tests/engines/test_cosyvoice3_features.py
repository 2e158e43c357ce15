"""Acoustic features against the published code, and what must hold for any signal."""

from __future__ import annotations

import math

import pytest
import torch
from golden_cases import golden_cases, read_case

from replikk.engines.cosyvoice3 import features

pytestmark = pytest.mark.usefixtures("one_thread")


def close(computed: torch.Tensor, wanted: torch.Tensor, tolerance: float) -> bool:
    assert computed.shape == wanted.shape
    return float((computed - wanted).abs().max()) <= tolerance


@golden_cases("feat", "audio*")
def test_golden_audio(name: str) -> None:
    tensors = read_case("feat", name).tensors
    for at_24k, at_16k, mel in zip(tensors["wav24"], tensors["wav16"], tensors["mel24_80"], strict=True):
        assert close(features.resample(at_24k, 24_000, 16_000), at_16k, 1e-5)
        assert close(features.mel_spectrogram(at_24k).T, mel, 1e-4)
    at_16k = tensors["wav16"][0]  # whisper's largest value, and Kaldi's mean, are those of one signal
    assert close(features.whisper_log_mel(at_16k), tensors["whisper_logmel_128"][0], 1e-4)
    assert close(features.kaldi_filterbank(at_16k), tensors["kaldi_fbank_80_meansub"], 1e-3)
    assert close(features.kaldi_filterbank(at_16k, subtract_mean=False), tensors["kaldi_fbank_80_raw"], 1e-3)


@golden_cases("feat", "filterbanks*")
def test_golden_filterbanks(name: str) -> None:
    tensors = read_case("feat", name).tensors
    assert close(features.slaney_filterbank(24_000, 1920, 80), tensors["slaney_24k_1920_80"], 1e-8)
    assert close(features.slaney_filterbank(16_000, 400, 128), tensors["whisper_16k_400_128"], 1e-8)


@golden_cases("feat", "speed*")
def test_golden_speed(name: str) -> None:
    tensors = read_case("feat", name).tensors
    speeds = [key for key in tensors if key.startswith("speed_")]
    assert speeds
    for key in speeds:
        computed = features.change_speed(tensors["mel"].mT, float(key.removeprefix("speed_")))
        assert close(computed.mT, tensors[key], 1e-6)


def tone(frequency_hz: float, rate_hz: int, duration_s: float = 0.5) -> torch.Tensor:
    return torch.sin(2 * math.pi * frequency_hz * torch.arange(round(rate_hz * duration_s)) / rate_hz) * 0.5


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48_000, 24_000), (44_100, 16_000), (22_050, 24_000), (16_000, 24_000)])
def test_resampling_keeps_a_tone(from_hz: int, to_hz: int) -> None:
    made = features.resample(tone(440.0, from_hz), from_hz, to_hz)
    wanted = tone(440.0, to_hz)
    assert len(made) == math.ceil(len(tone(440.0, from_hz)) * to_hz / from_hz)
    middle = slice(200, -200)  # the ends are filtered against silence
    assert float((made[: len(wanted)] - wanted)[middle].abs().max()) < 2e-3


def test_resampling_takes_out_what_the_lower_rate_cannot_hold() -> None:
    assert float(features.resample(tone(11_000.0, 48_000), 48_000, 16_000)[200:-200].abs().max()) < 0.01


def test_resampling_to_the_same_rate_changes_nothing() -> None:
    samples = tone(440.0, 24_000)
    assert features.resample(samples, 24_000, 24_000) is samples


def test_resampling_of_many_signals_is_that_of_each() -> None:
    both = torch.stack([tone(440.0, 44_100), tone(700.0, 44_100)])
    assert torch.allclose(
        features.resample(both, 44_100, 24_000)[1], features.resample(both[1], 44_100, 24_000), atol=1e-6
    )


@pytest.mark.parametrize("samples", [24_000, 24_479, 24_480, 72_001])
def test_frames_are_whole_hops(samples: int) -> None:
    assert features.mel_spectrogram(torch.zeros(samples)).shape == (samples // 480, 80)
    assert features.whisper_log_mel(torch.zeros(samples)).shape == (128, samples // 160)
    assert features.kaldi_filterbank(torch.zeros(samples)).shape == (1 + (samples - 400) // 160, 80)


def test_silence_gives_finite_features() -> None:
    for made in (features.mel_spectrogram, features.whisper_log_mel, features.kaldi_filterbank):
        assert made(torch.zeros(24_000)).isfinite().all()


def test_every_filter_of_the_speaker_model_has_a_bin() -> None:
    filters = features.htk_filterbank()
    assert filters.shape == (80, 257)
    assert (filters.sum(dim=1) > 0).all() and not filters[:, -1].any()
