"""What must be known of a take to hold it against other profiles of its voice, as a row that a build remembers.

Everything else that the doubts about a take hang on is the game's: the profiles and the limits. Timbre and level come
from the sound, letters and words from the text; none of them has to be looked up or counted again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import orjson

from replikk.judges.voice_profiles import Sample
from replikk.judges.voice_traits import VoiceTraits


class SpokenTake(NamedTuple):
    """A ``Sample``, the voice that it belongs to and the number of words, on which its limits hang."""

    voice: str
    words: int
    moods: Sequence[str]
    """Sorted."""
    letters: float
    different_letters: int
    level_dbfs: float
    speaking_s: float
    pitch_hz: float | None
    timbre: Sequence[float] | None

    def sample(self) -> Sample:
        timbre = None if self.timbre is None else tuple(self.timbre)
        traits = VoiceTraits(self.level_dbfs, self.speaking_s, self.pitch_hz, timbre)
        return Sample(traits, self.letters, frozenset(self.moods), self.different_letters)


def spoken_take(voice: str, words: int, take: Sample) -> SpokenTake:
    """A take of a voice over a text of so many words."""
    traits = take.traits
    return SpokenTake(
        voice, words, sorted(take.moods), take.letters, take.different_letters,
        traits.level_dbfs, traits.speaking_s, traits.pitch_hz, traits.timbre,
    )  # fmt: skip


def take_row(take: SpokenTake) -> bytes:
    """As JSON: the values in the order of the fields."""
    return orjson.dumps(list(take))


def read_take_rows(rows: Iterable[bytes]) -> list[SpokenTake]:
    # All in one go: decoding ten thousand rows one by one takes twice as long.
    return [SpokenTake(*values) for values in orjson.loads(b"[%b]" % b",".join(rows))]
