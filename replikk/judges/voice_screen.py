"""Which of many takes may be outliers beside the other lines of their voices: all at once, and on the safe side.

When a take that a voice is known by changes, every take of the game is to be held against the new profiles, though
hardly any lies near a limit. Here all are, in numpy; those within a rounding of a limit or beyond it are named, and
``voice_profiles.fit`` with ``voice_reasons`` decides on these alone. Whatever those two may call a doubt is named.

Axes: [takes], [voices], [dimensions] of timbre and pitch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from replikk.judges.spoken_takes import SpokenTake
from replikk.judges.thresholds import BANDS, Thresholds
from replikk.judges.voice_profiles import (
    MANY_LETTERS,
    NATS_PER_LETTER,
    REFERENCE_HZ,
    WHISPER,
    Profiles,
    Space,
)
from replikk.judges.voice_reasons import DIRECTED_SLACK

_ROUNDED = 0.02
"""Measures are compared after rounding to two or three decimals, and numpy adds up in another order."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def may_be_outliers(profiles: Profiles, takes: Sequence[SpokenTake], thresholds: Thresholds) -> list[int]:
    """The numbers of the takes that may lie beyond a limit; all others surely lie within every one."""
    if not takes:
        return []
    limits = _Limits(thresholds, [take.words for take in takes])
    found = _strays(profiles, takes, limits)
    if profiles.space is not None:
        found |= _other_voices(profiles.space, takes, limits)
    numbers: list[int] = np.flatnonzero(found).tolist()
    return numbers


class _Limits:
    """The limits of every take, by name [takes]."""

    def __init__(self, thresholds: Thresholds, words: Sequence[int]) -> None:
        self._bands = [thresholds.bands[name] for name in BANDS]
        # As thresholds.band_of: the first band that holds so many words.
        self._band_of = np.searchsorted(np.array(list(BANDS.values())), np.array(words))

    def __call__(self, name: str) -> Floats:
        values: Floats = np.array([getattr(band, name) for band in self._bands], np.float64)[self._band_of]
        return values


def _strays(profiles: Profiles, takes: Sequence[SpokenTake], limits: _Limits) -> Flags:
    """Level, pitch and pace against the takes with the same direction, or against all of the voice."""
    level = np.array([take.level_dbfs for take in takes])
    pitch = _pitches(takes)
    speaking = np.array([take.speaking_s for take in takes])
    per_letter = speaking / np.array([take.letters for take in takes])
    sigmas = limits("max_outlier_sigmas")
    most = {name: limits(f"max_{name}") for name in ("level_deviation_db", "pitch_deviation_semitones", "pace_ratio")}
    found = np.zeros(len(takes), bool)
    alike: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for number, take in enumerate(takes):
        alike.setdefault((take.voice, tuple(take.moods)), []).append(number)
    for (voice, moods), numbers in alike.items():
        groups = profiles.groups.get(voice)
        if groups is None:
            continue
        own = groups.get(frozenset(moods))
        group, slack = (own, 1.0) if own else (groups[None], DIRECTED_SLACK)
        here = np.array(numbers)
        limit = np.maximum(most["level_deviation_db"][here] * slack, sigmas[here] * group.level_spread_db)
        beyond = np.abs(level[here] - group.level_db) > limit - _ROUNDED
        if group.pitch is not None and WHISPER not in moods:
            limit = np.maximum(most["pitch_deviation_semitones"][here] * slack, sigmas[here] * group.pitch_spread)
            beyond |= np.abs(pitch[here] - group.pitch) > limit - _ROUNDED  # never true of a take without pitch
        ratio, limit = per_letter[here] / group.seconds_per_letter, most["pace_ratio"][here] * slack
        # A limit may be 0; below a rounding every take is beyond it.
        beyond |= (ratio > limit - _ROUNDED) | (ratio < 1 / np.maximum(limit, _ROUNDED) + _ROUNDED)
        found[here] = beyond
    return found & (speaking > 0)


def _pitches(takes: Sequence[SpokenTake]) -> Floats:
    """Semitones above the reference; not a number where there is no pitch."""
    hertz = np.array([np.nan if take.pitch_hz is None else take.pitch_hz for take in takes], np.float64)
    semitones: Floats = 12 * np.log2(hertz / REFERENCE_HZ)
    return semitones


def _other_voices(space: Space, takes: Sequence[SpokenTake], limits: _Limits) -> Flags:
    """Whether another voice may explain a take better than its own, beyond the limit."""
    size, order = len(space.scale), {voice: n for n, voice in enumerate(space.centres)}
    can_tell = [
        number
        for number, take in enumerate(takes)
        if take.timbre is not None and take.pitch_hz is not None and take.speaking_s > 0
        and len(take.timbre) + 1 == size and WHISPER not in take.moods and space.rivals.get(take.voice)
    ]  # fmt: skip
    found = np.zeros(len(takes), bool)
    if not can_tell:
        return found
    points = np.empty((len(can_tell), size))  # [takes, dimensions]
    points[:, :-1] = [takes[number].timbre for number in can_tell]
    points[:, -1] = _pitches([takes[number] for number in can_tell])
    whitening = np.zeros((size, size))
    for row, values in enumerate(space.whitening):
        whitening[row, : len(values)] = values
    here = points / np.array(space.scale) @ whitening.T
    centres = np.array(list(space.centres.values()))  # [voices, dimensions]
    # |x - c|² / 2 without a [takes, voices, dimensions] array in between.
    nats = ((here**2).sum(1)[:, None] + (centres**2).sum(1)) / 2 - here @ centres.T
    is_rival = np.array([[other in space.rivals[voice] for other in order] for voice in order])
    own = np.array([order[takes[number].voice] for number in can_tell])
    nearest = np.where(is_rival[own], nats, np.inf).min(1)
    lacking = MANY_LETTERS - np.array([takes[number].different_letters for number in can_tell])
    better_by = nats[np.arange(len(own)), own] - nearest - NATS_PER_LETTER * np.maximum(0, lacking)
    found[can_tell] = better_by > limits("max_other_voice_nats")[can_tell] - _ROUNDED
    return found
