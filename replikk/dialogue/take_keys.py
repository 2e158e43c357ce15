"""Names of takes: the hash of everything that can change the sound, and of nothing else.

A *line key* covers what is said, how, by whom and with which engine. A *take key* adds the reading (counted up by the
writer's ``take`` column and by retake decisions) and the round (counted up when the judge was not content). Two lines
that say the same thing in the same way have the same keys and share their takes.
"""

from __future__ import annotations

import hashlib
from typing import Any

from replikk.dialogue.records import Segment, Voice
from replikk.files import digest


def ingredients(
    segments: tuple[Segment, ...], locale: str, style: str, voice: Voice, engine_fingerprint: str, seed: int
) -> dict[str, Any]:
    """All that goes into a line key, by name, as ``replikk status --why`` shows it."""
    return {
        "spoken": [[segment.text, segment.pause_after_ms] for segment in segments],
        "locale": locale,
        "style": style,
        # The name and label of a voice are not its sound.
        "voice": {
            "settings": voice.engine_settings,
            "reference": voice.reference_sha256,
            "transcript": voice.reference_transcript,
        },
        "engine": engine_fingerprint,
        "seed": seed,
    }


def line_key(parts: dict[str, Any]) -> str:
    """The key of a line, 64 hex digits, from its ingredients."""
    return digest(parts)


def take_key(key_of_line: str, reading: int, round_number: int) -> str:
    """The key of one take; ``reading`` and ``round_number`` count from 0."""
    return hashlib.sha256(f"{key_of_line}:{reading}:{round_number}".encode()).hexdigest()


def external_key(recording_sha256: str) -> str:
    """The key of a human recording."""
    return hashlib.sha256(f"external:{recording_sha256}".encode()).hexdigest()


def find_take(key_of_line: str, wanted: str, readings: int, rounds: int) -> tuple[int, int] | None:
    """(reading, round) of the take whose key begins with ``wanted``, among the first ``readings`` readings."""
    for reading in range(readings):
        for round_number in range(rounds):
            if take_key(key_of_line, reading, round_number).startswith(wanted):
                return reading, round_number
    return None
