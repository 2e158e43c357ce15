"""Encoding a finished signal in a delivery format, and decoding it again as a player would.

Design: libsndfile encodes and decodes (its wheel brings Vorbis and Opus), ``ogg.py`` makes the result reproducible and
writes the tags. Samples go in blocks, which bounds what the codec
buffers at once.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from replikk.audio import ogg
from replikk.audio.wav import encode_wav
from replikk.errors import AudioError

Format = Literal["ogg-vorbis", "ogg-opus", "wav"]
SUFFIXES: dict[str, str] = {"ogg-vorbis": ".ogg", "ogg-opus": ".opus", "wav": ".wav"}
OPUS_RATES_HZ = (8_000, 12_000, 16_000, 24_000, 48_000)

_BLOCK = 1 << 16  # samples handed to libsndfile at once
_OPUS_SPAN_BPS = (6_000, 256_000)  # libsndfile maps compression level 1..0 to these bit rates of a mono stream


def encode(
    samples: NDArray[np.float32],
    sample_rate_hz: int,
    file_format: Format,
    *,
    vorbis_quality: float,
    opus_bitrate_bps: int,
    tags: Mapping[str, str],
    serial_from: str,
) -> bytes:
    """Mono ``samples`` [samples], full scale = 1, as a file. Raises AudioError when the encoder refuses them."""
    if file_format == "wav":
        return encode_wav(to_int16(samples), sample_rate_hz, tags)
    return ogg.mend(
        _encode_raw(samples, sample_rate_hz, file_format, vorbis_quality, opus_bitrate_bps),
        serial_from=serial_from,
        tags=tags,
    )


def _encode_raw(
    samples: NDArray[np.float32], sample_rate_hz: int, file_format: Format, vorbis_quality: float, opus_bitrate_bps: int
) -> bytes:
    import soundfile

    if file_format == "ogg-vorbis":
        subtype, level = "VORBIS", 1.0 - vorbis_quality
    else:
        lowest, highest = _OPUS_SPAN_BPS
        subtype, level = "OPUS", 1.0 - (opus_bitrate_bps - lowest) / (highest - lowest)
    buffer = io.BytesIO()
    try:
        with soundfile.SoundFile(
            buffer, "w", sample_rate_hz, 1, subtype, format="OGG", compression_level=level
        ) as file:
            for start in range(0, len(samples), _BLOCK):
                file.write(samples[start : start + _BLOCK])
    except (soundfile.LibsndfileError, ValueError) as error:
        raise AudioError(f"{subtype} at {sample_rate_hz} Hz: cannot be encoded ({error})") from error
    return buffer.getvalue()


def decode(data: bytes) -> NDArray[np.float32]:
    """The samples [samples] of an encoded mono clip, full scale = 1, not clipped."""
    import soundfile

    try:
        samples, _ = soundfile.read(io.BytesIO(data), dtype="float32")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise AudioError(f"an encoded clip cannot be decoded again ({error})") from error
    return samples


def to_int16(samples: NDArray[np.floating]) -> NDArray[np.int16]:
    """Rounded to 16 bit, clipped at full scale."""
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)


@functools.cache
def library_versions(file_format: Format) -> str:
    """What made the bytes of a format: libsndfile's version and the codec's own vendor string."""
    import soundfile

    if file_format == "wav":
        return "replikk"  # the writer is in this package
    probe = _encode_raw(np.zeros(480, dtype=np.float32), 48_000, file_format, 0.5, 48_000)
    return f"libsndfile {soundfile.__libsndfile_version__}, {ogg.vendor_string(probe)}"
