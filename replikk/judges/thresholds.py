"""The limits between pass and retry, per length band, as ``config.yaml`` may set them.

A line's band is its number of words: one wrong word is the whole of a one-word line and a tenth of a ten-word line.
Every limit has a default here; ``default`` in the configuration changes it for all bands, ``bands`` for one. Limits are
inclusive: a value at the limit is good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from replikk.dialogue.nearest import nearest
from replikk.errors import ReplikkError, printable
from replikk.files import digest

BANDS: dict[str, int] = {"1": 1, "2-3": 3, "4-7": 7, "8+": 10**9}
"""Name of a band → the most words that it has."""


@dataclass(frozen=True)
class Band:
    """The limits for lines of one length."""

    # The words, from how well the wanted text explains the sound (judges with a margin, such as ``mini``)
    max_margin: float = 0.05
    """Nats per character by which the wanted text may explain the sound worse than the best reading does, anywhere in
    the line; good takes lie about here. What is beyond it, summed over the line, is its *misfit*."""
    max_misfit_nats: float = 12.0
    """Misfit over the whole line. A wrong letter costs about 10 nats, a missing word 20 and more, in any line."""
    proven_misfit_nats: float = 8.0
    """Up to here the wanted words were spoken, whatever the judge wrote: what differs is how a sound is spelled."""
    spelling_nats: float = 12.0
    """What may be added to the misfit by a word that was heard in another spelling of the same sound (*fult*, *fullt*),
    by a word that the lexicon respelt, and once by a line that was heard just right."""
    max_proven_cer: float = 0.15
    """A spelling further off than this is not overruled by the misfit."""
    # The words, from what the judge wrote (where the misfit does not settle it)
    max_wer: float = 0.15
    """Word errors per word of the script."""
    max_cer: float = 0.08
    """Character errors per character of the script."""
    max_wrong_run_words: int = 1
    """Wrong words in a row."""
    max_other_words: int = 0
    """Words heard as another word, whatever the rates; for judges that cannot say how likely the wanted text is."""
    max_missing_words: int = 0
    """Words of the script for which nothing was heard."""
    max_extra_words: int = 0
    """Words heard for which the script has nothing, wherever they stand."""
    max_repeated_words: int = 0
    """Words said again at once that the script does not repeat."""
    max_leaked_words: int = 1
    """Words in a row from the direction or the reference's transcript that were said beside the script."""
    max_repeated_fours: int = 0
    """Stretches of four words that were said before, beyond those that the script repeats."""
    # What a judge that writes freely says of its own text (``nb-whisper``)
    max_wanted_deficit_nats: float = 10.0
    """By how much less likely the wanted text may be than what was written, where words differ; of a long clip, in its
    worst window."""
    proven_deficit_nats: float = 1.0
    """Up to here the wanted text is as likely: a person decides, or the second ear."""
    max_second_ear_margin: float = 0.6
    """Nats per letter by which the wanted text may explain the sound worse, to a judge without a language model."""
    max_no_speech: float = 0.6
    """How likely it may be that nobody speaks, where the judge was guessing as well."""
    min_log_probability: float = -1.0
    """Natural logarithm per token; below it the judge was guessing."""
    max_compression_ratio: float = 2.4
    """Of the judge's text, unless the script is as repetitive."""
    min_own_language: float = 0.5
    """Share of Norwegian among all languages, where words differ."""
    # The voice, beside its other lines
    max_other_voice_nats: float = 4.0
    """By how much another voice of the game may explain timbre and pitch better."""
    max_pitch_deviation_semitones: float = 7.0
    """From the voice's usual pitch; a lively voice may stray further, see ``max_outlier_sigmas``."""
    max_level_deviation_db: float = 8.0
    """From the voice's usual level, likewise."""
    max_outlier_sigmas: float = 6.0
    """A deviation within so many of the voice's own standard deviations is no outlier, however large."""
    max_pace_ratio: float = 1.5
    """How many times as long, or as short, the take may be over its text as the voice usually is."""
    min_speaker_similarity: float = 0.25
    """Cosine to the reference recording, where a speaker model is at hand."""
    min_naturalness_mos: float = 1.0
    """DNSMOS, 1 to 5, where it is at hand; 1 refuses nothing."""
    # The pace
    min_characters_per_s: float = 4.0
    """Letters per second of speech, silences left out."""
    max_characters_per_s: float = 25.0
    # Silence
    max_silence_start_s: float = 0.5
    max_silence_end_s: float = 1.0
    """At the end of the clip, beyond a pause that the line itself wants there."""
    max_unexplained_silence_s: float = 0.55
    """Silence inside the clip that neither a wanted pause nor punctuation explains."""
    max_pause_excess_s: float = 1.2
    """By how much a pause may be longer than wanted; at punctuation nothing is wanted."""
    max_pause_missing_s: float = 0.3
    """By how much a wanted pause may be too short."""
    # The sound
    max_tail_level_db: float = -12.0
    """Level of the last 10 ms against the speech; louder means that the end was cut off."""
    max_sound_after_words_s: float = 0.8
    """Sound after the last word that was heard."""
    max_clipped_share: float = 0.005
    """Share of the samples that hit a limit."""
    min_snr_db: float = 18.0
    """Speech against noise."""
    min_level_dbfs: float = -45.0
    """Level of the speech; quieter is nearly silent."""
    max_dc: float = 0.1
    """Constant offset of the wave, as a share of full scale."""


