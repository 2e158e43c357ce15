"""What a candidate has read is kept, reading by reading: what was heard, and the sound beside it.

    GATE/readings/NAME.journal      one record a reading
    GATE/clips/NAME/KEY.ogg         what was spoken, small enough to keep (about 5 kB a second)

A reading is kept by everything that it depends on: text, voice, seed, model, adapter, settings and judge. So a gate
that was killed goes on with the few dozen readings it was at; one that is held again after more
training hears the new checkpoints only; and a change of anything is a new reading. A reading without its sound is no
reading: who looks at the page must be able to hear what was judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from replikk.audio.encode import encode
from replikk.dialogue.records import Voice
from replikk.engines import Engine
from replikk.engines.records import Take
from replikk.files import digest, write_atomic
from replikk.journal import Journal
from replikk.judges import Judge
from replikk.training import gate_scripts, trials
from replikk.training.trials import Reading, Trial, read_aloud

READINGS, CLIPS = "readings", "clips"
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
) -> list[Heard]:
    """All readings of one candidate, in the order of ``wanted``: those kept in ``folder``, and new ones.

    ``heard_as``: see ``read_aloud``. Raises JudgeError where the judge may not listen to this engine.
    """
    file_name = name.replace("/", ".")
    journal = Journal(folder / READINGS / f"{file_name}.journal")
    made_with = [engine.fingerprint(), judge.fingerprint(), gate_scripts.VERSION, trials.VERSION]
    keys = {trial.key: digest([trial.key, made_with, _of_voice(voices[trial.voice])]) for trial in wanted}

    def clip_of(trial: Trial) -> str:
        return f"{CLIPS}/{file_name}/{keys[trial.key][:24]}.ogg"

    def kept(trial: Trial) -> Heard | None:
        record = journal.get(keys[trial.key])
        if record is None:
            return None
        reading = Reading(**record)
        clip = "" if reading.failure else clip_of(trial)
        return Heard(reading, clip) if not clip or (folder / clip).is_file() else None

    def keep_sound(trial: Trial, take: Take) -> None:
        write_atomic(folder / clip_of(trial), _small(take))

    missing = [trial for trial in wanted if kept(trial) is None]
    for trial, reading in read_aloud(engine, judge, voices, missing, workers, keep_sound, heard_as):
        journal.append(keys[trial.key], reading.to_json())
    journal.sync()
    found = [one for one in map(kept, wanted) if one is not None]
    _leave_only({one.clip for one in found}, folder, folder / CLIPS / file_name)
    return found


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
