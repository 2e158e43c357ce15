"""Settings of the corpus: the section ``corpus`` of config.yaml, checked all at once.

    corpus:
      sources:
        - {name: own, kind: folder, path: recordings, licence: own, shards: 2}
        - {name: nst, kind: nst}
      transcriber: nb-whisper
      limits: {min_duration_s: 1, max_duration_s: 20}

What each limit stands for is said where it stands; the values are for read speech in studios and halls and were proved
on planted defects (tests/corpus). Those marked so are of the published Norwegian cleaning scripts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from replikk.dialogue.licences import licence_problem
from replikk.dialogue.nearest import nearest
from replikk.errors import ReplikkError, printable

KINDS = ("folder", "librivox", "nst", "npsc", "embedded")
SEPARATORS = ("none", "embedded", "demucs")
SPEAKER_CHECKS = ("none", "embedded", "pyannote")
TRANSCRIBERS = ("embedded", "nb-whisper")
SECOND_READERS = ("embedded", "wav2vec2")
NATURALNESS = ("none", "dnsmos")
DEVICES = ("auto", "cuda", "cpu")
MAX_SHARDS = 512
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,30}")
_LICENCES = {"nst": "CC0-1.0", "npsc": "CC0-1.0", "librivox": "CC0-1.0", "embedded": "own"}
"""Where the source says it; LibriVox recordings are in the public domain, which CC0 stands for here."""
_SHARDS = {"nst": 9, "npsc": 8}
"""NST has nine archives of close speech."""


@dataclass(frozen=True)
class Limits:
    """What an utterance must keep to. Inclusive."""

    min_duration_s: float = 1.0
    """As the published cleaning of NST: under a second there is hardly a sentence."""
    max_duration_s: float = 30.0
    """The speech tokenizer was trained on at most this much."""
    min_characters_per_s: float = 4.0
    max_characters_per_s: float = 25.0
    """As the verdict on builds; of speech, silences left out."""
    max_text_cer: float = 0.15
    """Letters of a given text that neither reading has; the embedded recogniser has 0.05 at most on clean clips."""
    max_disagreement_cer: float = 0.2
    """Letters that the two readings do not share."""
    max_misfit: float = 0.6
    """Nats per letter by which a given text may explain the sound worse than the best reading."""
    min_confidence: float = 0.7
    """Mean over the words of the second reading."""
    min_word_confidence: float = 0.3
    """Of the least sure word."""
    min_snr_db: float = 15.0
    max_pause_level_db: float = -18.0
    """The quietest moments against the speech; clean clips of the embedded voice have -20 and less."""
    max_clipped_share: float = 0.005
    """Share of the samples that hit a limit, as the verdict on builds."""
    max_pitch_spread_semitones: float = 9.0
    """Between pitches that are held for 0.6 s; one voice that reads has less than 4 where it was measured."""
    max_pitch_jumps: float = 0.1
    """Share of voiced frames at whose start the pitch leaps: two voices at once."""
    min_naturalness_mos: float = 2.8
    """DNSMOS, 1 to 5; only with naturalness: dnsmos."""
    max_duplicate_distance: float = 0.34
    """Share of the fingerprint's bits in which two recordings of one utterance may differ; unrelated ones differ in
    half."""


_RANGES: dict[str, tuple[float, float]] = {
    "min_duration_s": (0.2, 30),
    "max_duration_s": (1, 30),
    "min_characters_per_s": (0, 50),
    "max_characters_per_s": (1, 100),
    "max_text_cer": (0, 1),
    "max_disagreement_cer": (0, 1),
    "max_misfit": (0, 10),
    "min_confidence": (0, 1),
    "min_word_confidence": (0, 1),
    "min_snr_db": (-20, 120),
    "max_pause_level_db": (-90, 0),
    "max_clipped_share": (0, 1),
    "max_pitch_spread_semitones": (0, 60),
    "max_pitch_jumps": (0, 1),
    "min_naturalness_mos": (1, 5),
    "max_duplicate_distance": (0, 0.45),
}


@dataclass(frozen=True)
class Source:
    """Where recordings come from."""

    name: str
    kind: str
    licence: str
    path: str = ""
    """Folder, for ``folder`` and ``librivox``."""
    revision: str = ""
    """Commit of the hub's repository; empty: the one that is newest at the first fetch, and kept from then on."""
    subset: str = ""
    """Of ``npsc``: the configuration; of ``nst``: train or test."""
    shards: int = 1
    speakers: str = "folder"
    """``folder``: each folder below ``path`` is a speaker; ``one``: all is one speaker."""
    clips: int = 24
    """Of ``embedded``: how many."""

    def shard_names(self) -> list[str]:
        return [f"{self.name}-{number:05}" for number in range(self.shards)]


