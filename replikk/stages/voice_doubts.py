"""What speaks against takes beside the other lines of their voices, for all takes of a build.

Such doubts hang on the sample of takes that every voice is known by, and so on other lines. They are therefore kept
apart from the verdicts that a take has by itself: when a line of the sample changes, only they are drawn anew, from
what the last build remembers of every take. All takes are screened at once then, and few looked at one by one.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from replikk.dialogue.plan import Plan
from replikk.dialogue.plan_rows import PlannedLine, is_apart
from replikk.dialogue.styles import moods
from replikk.files import digest
from replikk.judges.spoken_takes import SpokenTake, spoken_take
from replikk.judges.thresholds import Thresholds
from replikk.judges.voice_profiles import SAMPLE_TAKES, Profiles, Sample, VoiceFit, fit, profiles_of, sample_of
from replikk.judges.voice_profiles import VERSION as PROFILE_VERSION
from replikk.judges.voice_reasons import voice_reasons
from replikk.judges.voice_traits import VoiceTraits
from replikk.judges.words import split_words
from replikk.stages.voice_traits import read_traits
from replikk.store import Store

Doubts = list[dict[str, Any]]
"""Reasons as plain JSON."""


class VoiceDoubts:
    """The doubts of one build; samples and profiles are read when the first take asks for them."""

    def __init__(self, plan: Plan, store: Store, thresholds: Thresholds, tools: str) -> None:
        """``tools`` names the optional measures in the traits."""
        self._plan, self._store, self._thresholds, self._tools = plan, store, thresholds, tools
        self._traits = store.journal("traits")

    @cached_property
    def samples(self) -> dict[str, tuple[PlannedLine, ...]]:
        """By voice, the lines whose first takes it is known by; see ``voice_profiles.py``."""
        index = self._plan.index
        by_voice: dict[str, dict[str, int]] = {}
        for number, voice in enumerate(index.voices):
            if not index.apart[number]:
                by_voice.setdefault(voice, {}).setdefault(index.takes[number][0], number)
        found = {}
        for voice, takes in by_voice.items():
            smallest = [key for key in heapq.nsmallest(SAMPLE_TAKES, takes) if self._store.take_path(key).exists()]
            found[voice] = tuple([self._plan.lines[takes[key]] for key in smallest])
        return found

    @cached_property
    def basis(self) -> str:
        """What all doubts depend on, beside the limits, the take and the line that they are about."""
        said = {
            voice: [[planned.takes[0], planned.line.spoken, planned.line.style] for planned in lines]
            for voice, lines in self.samples.items()
        }
        return digest([PROFILE_VERSION, self._tools, said])

    @cached_property
    def _profiles(self) -> Profiles | None:
        """Of all voices; None while a take of a sample has not been measured."""
        samples: dict[str, list[Sample]] = {}
        for voice, lines in self.samples.items():
            measured = [(planned, read_traits(self._traits, self._tools, planned.takes[0])) for planned in lines]
            samples[voice] = [_sample(planned, traits) for planned, traits in measured if traits is not None]
            if len(samples[voice]) < len(measured):
                return None
        return profiles_of(samples)

    @property
    def are_known(self) -> bool:
        """Whether all takes of the samples were measured."""
        return self._profiles is not None

    def refresh(self) -> None:
        """Takes were measured: profiles that could not be made before are made when they are next asked for."""
        if self.__dict__.get("_profiles", self) is None:
            del self._profiles

    def fit(self, planned: PlannedLine, take_key: str) -> tuple[VoiceFit | None, VoiceTraits | None]:
        """How a take lies beside the other lines of its voice, and its traits; None where that is not known."""
        traits = self.traits_of(planned, take_key)
        if traits is None or self._profiles is None:
            return None, traits
        return fit(self._profiles, planned.line.voice, _sample(planned, traits)), traits

    def traits_of(self, planned: PlannedLine, take_key: str) -> VoiceTraits | None:
        """Of a take that is held against others; None where it was not measured."""
        return read_traits(self._traits, self._tools, take_key) if has_doubts(planned) else None

    def spoken(self, planned: PlannedLine, take_key: str) -> SpokenTake | None:
        """What the doubts about a take hang on, beside the other lines; None where it was not measured."""
        traits = self.traits_of(planned, take_key)
        if traits is None:
            return None
        return spoken_take(planned.line.voice, len(split_words(planned.line.spoken)), _sample(planned, traits))

    def of(self, take: SpokenTake) -> Doubts:
        """What speaks against a take beside the others; nothing while these are not known."""
        if self._profiles is None:
            return []
        found = fit(self._profiles, take.voice, take.sample())
        return [reason.to_json() for reason in voice_reasons(found, None, self._thresholds.for_words(take.words))]

    def of_all(self, takes: Sequence[SpokenTake]) -> dict[int, Doubts]:
        """The doubts about the takes that have some, by number."""
        if self._profiles is None:
            return {}
        from replikk.judges.voice_screen import may_be_outliers  # numpy, for builds in which a voice's sample moved

        doubts = {number: self.of(takes[number]) for number in may_be_outliers(self._profiles, takes, self._thresholds)}
        return {number: found for number, found in doubts.items() if found}


def has_doubts(planned: PlannedLine) -> bool:
    """Whether a line's takes are held against the voice's other lines."""
    return not is_apart(planned)


def _sample(planned: PlannedLine, traits: VoiceTraits) -> Sample:
    return sample_of(planned.line.spoken, traits, frozenset(moods(planned.line.style)))
