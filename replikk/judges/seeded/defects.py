"""What can be wrong with a clip, as something that is done to a good one: each is what a failing engine or person does.

A fault of the text changes what is spoken, a fault of the voice who speaks it, a fault of the sound the samples. A
function returns None where its fault does not fit (no second word to swap). Every choice comes from the ``Random`` that
is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from replikk.judges.mini.damage import drop_one, speech_bounds

Samples = NDArray[np.int16]
Words = list[str]

DIRECTION = "si dette stille og ettertenksomt"
"""The direction of every line that is measured; read aloud in one of the faults."""
_FULL_SCALE = 32_767
_CUT = 0.25
"""Of the speech: a quarter of a one-word line is one or two sounds."""
_NOISE_SNR_DB = 10.0
_CLIP_LEVEL = 0.3
"""Of the peak."""
_LONG_PAUSE_S = 2.0
_TWELVE_DB = 10 ** (12 / 20)


@dataclass(frozen=True)
class Defect:
    """A kind of fault; one of the three functions is given."""

    name: str
    target: float
    """Least share that must be detected, in every band."""
    text: Callable[[Words, Sequence[str], Random], Words | None] | None = None
    """Words as they should be, words to choose from, draws → words that are spoken instead."""
    sound: Callable[[Samples, int, Random], Samples] | None = None
    """Samples [samples], sample rate in Hz, draws → spoiled samples."""
    other_voice: bool = False
    """The line is spoken by another voice of the game."""
    other_line: str = ""
    """``spoken``: another line of the voice is spoken; ``swapped``: its clip and another's have changed places."""


# The text ------------------------------------------------------------------------------------------------------------


def dropped_word(words: Words, _others: Sequence[str], random: Random) -> Words | None:
    """One word less; a line of one word has none to spare."""
    if len(words) < 2:
        return None
    if len(words) >= 7:
        return drop_one(words, random)
    place = random.randrange(len(words))
    return words[:place] + words[place + 1 :]


def swapped_words(words: Words, _others: Sequence[str], random: Random) -> Words | None:
    """Two different words have changed places."""
    pairs = [(a, b) for b in range(len(words)) for a in range(b) if words[a] != words[b]]
    if not pairs:
        return None
    a, b = random.choice(pairs)
    swapped = list(words)
    swapped[a], swapped[b] = words[b], words[a]
    return swapped


def repeated_words(words: Words, _others: Sequence[str], random: Random) -> Words | None:
    """A word, in longer lines two neighbouring ones, said again at once."""
    count = 1 if len(words) < 4 else 2
    start = random.randrange(len(words) - count + 1)
    return words[: start + count] + words[start : start + count] + words[start + count :]


def inserted_words(words: Words, others: Sequence[str], random: Random) -> Words | None:
    """A word that the line does not have, anywhere."""
    place = random.randrange(len(words) + 1)
    return [*words[:place], random.choice([other for other in others if other not in words]), *words[place:]]


def direction_aloud(words: Words, _others: Sequence[str], _random: Random) -> Words | None:
    return [*DIRECTION.split(), *words]


def doubled(words: Words, _others: Sequence[str], _random: Random) -> Words | None:
    return [*words, *words]


# The sound -----------------------------------------------------------------------------------------------------------


def start_cut(samples: Samples, _rate: int, _random: Random) -> Samples:
    start, end = speech_bounds(samples)
    return samples[start + round(_CUT * (end - start)) :]


def end_cut(samples: Samples, _rate: int, _random: Random) -> Samples:
    start, end = speech_bounds(samples)
    return samples[: end - round(_CUT * (end - start))]


def noise(samples: Samples, _rate: int, random: Random) -> Samples:
    """White noise 10 dB under the clip's power."""
    wave = samples.astype(np.float64)
    power = float(np.mean(np.square(wave)))
    hiss = np.random.default_rng(random.getrandbits(64)).normal(
        0, (power / 10 ** (_NOISE_SNR_DB / 10)) ** 0.5, len(samples)
    )
    return _as_int16(wave + hiss)


def clipping(samples: Samples, _rate: int, _random: Random) -> Samples:
    """Limited at 30 % of the peak and made loud again."""
    peak = float(np.abs(samples.astype(np.float64)).max())
    return _as_int16(np.clip(samples.astype(np.float64), -_CLIP_LEVEL * peak, _CLIP_LEVEL * peak) / _CLIP_LEVEL)


def long_pause(samples: Samples, rate: int, random: Random) -> Samples:
    """Two seconds of silence in the middle half of the speech, at the quietest place near a random one."""
    start, end = speech_bounds(samples)
    place = start + round((end - start) * random.uniform(0.25, 0.75))
    near = range(max(start, place - rate // 10), min(end, place + rate // 10), max(1, rate // 1000))
    place = min(near, key=lambda at: int(np.abs(samples[at : at + rate // 200].astype(np.int32)).sum()), default=place)
    return np.concatenate([samples[:place], np.zeros(round(_LONG_PAUSE_S * rate), np.int16), samples[place:]])


def silence(samples: Samples, _rate: int, _random: Random) -> Samples:
    return np.zeros_like(samples)


def half_speed(samples: Samples, _rate: int, _random: Random) -> Samples:
    """Played at half its rate: twice as long, an octave lower."""
    places = np.arange(2 * len(samples) - 1) / 2
    return _as_int16(np.interp(places, np.arange(len(samples)), samples.astype(np.float64)))


def louder(samples: Samples, _rate: int, _random: Random) -> Samples:
    return _as_int16(samples.astype(np.float64) * _TWELVE_DB)


def quieter(samples: Samples, _rate: int, _random: Random) -> Samples:
    return _as_int16(samples.astype(np.float64) / _TWELVE_DB)


def _as_int16(samples: NDArray[np.float64]) -> Samples:
    return np.clip(np.round(samples), -_FULL_SCALE, _FULL_SCALE).astype(np.int16)


DEFECTS = (
    Defect("start cut off (a quarter)", 0.97, sound=start_cut),
    Defect("end cut off (a quarter)", 0.97, sound=end_cut),
    Defect("a word dropped", 0.97, text=dropped_word),
    Defect("two words swapped", 0.97, text=swapped_words),
    Defect("words repeated", 0.97, text=repeated_words),
    Defect("a word inserted", 0.97, text=inserted_words),
    Defect("another line", 0.98, other_line="spoken"),
    Defect("files of two lines swapped", 0.98, other_line="swapped"),
    Defect("another voice", 0.97, other_voice=True),
    Defect("the direction read aloud", 0.97, text=direction_aloud),
    Defect("said twice", 0.98, text=doubled),
    Defect("noise (10 dB under the speech)", 0.97, sound=noise),
    Defect("clipping", 0.97, sound=clipping),
    Defect("a pause of 2 s", 0.97, sound=long_pause),
    Defect("silence", 0.98, sound=silence),
    Defect("half speed", 0.97, sound=half_speed),
    Defect("12 dB louder", 0.97, sound=louder),
    Defect("12 dB quieter", 0.97, sound=quieter),
)
