"""From a take request to what the library is told: voice settings, direction, the reading's own draws, clean text.

Every draw comes from the take key through SHA-256, never from global state: the same request is the same clip in any
process and any order.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import re
import unicodedata
from pathlib import Path
from typing import Any

from replikk.dialogue.records import Segment
from replikk.engines.espeak_pool import SAMPLE_RATE_HZ, find_library
from replikk.engines.espeak_spelling import respell
from replikk.engines.espeak_styles import style_effects
from replikk.engines.records import TakeRequest
from replikk.errors import printable

DEFAULTS: dict[str, Any] = {
    "variant": "f2",
    "pitch": 50,
    "range": 50,
    "rate_wpm": 150,
    "word_gap": 2,
    "volume": 100,
}
LIMITS: dict[str, tuple[int, int]] = {
    "pitch": (0, 99),  # eSpeak's own scale
    "range": (0, 99),
    "rate_wpm": (110, 220),  # outside this even a good judge fails (measured)
    "word_gap": (0, 10),  # in 10 ms; 1 to 5 make words easiest to tell apart
    "volume": (20, 120),  # 150 clips
}
UNUSABLE_VARIANTS = frozenset({"Lee", "zac", "Demonic"})
"""The judge cannot understand them (measured)."""

_SLOWER_PER_READING_WPM = 6
_READINGS_THAT_SLOW = 3
"""Measured: slower readings with wider gaps cure the lines that fail; three steps of 6 words a minute are enough."""


@functools.cache
def variants() -> frozenset[str]:
    """The variant names that the wheel brings. Raises EngineError without the wheel."""
    return frozenset(path.name for path in _variant_folder().iterdir() if path.is_file())


def _variant_folder() -> Path:
    return find_library()[1] / "voices" / "!v"


@functools.cache
def _whisper_variant(variant: str) -> str:
    """The library's own whispering voices; which of the two follows from the variant's gender."""
    text = (_variant_folder() / variant).read_text(encoding="utf-8", errors="replace")
    return "whisperf" if re.search(r"^\s*gender\s+female", text, re.MULTILINE) else "whisper"


def check_settings(settings: dict[str, Any]) -> list[str]:
    """What is wrong with a voice's settings, one sentence each: 'key: what; what instead'."""
    problems = []
    for key, value in settings.items():
        name = printable(str(key), 40)
        if key not in DEFAULTS:
            near = difflib.get_close_matches(str(key), DEFAULTS, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"use {', '.join(DEFAULTS)}"
            problems.append(f"{name}: the voice espeak has no such setting; {hint}")
        elif key == "variant":
            problems += _check_variant(value)
        elif isinstance(value, bool) or not isinstance(value, int):
            low, high = LIMITS[key]
            problems.append(
                f"{name}: {printable(repr(value), 40)} is not a whole number; write a number from {low} to {high}"
            )
        elif not LIMITS[key][0] <= value <= LIMITS[key][1]:
            low, high = LIMITS[key]
            problems.append(f"{name}: {value} is outside the limits; write a number from {low} to {high}")
    return problems


def _check_variant(value: Any) -> list[str]:
    if not isinstance(value, str):
        return [f"variant: {printable(repr(value), 40)} is not a name; write one such as f2 or m3"]
    if value in UNUSABLE_VARIANTS:
        return [f"variant: the judge cannot understand '{value}'; choose another, such as f2 or m3"]
    if value not in variants():
        usable = sorted(variants() - UNUSABLE_VARIANTS)
        near = difflib.get_close_matches(value, usable, n=1, cutoff=0.0)
        return [f"variant: there is no '{printable(value, 40)}'; did you mean {near[0]}?"]
    return []


def library_parameters(request: TakeRequest) -> dict[str, Any]:
    """Keyword arguments of ``espeak_library.Library.prepare`` for a request whose voice was checked."""
    settings = {**DEFAULTS, **request.voice.engine_settings}
    effect = style_effects(request.style)
    draw = hashlib.sha256(b"espeak reading " + request.key.encode("utf-8", "surrogatepass")).digest()
    slower = min(max(request.reading, 0), _READINGS_THAT_SLOW)
    # Small and symmetric, so that readings differ but a voice stays itself: pace ±4 %, pitch ±3, gap +0 or +1.
    pace = 1 + 0.04 * (draw[4] / 127.5 - 1)
    rate = settings["rate_wpm"] * effect.rate_factor * pace - _SLOWER_PER_READING_WPM * slower
    variant = settings["variant"]
    return {
        "voice": f"nb+{_whisper_variant(variant) if effect.whisper else variant}",
        "seed": int.from_bytes(draw[:4], "little") & 0x7FFF_FFFF,
        "rate_wpm": _within(rate, "rate_wpm"),
        "volume": _within(settings["volume"] * effect.volume_factor, "volume"),
        "pitch": _within(settings["pitch"] + effect.pitch_shift + draw[5] % 7 - 3, "pitch"),
        "pitch_range": _within(settings["range"] * effect.range_factor, "range"),
        "word_gap": _within(settings["word_gap"] + draw[6] % 2 + slower, "word_gap"),
    }


def _within(value: float, key: str) -> int:
    low, high = LIMITS[key]
    return min(max(round(value), low), high)


_PHONEMES = re.compile(r"\[\[.*?(?:\]\]|$)", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
# Control characters (one is eSpeak's own escape), surrogates, private use and unassigned: nothing that can be spoken.
_UNSPEAKABLE_CATEGORIES = frozenset({"Cc", "Cs", "Co", "Cn"})


def speakable_text(text: str) -> str:
    """Text that is safe to hand to the library; empty when it has no letter and no digit.

    Phoneme input (``[[…]]``) and tags (``<…>``) are dropped, control characters become blanks, invisible format
    characters (soft hyphens, direction marks) go. Punctuation alone is empty: the library would read it aloud.
    """
    text = _TAG.sub(" ", _PHONEMES.sub(" ", text)).replace("<", " ").replace(">", " ").replace("[[", " ")
    if not text.isascii() or not text.isprintable():
        text = unicodedata.normalize("NFC", text)
        text = "".join(
            "" if (category := unicodedata.category(c)) == "Cf" else " " if category in _UNSPEAKABLE_CATEGORIES else c
            for c in text
        )
    text = " ".join(text.split())
    return text if any(c.isalnum() for c in text) else ""


def library_segments(segments: tuple[Segment, ...]) -> tuple[tuple[str, int], ...]:
    """(text, samples of silence after it) per segment."""
    return tuple(
        (respell(speakable_text(segment.text)), round(max(segment.pause_after_ms, 0) * SAMPLE_RATE_HZ / 1000))
        for segment in segments
    )
