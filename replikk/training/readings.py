"""What a candidate has read is kept, take by take and reading by reading: what was heard, and the sound beside it.

    GATE/unheard/NAME/KEY.flac      what was spoken and not heard yet, as it was spoken; gone when its reading is kept
    GATE/readings/NAME.journal      one record a reading
    GATE/clips/NAME/KEY.ogg         what was spoken, small enough to keep (about 5 kB a second)
    GATE/likeness/NAME.journal      how like its reference recording the voice was, by reading and speaker model

A candidate speaks all its texts, and then the judge hears them, so that the two are not in memory together. In between
the takes wait on the disk, those of one candidate at a time: a kill loses no take that was finished, and the few that
the judge was at are heard again.

A reading is kept by everything that it depends on: text, voice, seed, model, adapter, settings and judge; a take by all
of these but the judge. So a gate that was killed goes on where it was; one that is held again after more training hears
the new checkpoints only; and a change of anything is a new reading. A reading without its sound is no
reading: who looks at the page must be able to hear what was judged.

Likeness is measured on the kept sound, of everybody alike. So a speaker model that is installed later, or another one,
has nobody read again.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from replikk.audio.encode import encode
from replikk.audio.flac import decode_flac, encode_flac
from replikk.dialogue.records import Voice
from replikk.engines import Engine
from replikk.engines.records import Take
from replikk.errors import AudioError, JudgeError
from replikk.files import digest, write_atomic
from replikk.journal import Journal
from replikk.judges import Judge
from replikk.judges.reference_likeness import ReferenceLikeness
from replikk.training import gate_scripts, trials
from replikk.training.trials import Reading, Trial, listen, speak

log = logging.getLogger(__name__)

UNHEARD, READINGS, CLIPS, LIKENESS = "unheard", "readings", "clips", "likeness"
_QUALITY = 0.4
"""Of Vorbis, 0 to 1: about 40 kbit/s of speech, at which a listener hears the voice's faults and not the codec's."""


@dataclass(frozen=True)
class Heard:
    """A reading, and where its sound lies."""

    reading: Reading
    clip: str
    """Below the gate's folder; empty where no take could be made."""


def heard(
    folder: Path,
    name: str,
    engine: Engine,
    judge: Judge,
    voices: Mapping[str, Voice],
    wanted: Sequence[Trial],
    workers: int = 1,
    heard_as: str = "",
    likeness: ReferenceLikeness | None = None,
) -> list[Heard]:
    """All readings of one candidate, in the order of ``wanted``: those kept in ``folder``, and new ones.

    ``heard_as`` is the engine that the judge is told of, where what it hears decides nothing; ``likeness`` is the
    measure, where one is at hand. Raises JudgeError where the judge may not listen to this engine.
    """
    told = heard_as or engine.name
    if not judge.accepts(told):
        raise JudgeError(f"judge {judge.name}: may not listen to engine {engine.name}; set judge to one that may")
    memory = _Memory(folder, name, engine, judge, voices, wanted)
    unheard = _Unheard(folder, name, engine, voices)
    missing = memory.missing()
    if unspoken := [trial for trial in missing if not unheard.has(trial)]:
        if len(unspoken) < len(missing):
            log.info("%s: %d takes were spoken before and are heard now", name, len(missing) - len(unspoken))
        for trial, result in speak(engine, voices, unspoken, workers):
            if isinstance(result, Take):
                unheard.keep(trial, result)
            else:
                memory.keep(trial, result)
    spoken = ((trial, unheard.take(trial)) for trial in missing if unheard.path(trial).is_file())
    for trial, take, reading in listen(judge, told, voices, spoken):
        write_atomic(folder / memory.clip_of(trial), _small(take))
        memory.keep(trial, reading)
    memory.sync()
    unheard.clear()
    found = {trial: one for trial in wanted if (one := memory.kept(trial)) is not None}
    _leave_only({one.clip for one in found.values()}, folder, folder / CLIPS / memory.file_name)
    if likeness is None:
        return list(found.values())
    return [memory.with_likeness(trial, one, likeness) for trial, one in found.items()]


def is_spoken(
    folder: Path, name: str, engine: Engine, judge: Judge, voices: Mapping[str, Voice], wanted: Sequence[Trial]
) -> bool:
    """Whether all of it is kept, heard or not, and so nobody needs to be asked."""
    unheard = _Unheard(folder, name, engine, voices)
    return all(unheard.has(trial) for trial in _Memory(folder, name, engine, judge, voices, wanted).missing())


