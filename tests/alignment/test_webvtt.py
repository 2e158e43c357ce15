"""Subtitles of a scene, with the worst that a sheet can hold."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from replikk.alignment.webvtt import SceneClip, scene_webvtt, timestamp
from replikk.alignment.word_times import TimedWord


def test_clips_follow_one_another_with_speaker_and_word_times() -> None:
    words = (TimedWord("Hvem", 0.1, 0.4), TimedWord("der?", 0.5, 1.0))
    text = scene_webvtt(
        [
            SceneClip("hule.001", "Kari", "Hvem der?", 1.25, words),
            SceneClip("hule.002", "Ola", "Bare meg.", 0.8),
        ]
    )  # fmt: skip
    assert text == (
        "WEBVTT\n\n"
        "hule.001\n00:00:00.000 --> 00:00:01.250\n<v Kari>Hvem <00:00:00.500>der?\n\n"
        "hule.002\n00:00:01.750 --> 00:00:02.550\n<v Ola>Bare meg.\n"
    )


def test_nothing_from_a_sheet_becomes_markup_or_a_cue() -> None:
    text = scene_webvtt([SceneClip("x\n--> y", "A>B", "1 < 2 &\n\n00:00:00.000 --> 00:00:09.000", 1.0)])
    assert len(re.findall("-->", text)) == 1
    assert "<v A&gt;B>1 &lt; 2 &amp; 00:00:00.000 --&gt; 00:00:09.000" in text
    assert text.count("\n\n") == 1


def test_word_tags_rise_and_lie_inside_their_cue() -> None:
    words = tuple(TimedWord(str(n), start_s, start_s) for n, start_s in enumerate((0.0, 0.5, 0.5, 0.2, 2.0)))
    text = scene_webvtt([SceneClip("a", "A", "0 1 2 3 4", 1.0, words)])
    assert re.findall(r"<(\d[^>]*)>", text) == ["00:00:00.500"]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 3), st.lists(st.floats(0, 3.1), min_size=1, max_size=6).map(sorted)), max_size=4)
)
@example([(0.5427, [0.0, 0.5426])])
def test_times_rise_in_the_writing_of_the_file_too(clips: list[tuple[float, list[float]]]) -> None:
    """Clips last fractions of a millisecond, which the file cannot say: rounding must not make two times one."""
    text = scene_webvtt(
        [
            SceneClip("a", "A", "x", duration_s, tuple(TimedWord("x", start_s, start_s) for start_s in starts_s))
            for duration_s, starts_s in clips
        ]
    )
    for block in text.split("\n\n")[1:]:
        start, end = re.findall(r"^(\S+) --> (\S+)$", block, re.MULTILINE)[0]
        shown = [start, *re.findall(r"<(\d[^>]*)>", block), end]
        assert shown == sorted(set(shown))


def test_times() -> None:
    assert timestamp(3723.4567) == "01:02:03.457"
    assert timestamp(-1) == "00:00:00.000"
    assert timestamp(59.9996) == "00:01:00.000"
    assert scene_webvtt([]) == "WEBVTT\n"