@dataclass(frozen=True)
class CorpusSettings:
    """How a corpus is made."""

    sources: tuple[Source, ...]
    locale: str = "nb"
    separator: str = "none"
    speaker_check: str = "embedded"
    transcriber: str = "nb-whisper"
    transcriber_model: str = "large"
    second_reader: str = "wav2vec2"
    second_reader_model: str = "bokmaal-1b"
    separator_model: str = "htdemucs"
    speaker_model: str = "pyannote/speaker-diarization-community-1"
    naturalness: str = "none"
    device: str = "auto"
    precision: str = "float16"
    separator_python: str = ""
    """The Python of the environment ``envs/demucs.yaml``; empty: the one that runs Snakemake."""
    speaker_python: str = ""
    """As above, of ``envs/pyannote.yaml``."""
    held_out_share: float = 0.01
    """Of the hours; whole speakers."""
    salt: str = ""
    """Of the speakers' hashes; empty: drawn once."""
    limits: Limits = field(default_factory=Limits)

    def source(self, name: str) -> Source:
        return next(source for source in self.sources if source.name == name)

    def source_of(self, shard: str) -> tuple[Source, int]:
        """The source of a shard, and the shard's number in it."""
        name, _, number = shard.rpartition("-")
        return self.source(name), int(number)

    def of_stage(self, *keys: str) -> dict[str, Any]:
        """What a stage's result depends on: settings and limits by name."""
        values = asdict(self)
        return {key: value for key, value in {**values["limits"], **values}.items() if key in keys}


_CHOICES = {
    "separator": SEPARATORS,
    "speaker_check": SPEAKER_CHECKS,
    "transcriber": TRANSCRIBERS,
    "second_reader": SECOND_READERS,
    "naturalness": NATURALNESS,
    "device": DEVICES,
    "precision": ("float16", "bfloat16", "float32"),
    "locale": ("nb", "nn"),
}
_TEXTS = (
    "transcriber_model", "second_reader_model", "separator_model", "speaker_model", "separator_python",
    "speaker_python", "salt",
)  # fmt: skip
_MAY_BE_EMPTY = ("separator_python", "speaker_python", "salt")


def read_corpus_settings(section: Mapping[str, Any]) -> CorpusSettings:
    """The settings of config.yaml. Raises ReplikkError with everything wrong with them, naming each setting."""
    problems: list[str] = []
    known = [entry.name for entry in fields(CorpusSettings)]
    values: dict[str, Any] = {}
    for key, value in section.items():
        if key not in known:
            problems.append(f"{printable(str(key), 60)}: is not a setting; {_hint(str(key), known)}")
        elif key in _CHOICES:
            if value in _CHOICES[key]:
                values[key] = value
            else:
                problems.append(f"{key}: is {value!r:.60}; write {' or '.join(_CHOICES[key])}")
        elif key in _TEXTS:
            if isinstance(value, str) and (value.strip() or key in _MAY_BE_EMPTY):
                values[key] = value.strip()
            else:
                problems.append(f"{key}: is {value!r:.60}; write a name or a path")
        elif key == "held_out_share":
            if _is_number(value) and 0 <= value <= 0.5:
                values[key] = float(value)
            else:
                problems.append(f"{key}: is {value!r:.60}; write a number from 0 to 0.5")
        elif key == "limits":
            values[key] = _limits(value, problems)
    sources = _sources(section.get("sources"), problems)
    if problems:
        raise ReplikkError("\n".join(f"config.yaml: corpus.{problem}" for problem in problems))
    return CorpusSettings(sources=sources, **{key: value for key, value in values.items() if key != "sources"})


