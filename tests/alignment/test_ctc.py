"""CTC Viterbi: against all paths of small cases, and on the embedded voice, where word boundaries are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.alignment.ctc import align_labels, best_labels, forced_score, free_score
from replikk.alignment.speech_edges import fitted_to_speech
from replikk.alignment.word_times import ctc_letters, ctc_words


def likely(frames: int, symbols: int, seed: int) -> np.ndarray:
    scores = np.random.default_rng(seed).normal(0, 2, (frames, symbols))
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def collapsed(path: tuple[int, ...]) -> list[int]:
    return [label for label, _ in itertools.groupby(path) if label != 0]


@given(
    seed=st.integers(0, 10**6),
    frames=st.integers(1, 6),
    labels=st.lists(st.integers(1, 2), max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_the_score_is_that_of_the_best_of_all_paths(seed: int, frames: int, labels: list[int]) -> None:
    table = likely(frames, 3, seed)
    paths = [path for path in itertools.product(range(3), repeat=frames) if collapsed(path) == labels]
    score = forced_score(table, labels)
    if not paths:
        assert score is None
    else:
        best = max(sum(table[frame, label] for frame, label in enumerate(path)) for path in paths)
        assert score is not None
        assert score == pytest.approx(best)
        assert score <= free_score(table) + 1e-9


@given(seed=st.integers(0, 10**6), labels=st.lists(st.integers(1, 4), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_spans_are_in_order_and_never_overlap(seed: int, labels: list[int]) -> None:
    spans = align_labels(likely(20, 5, seed), labels)
    assert spans is not None and len(spans) == len(labels)
    assert all(span.first <= span.last for span in spans)
    for (one, before), (other, after) in itertools.pairwise(zip(labels, spans, strict=True)):
        assert before.last < after.first - (one == other)  # a blank stands between equal labels


def test_the_best_path_scores_as_its_own_text() -> None:
    table = likely(30, 5, 7)
    assert forced_score(table, best_labels(table)) == pytest.approx(free_score(table))


def test_another_blank_than_the_first_symbol() -> None:
    table = likely(12, 4, 3)
    moved = table[:, [1, 2, 3, 0]]  # symbol 0 becomes symbol 3
    assert forced_score(moved, [0, 1], blank=3) == pytest.approx(forced_score(table, [1, 2], blank=0))


def test_no_text_and_no_time() -> None:
    assert align_labels(likely(4, 3, 0), []) == []
    assert align_labels(np.zeros((0, 3)), [1]) is None
    assert forced_score(likely(2, 3, 0), [1, 1]) is None  # needs a blank between
    with pytest.raises(ValueError, match="no symbol for 'q'"):
        ctc_letters(likely(4, 3, 0), "q", {"a": 1}, 0.02)


# On the embedded voice ------------------------------------------------------------------------------------------------

WORDS = ("fossefall", "en", "hemmelig", "grotte", "kråkene")
PAUSE_S = 0.35


@pytest.fixture(scope="module", params=["f2", "m3"])
def spoken(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    """Words spoken one by one, joined with silence: (samples, rate, [(start, end) of each word's sound])."""
    from replikk.engines.espeak_pool import SAMPLE_RATE_HZ
    from replikk.judges.mini.hearing import Order, Studio

    clips = Studio({"en": {"variant": request.param}}).speak([Order(word, "en") for word in WORDS])
    pause = np.zeros(int(PAUSE_S * SAMPLE_RATE_HZ), np.int16)
    parts, bounds, at = [], [], 0
    for clip in clips:
        loud = np.flatnonzero(np.abs(clip.astype(int)) > 300)
        bounds.append(((at + loud[0]) / SAMPLE_RATE_HZ, (at + loud[-1]) / SAMPLE_RATE_HZ))
        parts += [clip, pause]
        at += len(clip) + len(pause)
    return np.concatenate(parts), SAMPLE_RATE_HZ, bounds


@pytest.fixture(scope="module")
def probabilities(spoken):  # type: ignore[no-untyped-def]
    from replikk.judges.mini.features import log_mel
    from replikk.judges.mini.network import load_network
    from replikk.judges.mini.score import floored

    return floored(load_network().log_probabilities(log_mel(spoken[0])))


def test_words_of_the_embedded_voice_are_found_where_they_were_put(spoken, probabilities) -> None:  # type: ignore[no-untyped-def]
    from replikk.judges.mini.network import FRAME_S
    from replikk.judges.mini.text import INDEX

    words = ctc_words(probabilities, " ".join(WORDS), INDEX, FRAME_S)
    assert words is not None and [word.text for word in words] == list(WORDS)
    fitted = fitted_to_speech(words, spoken[0], spoken[1])
    for word, edges, (start_s, end_s) in zip(words, fitted, spoken[2], strict=True):
        # A recogniser emits a letter when it is sure of it, somewhere inside its sound; the sound has the edges.
        assert start_s - 0.06 <= word.start_s < word.end_s <= end_s + 0.06, word
        assert word.confidence is not None and word.confidence > 0.3
        assert edges.start_s == pytest.approx(start_s, abs=0.03), edges
        assert edges.end_s == pytest.approx(end_s, abs=0.1), edges  # vowels fade out


def test_it_agrees_with_the_embedded_judges_own_score(probabilities) -> None:  # type: ignore[no-untyped-def]
    from replikk.judges.mini.score import align
    from replikk.judges.mini.text import encode

    for text in ("fossefall en hemmelig grotte kråkene", "fossefall en hemmelig grotte", "noe helt annet"):
        assert forced_score(probabilities, encode(text)) == pytest.approx(align(probabilities, encode(text)).score)
