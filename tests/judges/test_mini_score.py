"""The score of a text: the best alignment of its letters with the sound."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.judges.mini.score import IMPOSSIBLE, LOG_FLOOR, align, best_path_score, floored


def log_probabilities(times: int, symbols: int, seed: int) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(size=(times, symbols)) * 2
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def collapsed(path: tuple[int, ...]) -> list[int]:
    return [s for n, s in enumerate(path) if s and (n == 0 or path[n - 1] != s)]


def by_trying_all_paths(scores: np.ndarray, symbols: list[int]) -> float:
    found = [
        sum(scores[time, symbol] for time, symbol in enumerate(path))
        for path in product(range(scores.shape[1]), repeat=len(scores))
        if collapsed(path) == symbols
    ]
    return max(found, default=IMPOSSIBLE)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.lists(st.integers(1, 2), max_size=4), st.integers(0, 10_000))
def test_the_best_alignment_is_the_best_of_all_paths(times, symbols, seed):
    scores = log_probabilities(times, 3, seed)
    assert align(scores, symbols).score == pytest.approx(by_trying_all_paths(scores, symbols))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(0, 10_000))
def test_frames_follow_the_text_and_frames_do_not_change_the_score(symbols, seed):
    scores = log_probabilities(14, 5, seed)
    aligned = align(scores, symbols, with_frames=True)
    assert aligned.score == align(scores, symbols).score
    assert len(aligned.frames) == len(symbols)
    assert (np.diff(aligned.frames) > 0).all()


def test_no_text_scores_above_the_best_path():
    scores = log_probabilities(40, 6, 1)
    assert align(scores, [1, 2, 3]).score <= best_path_score(scores)


@pytest.mark.parametrize("symbols", [[1, 2, 3], [1, 1]])
def test_a_text_longer_than_the_clip_is_impossible(symbols):
    assert align(log_probabilities(2, 5, 1), symbols).score == IMPOSSIBLE


def test_a_missing_letter_costs_a_limited_amount():
    certain = np.full((10, 4), -50.0)
    certain[:, 0] = 0.0
    scores = floored(certain.astype(np.float32))
    assert align(scores, [1]).score == pytest.approx(LOG_FLOOR)