BAND_DEFAULTS: dict[str, dict[str, Any]] = {
    # A short word is a handful of letters: less misfit is proof or disproof, and its pace says little.
    "1": {
        "max_misfit_nats": 8.0,
        "proven_misfit_nats": 6.0,
        "max_wer": 0.0,
        "max_cer": 0.0,
        "min_characters_per_s": 1.5,
        "max_characters_per_s": 30.0,
        # What is said does not average out in so short a line.
        "max_other_voice_nats": 5.0,
        "max_pitch_deviation_semitones": 9.0,
        "max_pace_ratio": 2.0,
        "min_own_language": 0.0,
    },
    "2-3": {
        "max_misfit_nats": 10.0,
        "proven_misfit_nats": 7.0,
        "max_wer": 0.0,
        "max_cer": 0.0,
        "min_characters_per_s": 3.0,
        "max_other_voice_nats": 5.0,
        "max_pitch_deviation_semitones": 9.0,
        "max_pace_ratio": 1.8,
        "min_own_language": 0.0,
    },
    "4-7": {"max_wer": 0.25, "max_cer": 0.1, "max_pace_ratio": 1.6},
    "8+": {},
}
"""Where a band's default differs from that of ``Band``."""


@dataclass(frozen=True)
class Thresholds:
    """The limits of every band."""

    bands: dict[str, Band] = field(
        default_factory=lambda: {name: replace(Band(), **BAND_DEFAULTS[name]) for name in BANDS}
    )

    def for_words(self, words: int) -> Band:
        """The limits for a line of that many words."""
        return self.bands[band_of(words)]

    def fingerprint(self) -> str:
        """Names the limits: part of every verdict's key."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        return digest({name: asdict(band) for name, band in self.bands.items()})


def band_of(words: int) -> str:
    """The name of the length band of a line of that many words."""
    return next(name for name, most in BANDS.items() if words <= most)


_KINDS: dict[str, type] = {f.name: type(f.default) for f in fields(Band)}


def thresholds_from_mapping(mapping: Mapping[str, Any]) -> Thresholds:
    """The limits with what the section ``thresholds`` of ``config.yaml`` changes.

    Two keys: ``default``, limits for all bands, and ``bands``, by band name, which win over the others.
    Raises ReplikkError with all mistakes at once.
    """
    problems: list[str] = []
    for key in mapping:
        if key not in ("default", "bands"):
            near = nearest(str(key), _KINDS)
            hint = f"write '{near}' under thresholds.default" if near else "use default and bands"
            problems.append(f"config.yaml: thresholds: there is no '{printable(str(key), 40)}' here; {hint}")
    for_all = _limits("thresholds.default", mapping.get("default"), problems)
    per_band: dict[str, dict[str, Any]] = {}
    bands = _mapping("thresholds.bands", mapping.get("bands"), problems)
    for name, values in bands.items():
        if str(name) not in BANDS:  # YAML reads a bare 1 as a number
            problems.append(
                f"config.yaml: thresholds.bands: there is no band '{printable(str(name), 40)}'; use {', '.join(BANDS)}"
            )
            continue
        per_band[str(name)] = _limits(f"thresholds.bands.{name}", values, problems)
    if problems:
        raise ReplikkError("\n".join(problems))
    return Thresholds(
        {name: replace(Band(), **BAND_DEFAULTS[name] | for_all | per_band.get(name, {})) for name in BANDS}
    )


def _mapping(place: str, value: Any, problems: list[str]) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    problems.append(f"config.yaml: {place}: is {printable(repr(value), 40)}; write 'name: value' lines under it")
    return {}


def _limits(place: str, value: Any, problems: list[str]) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for key, limit in _mapping(place, value, problems).items():
        kind = _KINDS.get(key) if isinstance(key, str) else None
        if kind is None:
            near = nearest(str(key), _KINDS)
            hint = f"did you mean '{near}'?" if near else f"known limits: {', '.join(_KINDS)}"
            problems.append(f"config.yaml: {place}: there is no limit '{printable(str(key), 40)}'; {hint}")
        elif isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
            problems.append(f"config.yaml: {place}.{key}: is {printable(repr(limit), 40)}; write a number")
        elif kind is int and limit != int(limit):
            problems.append(f"config.yaml: {place}.{key}: is {limit}; write a whole number of words")
        elif limit < 0 and not key.endswith(("_db", "_dbfs", "_log_probability")):
            problems.append(f"config.yaml: {place}.{key}: is {limit}; write 0 or more")
        else:
            limits[key] = kind(limit)
    return limits
