"""The vocoder against the published code's vectors, lines in a batch against lines alone, and its shortcuts."""

from __future__ import annotations

from functools import cache

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from cosyvoice3_small import small_states
from golden_cases import GoldenCase, names_of_cases, read_case
from torch import Tensor

from replikk.engines.cosyvoice3.convolutions import Convolution, folded_convolution, repeated_then
from replikk.engines.cosyvoice3.fixed_noise import PublishedSourceNoise
from replikk.engines.cosyvoice3.sizes import vocoder_sizes
from replikk.engines.cosyvoice3.vocoder import Vocoder
from replikk.engines.cosyvoice3.vocoder_source import VOICED_ABOVE_HZ, harmonic_sines, noise_amplitude
from replikk.engines.cosyvoice3.vocoder_spectrum import short_time_transform

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
ALONE_AND_TOGETHER = 1e-5
GOLDEN_CASES = names_of_cases("hift", "*", having="finalize")


# --- the published code's vectors ---


@cache
def golden_noise() -> Tensor:
    return read_case("hift", "noise_buffers").tensors["sine_noise"][0]


@cache
def golden_vocoder() -> Vocoder:
    state = read_case("hift", "model").tensors
    vocoder = Vocoder(vocoder_sizes(state), noise=lambda samples: golden_noise()[:samples])
    vocoder.load_state(state)
    return vocoder


def known_pitch(case: GoldenCase) -> Tensor:
    """Pitch as the case has it: a chunk's last three frames are only context."""
    f0 = golden_vocoder().f0(case.group("in")["mel"])
    return f0 if case.facts["finalize"] else f0[:, :-3]


