"""Reading human recordings: whatever an actor sends becomes mono int16, or an error that names the file.

Design: soundfile reads WAV, FLAC, Ogg, MP3, AIFF and their kin; the containers of telephones and video tools (M4A,
WMA, WebM …) go through pydub and the ffmpeg binary of the imageio-ffmpeg wheel. Files come from outside: size,
length, channels and rate are bounded before anything is read into memory, and ffmpeg is told the container by file
name, never asked to guess, so that a playlist dressed up as a recording cannot make it open other files. Heavy
modules are imported when they are needed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replikk.audio.encode import to_int16
from replikk.audio.resample import resample
from replikk.errors import AudioError, printable

MAX_BYTES = 500_000_000
MAX_DURATION_S = 600.0
MAX_CHANNELS = 8
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
MAX_OUTPUT_RATE_HZ = 48_000

# ffmpeg's name of the container for each suffix that soundfile does not read.
FFMPEG_FORMATS = {
    ".m4a": "mp4", ".mp4": "mp4", ".mov": "mov", ".3gp": "3gp", ".aac": "aac", ".wma": "asf", ".webm": "webm",
    ".mka": "matroska", ".mkv": "matroska", ".amr": "amr",
}  # fmt: skip


@dataclass(frozen=True)
class Recording:
    samples: NDArray[np.int16]  # [samples], mono
    sample_rate_hz: int
    """The file's own, up to 48,000 Hz."""
    remarks: tuple[str, ...]
    """What was changed in reading and a person may want to know."""

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate_hz


def read_recording(path: Path) -> Recording:
    """A recording of any usual format. Raises AudioError naming the file when it cannot be used, and why."""
    name = printable(str(path))
    try:
        size = path.stat().st_size
    except OSError as error:
        raise AudioError(f"{name}: cannot be read ({error.strerror}); check its name and rights") from error
    if not path.is_file():
        raise AudioError(f"{name}: is not a file; name the recording itself")
    if size == 0:
        raise AudioError(f"{name}: is empty; copy the recording again")
    if size > MAX_BYTES:
        raise AudioError(
            f"{name}: has {size / 1e6:.0f} MB; cut it into one file per line ({MAX_BYTES / 1e6:.0f} MB at most)"
        )

    if path.suffix.lower() in FFMPEG_FORMATS:
        signal, rate = _read_with_pydub(path, name)
    else:
        signal, rate = _read_with_soundfile(path, name)
    _check(name, len(signal), rate, signal.shape[1])
    if not np.isfinite(signal).all():
        raise AudioError(f"{name}: contains values that are not numbers; export it again as 16 or 24 bit")

    remarks = []
    mono, remark = _downmix(signal)
    if remark:
        remarks.append(remark)
    peak = float(np.abs(mono).max())
    if peak > 1.0:  # float files may go beyond full scale; loudness is set later, so nothing needs to be clipped
        mono = mono / peak
        remarks.append("levels above full scale were lowered")
    if rate > MAX_OUTPUT_RATE_HZ:
        mono = resample(mono, rate, MAX_OUTPUT_RATE_HZ)
        remarks.append(f"converted from {rate} Hz to {MAX_OUTPUT_RATE_HZ} Hz")
        rate = MAX_OUTPUT_RATE_HZ
    return Recording(to_int16(mono), rate, tuple(remarks))


def _check(name: str, frames: int, rate: int, channels: int) -> None:
    if frames == 0:
        raise AudioError(f"{name}: holds no sound; record or export it again")
    if not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
        raise AudioError(f"{name}: has {rate} Hz; export it at 44,100 or 48,000 Hz")
    if channels > MAX_CHANNELS:
        raise AudioError(f"{name}: has {channels} channels; export it as mono or stereo")
    if frames > MAX_DURATION_S * rate:
        raise AudioError(f"{name}: lasts longer than {MAX_DURATION_S / 60:.0f} minutes; cut it into one file per line")


def _read_with_soundfile(path: Path, name: str) -> tuple[NDArray[np.float32], int]:  # [samples, channels]
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            _check(name, file.frames, file.samplerate, file.channels)
            return file.read(dtype="float32", always_2d=True), file.samplerate
    except (soundfile.SoundFileError, TypeError, RuntimeError, ValueError, MemoryError) as error:
        # TypeError: soundfile takes .raw for headerless audio and asks for its form.
        more = ", ".join(suffix for suffix in sorted(FFMPEG_FORMATS))
        raise AudioError(
            f"{name}: cannot be read as audio ({printable(str(error))}); use WAV, FLAC, Ogg, MP3, AIFF or {more}"
        ) from error


def _read_with_pydub(path: Path, name: str) -> tuple[NDArray[np.float32], int]:  # [samples, channels]
    segment_class, decode_error = _pydub()
    try:
        with path.open("rb") as file:
            # Not from_file: that needs ffprobe, which the wheel does not bring. A second more than allowed is
            # decoded, so that a file that is too long is seen to be, and no more of it.
            segment = segment_class.from_file_using_temporary_files(
                file, format=FFMPEG_FORMATS[path.suffix.lower()], duration=MAX_DURATION_S + 1
            )
    except (decode_error, OSError, EOFError, IndexError, ValueError, MemoryError) as error:
        lines = str(error).strip().splitlines() or ["no reason given"]
        raise AudioError(
            f"{name}: cannot be read as audio ({printable(lines[-1])}); export it as WAV or FLAC"
        ) from error
    values = np.array(segment.get_array_of_samples(), dtype=np.float32)
    values /= 1 << (8 * segment.sample_width - 1)
    return values.reshape(-1, segment.channels), segment.frame_rate


def _pydub() -> tuple[Any, type[Exception]]:
    """pydub's AudioSegment, set to the wheel's ffmpeg, and its decoding error."""
    with warnings.catch_warnings():
        # It warns that no ffmpeg is on the PATH, and of a module that Python 3.13 moved to audioop-lts.
        warnings.simplefilter("ignore")
        import imageio_ffmpeg
        from pydub import AudioSegment
        from pydub.exceptions import CouldntDecodeError

        AudioSegment.converter = imageio_ffmpeg.get_ffmpeg_exe()
    return AudioSegment, CouldntDecodeError


def _downmix(signal: NDArray[np.float32]) -> tuple[NDArray[np.float32], str]:
    """One channel [samples] of [samples, channels], and a remark when that was not a plain average."""
    if signal.shape[1] == 1:
        return signal[:, 0], ""
    mono = signal.mean(axis=1, dtype=np.float32)
    energies = np.einsum("ij,ij->j", signal, signal)
    loudest = int(energies.argmax())
    # Channels in opposite phase (a cable soldered the wrong way round) cancel; and a microphone on one channel of many
    # would be lost in the average.
    if float(np.dot(mono, mono)) < 0.05 * float(energies[loudest]):
        return np.ascontiguousarray(signal[:, loudest]), f"only channel {loudest + 1} of {signal.shape[1]} was used"
    return mono, ""
