"""A voice as its own lines show it, and how far one take lies from that.

**Robust.** A profile holds medians, and spreads from median absolute deviations: a few bad takes do not move it.

**Stable.** It is drawn from at most ``SAMPLE_TAKES`` takes per voice: those of the first round whose keys are
smallest. Keys are hashes, so this is a random sample. It depends on nothing but the game's lines, so that an
incremental build and a clean one judge alike; and in a large game one changed line seldom touches it. When it does, a
median moves by a hair, and only takes that lay at a limit can change their verdict: between pass and human, shown in
the report. No take is ever made or chosen because of other lines (``voice_reasons.py``).

**Whose voice.** Timbre and pitch are whitened by the spread that all voices have within themselves (linear discriminant
analysis), and a take is held against the centre of every voice of the game: what is told is by how many nats another
voice explains it better than its own. Two voices with the same settings share a centre and are never told apart.
A whisper has neither pitch nor a voice's timbre and is not asked.

Plain Python: a build with one changed line needs this for one take and must not pay for numpy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from statistics import median

from replikk.judges.voice_traits import VoiceTraits

VERSION = 3
"""Raise it when the same sample would give another fit: it is part of the digest of every profile."""
SAMPLE_TAKES = 48
"""Per voice. The standard error of a median of 48 is 18 % of the spread."""
LEAST_TAKES = 8
"""A voice with fewer says too little of itself to call one of its takes an outlier."""
WHISPER = "whisper"
_SIGMA_PER_MAD = 1.4826
"""Median absolute deviation to standard deviation, of a normal distribution."""
_CLIPPED_SIGMAS = 4.0
"""Residuals are clipped there before the covariance is taken, which is not robust by itself."""
_LEAST_APART_NATS = 4.0
"""Voices whose centres lie nearer are not told apart: chance alone puts those of twins 1 to 2 nats apart."""
MANY_LETTERS = 6
NATS_PER_LETTER = 16.0
"""So much is taken off for each letter that is lacking. A text of few different letters («Huff!») is no average of what
a voice sounds like: clean clips of embedded voices lay up to 54 nats nearer to another voice at one to four letters,
under 9 at six; clips of other voices at 80 and more."""
REFERENCE_HZ = 150.0
_LETTERS_PER_VOWEL = 1.0
_LETTERS_PER_MARK = 4.0
_LETTERS_PER_LINE = 2.0
_VOWELS = frozenset("aeiouyæøåéèêóòôäöü")
_PAUSES = re.compile("[,.;:!?–—…]+")  # three dots are one pause


@dataclass(frozen=True)
class Sample:
    """One take as a sample of its voice."""

    traits: VoiceTraits
    letters: float
    """See ``pace_letters``."""
    moods: frozenset[str] = frozenset()
    """What its direction asks for; empty for plain speech."""
    different_letters: int = MANY_LETTERS


@dataclass(frozen=True)
class VoiceFit:
    """How far a take lies from the other lines of its voice."""

    takes: int
    """How many takes the voice is known by."""
    level_deviation_db: float
    level_spread_db: float
    """Robust standard deviation of the voice's own takes."""
    pitch_deviation_semitones: float | None
    """None where either has no pitch."""
    pitch_spread_semitones: float
    pace_ratio: float
    """How many times as long it takes over its text as the voice usually does."""
    nearest_voice: str
    """Another voice of the game that explains the take best; empty where none can be asked."""
    other_voice_nats: float
    """By how much it explains the take better than the take's own voice, beyond what few letters may do by chance;
    negative where it does not."""
    like_direction: bool
    """Whether level, pitch and pace were held against takes with the same direction."""


@dataclass(frozen=True)
class Group:
    """Takes that are alike in what was asked of them."""

    takes: int
    level_db: float
    level_spread_db: float
    pitch: float | None
    """Semitones above ``REFERENCE_HZ``."""
    pitch_spread: float
    seconds_per_letter: float


@dataclass(frozen=True)
class Space:
    """Where takes of the game are compared as voices."""

    scale: tuple[float, ...]
    whitening: tuple[tuple[float, ...], ...]
    """Lower triangle of the inverse Cholesky factor, row by row."""
    centres: Mapping[str, tuple[float, ...]]
    rivals: Mapping[str, tuple[str, ...]]
    """By voice, the others that it can be told apart from."""


