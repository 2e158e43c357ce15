"""Loudness against values that are known beforehand: BS.1770's own table and the signals of EBU Tech 3341.

Tech 3341 plays the same tone on both channels of a stereo pair; on one channel the same reading needs 3.01 dB more.
"""

import numpy as np
import pytest
from scipy.signal import sosfilt

from replikk.audio.loudness import (
    DUAL_MONO_LU,
    integrated_loudness,
    k_weighted,
    k_weighting,
    momentary_maximum,
    ungated_loudness,
)

RATES_HZ = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]


def tones(rate: int, *parts: tuple[float, float], hz: float = 1000.0) -> np.ndarray:
    """A sine whose level changes: (peak level in dBFS, seconds) each, phase continuous."""
    levels = np.concatenate([np.full(round(seconds * rate), 10 ** (level / 20)) for level, seconds in parts])
    return levels * np.sin(2 * np.pi * hz * np.arange(len(levels)) / rate)


def as_mono(*parts: tuple[float, float]) -> list[tuple[float, float]]:
    return [(level + DUAL_MONO_LU, seconds) for level, seconds in parts]


def test_filter_at_48_khz_is_the_recommendation_s_table() -> None:
    table = [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    np.testing.assert_allclose(k_weighting(48_000), table, atol=1e-9)


@pytest.mark.parametrize("rate", RATES_HZ)
@pytest.mark.parametrize("seconds", [0.013, 0.4, 1.3, 7.7])
def test_block_convolution_equals_the_recursive_filter(rate: int, seconds: float) -> None:
    signal = np.random.default_rng(1).standard_normal(round(rate * seconds))
    expected = sosfilt(k_weighting(rate), signal)
    np.testing.assert_allclose(k_weighted(signal, rate), expected, atol=1e-7)


@pytest.mark.parametrize("rate", RATES_HZ)
def test_full_scale_sine_reads_minus_3_01(rate: int) -> None:
    """BS.1770-4: 0 dBFS at 997 Hz in one front channel is -3.01 LUFS, at any sample rate."""
    signal = tones(rate, (0.0, 4.0), hz=997.0)
    assert integrated_loudness(signal, rate) == pytest.approx(-3.01, abs=0.05)
    assert momentary_maximum(signal, rate) == pytest.approx(-3.01, abs=0.05)
    assert ungated_loudness(signal, rate) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("rate", [22_050, 48_000])
@pytest.mark.parametrize(
    ("case", "parts", "lufs"),
    [
        ("1: steady", [(-23.0, 20.0)], -23.0),
        ("2: steady, faint", [(-33.0, 20.0)], -33.0),
        ("3: relative gate", [(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)], -23.0),
        ("4: both gates", [(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)], -23.0),
        ("5: levels within the gate", [(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)], -23.0),
    ],
)
def test_ebu_tech_3341_integrated(rate: int, case: str, parts: list[tuple[float, float]], lufs: float) -> None:
    assert integrated_loudness(tones(rate, *as_mono(*parts)), rate) == pytest.approx(lufs, abs=0.1), case


@pytest.mark.parametrize("start_s", [0.0, 0.05, 0.33, 0.917])
def test_ebu_tech_3341_momentary_finds_400_ms_wherever_they_are(start_s: float) -> None:
    """Its cases 13 and 14: a burst of 400 ms reads its full level, whatever silence stands before it."""
    signal = tones(22_050, (-200.0, start_s), *as_mono((-23.0, 0.4)), (-200.0, 1.0))
    assert momentary_maximum(signal, 22_050) == pytest.approx(-23.0, abs=0.1)


def test_pauses_in_a_line_do_not_change_its_integrated_loudness() -> None:
    speech = tones(22_050, (-20.0, 12.0))
    pause = np.zeros(3 * 22_050)
    paused = np.concatenate([pause, speech, pause, speech])
    assert integrated_loudness(paused, 22_050) == pytest.approx(integrated_loudness(speech, 22_050), abs=0.2)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.39, 1.0, 5.0])
def test_silence_has_no_loudness(seconds: float) -> None:
    silence = np.zeros(round(seconds * 22_050))
    assert integrated_loudness(silence, 22_050) is None
    assert momentary_maximum(silence, 22_050) is None
    assert ungated_loudness(silence, 22_050) is None


def test_below_400_ms_there_is_no_momentary_loudness() -> None:
    assert momentary_maximum(tones(22_050, (-20.0, 0.399)), 22_050) is None
    assert momentary_maximum(tones(22_050, (-20.0, 0.4)), 22_050) is not None
