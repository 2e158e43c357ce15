"""The outline of a take, when its words were heard, and which stretches of it to listen to."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.report.limits import spell_limit
from replikk.report.stretches import LONGEST_LABEL, stretches
from replikk.report.waveforms import FEWEST_BINS, MOST_BINS, MOST_WORDS, outline, place_words

RATE = 16_000
SIGNAL = {
    "duration_s": 3.0,
    "silence_start_s": 0.7,
    "silence_end_s": 1.2,
    "longest_silence_s": 0.4,
    "longest_silence_at_s": 1.5,
}
EVIDENCE = {"signal": SIGNAL, "unexplained_silence_at_s": 1.0, "unexplained_silence_s": 0.6, "sound_after_words_s": 0.9}


def bins_of(samples: Any, rate: int = RATE) -> list[int]:
    return list(base64.b64decode(outline(np.asarray(samples, dtype=np.int16), rate)))


def test_an_outline_shows_where_it_is_loud() -> None:
    samples = np.zeros(2 * RATE, dtype=np.int16)
    samples[RATE : RATE + RATE // 2] = 1000
    bins = bins_of(samples)
    assert len(bins) == 100
    assert set(bins[:50]) == {0} and set(bins[50:75]) == {255} and set(bins[75:]) == {0}


def test_a_whisper_fills_its_frame_like_a_shout() -> None:
    tone = np.sin(np.arange(RATE) * 0.1)
    quiet, loud = bins_of(100 * tone), bins_of(30_000 * tone)
    assert max(quiet) == max(loud) == 255
    assert max(abs(a - b) for a, b in zip(quiet, loud, strict=True)) <= 4


@pytest.mark.parametrize(
    ("samples", "count"), [(0, 0), (1, 1), (10, 10), (RATE // 10, FEWEST_BINS), (120 * RATE, MOST_BINS)]
)
def test_an_outline_has_as_many_bins_as_a_screen_shows(samples: int, count: int) -> None:
    assert len(bins_of(np.full(samples, -32_768))) == count


def test_every_sample_is_in_a_bin() -> None:
    for place in range(0, 3000, 7):
        samples = np.zeros(3000, dtype=np.int16)
        samples[place] = -5
        assert max(bins_of(samples)) == 255


# Words ---------------------------------------------------------------------------------------------------------------


def test_words_stand_where_they_were_heard() -> None:
    heard = [("har", 0.1, 0.3, 1.0), ("du", 0.4, 0.5, 1.0), ("sett", 0.6, 0.9, 1.0)]
    alignment = [("ok", "Har", "har"), ("ok", "du", "du"), ("ok", "sett", "sett")]
    assert place_words(alignment, heard, 1.0) == [
        ["ok", "Har", "har", 0.1, 0.3], ["ok", "du", "du", 0.4, 0.5], ["ok", "sett", "sett", 0.6, 0.9],
    ]  # fmt: skip


def test_words_that_were_not_heard_share_the_gap_between_their_neighbours() -> None:
    heard = [("en", 0.2, 0.4, 1.0), ("fire", 1.0, 1.4, 1.0)]
    alignment = [("ok", "en", "en"), ("del", "to", ""), ("del", "tre", ""), ("ok", "fire", "fire"), ("del", "fem", "")]
    placed = place_words(alignment, heard, 2.0)
    assert [word[3:] for word in placed] == [[0.2, 0.4], [0.4, 0.7], [0.7, 1.0], [1.0, 1.4], [1.4, 2.0]]


@pytest.mark.parametrize(
    ("heard", "alignment", "spans"),
    [
        # a compound that the judge wrote apart, and the other way round
        ([("sjø", 0.0, 0.2, 1), ("mann", 0.3, 0.5, 1)], [("ok", "sjømann", "sjømann")], [[0.0, 0.5]]),
        ([("sjømann", 0.0, 0.5, 1)], [("ok", "sjø", "sjø"), ("ok", "mann", "mann")], [[0.0, 0.5], [0.0, 0.5]]),
        # a number that the comparison wrote out
        ([("10", 0.0, 0.4, 1), ("år", 0.5, 0.9, 1)], [("ok", "ti", "ti"), ("ok", "år", "år")], [[0, 0.4], [0.5, 0.9]]),
    ],
)  # fmt: skip
def test_words_are_matched_by_their_letters(heard: list[Any], alignment: list[Any], spans: list[Any]) -> None:
    assert [word[3:] for word in place_words(alignment, heard, 1.0)] == spans


def test_a_judge_without_times_places_nothing() -> None:
    assert place_words([("ok", "hei", "hei")], [], 1.0) == []
    assert place_words([], [("hei", 0.0, 0.1, 1.0)], 1.0) == []
    assert place_words([("ok", "a", "a")] * (MOST_WORDS + 1), [("a", 0.0, 0.1, 1.0)], 1.0) == []


words = st.text("abcdø 1", max_size=6)


@given(
    st.lists(st.tuples(st.sampled_from(["ok", "sub", "del", "ins"]), words, words), max_size=12),
    st.lists(st.tuples(words, st.floats(0, 5), st.floats(0, 5)), max_size=12),
)
def test_any_alignment_is_placed_within_reason(alignment: list[Any], times: list[Any]) -> None:
    at, heard = 0.0, []
    for text, gap, length in times:
        heard.append((text, at + gap, at + gap + length, 1.0))
        at += gap + length
    placed = place_words(alignment, heard, at)
    assert len(placed) in (0, len(alignment))
    for _, _, _, start_s, end_s in placed:
        assert 0 <= start_s <= end_s <= at + 0.001


# Stretches -----------------------------------------------------------------------------------------------------------


def stretches_for(*codes: str, words: list[Any] | None = None) -> list[tuple[float, float, str]]:
    found = stretches([{"code": code} for code in codes], EVIDENCE, words or [])
    return [(each["start_s"], each["end_s"], each["label"]) for each in found]


@pytest.mark.parametrize(
    ("code", "stretch"),
    [
        ("cut_ending", (2.85, 3.0, "cut off")),
        ("silence_start", (0.0, 0.7, "silence")),
        ("silence_end", (1.8, 3.0, "silence")),
        ("silence_inside", (1.0, 1.6, "silence")),
        ("long_pause", (1.5, 1.9, "long pause")),
        ("sound_after_words", (0.9, 1.8, "no word any more")),
        ("nothing_heard", (0.0, 3.0, "no words")),
        ("wrong_line", (0.0, 3.0, "another line")),
    ],
)
def test_a_reason_with_a_place_is_marked_there(code: str, stretch: tuple[float, float, str]) -> None:
    assert stretches_for(code) == [stretch]


@pytest.mark.parametrize("code", ["noise", "clipping", "too_quiet", "drill", "too_fast", "something new"])
def test_what_is_everywhere_is_marked_nowhere(code: str) -> None:
    words = [["del", "nøkkelen", "", 1.0, 1.2]]
    assert stretches_for(code, words=words) == []


def test_words_with_the_same_fate_are_one_stretch() -> None:
    words = [
        ["ok", "Har", "har", 0.1, 0.2], ["del", "du", "", 0.2, 0.4], ["del", "sett", "", 0.4, 0.6],
        ["sub", "den", "der", 0.6, 0.8], ["ins", "", "ja", 0.8, 1.0],
    ]  # fmt: skip
    assert stretches_for("missing_words", words=words) == [
        (0.2, 0.6, "missing: «du sett»"), (0.6, 0.8, "wrong: «den»"), (0.8, 1.0, "extra: «ja»"),
    ]  # fmt: skip


def test_a_missing_word_without_a_gap_is_wide_enough_to_be_seen() -> None:
    [(start_s, end_s, _)] = stretches_for("missing_end", words=[["del", "x" * 100, "", 2.99, 2.99]])
    assert 2.9 < start_s < 2.99 and end_s == 3.0
    [(_, _, label)] = stretches_for("missing_end", words=[["del", "x" * 100, "", 2.99, 2.99]])
    assert len(label) < LONGEST_LABEL + 20


# Limits --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (("noise", 14.98, 18.0), "measured 15.0 dB, at least 18.0 dB wanted"),
        (("missing_end", 2, 0), "measured 2 words, at most 0 words wanted"),
        (("word_errors", 0.4, 0.2), "measured 40.0 % word errors, at most 20.0 % wanted"),
        (("silence_inside", 0.61, 0.55), "measured 0.61 s, at most 0.55 s wanted"),
        (("too_slow", 2.3, 4), "measured 2.3 letters a second, at least 4.0 wanted"),
        (("misfit", 16.28, 12.0), "measured a misfit of 16.3, at most 12.0 wanted"),
        (("unlike_reference", 0.12, 0.25), "measured a likeness of 0.12, at least 0.25 wanted"),
        (("unclear_words", 0.42, 1.0), "measured a misfit of 0.4, limit 1.0"),
        (("of a later version", 2.5, 1), "measured 2.5, limit 1"),
        (("drill", None, None), ""),
        (("strange", "text", True), ""),
    ],
)
def test_limits_are_told_in_units(reason: tuple[str, Any, Any], text: str) -> None:
    assert spell_limit(dict(zip(("code", "measured", "threshold"), reason, strict=True))) == text


BARE = "measured 2.5, limit 1"
NOT_MEASURED = {"drill", "not_heard", "no_audio", "credits", "ran_on"}


def test_every_reason_that_judges_give_has_its_unit() -> None:
    """A verdict that a judge learned to give, and that the report would show as a bare number."""
    page = (Path(__file__).parents[2] / "docs" / "verdict.md").read_text(encoding="utf-8").split("## Limits")[0]
    rows = [row.split("|")[1] for row in page.splitlines() if row.startswith("| `")]
    codes = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    assert len(codes) > 30
    bare = {code for code in codes if spell_limit({"code": code, "measured": 2.5, "threshold": 1}) == BARE}
    assert bare <= NOT_MEASURED
