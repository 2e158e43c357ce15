"""True peak against the signals of EBU Tech 3341, and the fast path against the whole oversampled signal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from replikk.audio.true_peak import HALF_WIDTH, interpolator, true_peak, true_peak_dbtp


def sine(amplitude: float, divisor: int, phase_degrees: float, samples: int = 4000) -> np.ndarray:
    """A sine at the sample rate / divisor, faded so that only its middle counts."""
    at = np.arange(samples)
    window = np.clip(np.minimum(at, samples - at) / 500, 0, 1)
    return amplitude * window * np.sin(2 * np.pi * at / divisor + np.radians(phase_degrees))


def oversampled_peak(samples: np.ndarray) -> float:
    """Every interpolated point, without any shortcut."""
    padded = np.pad(samples.astype(np.float32), 4 * HALF_WIDTH)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * HALF_WIDTH)
    return max(float(np.abs(samples).max(initial=0.0)), float(np.abs(windows @ interpolator()).max()))


@pytest.mark.parametrize(
    ("case", "amplitude", "divisor", "phase", "dbtp"),
    [
        ("15", 0.5, 4, 0.0, -6.0),
        ("16", 0.5, 4, 45.0, -6.0),
        ("17", 0.5, 6, 60.0, -6.0),
        ("18", 0.5, 8, 67.5, -6.0),
        ("19", 1.41, 4, 45.0, 3.0),
    ],
)
def test_ebu_tech_3341(case: str, amplitude: float, divisor: int, phase: float, dbtp: float) -> None:
    """Tolerance of Tech 3341: +0.2 / -0.4 dB; ours is narrower."""
    assert true_peak_dbtp(sine(amplitude, divisor, phase)) == pytest.approx(dbtp, abs=0.1), case


def test_a_quarter_rate_sine_between_the_samples_peaks_3_db_above_them() -> None:
    signal = sine(1.0, 4, 45.0)
    assert 20 * np.log10(np.abs(signal).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak_dbtp(signal) == pytest.approx(0.0, abs=0.05)


values = st.floats(-1, 1, width=32)


@given(arrays(np.float32, st.integers(1, 400), elements=values))
@settings(deadline=None, max_examples=150)
def test_leaving_out_hopeless_places_changes_nothing(samples: np.ndarray) -> None:
    assert true_peak(samples) == pytest.approx(oversampled_peak(samples), rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_on_long_noise_of_changing_level(seed: int) -> None:
    rng = np.random.default_rng(seed)
    envelope = np.repeat(rng.uniform(0, 1, 60), 500)
    samples = (envelope * rng.standard_normal(len(envelope)) * 0.2).astype(np.float32)
    assert true_peak(samples) == pytest.approx(oversampled_peak(samples), rel=1e-5)


def test_the_true_peak_of_real_speech_is_not_below_its_samples(speak) -> None:
    for take in speak("Skynd deg, båten går!", "Hysj.", variant="f4"):
        samples = take.astype(np.float32) / 32768
        assert true_peak(samples) >= np.abs(samples).max()
        assert true_peak(samples) == pytest.approx(oversampled_peak(samples), rel=1e-5)


def test_silence_and_nothing() -> None:
    assert true_peak(np.zeros(100, np.float32)) == 0.0
    assert true_peak(np.zeros(0, np.float32)) == 0.0
    assert true_peak_dbtp(np.zeros(100, np.float32)) is None
