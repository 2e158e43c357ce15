"""One question to the server: a clip as WAV in a form, the answer as JSON. Only the standard library.

An answer is untrusted: it is read up to a limit, and everything taken from it is checked.
"""

from __future__ import annotations

import io
import json
import math
import secrets
import wave
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replikk.errors import JudgeError, printable
from replikk.judges.records import HeardWord, Hearing
from replikk.server_requests import RefusedError, UnreachableError, post

ANSWER_LIMIT_BYTES = 4_000_000
CHARACTERS_AT_LEAST = 500
CHARACTERS_PER_S = 60.0
"""Of the longest text that is kept of a clip: three times what the fastest speech has. What goes on after that is a
loop, and would be compared with the script for minutes."""


def wav_bytes(samples: NDArray[np.int16], sample_rate_hz: int) -> bytes:
    """A mono WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate_hz)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def form_data(fields: Sequence[tuple[str, str]], clip: bytes) -> tuple[bytes, str]:
    """(body, content type) of a form with a clip in it."""
    border = f"----{secrets.token_hex(16)}"
    parts = [
        f'--{border}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="clip.wav"\r\n'
    parts += [f"{head}Content-Type: audio/wav\r\n\r\n".encode(), clip, f"\r\n--{border}--\r\n".encode()]
    return b"".join(parts), f"multipart/form-data; boundary={border}"


def ask(url: str, fields: Sequence[tuple[str, str]], clip: bytes, key: str, timeout_s: float) -> Mapping[str, Any]:
    """The server's answer. Tries again where it says 'not now'.

    Raises JudgeError naming the address when it cannot be reached, refuses, or answers something else than JSON.
    """
    try:
        data = post(url, lambda: form_data(fields, clip), "application/json", key, timeout_s, ANSWER_LIMIT_BYTES)
    except RefusedError as error:
        raise JudgeError(f"{url}: {error}; check url, model and key (config.yaml: judges.speech-api)") from None
    except UnreachableError as error:
        raise JudgeError(
            f"{url}: cannot be reached ({error}); start the server, or check url (config.yaml: judges.speech-api); "
            "what was heard is kept"
        ) from None
    return _parsed(url, data)


def _parsed(url: str, data: bytes) -> Mapping[str, Any]:
    try:
        if len(data) > ANSWER_LIMIT_BYTES:
            raise ValueError("too long")
        content = json.loads(data)
        if not isinstance(content, dict) or not isinstance(content.get("text"), str):
            raise ValueError("no text in it")
    except (ValueError, RecursionError) as error:
        raise JudgeError(f"{url}: the answer is no transcript ({printable(str(error), 80)}); check url") from None
    return content


def heard_text(answer: Mapping[str, Any], duration_s: float) -> tuple[str, bool]:
    """The text with single blanks, and whether there was more of it than anybody can say in a clip of that length."""
    text = _text(answer["text"])
    most = CHARACTERS_AT_LEAST + int(CHARACTERS_PER_S * duration_s)
    return text[:most].rstrip(), len(text) > most


def _text(value: str) -> str:
    """What can be written to a file: no halves of letters (a lone surrogate, which JSON allows), no control signs."""
    whole = value.encode("utf-8", "ignore").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in whole).split())


def heard_words(answer: Mapping[str, Any], duration_s: float) -> tuple[HeardWord, ...]:
    """The words with times, where the server gives them all; else none."""
    words: list[HeardWord] = []
    listed = answer.get("words")
    for entry in listed if isinstance(listed, list) else []:
        if not isinstance(entry, dict) or not isinstance(entry.get("word"), str):
            return ()
        start_s, end_s = _number(entry.get("start")), _number(entry.get("end"))
        if start_s is None or end_s is None:
            return ()
        # Some servers let a word begin before the one that it follows.
        start_s = min(max(start_s, words[-1].start_s if words else 0.0), duration_s)
        sure = _number(entry.get("probability"))
        words.append(
            HeardWord(
                _text(entry["word"]),
                round(start_s, 3),
                round(min(max(end_s, start_s), duration_s), 3),
                1.0 if sure is None else round(min(max(sure, 0.0), 1.0), 3),
            )
        )
    return tuple(word for word in words if word.text)


def hearing(answer: Mapping[str, Any], text: str, cut_off: bool) -> Hearing:
    """What the server says of its own text, over all its segments; ``text`` is what was kept of it."""
    from replikk.judges.hallucinations import compression_ratio

    listed = answer.get("segments")
    segments = [segment for segment in listed if isinstance(segment, dict)] if isinstance(listed, list) else []
    silent = [n for segment in segments if (n := _number(segment.get("no_speech_prob"))) is not None]
    likely = [n for segment in segments if (n := _number(segment.get("avg_logprob"))) is not None]
    return Hearing(
        no_speech=round(max(silent), 4) if silent else None,
        mean_log_probability=round(sum(likely) / len(likely), 4) if likely else None,
        compression_ratio=round(compression_ratio(text.lower()), 3),
        cut_off=cut_off,
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return None
    return number if math.isfinite(number) else None
