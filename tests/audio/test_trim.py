"""Trimming finds the speech, whole: weak consonants at either end are the hard part."""

import numpy as np
import pytest

from replikk.audio.trim import SpeechBounds, speech_bounds

RATE_HZ = 22_050
PADDING_S = 0.5
WEAK_ENDS = [
    "Hus", "Natt", "Takk", "Stoff", "Norsk", "Fisk", "Kanskje det er en busj", "Han reiste sist", "Vi ses",
    "Det er bratt", "Så flott", "Lys", "Hun så en kalv", "Stiv", "En hel flokk med rev", "Seks", "Fem", "Alf",
    "f", "s", "t", "k", "sj",
]  # fmt: skip


def cut_to_sound(take: np.ndarray) -> np.ndarray:
    """The stretch in which the embedded voice (no echo in variants m1, m3, whisper) really makes a sound."""
    sound = np.flatnonzero(take)
    return take[sound[0] : sound[-1] + 1].astype(np.float32) / 32768


def loudest_frame(signal: np.ndarray) -> float:
    return float(np.sqrt(np.convolve(signal * signal, np.full(220, 1 / 220)).max()))


def test_weak_consonants_are_kept_and_the_padding_is_trimmed(speak) -> None:
    """Each word stands in half a second of noise on either side, from digital silence to a poor room."""
    wrong = []
    rng = np.random.default_rng(3)
    padding = round(PADDING_S * RATE_HZ)
    for variant in ("m1", "m3", "whisper"):
        for text, take in zip(WEAK_ENDS, speak(*WEAK_ENDS, variant=variant), strict=True):
            word = cut_to_sound(take)
            for noise_db in (-200, -70, -60, -50):
                noise = loudest_frame(word) * 10 ** (noise_db / 20) * rng.standard_normal(len(word) + 2 * padding)
                padded = (np.pad(word, padding) + noise).astype(np.float32)
                bounds = speech_bounds(padded, RATE_HZ)
                # Not a sample too late or too early, and found to within 20 ms: the noise was trimmed.
                head_s = (padding - bounds.start) / RATE_HZ
                tail_s = (bounds.end - padding - len(word)) / RATE_HZ
                if not (0 <= head_s <= 0.02 and 0 <= tail_s <= 0.02):
                    wrong.append((variant, text, noise_db, head_s, tail_s))
    assert wrong == []


def test_nothing_is_taken_from_a_take_without_any_silence(speak) -> None:
    """The noise floor is guessed from the quietest frames; here those are speech."""
    wrong = []
    for variant in ("m1", "m3", "m7"):
        for text, take in zip(WEAK_ENDS, speak(*WEAK_ENDS, variant=variant), strict=True):
            word = cut_to_sound(take)
            if speech_bounds(word, RATE_HZ) != SpeechBounds(0, len(word)):
                wrong.append((variant, text))
    assert wrong == []


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 48_000])
@pytest.mark.parametrize("gain_db", [0.0, -30.0])
def test_the_threshold_is_relative_to_the_clip_and_independent_of_the_rate(rate: int, gain_db: float) -> None:
    at = np.arange(round(0.6 * rate)) / rate
    tone = 0.5 * 10 ** (gain_db / 20) * np.sin(2 * np.pi * 220 * at)
    signal = np.pad(tone, rate // 2).astype(np.float32)
    bounds = speech_bounds(signal, rate)
    assert bounds.start == pytest.approx(rate // 2, abs=0.011 * rate)
    assert bounds.end == pytest.approx(rate // 2 + len(tone), abs=0.011 * rate)


def test_the_burst_after_a_closure_belongs_to_the_word() -> None:
    """Vowel, 120 ms of silence, a faint burst of 15 ms at high frequencies, then silence."""
    rng = np.random.default_rng(5)
    vowel = 0.5 * np.sin(2 * np.pi * 150 * np.arange(RATE_HZ // 4) / RATE_HZ)
    burst = np.diff(rng.standard_normal(round(0.015 * RATE_HZ)), prepend=0.0) * 0.02
    gap = np.zeros(round(0.12 * RATE_HZ))
    word = np.concatenate([vowel, gap, burst])
    bounds = speech_bounds(np.pad(word, (0, RATE_HZ)).astype(np.float32), RATE_HZ)
    assert len(word) <= bounds.end <= len(word) + 0.011 * RATE_HZ


def test_direct_current_is_not_speech(speak) -> None:
    word = cut_to_sound(speak("Hus")[0])
    padded = np.pad(word, RATE_HZ // 2) + np.float32(0.1)
    bounds = speech_bounds(padded, RATE_HZ)
    assert bounds.start == pytest.approx(RATE_HZ // 2, abs=0.02 * RATE_HZ)
    assert bounds.end == pytest.approx(RATE_HZ // 2 + len(word), abs=0.02 * RATE_HZ)


@pytest.mark.parametrize("length", [0, 1, 50, RATE_HZ])
def test_silence_has_no_bounds(length: int) -> None:
    assert speech_bounds(np.zeros(length, np.float32), RATE_HZ) == SpeechBounds(0, 0)


def test_a_clip_shorter_than_a_frame_is_kept() -> None:
    assert speech_bounds(np.full(30, 0.5, np.float32) * np.sign(np.sin(np.arange(30))), RATE_HZ) == SpeechBounds(0, 30)
