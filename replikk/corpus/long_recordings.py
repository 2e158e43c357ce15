"""Long recordings, chapters of audiobooks for the most part, cut at their pauses into stretches of an utterance's
length.

Read in blocks, so that hours cost no more memory than minutes. A stretch ends in the quietest 0.2 s between half and
all of what fits; what is cut between two words without a pause is found by the filter, whose readings then differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from replikk.corpus.settings import Limits
from replikk.errors import AudioError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TARGET_S = 15.0
"""Two or three sentences; the speech tokenizer takes 30 s."""
_PAUSE_S = 0.2
_FRAME_S = 0.02
_HIGHEST_RATE_HZ = 48_000


def is_long(path: Path, max_duration_s: float) -> bool:
    """Whether libsndfile says that the recording is longer; False for what it cannot read."""
    import soundfile

    try:
        return bool(soundfile.info(str(path)).duration > max_duration_s)
    except (soundfile.SoundFileError, TypeError, RuntimeError, ValueError):
        return False


def stretches(path: Path, limits: Limits) -> Iterator[tuple[float, NDArray[np.int16], int]]:
    """(start in seconds, samples [samples], rate in Hz) of each stretch. Raises AudioError naming the file."""
    import numpy as np
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            if rate > _HIGHEST_RATE_HZ:
                raise AudioError(f"{path}: has {rate} Hz; export it at 48,000 Hz or less")
            most = int(min(_TARGET_S, limits.max_duration_s) * rate)
            start = 0
            waiting = np.zeros(0, np.int16)
            while True:
                block = file.read(4 * most, dtype="int16", always_2d=True)
                mono = block.astype(np.int32).sum(axis=1) // max(1, block.shape[1])
                waiting = np.concatenate([waiting, mono.astype(np.int16)])
                while len(waiting) > most or (len(waiting) and not len(block)):
                    end = len(waiting) if len(waiting) <= most else _pause(waiting[:most], rate)
                    yield start / rate, waiting[:end], rate
                    start, waiting = start + end, waiting[end:]
                if not len(block):
                    return
    except (soundfile.SoundFileError, TypeError, RuntimeError, ValueError) as error:
        raise AudioError(f"{path}: cannot be read as audio ({error}); export it again as FLAC") from error


def _pause(wave: NDArray[np.int16], rate: int) -> int:
    """The sample in the second half of ``wave`` around which it is quietest for 0.2 s."""
    import numpy as np

    frame = round(_FRAME_S * rate)
    count = len(wave) // frame
    power = np.square(wave[: count * frame].astype(np.float32).reshape(count, frame)).mean(axis=1)
    width = round(_PAUSE_S / _FRAME_S)
    smooth = np.convolve(power, np.ones(width), mode="valid")  # [count - width + 1]
    first = len(smooth) // 2
    return int((first + int(np.argmin(smooth[first:])) + width / 2) * frame)