@dataclass(frozen=True)
class Profiles:
    """All voices of a game."""

    groups: Mapping[str, Mapping[frozenset[str] | None, Group]]
    """By voice, then by moods; None is all of its takes."""
    space: Space | None


def pace_letters(text: str) -> float:
    """How long a text is to speak, in letters: vowels take longer than consonants, marks are small pauses.

    Fitted to the embedded voice: within one voice, the time per such letter varies by about a tenth.
    """
    text = text.lower()
    letters = sum(map(str.isalnum, text))
    vowels = sum(map(_VOWELS.__contains__, text))
    pauses = len(_PAUSES.findall(text))
    return letters + _LETTERS_PER_VOWEL * vowels + _LETTERS_PER_MARK * max(0, pauses - 1) + _LETTERS_PER_LINE


def sample_of(text: str, traits: VoiceTraits, moods: frozenset[str] = frozenset()) -> Sample:
    """A take of a text as a sample of its voice."""
    different = len(set(filter(str.isalpha, text.lower())))
    return Sample(traits, pace_letters(text), moods, different)


def profiles_of(samples: Mapping[str, Sequence[Sample]]) -> Profiles:
    """The profiles of all voices from their samples, by voice; voices with too few takes have none."""
    known = {voice: [one for one in takes if one.traits.speaking_s > 0] for voice, takes in samples.items()}
    known = {voice: takes for voice, takes in known.items() if len(takes) >= LEAST_TAKES}
    return Profiles({voice: _groups(takes) for voice, takes in known.items()}, _space(known))


def fit(profiles: Profiles, voice: str, take: Sample) -> VoiceFit | None:
    """How a take fits to its voice; None for a silent take and for a voice without a profile."""
    groups, traits = profiles.groups.get(voice), take.traits
    if groups is None or traits.speaking_s <= 0:
        return None
    group = groups.get(take.moods) or groups[None]
    pitch = None if WHISPER in take.moods else _semitones(traits)
    nearest, nats = _nearest(profiles.space, voice, take)
    return VoiceFit(
        takes=groups[None].takes,
        level_deviation_db=round(traits.level_dbfs - group.level_db, 2),
        level_spread_db=group.level_spread_db,
        pitch_deviation_semitones=None if pitch is None or group.pitch is None else round(pitch - group.pitch, 2),
        pitch_spread_semitones=group.pitch_spread,
        pace_ratio=round(traits.speaking_s / take.letters / group.seconds_per_letter, 3),
        nearest_voice=nearest,
        other_voice_nats=nats,
        like_direction=take.moods in groups,
    )


# One voice -----------------------------------------------------------------------------------------------------------


def _groups(takes: Sequence[Sample]) -> dict[frozenset[str] | None, Group]:
    groups: dict[frozenset[str] | None, Group] = {None: _group(takes)}
    for moods in {take.moods for take in takes}:
        alike = [take for take in takes if take.moods == moods]
        if len(alike) >= LEAST_TAKES:
            groups[moods] = _group(alike)
    return groups


def _group(takes: Sequence[Sample]) -> Group:
    level, level_spread = _middle([take.traits.level_dbfs for take in takes])
    pitches = [pitch for take in takes if WHISPER not in take.moods and (pitch := _semitones(take.traits)) is not None]
    pitch, pitch_spread = _middle(pitches) if len(pitches) >= LEAST_TAKES else (None, 0.0)
    pace = median([take.traits.speaking_s / take.letters for take in takes])
    return Group(len(takes), round(level, 2), round(level_spread, 2), pitch, round(pitch_spread, 2), pace)


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """Median and robust standard deviation."""
    middle = median(values)
    return middle, _SIGMA_PER_MAD * median([abs(value - middle) for value in values])


def _semitones(traits: VoiceTraits) -> float | None:
    return None if traits.pitch_hz is None else 12 * math.log2(traits.pitch_hz / REFERENCE_HZ)


# All voices ----------------------------------------------------------------------------------------------------------


