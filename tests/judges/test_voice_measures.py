"""Pitch, timbre and pace measured on samples: of sounds whose pitch is known, and of the embedded voice."""

from __future__ import annotations

import json

import numpy as np
import pytest

from replikk.judges.signal import measure_signal
from replikk.judges.voice_measures import measure_traits
from replikk.judges.voice_traits import VoiceTraits

Samples = np.ndarray


def vowel(pitch_hz: float, rate: int = 22_050, duration_s: float = 1.0, gain: float = 3000.0) -> Samples:
    """Harmonics of a pitch with two formants, as int16 [samples]."""
    moment = np.arange(round(duration_s * rate)) / rate
    wave = np.zeros(len(moment))
    for number in range(1, int(min(4000, rate / 2) / pitch_hz)):
        hz = number * pitch_hz
        height = np.exp(-(((hz - 600) / 300) ** 2)) + 0.4 * np.exp(-(((hz - 1200) / 300) ** 2)) + 0.02
        wave += height * np.sin(2 * np.pi * hz * moment + number)
    wave += np.random.default_rng(1).normal(0, 0.01, len(wave))  # or rounding would fill the bands above the voice
    return np.round(gain * wave).astype(np.int16)


def traits(samples: Samples, rate: int = 22_050) -> VoiceTraits:
    return measure_traits(samples, rate, measure_signal(samples, rate))


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("pitch_hz", [80.0, 120.0, 210.0, 330.0])
def test_pitch(pitch_hz: float, rate: int) -> None:
    assert traits(vowel(pitch_hz, rate), rate).pitch_hz == pytest.approx(pitch_hz, rel=0.02)


def test_noise_and_silence_have_no_pitch() -> None:
    hiss = np.random.default_rng(1).normal(0, 3000, 22_050).astype(np.int16)
    assert traits(hiss).pitch_hz is None
    silent = traits(np.zeros(22_050, np.int16))
    assert (silent.pitch_hz, silent.timbre, silent.speaking_s) == (None, None, 0.0)


@pytest.mark.parametrize("length", [0, 1, 100, 700, 1400])
def test_any_length_is_measured(length: int) -> None:
    traits(vowel(150)[:length])


def test_timbre_does_not_know_the_level() -> None:
    quiet, loud = traits(vowel(150, gain=1000)), traits(vowel(150, gain=8000))
    assert quiet.timbre is not None and loud.timbre is not None
    assert np.allclose(quiet.timbre, loud.timbre, atol=0.1)
    assert loud.level_dbfs - quiet.level_dbfs == pytest.approx(18.06, abs=0.1)


def test_speaking_time_leaves_silence_out() -> None:
    gap = np.zeros(22_050, np.int16)
    assert traits(np.concatenate([gap, vowel(150), gap, vowel(150), gap])).speaking_s == pytest.approx(2.0, abs=0.03)


def test_traits_survive_json() -> None:
    found = traits(vowel(150))
    assert VoiceTraits.from_json(json.loads(json.dumps(found.to_json()))) == found
