"""WebVTT of a scene: its clips one after the other on one time line, a cue per line, with speaker and word times.

Word times are timestamp tags inside a cue, as players use them to highlight the word that is said. Everything that
comes from sheets is escaped: a text may hold ``<``, ``&`` or ``-->``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from replikk.alignment.word_times import TimedWord

PAUSE_S = 0.5
"""Between the clips of a scene, where the game has no times of its own."""


@dataclass(frozen=True)
class SceneClip:
    """A clip in a scene."""

    line_id: str
    speaker: str
    text: str
    duration_s: float
    words: tuple[TimedWord, ...] = ()
    """In order; may be empty."""


def scene_webvtt(clips: Sequence[SceneClip], pause_s: float = PAUSE_S) -> str:
    """The file's content."""
    blocks = ["WEBVTT"]
    start_s = 0.0
    for clip in clips:
        end_s = start_s + clip.duration_s
        # Compared as they are written: what differs by less than a millisecond is the same time there.
        start_ms = _milliseconds(start_s)
        end_ms = max(_milliseconds(end_s), start_ms + 1)
        blocks.append(
            f"{_identifier(clip.line_id)}\n{_written(start_ms)} --> {_written(end_ms)}\n"
            f"<v {_annotation(clip.speaker)}>{_cue_text(clip, start_s, start_ms, end_ms)}"
        )
        start_s = end_s + pause_s
    return "\n\n".join(blocks) + "\n"


def timestamp(seconds: float) -> str:
    """``00:01:02.345``."""
    return _written(_milliseconds(seconds))


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _written(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def _cue_text(clip: SceneClip, start_s: float, start_ms: int, end_ms: int) -> str:
    if not clip.words:
        return _escaped(clip.text)
    parts = [_escaped(clip.words[0].text)]
    latest_ms = start_ms
    for word in clip.words[1:]:
        # A tag must lie inside its cue, later than the one before it.
        word_ms = _milliseconds(start_s + word.start_s)
        if latest_ms < word_ms < end_ms:
            parts.append(f" <{_written(word_ms)}>{_escaped(word.text)}")
            latest_ms = word_ms
        else:
            parts.append(f" {_escaped(word.text)}")
    return "".join(parts)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return _one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _annotation(text: str) -> str:
    """A speaker's name: it ends at the first ``>``."""
    return _escaped(text) or "?"


def _identifier(text: str) -> str:
    """A cue's name may hold anything but a line break and an arrow."""
    return _one_line(text).replace("-->", "→")
