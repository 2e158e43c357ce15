"""Log-mel features."""

import numpy as np
import pytest

from replikk.judges.mini.features import (
    HOP_SAMPLES,
    MEL_BINS,
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    log_mel,
    mel_filters,
    resample,
)


def tone(frequency_hz: float, rate_hz: int = SAMPLE_RATE_HZ, duration_s: float = 0.5) -> np.ndarray:
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return np.round(12_000 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.int16)


@pytest.mark.parametrize("samples", [0, 1, HOP_SAMPLES, HOP_SAMPLES + 1, 12_345])
def test_one_frame_per_started_hop(samples):
    features = log_mel(np.zeros(samples, np.int16))
    assert features.shape == (max(1, -(-samples // HOP_SAMPLES)), MEL_BINS)
    assert features.dtype == np.float32


def test_silence_is_exactly_zero():
    assert not log_mel(np.zeros(5000, np.int16)).any()


def test_a_frame_depends_on_its_own_window_only():
    random = np.random.default_rng(1)
    samples = random.integers(-8000, 8000, 20_000).astype(np.int16)
    changed = samples.copy()
    changed[10_000:10_100] = 0
    different = np.flatnonzero((log_mel(samples) != log_mel(changed)).any(axis=1)) * HOP_SAMPLES
    assert different.min() >= 10_000 - WINDOW_SAMPLES and different.max() <= 10_100 + WINDOW_SAMPLES


@pytest.mark.parametrize("frequency_hz", [200, 1000, 4000])
def test_a_tone_lands_in_its_bin(frequency_hz):
    centre = np.argmax(mel_filters()[round(frequency_hz * WINDOW_SAMPLES / SAMPLE_RATE_HZ)])
    assert abs(int(log_mel(tone(frequency_hz))[20].argmax()) - centre) <= 1


@pytest.mark.parametrize("rate_hz", [16_000, 24_000, 44_100, 48_000])
def test_other_rates_are_resampled(rate_hz):
    changed = resample(tone(440, rate_hz), rate_hz)
    assert abs(len(changed) - SAMPLE_RATE_HZ // 2) <= 2
    found, wanted = log_mel(changed), log_mel(tone(440))
    np.testing.assert_allclose(found[20:40].max(axis=1), wanted[20:40].max(axis=1), atol=0.05)


def test_the_embedded_voice_is_never_resampled():
    samples = tone(300)
    assert resample(samples, SAMPLE_RATE_HZ) is samples