class _Unheard:
    """The takes of one reader that are spoken and not heard yet."""

    def __init__(self, folder: Path, name: str, engine: Engine, voices: Mapping[str, Voice]) -> None:
        self._folder, self._voices = folder / UNHEARD / _file_name(name), voices
        self._made_with = engine.fingerprint()

    def path(self, trial: Trial) -> Path:
        return self._folder / f"{digest([trial.key, self._made_with, _of_voice(self._voices[trial.voice])])}.flac"

    def keep(self, trial: Trial, take: Take) -> None:
        write_atomic(self.path(trial), encode_flac(take.samples, take.sample_rate_hz))

    def has(self, trial: Trial) -> bool:
        """Whether it is there and whole; what a failing disk has damaged is spoken again."""
        try:
            self.take(trial)
        except AudioError:
            self.path(trial).unlink(missing_ok=True)
            return False
        return True

    def take(self, trial: Trial) -> Take:
        """Raises AudioError where it is missing or damaged."""
        return Take(trial.key, *decode_flac(self.path(trial)))

    def clear(self) -> None:
        """Everything is heard; and what was spoken with other settings nobody will hear."""
        shutil.rmtree(self._folder, ignore_errors=True)


class _Memory:
    """The readings of one reader that are kept."""

    def __init__(
        self,
        folder: Path,
        name: str,
        engine: Engine,
        judge: Judge,
        voices: Mapping[str, Voice],
        wanted: Sequence[Trial],
    ) -> None:
        self.file_name = _file_name(name)
        self._folder, self._voices, self._wanted = folder, voices, wanted
        self._journal = Journal(folder / READINGS / f"{self.file_name}.journal")
        self._likeness = Journal(folder / LIKENESS / f"{self.file_name}.journal")
        made_with = [engine.fingerprint(), judge.fingerprint(), gate_scripts.VERSION, trials.VERSION]
        self._keys = {trial.key: digest([trial.key, made_with, _of_voice(voices[trial.voice])]) for trial in wanted}

    def clip_of(self, trial: Trial) -> str:
        return f"{CLIPS}/{self.file_name}/{self._keys[trial.key][:24]}.ogg"

    def kept(self, trial: Trial) -> Heard | None:
        record = self._journal.get(self._keys[trial.key])
        if record is None:
            return None
        reading = Reading(**record)
        clip = "" if reading.failure else self.clip_of(trial)
        return Heard(reading, clip) if not clip or (self._folder / clip).is_file() else None

    def missing(self) -> list[Trial]:
        return [trial for trial in self._wanted if self.kept(trial) is None]

    def keep(self, trial: Trial, reading: Reading) -> None:
        self._journal.append(self._keys[trial.key], reading.to_json())

    def sync(self) -> None:
        self._journal.sync()

    def with_likeness(self, trial: Trial, one: Heard, measure: ReferenceLikeness) -> Heard:
        """The reading with its likeness, from memory or measured now."""
        if not one.clip:
            return one
        key = digest([self._keys[trial.key], measure.fingerprint])
        record = self._likeness.get(key)
        if record is None:
            samples, rate = soundfile.read(self._folder / one.clip, dtype="int16")
            record = {"likeness": measure.of(self._voices[trial.voice], samples, rate)}
            self._likeness.append(key, record)
        return replace(one, reading=replace(one.reading, likeness=record["likeness"]))


def _file_name(reader: str) -> str:
    return reader.replace("/", ".")


def _of_voice(voice: Voice) -> list[object]:
    """What a reading depends on beside the voice's name."""
    return [dict(voice.engine_settings), voice.reference_sha256, voice.reference_transcript]


def _small(take: Take) -> bytes:
    samples = take.samples.astype(np.float32) / np.float32(32768)
    return encode(
        samples, take.sample_rate_hz, "ogg-vorbis", vorbis_quality=_QUALITY, opus_bitrate_bps=0, tags={},
        serial_from=take.key,
    )  # fmt: skip


def _leave_only(clips: set[str], folder: Path, of_candidate: Path) -> None:
    """Sounds of readings that were made otherwise belong to nothing any more."""
    for path in of_candidate.glob("*.ogg") if of_candidate.is_dir() else ():
        if str(path.relative_to(folder)) not in clips:
            path.unlink()
