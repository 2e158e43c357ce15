"""The questions of a take to the server, and their answers as sound.

A take is one question, or several where the sheet asks for a pause: a server is told words, and the silence between
them is put there afterwards, as long as it was asked for.

An answer is untrusted: it is read up to a limit, and is sound only when a library that reads sound says so.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.engines.speech_api.settings import SpeechApiSettings
from replikk.errors import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from replikk.dialogue.records import Segment
    from replikk.engines.records import TakeRequest

ANSWER_LIMIT_BYTES = 100_000_000
LONGEST_S = 600.0
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 192_000
FULL_SCALE = 32_767
_KINDS = {".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg"}


class NoSoundError(Exception):
    """An answer that is no sound; the text says why."""


def question(settings: SpeechApiSettings, request: TakeRequest, text: str) -> bytes:
    """The body of one question. Its seed is drawn from the take's key, for servers that listen to it: another reading
    of a line has another key."""
    voice = request.voice
    fields: dict[str, Any] = {
        "model": settings.server.model,
        "input": text,
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


def stretches(segments: Sequence[Segment]) -> list[tuple[str, int]]:
    """What is spoken in one go, each with the pause after it in ms; empty where only the pause counts."""
    found: list[tuple[str, int]] = []
    for segment in segments:
        text, pause_ms = segment.text.strip(), segment.pause_after_ms
        if found and found[-1][1] == 0 and found[-1][0] and text:
            found[-1] = (f"{found[-1][0]} {text}", pause_ms)
        else:
            found.append((text, pause_ms))
    return found


def joined(
    answers: Sequence[tuple[NDArray[np.int16], int] | None], pauses_ms: Sequence[int]
) -> tuple[NDArray[np.int16], int]:
    """(samples [samples], rate) of one take, from those of its stretches; None where only a pause is meant.

    Raises NoSoundError when the server answers at several rates.
    """
    import numpy as np

    from replikk.engines.joining import join_pieces

    rates = {answer[1] for answer in answers if answer}
    if len(rates) != 1:
        raise NoSoundError(f"parts of one line have {' and '.join(str(rate) for rate in sorted(rates))} Hz")
    rate = rates.pop()
    if answers[0] and len(answers) == 1 and not pauses_ms[0]:
        return answers[0]
    sounds = [answer[0] if answer else np.zeros(0, np.int16) for answer in answers]
    pieces = [
        (sound.astype(np.float32) / np.float32(FULL_SCALE), ms) for sound, ms in zip(sounds, pauses_ms, strict=True)
    ]
    return join_pieces(pieces, rate), rate


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
