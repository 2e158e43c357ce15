"""From attention to times, and from clips to windows: without any network."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.judges.nb_whisper.timing import attention_matrix, first_frames
from replikk.judges.nb_whisper.windows import LEAD_S, SAMPLE_RATE_HZ, at_16_khz, cut_into_windows, padded


def staircase(starts: list[int], frames: int, noise: float = 0.0, heads: int = 3) -> np.ndarray:
    """Attention of heads that look at each token's own stretch. [heads, tokens, frames]"""
    weights = np.abs(np.random.default_rng(0).normal(0, noise, (heads, len(starts), frames)))
    for token, (first, after) in enumerate(zip(starts, [*starts[1:], frames], strict=True)):
        weights[:, token, first:after] += 1.0
    return (weights / weights.sum(axis=2, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_tokens_are_found_where_attention_looks(noise: float) -> None:
    starts = [0, 12, 30, 41, 70, 90]
    found = first_frames(attention_matrix(staircase(starts, 120, noise)))
    assert np.abs(found - starts).max() <= 3


def test_a_head_that_looks_elsewhere_is_outvoted() -> None:
    weights = staircase([0, 20, 40, 60], 80, heads=4)
    weights[3] = 1 / 80  # looks everywhere alike
    weights[2, :, :] = 0
    weights[2, :, 5] = 1  # looks at one place always
    assert np.abs(first_frames(attention_matrix(weights)) - [0, 20, 40, 60]).max() <= 3


@given(seed=st.integers(0, 10**6), tokens=st.integers(1, 6), frames=st.integers(1, 9))
@settings(max_examples=80, deadline=None)
def test_the_way_through_is_the_best_of_all(seed: int, tokens: int, frames: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=(tokens, frames)).astype(np.float32)
    starts = first_frames(matrix)
    assert len(starts) == tokens and starts[0] == 0 and all(a <= b for a, b in itertools.pairwise(starts))
    if tokens < frames:
        assert all(a < b for a, b in itertools.pairwise(starts))

        def value(cuts: tuple[int, ...]) -> float:
            bounds = [0, *cuts, frames]
            return sum(float(matrix[n, a:b].sum()) for n, (a, b) in enumerate(itertools.pairwise(bounds)))

        best = max(value(cuts) for cuts in itertools.combinations(range(1, frames), tokens - 1))
        assert value(tuple(starts[1:].tolist())) == pytest.approx(best, abs=1e-4)


@given(st.integers(0, 20 * SAMPLE_RATE_HZ), st.floats(1.5, 6.0))
@settings(max_examples=40, deadline=None)
def test_windows_hold_the_whole_clip_and_fit(length: int, window_s: float) -> None:
    wave = np.random.default_rng(length).normal(0, 0.1, length).astype(np.float32)
    windows = cut_into_windows(3, wave, window_s)
    joined = np.concatenate([window.samples for window in windows]) if windows else np.zeros(0, np.float32)
    assert np.array_equal(joined, wave)
    starts = np.cumsum([0, *(len(window.samples) for window in windows[:-1])]) / SAMPLE_RATE_HZ
    assert [window.start_s for window in windows] == pytest.approx(starts[: len(windows)].tolist())
    batch = padded(windows, window_s)
    assert batch.shape[0] == len(windows)
    assert not batch[:, : int(LEAD_S * SAMPLE_RATE_HZ)].any()


def test_long_clips_are_cut_in_a_pause() -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, 40 * SAMPLE_RATE_HZ).astype(np.float32)
    wave[int(22.0 * SAMPLE_RATE_HZ) : int(22.4 * SAMPLE_RATE_HZ)] = 0
    first, second = cut_into_windows(0, wave, 30.0)
    assert 22.05 < first.duration_s == second.start_s < 22.35


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 48_000])
def test_every_rate_becomes_16_khz(rate: int) -> None:
    tone = (10_000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.int16)
    wave = at_16_khz(tone, rate)
    assert len(wave) == SAMPLE_RATE_HZ and wave.dtype == np.float32
    spectrum = np.abs(np.fft.rfft(wave))
    assert spectrum.argmax() == 440
    assert np.abs(wave[1000:-1000]).max() == pytest.approx(10_000 / 32_768, rel=0.02)
    assert len(at_16_khz(np.zeros(0, np.int16), rate)) == 0
