"""Which lines are drills, that a person must hear once."""

import pytest

from replikk.dialogue.drills import is_drill


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "m",
        "Å!",
        "A, B, C",
        "1, 2, 3",
        "en, to, tre",
        "ti – ni – åtte",
        "ein, to, tre",
        "Mmm",
        "Sss som i sol.",
        "I",
    ],
)
def test_letters_sounds_and_counting_are_drills(text):
    assert is_drill(text)


@pytest.mark.parametrize(
    "text", ["Tre!", "Nei.", "M som i måne.", "Bokstaven Å.", "Jeg har tre epler.", "", "...", "8"]
)
def test_words_are_not(text):
    assert not is_drill(text)
