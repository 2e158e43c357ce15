"""What is measured on samples: on synthetic speech of known level, and on the embedded voice itself."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from replikk.dialogue.records import Segment, Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeRequest
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.signal import measure_signal
from replikk.judges.signal_evidence import SignalEvidence
from replikk.judges.thresholds import Thresholds
from replikk.judges.verdict import decide

RATE = 22_050
Samples = NDArray[np.int16]


def voiced(seconds: float, level: float = 0.3, pitch_hz: float = 110.0) -> Samples:
    """A buzz with harmonics that fades in and out, about as a vowel does."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * pitch_hz * k * time) / k for k in range(1, 12))
    fade = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.03)
    return np.round(wave / 2 * fade * level * 32767).astype(np.int16)


def silent(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def join(*parts: Samples) -> Samples:
    return np.concatenate(parts)


def measure(samples: Samples) -> SignalEvidence:
    return measure_signal(samples, RATE)


# Known signals ------------------------------------------------------------------------------------


def test_silences_and_their_places() -> None:
    found = measure(join(silent(0.2), voiced(0.5), silent(0.4), voiced(0.5), silent(0.05), voiced(0.5), silent(0.3)))
    assert found.duration_s == pytest.approx(2.45, abs=0.001)
    assert found.silence_start_s == pytest.approx(0.2, abs=0.02)
    assert found.silence_end_s == pytest.approx(0.3, abs=0.02)
    assert len(found.silences) == 1  # 50 ms are the closure of a consonant
    assert found.longest_silence_s == pytest.approx(0.4, abs=0.03)
    assert found.longest_silence_at_s == pytest.approx(0.7, abs=0.03)
    assert found.speech_s == pytest.approx(1.5, abs=0.1)


def test_levels() -> None:
    loud, soft = measure(voiced(1.0, 0.5)), measure(voiced(1.0, 0.05))
    assert loud.rms_dbfs - soft.rms_dbfs == pytest.approx(20, abs=0.2)
    assert loud.peak_dbfs - soft.peak_dbfs == pytest.approx(20, abs=0.2)
    # What is judged is relative: a whisper is judged like a shout.
    assert loud.tail_level_db == pytest.approx(soft.tail_level_db, abs=1)
    assert loud.speech_s == pytest.approx(soft.speech_s, abs=0.02)


def test_a_cut_ending_is_loud() -> None:
    whole = voiced(1.0)
    assert measure(whole).tail_level_db < -12
    assert measure(whole[: RATE // 2]).tail_level_db > -6
    assert measure(join(whole, silent(0.1))).tail_level_db == -120


def test_clipping_also_under_full_scale() -> None:
    clean = voiced(1.0)
    assert measure(clean).clipped_share < 0.001
    limit = round(0.3 * int(np.abs(clean).max()))
    clipped = np.clip(clean, -limit, limit).astype(np.int16)
    assert measure(clipped).clipped_share > 0.05
    assert measure((clipped // 4).astype(np.int16)).clipped_share > 0.05


@pytest.mark.parametrize("snr_db", [5, 10, 20])
def test_noise_is_found_where_there_is_no_pause(snr_db: float) -> None:
    clean = voiced(1.0).astype(float)
    noise = np.random.default_rng(1).standard_normal(len(clean))
    noise *= np.sqrt(np.square(clean).mean() / 10 ** (snr_db / 10) / np.square(noise).mean())
    found = measure(np.clip(np.round(clean + noise), -32768, 32767).astype(np.int16))
    assert snr_db - 2 < found.snr_db < snr_db + 8
    assert measure(clean.astype(np.int16)).snr_db > 30


def test_noise_is_not_hidden_by_an_inserted_pause() -> None:
    noise = np.random.default_rng(1).normal(0, 1000, RATE)
    noisy = np.clip(voiced(1.0) + noise, -32768, 32767).astype(np.int16)
    assert measure(join(noisy, silent(1.0), noisy)).snr_db < 18


def test_an_offset_is_not_taken_for_sound() -> None:
    found = measure((join(silent(0.3), voiced(0.5), silent(0.3)) + np.int16(2000)).astype(np.int16))
    assert found.dc == pytest.approx(2000 / 32768, abs=0.01)
    assert found.silence_end_s == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("samples", [silent(0), silent(0.001), silent(1), np.full(RATE, 500, np.int16)])
def test_nothing_to_hear(samples: Samples) -> None:
    found = measure(samples)
    assert found.speech_s == 0
    assert all(np.isfinite(value) for value in found.to_json().values() if isinstance(value, float))


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="mono int16"):
        measure_signal(np.zeros((10, 2), np.int16), RATE)
    with pytest.raises(ValueError, match="mono int16"):
        measure_signal(np.zeros(10), RATE)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sample rate"):
        measure_signal(np.zeros(10, np.int16), 0)


@given(st.lists(st.integers(-32768, 32767), max_size=3000), st.sampled_from([8000, 22050, 48000]))
def test_any_samples_can_be_measured(values: list[int], rate: int) -> None:
    found = measure_signal(np.array(values, np.int16), rate)
    record = found.to_json()
    assert SignalEvidence.from_json(record) == found
    assert all(np.isfinite(value) for value in record.values() if isinstance(value, float))
    assert 0 <= found.clipped_share <= 1
    assert found.speech_s <= found.duration_s + 1e-3


# The embedded voice -------------------------------------------------------------------------------

LINES = (
    ("A", ""), ("Å", ""), ("Ja.", ""), ("Nei!", "rop"), ("Stopp!", "rop høyt"), ("Hvor er du?", ""), ("Hysj.", "hvisk"),
    ("Takk for maten.", "glad"), ("Katt", ""), ("En, to, tre, fire.", "tydelig"),
    ("Kom hit, og ta med deg lykten.", "hvisk"),
    ("Klokka er halv fem, og vi må hjem før det blir mørkt.", ""), ("Spiss blyanten først!", "stille"),
    ("Det finnes en skatt under det gamle treet, sier de, men ingen har funnet den.", "ettertenksomt"),
)  # fmt: skip
VOICES: tuple[dict[str, Any], ...] = (
    {"variant": "f2"}, {"variant": "f5", "pitch": 70, "rate_wpm": 180, "word_gap": 0}, {"variant": "m3", "pitch": 30},
    {"variant": "m7", "pitch": 20, "rate_wpm": 120, "word_gap": 5}, {"variant": "whisper"}, {"variant": "klatt"},
)  # fmt: skip


@cache
def clips() -> tuple[tuple[str, Samples], ...]:
    """Every line in every voice."""
    requests: list[TakeRequest] = []
    texts: dict[str, str] = {}
    for line, style in LINES:
        for number, settings in enumerate(VOICES):
            key = f"{len(requests):064x}"
            texts[key] = line
            voice = Voice(f"v{number}", "", dict(settings))
            requests.append(TakeRequest(key, (Segment(line),), "nb", style, voice, number % 3))
    takes = [take for take in EspeakEngine({}).synthesize(requests, 1) if isinstance(take, Take)]
    assert len(takes) == len(requests)
    return tuple((texts[take.key], take.samples) for take in sorted(takes, key=lambda take: take.key))


def codes(text: str, samples: Samples) -> set[str]:
    """What the signal checks say; a human recording is judged by its signal alone."""
    evidence = gather(LineFacts(text, recording=True), None, measure(samples))
    return {reason.code for reason in decide(evidence, Thresholds()).reasons}


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def test_clean_clips_pass_the_signal_checks() -> None:
    accused = [(text, codes(text, samples)) for text, samples in clips() if codes(text, samples)]
    assert len(accused) <= 1, accused


def test_noise_at_10_db_is_caught() -> None:
    random = np.random.default_rng(7)

    def noisy(samples: Samples) -> Samples:
        x = samples.astype(float)
        noise = random.standard_normal(len(x))
        noise *= np.sqrt(np.square(x).mean() / 10 / np.square(noise).mean())
        return np.clip(np.round(x + noise), -32768, 32767).astype(np.int16)

    assert share(["noise" in codes(text, noisy(samples)) for text, samples in clips()]) >= 0.97


def test_hard_clipping_is_caught() -> None:
    def clipped(samples: Samples) -> Samples:
        x = samples.astype(float)
        return np.clip(np.round(x / np.abs(x).max() * 4 * 32767), -32768, 32767).astype(np.int16)

    assert share(["clipping" in codes(text, clipped(samples)) for text, samples in clips()]) >= 0.97


def test_a_muted_second_is_caught() -> None:
    def muted(samples: Samples) -> Samples:
        middle = len(samples) // 2
        return join(samples[:middle], silent(1.0), samples[middle:])

    long = [(text, samples) for text, samples in clips() if len(text.split()) > 2 and "," not in text]
    assert share(["silence_inside" in codes(text, muted(samples)) for text, samples in long]) >= 0.97