def _point(take: Sample) -> list[float] | None:
    """Timbre and pitch as one vector [dimensions]; None for a whisper or a take without either."""
    pitch = _semitones(take.traits)
    if WHISPER in take.moods or pitch is None or take.traits.timbre is None:
        return None
    return [*take.traits.timbre, pitch]


def _space(samples: Mapping[str, Sequence[Sample]]) -> Space | None:
    """None unless at least two voices can be told by their takes."""
    points = {voice: [point for take in takes if (point := _point(take))] for voice, takes in samples.items()}
    points = {voice: found for voice, found in points.items() if len(found) >= LEAST_TAKES}
    if len(points) < 2:
        return None
    centres = {voice: [median(column) for column in zip(*found, strict=True)] for voice, found in points.items()}
    residuals = [
        [value - middle for value, middle in zip(point, centres[voice], strict=True)]
        for voice, found in points.items()
        for point in found
    ]
    scale = [_SIGMA_PER_MAD * median(map(abs, column)) + 1e-3 for column in zip(*residuals, strict=True)]
    scaled = [
        [max(-_CLIPPED_SIGMAS, min(_CLIPPED_SIGMAS, value / unit)) for value, unit in zip(row, scale, strict=True)]
        for row in residuals
    ]
    whitening = _whitening(scaled)
    whitened = {voice: _whitened(scale, whitening, centre) for voice, centre in centres.items()}
    rivals = {
        voice: tuple(
            other for other, there in whitened.items() if other != voice and _nats(here, there) >= _LEAST_APART_NATS
        )
        for voice, here in whitened.items()
    }
    return Space(tuple(scale), whitening, whitened, rivals)


def _whitening(rows: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """The inverse Cholesky factor of the covariance of ``rows`` [takes, dimensions], shrunk towards its mean."""
    size, count = len(rows[0]), len(rows)
    columns = list(zip(*rows, strict=True))
    covariance = [[sum(map(mul, columns[i], columns[j])) / count for j in range(i + 1)] for i in range(size)]
    # The fewer takes there are for so many dimensions, the less is their covariance believed.
    shrink = max(0.1, size / (size + count))
    mean = sum(covariance[i][i] for i in range(size)) / size or 1.0
    factor: list[list[float]] = []
    for i in range(size):
        row: list[float] = []
        for j in range(i + 1):
            value = (1 - shrink) * covariance[i][j] + (shrink * mean if i == j else 0.0)
            value -= sum(row[k] * factor[j][k] for k in range(j)) if j < i else sum(one * one for one in row)
            row.append(value / factor[j][j] if j < i else math.sqrt(max(value, 1e-9)))
        factor.append(row)
    inverse: list[list[float]] = []
    for i in range(size):
        row = [-sum(factor[i][k] * inverse[k][j] for k in range(j, i)) / factor[i][i] for j in range(i)]
        inverse.append([*row, 1 / factor[i][i]])
    return tuple(tuple(row) for row in inverse)


def _whitened(
    scale: Sequence[float], whitening: Iterable[Sequence[float]], point: Iterable[float]
) -> tuple[float, ...]:
    scaled = [value / unit for value, unit in zip(point, scale, strict=True)]
    return tuple([sum(map(mul, row, scaled)) for row in whitening])  # rows end where they are zero


def _nearest(space: Space | None, voice: str, take: Sample) -> tuple[str, float]:
    point = _point(take)
    if space is None or voice not in space.centres or point is None or len(point) != len(space.scale):
        return "", 0.0
    here = _whitened(space.scale, space.whitening, point)
    own = _nats(here, space.centres[voice])
    far = {name: _nats(here, space.centres[name]) for name in space.rivals[voice]}
    if not far:
        return "", 0.0
    nearest = min(far, key=lambda name: (far[name], name))
    chance = NATS_PER_LETTER * max(0, MANY_LETTERS - take.different_letters)
    return nearest, round(own - far[nearest] - chance, 2)


def _nats(one: Sequence[float], other: Sequence[float]) -> float:
    """How unlikely one point is from the other, both whitened."""
    return math.dist(one, other) ** 2 / 2  # a tenth of the time of a sum in Python, and there are many voices
