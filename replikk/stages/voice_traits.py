"""The traits of takes (level, pitch, timbre and what optional models say), measured once and kept in the store.

They belong to a take alone, not to a judge: a new judge measures nothing anew. Optional measures that are wanted but
not installed are left out with one warning; they are part of the key, so that installing them measures anew.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from replikk.config import Config
from replikk.dialogue.plan import Plan, PlannedLine
from replikk.dialogue.records import Voice
from replikk.errors import ReplikkError, printable
from replikk.journal import Journal
from replikk.judges.voice_traits import VERSION, VoiceTraits
from replikk.progress import Progress
from replikk.store import Store

if TYPE_CHECKING:  # rounds in which nothing is measured never load numpy
    import numpy as np
    from numpy.typing import NDArray

    from replikk.judges.reference_likeness import ReferenceLikeness
    from replikk.judges.signal_evidence import SignalEvidence

log = logging.getLogger(__name__)

_SETTINGS = {"naturalness": "none", "speaker_model": ""}
_NATURALNESS = ("none", "dnsmos")


def check_evidence_settings(settings: Mapping[str, Any]) -> None:
    """Raises ReplikkError for anything in section ``evidence`` that is not known."""
    problems = []
    for key, value in settings.items():
        if key not in _SETTINGS:
            problems.append(f"config.yaml: evidence.{printable(str(key), 40)}: unknown; use {', '.join(_SETTINGS)}")
        elif not isinstance(value, str):
            problems.append(f"config.yaml: evidence.{key}: is {printable(repr(value), 40)}; write text")
        elif key == "naturalness" and value not in _NATURALNESS:
            problems.append(f"config.yaml: evidence.naturalness: is '{printable(value, 40)}'; write none or dnsmos")
    if problems:
        raise ReplikkError("\n".join(problems))


def tools_fingerprint(config: Config) -> str:
    """Names the optional measures that are wanted and at hand. Raises ReplikkError: no such model file."""
    wanted = {**_SETTINGS, **config.evidence}
    return _tools(wanted["naturalness"], wanted["speaker_model"])


@lru_cache(maxsize=4)
def _tools(naturalness: str, speaker_model: str) -> str:
    found = []
    if naturalness == "dnsmos":
        from replikk.judges import naturalness as dnsmos

        found.append(dnsmos.fingerprint())
        if not found[-1]:
            log.warning("evidence.naturalness: left out; for it: pip install --no-deps speechmos, and onnxruntime")
    if speaker_model:
        from replikk.judges import speaker_models

        found.append(speaker_models.fingerprint(speaker_model))
        if not found[-1]:
            log.warning("evidence.speaker_model: left out; for it: pip install sherpa-onnx")
    return "\n".join(found)


def traits_key(tools: str, take_key: str) -> str:
    return hashlib.sha256(f"{VERSION}\n{tools}\n{take_key}".encode()).hexdigest()


class TraitsMeter:
    """Measures takes of one build and remembers them; models are loaded when the first take needs them."""

    def __init__(self, config: Config, plan: Plan, store: Store) -> None:
        self._settings = {**_SETTINGS, **config.evidence}
        self._tools = tools_fingerprint(config)
        self._plan = plan
        self._journal: Journal = store.journal("traits")
        self._likeness: ReferenceLikeness | None = None

    def measure(
        self, take_key: str, planned: PlannedLine, samples: NDArray[np.int16], rate: int, signal: SignalEvidence
    ) -> None:
        """Measure a take, int16 [samples], and keep what was found; a recording of a person is left alone."""
        if planned.recording:
            return
        from dataclasses import replace

        from replikk.judges.voice_measures import measure_traits

        traits = measure_traits(samples, rate, signal)
        if "dnsmos" in self._tools and signal.speech_s > 0:
            traits = replace(traits, **self._scores(samples, rate))
        if "speaker" in self._tools and signal.speech_s > 0:
            voice = self._plan.voices[planned.line.voice]
            traits = replace(traits, speaker_similarity=self._similarity(voice, samples, rate))
        self._journal.append(traits_key(self._tools, take_key), {"take": take_key, "traits": traits.to_json()})

    def _scores(self, samples: NDArray[np.int16], rate: int) -> dict[str, Any]:
        import numpy as np

        from replikk.audio.resample import resample
        from replikk.judges.naturalness import RATE_HZ, naturalness

        plain: NDArray[np.float32] = (samples / np.float32(32768)).astype(np.float32)
        wave = resample(plain, rate, RATE_HZ)
        found = naturalness(np.clip(wave, -1, 1))
        return {} if found is None else {"naturalness_mos": found.overall, "background_mos": found.background}

    def _similarity(self, voice: Voice, samples: NDArray[np.int16], rate: int) -> float | None:
        if not voice.reference_audio:
            return None
        if self._likeness is None:
            from replikk.judges.reference_likeness import ReferenceLikeness

            self._likeness = ReferenceLikeness(self._settings["speaker_model"])
        return self._likeness.of(voice, samples, rate)


def read_traits(journal: Journal, tools: str, take_key: str) -> VoiceTraits | None:
    """What is known of a take; None when it was not measured."""
    record = journal.get(traits_key(tools, take_key))
    return None if record is None else VoiceTraits.from_json(record["traits"])


def measure_missing(config: Config, plan: Plan, store: Store, journal: Journal, take_keys: Collection[str]) -> None:
    """Measure the takes that are in the store and were not measured yet: of an older store, or with other tools."""
    tools = tools_fingerprint(config)
    saying = plan.line_of_take(take_keys)
    missing = [
        key
        for key in dict.fromkeys(take_keys)
        if key in saying and not saying[key].recording and traits_key(tools, key) not in journal
    ]
    if not missing:
        return
    from replikk.judges.signal import measure_signal

    meter = TraitsMeter(config, plan, store)
    progress = Progress(log, "takes measured", len(missing))
    for key in missing:
        loaded = store.load_take(key)
        if loaded is not None:
            meter.measure(key, saying[key], *loaded, measure_signal(*loaded))
        progress.step()
    progress.end()
