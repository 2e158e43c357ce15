"""A candidate reads the gate's texts, through the engine and the judge of the build, and what was heard is counted.

First takes only. A reading's key is made of text, voice and seed and not of the candidate, so every candidate draws the
same numbers for the same reading, and readings can be compared in pairs. The evidence is that of the build; what the
gate counts beside it are words run together, and words of the prompt that were spoken.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from replikk.dialogue.records import Segment, Voice
from replikk.engines import Engine
from replikk.engines.records import Take, TakeRequest
from replikk.files import digest
from replikk.judges import Judge
from replikk.judges.compare import Comparison
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.leaks import SYSTEM_PROMPT
from replikk.judges.records import Clip, Transcript
from replikk.judges.signal import measure_signal
from replikk.judges.words import split_words, word_key
from replikk.training.gate_scripts import DIRECTED, SCRIPTS, TIERS, Tier, directed_texts

VERSION = 3
"""Raise it when the same sound would become another reading."""
SEEDS = (11, 23, 47)
"""Frozen: no candidate gets another chance."""
TOGETHER = 64
"""Takes that are heard at once: at most about 100 MB of them in memory, and at most so many are heard again after a
kill."""
_LEAK_WORDS = 2
"""Words in a row of the prompt, and not of the script, that prove a leak; one may be chance."""
_LONG_SILENCE_S = 0.8
"""Inside a reading, where no punctuation stands."""


@dataclass(frozen=True)
class Trial:
    """One text to be read by one voice from one seed."""

    tier: Tier | Literal["directed"]
    text: str
    voice: str
    seed: int
    style: str = ""
    """The direction that it is read with."""

    @property
    def key(self) -> str:
        """The take key."""
        return digest(["gate", self.text, self.voice, self.seed, *([self.style] if self.style else [])])


@dataclass(frozen=True)
class Reading:
    """What was heard of one trial. A take that could not be made has a ``failure`` and counts as all words missed."""

    tier: Tier | Literal["directed"]
    text: str
    voice: str
    seed: int
    words: int
    word_errors: int
    missing_words: int
    missing_runs: int
    """Runs of two and more missing words: a phrase was skipped."""
    merged_words: int
    """Pairs of words that were run together into one."""
    repeated_words: int
    leaked_words: int
    """Words of the prompt that were spoken: of the instruction, its direction, or the reference's transcript."""
    long_silences: int
    duration_s: float
    heard: str = ""
    failure: str = ""
    style: str = ""
    """The direction that it was read with."""
    likeness: float | None = None
    """To the voice's reference recording, -1 to 1, where a speaker model is at hand; measured on the kept sound."""

    @property
    def pair(self) -> tuple[str, str, int, str]:
        """What makes two readings of different candidates comparable."""
        return self.text, self.voice, self.seed, self.style

    def to_json(self) -> dict[str, Any]:
        """What is kept of a reading: all but its likeness, which is measured apart."""
        return {key: value for key, value in asdict(self).items() if key != "likeness"}


def trials_of(
    voices: Iterable[str], seeds: Sequence[int] = SEEDS, scripts: Mapping[Tier, Sequence[str]] = SCRIPTS
) -> list[Trial]:
    """Every text by every voice from every seed; then some of them with directions."""
    names = list(voices)
    plain = [
        Trial(tier, text, name, seed) for tier in TIERS for text in scripts[tier] for name in names for seed in seeds
    ]
    directed = [
        Trial(DIRECTED, text, name, seed, style)
        for text, style in directed_texts(scripts).items()
        for name in names
        for seed in seeds
    ]
    return plain + directed


def speak(
    engine: Engine, voices: Mapping[str, Voice], trials: Iterable[Trial], workers: int = 1
) -> Iterator[tuple[Trial, Take | Reading]]:
    """What one candidate makes of each trial, as soon as it is there: a take, or the reading of one that failed."""
    by_key = {trial.key: trial for trial in trials}
    for result in engine.synthesize((_request(trial, voices) for trial in by_key.values()), workers):
        trial = by_key[result.key]
        yield trial, result if isinstance(result, Take) else _missed(trial, result.reason)


