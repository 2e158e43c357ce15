"""Changing the sample rate keeps what both rates can hold and nothing else."""

import numpy as np
import pytest

from replikk.audio.resample import resample

PAIRS_HZ = [(22_050, 24_000), (22_050, 48_000), (24_000, 22_050), (48_000, 22_050), (44_100, 16_000), (8_000, 48_000)]


def tone(rate: int, hz: float, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def middle(samples: np.ndarray) -> np.ndarray:
    return samples[len(samples) // 4 : -len(samples) // 4]


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS_HZ)
@pytest.mark.parametrize("share", [0.01, 0.3, 0.8])
def test_tones_within_both_bands_keep_level_and_time(from_hz: int, to_hz: int, share: float) -> None:
    hz = share * min(from_hz, to_hz) / 2
    out = resample(tone(from_hz, hz), from_hz, to_hz)
    expected = tone(to_hz, hz)
    assert abs(len(out) - len(expected)) <= 1
    length = min(len(out), len(expected))
    np.testing.assert_allclose(middle(out[:length]), middle(expected[:length]), atol=2e-3)


@pytest.mark.parametrize(("from_hz", "to_hz"), [pair for pair in PAIRS_HZ if pair[0] > pair[1]])
def test_tones_above_the_new_band_do_not_fold_back(from_hz: int, to_hz: int) -> None:
    hz = min(to_hz / 2 * 1.05, from_hz / 2 * 0.99)
    out = middle(resample(tone(from_hz, hz), from_hz, to_hz))
    assert np.sqrt(np.mean(out**2)) < 10 ** (-50 / 20)


def test_the_same_rate_is_the_same_array() -> None:
    samples = tone(24_000, 100)
    assert resample(samples, 24_000, 24_000) is samples
