"""Stage ``speakers``: one person in each clip.

First a cheap test on what was measured: pitches that are held far apart, and pitch that leaps from frame to frame as
it does when two voices sound at once. It cannot tell two people of the same pitch apart, and takes some cracked voices
for two. With ``speaker_check: embedded`` it decides; with ``pyannote`` it only says whom pyannote listens to: a clip
that it finds in doubt (half the limits) goes there, and that answer counts.

A speaker counter is a function of samples and rate that returns how many seconds the second most talkative person
speaks, and how many seconds two speak at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.corpus.audio_shards import ShardReader
from replikk.corpus.folder import CorpusFolder
from replikk.corpus.manifest import Utterance, read_kept, resumable_rows, write_manifest
from replikk.corpus.settings import CorpusSettings, Limits
from replikk.errors import ReplikkError, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    SpeakerCounter = Callable[[NDArray[np.int16], int], tuple[float, float]]

MOST_SECOND_S = 0.25
"""Less than a syllable or two is a mistake of the counter."""
_DOUBT = 0.5


def cheap_suspicion(measures: dict[str, float], limits: Limits, share: float = 1.0) -> str:
    """What speaks for a second voice, in words; empty for a clip in which nothing does."""
    spread, jumps = measures["pitch_spread_semitones"], measures["pitch_jumps"]
    if spread > share * limits.max_pitch_spread_semitones:
        return f"pitches {spread:.0f} semitones apart"
    if jumps > share * limits.max_pitch_jumps:
        return f"the pitch leaps in {100 * jumps:.0f} % of the frames"
    return ""


def check_speakers(settings: CorpusSettings, folder: CorpusFolder, manifest: Path, target: Path) -> None:
    rows = list(read_kept(manifest))
    if settings.speaker_check == "embedded":
        rows = [_cheap(row, settings.limits) for row in rows]
    elif settings.speaker_check == "pyannote":
        with ShardReader(folder.path) as shards:
            rows = resumable_rows(
                rows,
                lambda todo: _counted(todo, settings, shards),
                result=target,
                depends_on=settings.of_stage(
                    "speaker_check", "speaker_model", "max_pitch_spread_semitones", "max_pitch_jumps"
                ),
            )
    write_manifest(target, rows)


def _cheap(row: Utterance, limits: Limits) -> Utterance:
    why = cheap_suspicion(row.measures, limits)
    return row.drop("second_speaker", why) if why else row


def _counted(rows: Iterable[Utterance], settings: CorpusSettings, shards: ShardReader) -> Iterator[Utterance]:
    count: SpeakerCounter | None = None
    for row in rows:
        if cheap_suspicion(row.measures, settings.limits, _DOUBT):
            count = count or make_pyannote(settings)
            second_s, both_s = count(*shards.read(row))
            if max(second_s, both_s) > MOST_SECOND_S:
                row = row.drop(
                    "second_speaker", f"a second person for {second_s:.1f} s, two at once for {both_s:.1f} s"
                )
        yield row


def speaker_check_problem(settings: CorpusSettings) -> str:
    """Why the check cannot work; empty when nothing is known."""
    if settings.speaker_check == "pyannote" and not settings.speaker_python and find_spec("pyannote") is None:
        return (
            "speaker_check: pyannote is not installed; make its environment (envs/pyannote.yaml) and name its Python "
            "as corpus.speaker_python, run Snakemake with --sdm conda, or write speaker_check: embedded"
        )
    return ""


def make_pyannote(settings: CorpusSettings) -> SpeakerCounter:
    """pyannote's diarisation, its model loaded. Raises ReplikkError: not installed, or the model may not be read."""
    os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "false")  # it would tell its makers what it is used for
    try:
        import torch
        from pyannote.audio import Pipeline  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise ReplikkError(
            f"speaker check pyannote: {error.name} is not installed; make the environment envs/pyannote.yaml and name "
            "its Python as corpus.speaker_python, or write speaker_check: embedded"
        ) from error
    model = settings.speaker_model
    try:
        pipeline: Any = Pipeline.from_pretrained(model)
        if pipeline is None:
            raise ValueError("no access")
    except Exception as error:  # pyannote passes on the errors of the hub, PyTorch and YAML
        raise ReplikkError(
            f"speaker check pyannote: '{printable(model, 80)}' cannot be loaded ({printable(str(error), 160)}); agree "
            "to its terms on the hub, run 'hf auth login', or name a folder that has it (corpus.speaker_model)"
        ) from error
    device = ("cuda" if torch.cuda.is_available() else "cpu") if settings.device == "auto" else settings.device
    pipeline.to(torch.device(device))

    def count(samples: NDArray[np.int16], sample_rate_hz: int) -> tuple[float, float]:
        import numpy as np

        wave = torch.from_numpy(samples.astype(np.float32) / 32768)[None]
        found = pipeline({"waveform": wave, "sample_rate": sample_rate_hz})
        annotation = getattr(found, "speaker_diarization", found)
        seconds = sorted((float(annotation.label_duration(label)) for label in annotation.labels()), reverse=True)
        both = float(sum(segment.duration for segment in annotation.get_overlap()))
        return (seconds[1] if len(seconds) > 1 else 0.0), both

    return count
