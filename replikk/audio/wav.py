"""WAV files, 16 bit mono, with a LIST INFO chunk of tags; equal input gives equal bytes.

Design: written here because it is forty bytes of header, and because libsndfile stamps its own name and version into
the tags.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from replikk.audio.ogg import clean_tag

# The INFO fields that players show, and the Vorbis-style tag each is filled from. All other tags go into the comment.
_INFO_FIELDS = {"TITLE": b"INAM", "ARTIST": b"IART", "ALBUM": b"IPRD", "LANGUAGE": b"ILNG", "ENCODER": b"ISFT"}
_COMMENT = b"ICMT"


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)  # chunks begin on even bytes


def encode_wav(samples: NDArray[np.int16], sample_rate_hz: int, tags: Mapping[str, str]) -> bytes:
    """Mono ``samples`` [samples] as a WAV file."""
    info = b"INFO"
    rest = []
    for name, value in tags.items():
        text = clean_tag(value)
        if name.upper() in _INFO_FIELDS:
            info += _chunk(_INFO_FIELDS[name.upper()], text.encode() + b"\0")
        else:
            rest.append(f"{name.upper()}={text}")
    if rest:
        info += _chunk(_COMMENT, "; ".join(rest).encode() + b"\0")
    form = struct.pack("<HHIIHH", 1, 1, sample_rate_hz, sample_rate_hz * 2, 2, 16)  # PCM, mono, 2 bytes a sample
    body = b"WAVE" + _chunk(b"fmt ", form)
    if len(info) > 4:
        body += _chunk(b"LIST", info)
    body += _chunk(b"data", samples.astype("<i2", copy=False).tobytes())
    return b"RIFF" + struct.pack("<I", len(body)) + body
