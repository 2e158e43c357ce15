"""What is left of a text when its markup is gone: blanks mended, and pieces of speech joined to segments."""

from __future__ import annotations

import re
from collections.abc import Iterable

from replikk.dialogue.pauses import LONGEST_PAUSE_MS
from replikk.dialogue.records import Segment

DROPPED = "\x00"
"""Stands for a stage cue that was taken out, until the blanks around it are mended."""

_GAPS = re.compile(r" ?\x00[\x00 ]*")
_GAP_BEFORE_MARK = re.compile(r"\x00(?=[,;:!?]|\.(?!\.))")
_STRAY = str.maketrans(dict.fromkeys("[]{}\\*", " "))  # engines read these as commands, or by name


def join_segments(pieces: Iterable[tuple[str, int]]) -> tuple[Segment, ...]:
    """Segments of (text, pause after it in ms): pauses that follow each other are added up, empty pieces left out."""
    joined: list[tuple[str, int]] = []
    for text, pause_ms in pieces:
        if text or not joined:
            joined.append((text, pause_ms))
        else:
            joined[-1] = (joined[-1][0], min(joined[-1][1] + pause_ms, LONGEST_PAUSE_MS))
    return tuple(Segment(text, pause_ms) for text, pause_ms in joined if text or pause_ms)


def tidy_speech(text: str) -> str:
    """Speech on one line, without stray brackets; empty when nothing but marks is left between two pauses."""
    plain = _one_line(text.translate(_STRAY))
    return plain if any(c.isalnum() for c in plain) else ""


def tidy_display(text: str) -> str:
    """What is shown, each line without blanks too many."""
    return "\n".join(_one_line(line) for line in text.strip().split("\n")).strip()


def _one_line(text: str) -> str:
    """Single blanks, and the gap that a cue left closed: no blank before a mark, one between words."""
    text = " ".join(text.split())
    if DROPPED in text:
        text = _GAPS.sub(DROPPED, text)  # first, so that the next pattern need not try every length of a gap
        text = _GAP_BEFORE_MARK.sub("", text).replace(DROPPED, " ")
    return text.strip()
