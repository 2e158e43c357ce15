"""Ways to spoil a line or a take, for the measurement of the judge: each is what a failing voice does.

Texts come in and go out as normalised words, takes as int16 samples; every choice comes from the ``Random`` that is
passed in. A function returns None where the kind of damage does not fit (no second word to swap).
"""

from __future__ import annotations

from random import Random

import numpy as np
from numpy.typing import NDArray

from replikk.judges.mini.words import FUNCTION_WORDS

_VOWELS = "aeiouyæøå"
_CONSONANTS = "bdfghjklmnprstv"
_SPEECH_LEVEL = 0.01
"""Of the clip's peak: what is quieter at the ends is no speech, and cutting it off would be no damage."""


def content_positions(words: list[str]) -> list[int]:
    """Where the words stand that carry the meaning: not a function word, four letters and more."""
    return [n for n, word in enumerate(words) if word not in FUNCTION_WORDS and len(word) >= 4]


def plant_word(words: list[str], others: list[str], random: Random) -> tuple[list[str], int] | None:
    """One content word replaced by one of ``others``; also says where."""
    positions = content_positions(words)
    if not positions:
        return None
    position = random.choice(positions)
    choice = random.choice([other for other in others if other not in words])
    return [*words[:position], choice, *words[position + 1 :]], position


def plant_letter(words: list[str], random: Random) -> tuple[list[str], int] | None:
    """One letter of one content word replaced by another of its kind (vowel or consonant); also says in which word."""
    positions = content_positions(words)
    if not positions:
        return None
    position = random.choice(positions)
    word = words[position]
    place = random.randrange(len(word))
    kind = _VOWELS if word[place] in _VOWELS else _CONSONANTS
    letter = random.choice([other for other in kind if other != word[place]])
    changed = word[:place] + letter + word[place + 1 :]
    return [*words[:position], changed, *words[position + 1 :]], position


def drop_quarter(words: list[str], random: Random) -> list[str] | None:
    if len(words) < 4:
        return None
    dropped = set(random.sample(range(len(words)), max(1, round(len(words) / 4))))
    return [word for n, word in enumerate(words) if n not in dropped]


def drop_one(words: list[str], random: Random) -> list[str] | None:
    """One word less, of a line of seven and more."""
    if len(words) < 7:
        return None
    dropped = random.randrange(len(words))
    return words[:dropped] + words[dropped + 1 :]


def repeat_two(words: list[str], random: Random) -> list[str] | None:
    """Two neighbouring words are said twice."""
    if len(words) < 4:
        return None
    start = random.randrange(len(words) - 1)
    return words[: start + 2] + words[start : start + 2] + words[start + 2 :]


def swap_two(words: list[str], random: Random) -> list[str] | None:
    """Two different words change places."""
    if len(words) < 4 or len(set(words)) < 2:
        return None
    while True:
        a, b = sorted(random.sample(range(len(words)), 2))
        if words[a] != words[b]:
            break
    swapped = list(words)
    swapped[a], swapped[b] = words[b], words[a]
    return swapped


def speech_bounds(samples: NDArray[np.int16]) -> tuple[int, int]:
    """First and one past the last sample that is speech."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _SPEECH_LEVEL * np.abs(samples.astype(np.int32)).max())
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(samples))


def truncate(samples: NDArray[np.int16], share: float) -> NDArray[np.int16]:
    """The last ``share`` of the speech is missing."""
    start, end = speech_bounds(samples)
    return samples[: end - round(share * (end - start))]


def mute(samples: NDArray[np.int16], share: float, random: Random) -> NDArray[np.int16]:
    """A gap of ``share`` of the speech is silent."""
    start, end = speech_bounds(samples)
    length = round(share * (end - start))
    first = random.randint(start, end - length)
    muted = samples.copy()
    muted[first : first + length] = 0
    return muted


def repeat_segment(samples: NDArray[np.int16], share: float, random: Random) -> NDArray[np.int16]:
    """A stretch of ``share`` of the speech comes twice, as when a generator loops."""
    start, end = speech_bounds(samples)
    length = round(share * (end - start))
    first = random.randint(start, end - length)
    return np.concatenate([samples[: first + length], samples[first : first + length], samples[first + length :]])
