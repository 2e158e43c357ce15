"""Mouth shapes by Norwegian letters, in Rhubarb's format."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.alignment.mouth_cues import SHAPES, MouthCue, letters_of, mouth_cues, rhubarb_json
from replikk.alignment.word_times import TimedWord


def shapes(text: str) -> str:
    """The shapes of slowly spoken words, rests left out."""
    words = [TimedWord(word, float(n), n + 1.0) for n, word in enumerate(text.split())]
    return "".join(cue.shape for cue in mouth_cues(letters_of(words), len(words) + 0.0) if cue.shape != "X")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mamma", "ADAD"),
        ("bok", "AFB"),  # a long o is small and round
        ("opp", "EA"),  # a short one is open
        ("hva", "GD"),  # no h
        ("land", "HDB"),  # no d
        ("du", "BF"),
        ("føle", "GEHC"),
        ("vå være", "GEGCBC"),
        ("gjøre", "BEBC"),
        ("Å, nei!", "EBCB"),
        ("én", "CB"),
    ],
)
def test_letters_and_their_shapes(text: str, expected: str) -> None:
    assert shapes(text) == expected


def test_silence_is_rest_and_short_gaps_are_held() -> None:
    words = [TimedWord("a", 0.5, 1.0), TimedWord("e", 1.1, 1.5), TimedWord("a", 2.0, 2.4)]
    cues = mouth_cues(letters_of(words), 3.0)
    assert [(cue.shape, cue.start_s, cue.end_s) for cue in cues] == [
        ("X", 0.0, 0.5), ("D", 0.5, 1.1), ("C", 1.1, 1.5), ("X", 1.5, 2.0), ("D", 2.0, 2.4), ("X", 2.4, 3.0),
    ]  # fmt: skip


def test_closed_lips_are_seen_however_short() -> None:
    fast = mouth_cues(letters_of([TimedWord("samme", 0.0, 0.2)]), 0.2)
    assert "A" in {cue.shape for cue in fast}
    assert all(cue.end_s - cue.start_s >= 0.04 - 1e-9 or cue.shape == "A" for cue in fast[1:])


def test_a_silent_clip_is_all_rest() -> None:
    assert rhubarb_json(mouth_cues([], 1.234), "a.ogg", 1.234) == {
        "metadata": {"soundFile": "a.ogg", "duration": 1.23},
        "mouthCues": [{"start": 0.0, "end": 1.23, "value": "X"}],
    }


@given(
    st.lists(
        st.tuples(st.text(max_size=8), st.floats(0, 0.5), st.floats(0, 0.6)), max_size=8
    ),
    st.floats(0, 4),
)  # fmt: skip
def test_any_words_give_cues_without_gaps(parts: list[tuple[str, float, float]], duration_s: float) -> None:
    at_s, words = 0.0, []
    for text, gap_s, length_s in parts:
        words.append(TimedWord(text, at_s + gap_s, at_s + gap_s + length_s))
        at_s += gap_s + length_s
    cues = mouth_cues(letters_of(words), duration_s)
    assert cues[0].start_s == 0 and cues[-1].end_s == pytest.approx(duration_s)
    assert all(one.end_s == other.start_s and one.shape != other.shape for one, other in itertools.pairwise(cues))
    assert {cue.shape for cue in cues} <= set(SHAPES)
    written = rhubarb_json(cues, "a.ogg", duration_s)["mouthCues"]
    assert (written[0]["start"], written[-1]["end"]) == (0, round(duration_s, 2))
    assert all(cue["start"] < cue["end"] for cue in written) or len(written) == 1
    assert all(a["end"] == b["start"] and a["value"] != b["value"] for a, b in itertools.pairwise(written))


def test_lips_that_close_for_less_than_the_file_can_say_are_left_out() -> None:
    cues = [MouthCue(0.0, 0.992, "D"), MouthCue(0.992, 0.994, "A"), MouthCue(0.994, 1.5, "D")]
    assert rhubarb_json(cues, "a.ogg", 1.5)["mouthCues"] == [{"start": 0.0, "end": 1.5, "value": "D"}]
