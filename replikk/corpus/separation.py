"""Stage ``separate``: speech out of noise and music, for clips that are noisy and for no other.

Separating a clean clip can only add artefacts, so it stays as it is, to the bit. What a separator returns is measured
again, and taken only when it is cleaner; the original stays in the shard of the stage before. The filter decides later
with the measures of whichever was taken.

A separator is a function of samples and rate that returns as many samples of speech alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.corpus.audio_shards import ShardReader, new_shard
from replikk.corpus.folder import CorpusFolder
from replikk.corpus.manifest import Utterance, read_kept, write_manifest
from replikk.corpus.settings import CorpusSettings, Limits
from replikk.errors import ReplikkError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Separator = Callable[[NDArray[np.int16], int], NDArray[np.int16]]


def noise_faults(measures: dict[str, float], limits: Limits) -> str:
    """What is too noisy, in words; empty for a clean clip."""
    faults = []
    if measures["snr_db"] < limits.min_snr_db:
        faults.append(f"noise {measures['snr_db']:.0f} dB under the speech, wanted {limits.min_snr_db:g}")
    if measures["pause_level_db"] > limits.max_pause_level_db:
        faults.append(f"pauses at {measures['pause_level_db']:.0f} dB, wanted {limits.max_pause_level_db:g}")
    return "; ".join(faults)


def separate_clips(settings: CorpusSettings, folder: CorpusFolder, shard: str, manifest: Path, target: Path) -> None:
    """Tar of the separated clips (empty where none was noisy), manifest, counts."""
    from replikk.corpus.measures import measure_clip

    separate: Separator | None = None
    rows: list[Utterance] = []
    taken = noisy = 0
    with ShardReader(folder.path) as shards, new_shard(folder.tar("separate", shard)) as writer:
        for row in read_kept(manifest):
            if settings.separator == "none" or not noise_faults(row.measures, settings.limits):
                rows.append(row)
                continue
            noisy += 1
            separate = separate or make_separator(settings)
            samples, rate = shards.read(row)
            speech = separate(samples, rate)
            if speech.shape != samples.shape or speech.dtype != samples.dtype:
                raise ReplikkError(
                    f"separator {settings.separator}: returned {speech.dtype} {speech.shape} for {samples.dtype} "
                    f"{samples.shape} ({row.id}); it must keep length and type"
                )
            measured = measure_clip(speech, rate)
            if measured.values["pause_level_db"] < row.measures["pause_level_db"]:
                taken += 1
                member = writer.add(row, speech, rate)
                row = replace(
                    row,
                    tar=folder.tar_name("separate", shard),
                    member=member,
                    # Taking speech out of a clip mends no clipping: that is told by the original.
                    measures={**measured.values, "clipped_share": row.measures["clipped_share"]},
                    fingerprint=measured.fingerprint,
                    separated=True,
                )
            rows.append(row)
    write_manifest(target, rows, noisy=noisy, separated=taken)


def make_separator(settings: CorpusSettings) -> Separator:
    """The separator of the settings. Raises ReplikkError when it is not installed."""
    if settings.separator == "embedded":
        return subtract_background
    from replikk.corpus.demucs_separator import make_demucs

    return make_demucs(settings.separator_model, settings.device)


def separator_problem(settings: CorpusSettings) -> str:
    """Why the separator cannot work; empty when nothing is known."""
    if settings.separator == "demucs" and not settings.separator_python and find_spec("demucs") is None:
        return (
            "separator: Demucs is not installed; make its environment (envs/demucs.yaml) and name its Python as "
            "corpus.separator_python, run Snakemake with --sdm conda, or write separator: none"
        )
    return ""


_WINDOW_S = 0.032
_QUANTILE = 0.1
_OVER_SUBTRACTION = 2.0
_LEAST_GAIN = 0.05
"""-26 dB: what is subtracted is not removed wholly, which would leave musical tones."""


def subtract_background(samples: NDArray[np.int16], sample_rate_hz: int) -> NDArray[np.int16]:
    """The embedded separator: takes away, in each frequency, what is always there (steady noise, hum, held tones).

    A Wiener gain over the quiet tenth of each frequency bin (Boll, 1979, in its simplest form). It knows nothing of
    speech, and is here to show the way and to clean steady noise.
    """
    import numpy as np

    size = 1 << round(np.log2(_WINDOW_S * sample_rate_hz))
    hop = size // 4
    window = np.hanning(size + 1)[:-1]
    padded = np.concatenate([np.zeros(size), samples.astype(np.float64), np.zeros(2 * size)])
    starts = range(0, len(padded) - size, hop)
    spectrum = np.fft.rfft(np.stack([padded[at : at + size] for at in starts]) * window, axis=1)  # [frames, bins]
    power: Any = np.abs(spectrum) ** 2
    sounding = power[power.sum(axis=1) > 0]
    # The quiet tenth of an exponential distribution is -ln 0.9 of its mean.
    background = np.quantile(sounding, _QUANTILE, axis=0) / -np.log(1 - _QUANTILE) if len(sounding) else 0.0
    smooth = power.copy()
    smooth[1:-1] = (power[:-2] + power[1:-1] + power[2:]) / 3
    gain = np.sqrt(np.maximum(1 - _OVER_SUBTRACTION * background / np.maximum(smooth, 1e-9), _LEAST_GAIN**2))
    frames = np.fft.irfft(spectrum * gain, n=size, axis=1) * window
    result = np.zeros(len(padded))
    for at, frame in zip(starts, frames, strict=True):
        result[at : at + size] += frame
    result = result[size : size + len(samples)] / 1.5  # four squared Hann windows side by side add up to 1.5
    return np.clip(np.rint(result), -32768, 32767).astype(np.int16)
