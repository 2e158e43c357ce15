"""The store's lossless format: mono int16 samples as FLAC, and back, with every kind of damage noticed.

Design: libsndfile decodes, but does not compare the MD5 sum of the samples that FLAC keeps in its first metadata
block, and may return fewer samples than a file announces. So that block is read here: the sum, the number of samples,
their form. The sample rate is not covered by the sum; it stands in every frame's header too, which has a checksum of
its own, and the two must agree. Encoding draws nothing at random: equal samples are equal bytes.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from replikk.errors import AudioError

MAX_SAMPLES = 48_000 * 3600
"""An hour at 48 kHz: a damaged header must not make the decoder ask for all memory."""

# Codes of the sample rate in a FLAC frame header (RFC 9639, section 9.1.2).
_FRAME_RATES_HZ = {4: 8_000, 5: 16_000, 6: 22_050, 7: 24_000, 8: 32_000, 9: 44_100, 10: 48_000, 11: 96_000}
_RATE_FROM_STREAMINFO = 0
_RATE_KHZ_8_BIT, _RATE_HZ_16_BIT, _RATE_TENS_16_BIT = 12, 13, 14


@dataclass(frozen=True)
class _StreamInfo:
    sample_rate_hz: int
    channels: int
    bits: int
    samples: int
    md5: bytes
    audio_at: int
    """Byte at which the first frame begins."""


def encode_flac(samples: NDArray[np.int16], sample_rate_hz: int) -> bytes:
    """Mono ``samples`` [samples] as FLAC. Raises AudioError for an empty clip or samples of another type."""
    # Imported late, as everywhere in this room: a build that has nothing to do loads no audio library.
    import soundfile

    if samples.dtype != np.int16 or samples.ndim != 1 or len(samples) == 0:
        raise AudioError(f"FLAC: mono int16 samples are needed, not {samples.dtype} of shape {samples.shape}")
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, samples, sample_rate_hz, format="FLAC", subtype="PCM_16")
    except (soundfile.LibsndfileError, ValueError) as error:
        raise AudioError(f"FLAC: {len(samples)} samples at {sample_rate_hz} Hz cannot be encoded ({error})") from error
    return buffer.getvalue()


def decode_flac(data: bytes | Path) -> tuple[NDArray[np.int16], int]:
    """The samples [samples] and sample rate in Hz of a FLAC file that ``encode_flac`` wrote.

    Raises AudioError, naming the file where a path is given, when it is missing, cut short, zeroed or altered.
    """
    import soundfile

    name = "FLAC data"
    if isinstance(data, Path):
        name = str(data)
        try:
            data = data.read_bytes()
        except OSError as error:
            raise AudioError(f"{name}: cannot be read ({error.strerror}); delete it and it is made again") from error
    info = _stream_info(data, name)
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    except (soundfile.LibsndfileError, RuntimeError, ValueError, MemoryError) as error:
        raise _damaged(name, str(error)) from error
    if samples.ndim != 1 or len(samples) != info.samples:
        raise _damaged(name, f"{len(samples)} of {info.samples} samples can be decoded")
    if hashlib.md5(samples.astype("<i2", copy=False), usedforsecurity=False).digest() != info.md5:
        raise _damaged(name, "the samples do not have the checksum they were stored with")
    if rate != info.sample_rate_hz or _frame_rate_hz(data, info) not in (None, rate):
        raise _damaged(name, "its sample rates contradict each other")
    return samples, rate


def _damaged(name: str, what: str) -> AudioError:
    return AudioError(f"{name}: is damaged ({what}); delete it and it is made again")


def _stream_info(data: bytes, name: str) -> _StreamInfo:
    """The first metadata block, checked for what this store writes."""
    if data[:4] != b"fLaC" or len(data) < 42 or data[4] & 0x7F != 0:
        raise _damaged(name, "it does not begin as FLAC does")
    packed = int.from_bytes(data[18:26], "big")  # 20 bits rate, 3 channels - 1, 5 bits - 1, 36 number of samples
    info = _StreamInfo(
        sample_rate_hz=packed >> 44,
        channels=(packed >> 41 & 7) + 1,
        bits=(packed >> 36 & 31) + 1,
        samples=packed & (1 << 36) - 1,
        md5=data[26:42],
        audio_at=_end_of_metadata(data, name),
    )
    if info.channels != 1 or info.bits != 16 or info.sample_rate_hz == 0 or not any(info.md5):
        raise _damaged(name, "it is not 16 bit mono with a checksum")
    if not 0 < info.samples <= MAX_SAMPLES:
        raise _damaged(name, f"it announces {info.samples} samples")
    return info


def _end_of_metadata(data: bytes, name: str) -> int:
    at, last = 4, False
    while not last:
        if at + 4 > len(data):
            raise _damaged(name, "it ends inside its header")
        last = bool(data[at] & 0x80)
        at += 4 + int.from_bytes(data[at + 1 : at + 4], "big")
    return at


def _frame_rate_hz(data: bytes, info: _StreamInfo) -> int | None:
    """The sample rate in the first frame's header; None when the frame refers to the metadata or has no known code."""
    header = data[info.audio_at : info.audio_at + 10].ljust(10, b"\0")  # a very short clip's whole frame may be shorter
    if header[0] != 0xFF or header[1] & 0xFC != 0xF8:
        return -1
    block_size_code, rate_code = header[2] >> 4, header[2] & 15
    if rate_code in _FRAME_RATES_HZ or rate_code == _RATE_FROM_STREAMINFO:
        return _FRAME_RATES_HZ.get(rate_code)
    at = 5 + {6: 1, 7: 2}.get(block_size_code, 0)  # the first frame's number is one byte (0), at 4
    if rate_code == _RATE_KHZ_8_BIT:
        return header[at] * 1000
    value = int.from_bytes(header[at : at + 2], "big")
    return {_RATE_HZ_16_BIT: value, _RATE_TENS_16_BIT: value * 10}.get(rate_code)