@pytest.mark.parametrize("name", GOLDEN_CASES)
def test_golden_pitch(name: str) -> None:
    case = read_case("hift", name)
    torch.testing.assert_close(known_pitch(case), case.group("mid")["f0_float64"], rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", GOLDEN_CASES)
def test_golden_source(name: str) -> None:
    case = read_case("hift", name)
    f0 = known_pitch(case).float()
    source = golden_vocoder().source(f0)
    torch.testing.assert_close(source, case.group("mid")["source"][:, 0], atol=1e-5, rtol=0)
    noise = golden_noise()[: source.shape[1]]
    sines = harmonic_sines(f0, noise.shape[1]) * (f0 > VOICED_ABOVE_HZ)[..., None]
    mixed = sines.repeat_interleave(480, dim=1) + noise_amplitude(f0).repeat_interleave(480, dim=1)[..., None] * noise
    torch.testing.assert_close(mixed[:, ::7], case.group("mid")["sine_every_7th"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", GOLDEN_CASES)
@pytest.mark.parametrize("company", ["alone", "among shorter lines", "padded"])
def test_golden_waveform(name: str, company: str) -> None:
    case = read_case("hift", name)
    mels = list(case.group("in")["mel"].transpose(1, 2))
    published = case.group("out")["wav"]
    longest = len(golden_noise()) // 480  # the noise of the vectors is as long as their longest case
    others = {
        "alone": [],
        "among shorter lines": [mels[0][:-3], mels[0][5:]],
        "padded": [torch.cat((mels[0].flip(0), mels[0]))[:longest]],
    }[company]
    waves = golden_vocoder().waves([*others, *mels], final=case.facts["finalize"], largest_padding=0.9)
    for wave, expected in zip(waves[len(others) :], published, strict=True):
        torch.testing.assert_close(wave, expected, atol=5e-5, rtol=0)


@pytest.mark.parametrize("name", GOLDEN_CASES)
def test_golden_pitch_in_float32_is_close_on_short_lines(name: str) -> None:
    """The pitch is right to float32's own rounding. In the phase it adds up, so that the error of the sound grows with
    the line's length: of one second's sound it is less than a hundredth (40 dB), whatever the weights."""
    case = read_case("hift", name)
    state = read_case("hift", "model").tensors
    vocoder = Vocoder(vocoder_sizes(state), pitch_dtype=torch.float32, noise=lambda samples: golden_noise()[:samples])
    vocoder.load_state(state)
    pitch, published = case.group("mid")["f0_float64"], case.group("out")["wav"]
    f0 = vocoder.f0(case.group("in")["mel"])[:, : pitch.shape[1]]
    assert f0.dtype == torch.float32
    assert (f0 - pitch).abs().max() < 1e-5 * pitch.max()
    waves = vocoder.waves(list(case.group("in")["mel"].transpose(1, 2)), final=case.facts["finalize"])
    error = (torch.stack(waves) - published).square().mean().sqrt() / published.square().mean().sqrt()
    assert error < 0.01 * max(1.0, published.shape[1] / 24_000)


# --- a small random model ---


@cache
def small_vocoder() -> Vocoder:
    state = dict(small_states().vocoder)
    state["f0_predictor.classifier.bias"] = torch.tensor([8.0])  # voiced and unvoiced frames
    state["f0_predictor.classifier.weight"] = 100 * state["f0_predictor.classifier.weight"]
    vocoder = Vocoder(vocoder_sizes(state))
    vocoder.load_state(state)
    return vocoder


def some_mel(frames: int, seed: int = 0) -> Tensor:
    return torch.randn(frames, 80, generator=torch.Generator().manual_seed(seed))


def test_the_small_model_has_voiced_and_unvoiced_frames() -> None:
    voiced = small_vocoder().f0(some_mel(100).T[None]) > VOICED_ABOVE_HZ
    assert 0.1 < voiced.float().mean() < 0.9


@pytest.mark.parametrize("final", [True, False])
def test_a_line_is_the_same_alone_and_among_others(final: bool) -> None:
    mels = [some_mel(frames, frames) for frames in (30, 61, 9, 60, 31)]
    vocoder = small_vocoder()
    together = vocoder.waves(mels, final=final, most_frames=10_000, largest_padding=0.9)
    for mel, wave in zip(mels, together, strict=True):
        [alone] = vocoder.waves([mel], final=final)
        assert wave.shape == (480 * (len(mel) - (0 if final else 8)),)
        assert wave.std() > 1e-3
        torch.testing.assert_close(wave, alone, atol=ALONE_AND_TOGETHER, rtol=0)


def test_a_chunk_is_the_beginning_of_the_whole() -> None:
    mel = some_mel(60)
    [whole], [chunk] = small_vocoder().waves([mel]), small_vocoder().waves([mel[:40]], final=False)
    assert len(chunk) == 480 * 32
    torch.testing.assert_close(chunk, whole[: len(chunk)], atol=ALONE_AND_TOGETHER, rtol=0)


@pytest.mark.parametrize(("frames", "final", "samples"), [(0, True, 0), (1, True, 480), (8, False, 0), (0, False, 0)])
def test_next_to_nothing(frames: int, final: bool, samples: int) -> None:
    assert [len(wave) for wave in small_vocoder().waves([some_mel(frames), some_mel(20)], final=final)] == [
        samples,
        480 * (20 if final else 12),
    ]


def test_samples_stay_below_full_scale() -> None:
    [wave] = small_vocoder().waves([some_mel(50) * 50])
    assert wave.isfinite().all() and wave.abs().max() <= 0.99


def test_a_second_line_that_is_longer_finds_the_same_noise() -> None:
    state = small_states().vocoder
    grown, fresh = Vocoder(vocoder_sizes(state)), Vocoder(vocoder_sizes(state), noise=PublishedSourceNoise())
    grown.load_state(state)
    fresh.load_state(state)
    grown.waves([some_mel(3)])
    f0 = torch.zeros(1, 30)
    torch.testing.assert_close(grown.source(f0), fresh.source(f0), atol=1e-7, rtol=0)


# --- shortcuts against the plain way ---


@pytest.mark.parametrize(("kernel", "rate"), [(16, 8), (11, 5), (7, 3), (7, 7), (1, 2), (4, 1), (3, 8)])
def test_repetition_and_convolution_in_one(kernel: int, rate: int) -> None:
    draws = torch.Generator().manual_seed(kernel)
    weight, bias = torch.randn(6, 4, kernel, generator=draws), torch.randn(6, generator=draws)
    x = torch.randn(2, 4, 9, generator=draws)
    convolution = Convolution(weight, bias)
    plain = convolution.looking_back(x.repeat_interleave(rate, dim=-1))
    torch.testing.assert_close(repeated_then(convolution, rate)(x), plain, atol=1e-5, rtol=0)


@pytest.mark.parametrize("names", [("parametrizations.weight.original0", "parametrizations.weight.original1"),
                                   ("weight_g", "weight_v")])  # fmt: skip
def test_weight_norm_is_folded_as_torch_computes_it(names: tuple[str, str]) -> None:
    module = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(4, 6, 3))
    with torch.no_grad():
        module.parametrizations.weight.original0.mul_(1.7)
    state = {
        "up.bias": module.bias.detach(),
        f"up.{names[0]}": module.parametrizations.weight.original0.detach(),
        f"up.{names[1]}": module.parametrizations.weight.original1.detach(),
    }
    folded = folded_convolution(state, "up", CPU)
    torch.testing.assert_close(folded.weight, module.weight.detach(), atol=1e-6, rtol=0)


def test_both_names_of_weight_norm_make_the_same_vocoder() -> None:
    state = small_states().vocoder
    old = {
        key.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for key, value in state.items()
    }
    waves = []
    for one in (state, old):
        vocoder = Vocoder(vocoder_sizes(one))
        vocoder.load_state(one)
        waves += vocoder.waves([some_mel(10)])
    assert torch.equal(*waves)


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_short_time_transform_is_that_of_torch(frames: int) -> None:
    draws = torch.Generator().manual_seed(frames)
    short, window = torch.randn(frames * 480, generator=draws), torch.hann_window(16)
    padded = torch.stack((F.pad(short, (0, 960)), torch.randn(frames * 480 + 960, generator=draws)))
    samples = torch.tensor([len(short), padded.shape[1]])
    transform = short_time_transform(16, 4, CPU)
    bins = transform.spectrum(padded, samples)
    for row, count in enumerate(samples.tolist()):
        spectrum = torch.stft(padded[row, :count], 16, 4, window=window, return_complex=True)
        own = bins[row, :, : spectrum.shape[1]]
        torch.testing.assert_close(own, torch.cat((spectrum.real, spectrum.imag)), atol=1e-5, rtol=0)
    bins[0, :, frames * 120 + 1 :] = 1e3  # what stands after a line's end must not be heard
    back = transform.signal(bins, samples)
    for row, count in enumerate(samples.tolist()):
        torch.testing.assert_close(back[row, :count], padded[row, :count], atol=1e-5, rtol=0)
    # Columns that belong to no signal, as a network makes them, come out as torch has them too.
    other = torch.randn(1, 18, frames * 120 + 1, generator=draws)
    expected = torch.istft(torch.complex(other[:, :9], other[:, 9:]), 16, 4, window=window)
    torch.testing.assert_close(transform.signal(other, samples[:1]), expected, atol=1e-4, rtol=1e-4)
