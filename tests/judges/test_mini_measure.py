"""The measurement of the judge: planted damage, and the table in the docs."""

from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.errors import ReplikkError
from replikk.judges.mini import damage, measure_page
from replikk.judges.mini.measure import read_as_intended
from replikk.judges.mini.measure_page import BEGIN, END, insert, read_voices
from replikk.judges.seeded import page as verdict_page

PROJECT = Path(__file__).parents[2]
WORDS = "den gamle kapteinen seilte over det store havet".split()  # noqa: SIM905
words = st.lists(st.sampled_from(WORDS), min_size=7, max_size=12)


@given(words, st.integers())
def test_text_damage_does_what_it_says(line, seed):
    random = Random(seed)
    assert len(damage.drop_one(line, random)) == len(line) - 1
    assert len(damage.drop_quarter(line, random)) == len(line) - round(len(line) / 4)
    assert len(damage.repeat_two(line, random)) == len(line) + 2
    swapped = damage.swap_two(line, random)
    if swapped is not None:
        assert swapped != line and sorted(swapped) == sorted(line)


@given(st.integers())
def test_planted_errors_change_one_content_word(seed):
    random = Random(seed)
    for planted in (damage.plant_letter(WORDS, random), damage.plant_word(WORDS, ["krokodille"], random)):
        changed, position = planted
        assert [n for n, (a, b) in enumerate(zip(WORDS, changed, strict=True)) if a != b] == [position]
        assert WORDS[position] in ("gamle", "kapteinen", "seilte", "store", "havet")


@pytest.mark.parametrize("spoil", [damage.drop_one, damage.drop_quarter, damage.repeat_two, damage.swap_two])
def test_damage_that_does_not_fit_is_left_out(spoil):
    assert spoil(["hei"], Random(1)) is None


def test_planting_needs_a_content_word():
    assert damage.plant_letter(["og", "da"], Random(1)) is None


def test_sound_damage_counts_speech_not_silence():
    sound = np.concatenate([np.zeros(1000), np.full(1000, 9000), np.zeros(1000)]).astype(np.int16)
    assert damage.speech_bounds(sound) == (1000, 2000)
    assert len(damage.truncate(sound, 0.3)) == 1700
    assert np.count_nonzero(damage.mute(sound, 0.25, Random(1))) == 750
    assert np.count_nonzero(damage.repeat_segment(sound, 0.25, Random(1))) == 1250
    assert len(damage.truncate(np.zeros(10, np.int16), 0.3)) == 7


@pytest.mark.parametrize(
    ("heard", "intended"),
    [
        ("den gamle kapteinen seilte", True),
        ("den gamle kaptaanen seilte", False),
        ("den gamle seilte", False),
        ("kapteinen", True),
        ("", False),
    ],
)
def test_reading_as_intended(heard, intended):
    assert read_as_intended(["den", "gamle", "kapteinen", "seilte"], heard, 2) is intended


def test_the_table_replaces_what_is_between_the_markers():
    page = f"head\n{BEGIN}\nold\n{END}\nfoot\n"
    assert insert(page, "new") == "head\nnew\nfoot\n"


@pytest.mark.parametrize("page", ["", BEGIN, END + BEGIN, BEGIN + BEGIN + END])
def test_a_page_without_a_place_for_the_table_is_refused(page):
    with pytest.raises(ReplikkError, match="no place"):
        insert(page, "new")


@pytest.mark.parametrize("content", ["", "voices: 3", "voices: {kari: 5}", "{", "voices: {}"])
def test_voices_that_cannot_be_read_are_named(tmp_path, content):
    (tmp_path / "voices.yaml").write_text(content)
    with pytest.raises(ReplikkError, match=r"voices\.yaml"):
        read_voices(tmp_path / "voices.yaml")


@pytest.mark.parametrize("writer", [measure_page, verdict_page], ids=["judge.md", "verdict.md"])
def test_what_is_edited_on_the_page_during_the_minutes_of_measuring_stays(writer, tmp_path, monkeypatch):
    place = tmp_path / "page.md"
    place.write_text(f"old words\n{writer.BEGIN}\n{writer.END}\n", encoding="utf-8")

    def measure_while_somebody_edits(*_, **__):
        place.write_text(place.read_text("utf-8").replace("old words", "new words"), encoding="utf-8")
        return []

    monkeypatch.setattr(writer, "measure", measure_while_somebody_edits)
    monkeypatch.setattr(writer, "table", lambda *_: f"{writer.BEGIN}\nmeasured\n{writer.END}")
    assert writer.measure_and_write(PROJECT / "dialogue" / "voices.yaml", place, 1, 1)
    assert place.read_text("utf-8") == f"new words\n{writer.BEGIN}\nmeasured\n{writer.END}\n"