def _limits(value: Any, problems: list[str]) -> Limits:
    if not isinstance(value, Mapping):
        problems.append(f"limits: is {value!r:.60}; write 'name: number' rows")
        return Limits()
    good: dict[str, float] = {}
    for key, number in value.items():
        if key not in _RANGES:
            problems.append(f"limits.{printable(str(key), 60)}: is not a limit; {_hint(str(key), list(_RANGES))}")
        elif not _is_number(number) or not _RANGES[key][0] <= number <= _RANGES[key][1]:
            low, high = _RANGES[key]
            problems.append(f"limits.{key}: is {number!r:.60}; write a number from {low:g} to {high:g}")
        else:
            good[key] = float(number)
    limits = Limits(**good)
    for what in ("duration_s", "characters_per_s"):
        if getattr(limits, f"min_{what}") >= getattr(limits, f"max_{what}"):
            problems.append(f"limits.min_{what}: is not below limits.max_{what}; nothing would be kept")
    return limits


def _sources(value: Any, problems: list[str]) -> tuple[Source, ...]:
    example = "{name: own, kind: folder, path: recordings, licence: own}"
    if not isinstance(value, list) or not value:
        problems.append(f"sources: names no recordings; write a list of rows such as {example}")
        return ()
    result: list[Source] = []
    for number, row in enumerate(value):
        place = f"sources[{number}]"
        if not isinstance(row, Mapping):
            problems.append(f"{place}: is {row!r:.60}; write a row such as {example}")
            continue
        before = len(problems)
        source = _source(place, row, problems)
        if len(problems) == before:
            if source.name in {other.name for other in result}:
                problems.append(f"{place}.name: '{source.name}' is there already; give every source its own name")
            result.append(source)
    return tuple(result)


def _source(place: str, row: Mapping[str, Any], problems: list[str]) -> Source:
    known = [entry.name for entry in fields(Source)]
    for key in row:
        if key not in known:
            problems.append(f"{place}.{printable(str(key), 60)}: is not a setting; {_hint(str(key), known)}")
    kind = row.get("kind", "folder")
    if kind not in KINDS:
        problems.append(f"{place}.kind: is {kind!r:.60}; write {', '.join(KINDS)}")
        kind = "folder"
    name = row.get("name", kind)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append(f"{place}.name: is {name!r:.60}; write a short name of small letters, digits, - and _")
    for key in ("path", "revision", "subset", "licence"):
        if not isinstance(row.get(key, ""), str):
            problems.append(f"{place}.{key}: is {row[key]!r:.60}; write text, numbers in quotes")
    path = str(row.get("path", ""))
    if kind in ("folder", "librivox"):
        if not path:
            problems.append(f"{place}.path: is missing; write the folder of the recordings")
        elif not Path(path).is_dir():
            problems.append(f"{place}.path: there is no folder '{printable(path, 100)}'; mend it, or make the folder")
    licence = str(row.get("licence", _LICENCES.get(kind, "")))
    if not licence:
        problems.append(f"{place}.licence: is missing; write that of the recordings, such as own, CC0-1.0 or CC-BY-4.0")
    elif wrong := licence_problem(licence):
        problems.append(f"{place}.licence: {wrong[0]}; {wrong[1]}")
    revision = str(row.get("revision", ""))
    if revision and not re.fullmatch(r"[0-9a-f]{40}", revision):
        problems.append(
            f"{place}.revision: is '{printable(revision, 60)}'; write the 40 digits of a commit, or leave it out"
        )
    numbers = {"shards": (_SHARDS.get(kind, 1), MAX_SHARDS), "clips": (24, 10_000)}
    for key, (default, most) in numbers.items():
        count = row.get(key, default)
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= most:
            problems.append(f"{place}.{key}: is {count!r:.60}; write a whole number from 1 to {most}")
    speakers = row.get("speakers", "folder")
    if speakers not in ("folder", "one"):
        problems.append(f"{place}.speakers: is {speakers!r:.60}; write folder or one")
    return Source(
        name=str(name),
        kind=str(kind),
        licence=licence,
        path=path,
        revision=revision,
        subset=str(row.get("subset", "")),
        shards=row.get("shards", numbers["shards"][0]),
        speakers=str(speakers),
        clips=row.get("clips", 24),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _hint(key: str, known: list[str]) -> str:
    near = nearest(key, known)
    return f"did you mean '{near}'?" if near else f"known are {', '.join(known)}"