def listen(
    judge: Judge, told: str, voices: Mapping[str, Voice], takes: Iterable[tuple[Trial, Take]]
) -> Iterator[tuple[Trial, Take, Reading]]:
    """The readings of takes, ``TOGETHER`` after ``TOGETHER``; ``told`` is the engine that the judge is told of.

    Raises JudgeError where the judge may not listen to it.
    """
    waiting = iter(takes)
    while some := {take.key: (trial, take) for trial, take in itertools.islice(waiting, TOGETHER)}:
        clips = (
            Clip(key, take.samples, take.sample_rate_hz, trial.text, told, "nb") for key, (trial, take) in some.items()
        )
        for transcript in judge.transcribe(clips):
            trial, take = some[transcript.take_key]
            prompts = (SYSTEM_PROMPT, trial.style, voices[trial.voice].reference_transcript)
            yield trial, take, _heard(trial, take, transcript, prompts)


def _request(trial: Trial, voices: Mapping[str, Voice]) -> TakeRequest:
    return TakeRequest(trial.key, (Segment(trial.text, 0),), "nb", trial.style, voices[trial.voice], 0)


def _missed(trial: Trial, reason: str) -> Reading:
    words = len(split_words(trial.text))
    return Reading(
        trial.tier, trial.text, trial.voice, trial.seed, words, words, words, 1, 0, 0, 0, 0, 0.0, failure=reason,
        style=trial.style,
    )  # fmt: skip


def _heard(trial: Trial, take: Take, transcript: Transcript, prompts: Sequence[str]) -> Reading:
    signal = measure_signal(take.samples, take.sample_rate_hz)
    evidence = gather(LineFacts(trial.text, (0,)), transcript, signal)
    comparison = evidence.comparison
    assert comparison is not None  # there is a transcript
    return Reading(
        tier=trial.tier,
        text=trial.text,
        voice=trial.voice,
        seed=trial.seed,
        words=comparison.words_expected,
        word_errors=comparison.substitutions + comparison.insertions + comparison.deletions,
        missing_words=comparison.deletions,
        missing_runs=missing_runs(comparison),
        merged_words=merged_words(comparison),
        repeated_words=comparison.repeated_words,
        leaked_words=leaked_words(transcript.text, trial.text, *prompts),
        long_silences=int(evidence.unexplained_silence_s > _LONG_SILENCE_S),
        duration_s=signal.duration_s,
        heard=transcript.text,
        style=trial.style,
    )


def missing_runs(comparison: Comparison) -> int:
    """Runs of two and more words of the script that were not heard."""
    runs, length = 0, 0
    for kind, _, _ in comparison.alignment:
        length = length + 1 if kind == "del" else 0
        runs += length == 2
    return runs


def merged_words(comparison: Comparison) -> int:
    """Two words of the script that were heard as one that has the letters of both, or nearly.

    The comparison forgives a compound that is written apart. Here it counts: the control is heard by the same judge, so
    what is only the judge's spelling is there too.
    """
    from rapidfuzz.distance import Levenshtein

    count = sum(
        1
        for kinds, expected, heard in comparison.accepted
        if "compound" in kinds and len(expected.split()) > len(heard.split())
    )
    steps = comparison.alignment
    for (first, one, heard_one), (second, other, heard_other) in itertools.pairwise(steps):
        if {first, second} == {"sub", "del"}:
            heard, both = word_key(heard_one or heard_other), word_key(one) + word_key(other)
            longer = max(len(word_key(one)), len(word_key(other)))
            count += len(heard) > longer and Levenshtein.normalized_distance(heard, both) <= 0.35
    return count


def leaked_words(heard: str, script: str, *prompts: str) -> int:
    """Heard words that continue each other in one of the prompts and not in the script."""
    said, wanted, *told = ([word_key(word) for word in split_words(text)] for text in (heard, script, *prompts))
    suspicious = {run for prompt in told for run in _runs(prompt)} - set(_runs(wanted))
    leaked = {
        place + offset for place, run in enumerate(_runs(said)) if run in suspicious for offset in range(_LEAK_WORDS)
    }
    return len(leaked)


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + _LEAK_WORDS]) for i in range(len(words) - _LEAK_WORDS + 1)]
