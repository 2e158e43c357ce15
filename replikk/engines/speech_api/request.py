"""One question to the server, and its answer as sound.

An answer is untrusted: it is read up to a limit, and is sound only when a library that reads sound says so.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.engines.speech_api.settings import SpeechApiSettings
from replikk.errors import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from replikk.engines.records import TakeRequest

ANSWER_LIMIT_BYTES = 100_000_000
LONGEST_S = 600.0
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
_KINDS = {".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg"}


class NoSoundError(Exception):
    """An answer that is no sound; the text says why."""


def question(settings: SpeechApiSettings, request: TakeRequest) -> bytes:
    """The body of one question. Its seed is drawn from the take's key, for servers that listen to it."""
    voice = request.voice
    fields: dict[str, Any] = {
        "model": settings.server.model,
        "input": " ".join(segment.text for segment in request.segments if segment.text),
        "voice": voice.engine_settings.get("voice") or voice.name,
        "response_format": "wav",
        "seed": int(request.key[:8], 16) >> 1,
    }
    if request.style:
        fields["instructions"] = request.style
    if not voice.engine_settings.get("voice") and voice.reference_audio:
        fields["ref_audio"] = _data_url(Path(voice.reference_audio))
        fields["ref_text"] = voice.reference_transcript
    wanted: Mapping[str, Any] = {**fields, **settings.extra}
    return json.dumps({key: value for key, value in wanted.items() if value is not None}).encode()


def _data_url(path: Path) -> str:
    kind = _KINDS.get(path.suffix.lower(), "audio/wav")
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def sound_of(answer: bytes) -> tuple[NDArray[np.int16], int]:
    """(samples [samples], rate) of an answer in any format that soundfile reads. Raises NoSoundError."""
    import numpy as np
    import soundfile

    from replikk.audio.encode import to_int16

    if len(answer) > ANSWER_LIMIT_BYTES:
        raise NoSoundError(f"it is longer than {ANSWER_LIMIT_BYTES / 1e6:.0f} MB")
    try:
        with soundfile.SoundFile(io.BytesIO(answer)) as file:
            rate = file.samplerate
            if not LOWEST_RATE_HZ <= rate <= HIGHEST_RATE_HZ:
                raise NoSoundError(f"it has {rate} Hz")
            # The length in the head of a stream may be anything: what is there is read, up to a limit.
            signal = file.read(int(LONGEST_S * rate) + 1, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        said = answer[:80].decode("utf-8", "replace").strip()
        raise NoSoundError(f"it is no audio: {printable(said or str(error), 80)}") from error
    if not len(signal):
        raise NoSoundError("it holds no sound")
    if len(signal) > LONGEST_S * rate:
        raise NoSoundError(f"it lasts longer than {LONGEST_S / 60:.0f} minutes")
    if not np.isfinite(signal).all():
        raise NoSoundError("it holds values that are no numbers")
    return to_int16(np.clip(signal.mean(axis=1), -1, 1)), rate
