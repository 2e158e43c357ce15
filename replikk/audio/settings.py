"""How clips are delivered: the ``delivery`` part of ``config.yaml``, checked, and its fingerprint.

Every value that people may set stands here with its unit, its range and why its default is what it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any

from replikk.audio.encode import OPUS_RATES_HZ, SUFFIXES, Format, library_versions
from replikk.errors import Problem
from replikk.files import digest

VERSION = 1
"""Raise it when the same take and settings would give other bytes: it is part of every encoded clip's key."""


@dataclass(frozen=True)
class DeliverySettings:
    """Settings of the packager. Those that change a clip's bytes enter its key (``fingerprint``)."""

    format: Format = "ogg-vorbis"
    """Vorbis is the one format that Godot, Unity, Unreal and Ren'Py all read."""
    sample_rate_hz: int | None = None
    """None keeps the take's own rate: nothing is gained by raising it, and every engine plays 22,050 and 24,000 Hz. For
    Opus None is the next rate that Opus knows (22,050 becomes 24,000)."""
    vorbis_quality: float = 0.5
    """0 to 1, libvorbis's quality 0 to 10; 5 is about 50 kbit/s of mono speech."""
    opus_bitrate_bps: int = 48_000
    target_lufs: float = -18.0
    """Loudness of a clip without offsets, one mono channel; the level of portable games and children's tablets."""
    ceiling_dbtp: float = -1.0
    """Highest true peak of the decoded clip."""
    dual_mono: bool = False
    """Count a clip as played by two loudspeakers at once, 3 LU louder; False measures the mono file as one channel."""
    momentary_offset_lu: float = 0.0
    """Added to the target where the maximum momentary loudness is measured (clips of 0.4 to 3 s)."""
    max_gain_db: float = 30.0
    """A take fainter than this can mend is mostly noise: it stays too quiet and is seen, instead of hissing."""
    anchor_span_lu: float = 6.0
    """A clip below 0.4 s gets its voice's usual gain, but its own level may end at most this far from the target."""
    trim: bool = True
    trim_threshold_db: float = -40.0
    """Speech is louder than this, relative to the loudest 10 ms of the clip."""
    trim_hysteresis_db: float = 10.0
    """Speech goes on outwards while the level is at most this far below the threshold."""
    keep_head_ms: float = 30.0
    keep_tail_ms: float = 80.0
    """Kept around what was found to be speech; longer at the end, where sounds die away."""
    fade_in_ms: float = 5.0
    fade_out_ms: float = 20.0
    """Raised-cosine fades; they lie in the kept margin and never reach into speech."""
    word_times: bool = True
    """Write when each word is said beside every clip, and the subtitles of each scene."""
    mouth_cues: bool = False
    """Write mouth shapes beside every clip. Off, because only games with faces that move their lips want them."""

    def rate_for(self, take_rate_hz: int) -> int:
        """The sample rate in Hz at which a take is delivered."""
        if self.sample_rate_hz is not None:
            return self.sample_rate_hz
        if self.format == "ogg-opus":
            return min((rate for rate in OPUS_RATES_HZ if rate >= take_rate_hz), default=OPUS_RATES_HZ[-1])
        return take_rate_hz

    @property
    def suffix(self) -> str:
        """File name suffix of a clip, with the dot."""
        return SUFFIXES[self.format]

    @classmethod
    def from_mapping(
        cls, mapping: Mapping[str, Any] | None, file: str = "config.yaml", section: str = "delivery"
    ) -> tuple[DeliverySettings, list[Problem]]:
        """Settings from what a person wrote, and everything that is wrong with it; wrong values keep their default."""
        problems: list[Problem] = []

        def problem(key: str, what: str, instead: str) -> None:
            problems.append(Problem(file, None, "", f"{section}.{key}" if key else section, what, instead))

        if mapping is None:
            mapping = {}
        if not isinstance(mapping, Mapping):
            problem("", f"is {_kind(mapping)}", "write 'key: value' lines")
            return cls(), problems

        known = [field.name for field in fields(cls)]
        accepted: dict[str, Any] = {}
        for key, value in mapping.items():
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                problem(str(key), "is not a setting", f"did you mean {near[0]}?" if near else f"use {', '.join(known)}")
                continue
            instead = _refusal(key, value)
            if instead:
                problem(key, f"{value!r} cannot be used", instead)
            else:
                accepted[key] = _converted(key, value)
        settings = cls(**accepted)
        if settings.format == "ogg-opus" and settings.sample_rate_hz not in (None, *OPUS_RATES_HZ):
            rates = ", ".join(str(rate) for rate in OPUS_RATES_HZ)
            problem("sample_rate_hz", f"Opus has no {settings.sample_rate_hz} Hz", f"write one of {rates}, or native")
        return settings, problems


# Lowest and highest value of every number, both allowed.
_RANGES: dict[str, tuple[float, float]] = {
    "sample_rate_hz": (8_000, 48_000),
    "vorbis_quality": (0.0, 1.0),
    "opus_bitrate_bps": (6_000, 256_000),
    "target_lufs": (-40.0, -8.0),
    "ceiling_dbtp": (-20.0, 0.0),
    "momentary_offset_lu": (-10.0, 10.0),
    "max_gain_db": (0.0, 60.0),
    "anchor_span_lu": (0.0, 30.0),
    "trim_threshold_db": (-80.0, -10.0),
    "trim_hysteresis_db": (0.0, 40.0),
    "keep_head_ms": (0.0, 5_000.0),
    "keep_tail_ms": (0.0, 5_000.0),
    "fade_in_ms": (0.0, 500.0),
    "fade_out_ms": (0.0, 500.0),
}
_WHOLE = ("sample_rate_hz", "opus_bitrate_bps")
_SWITCHES = ("trim", "dual_mono", "word_times", "mouth_cues")
BESIDE_THE_CLIPS = ("word_times", "mouth_cues")
"""Settings that change no clip."""


def _kind(value: Any) -> str:
    return {bool: "true or false", int: "a number", float: "a number", str: "a word", list: "a list"}.get(
        type(value), "something else"
    )


def _refusal(key: str, value: Any) -> str:
    """What to write instead of a value; empty when it is all right."""
    if key == "format":
        return "" if isinstance(value, str) and value in SUFFIXES else f"write one of {', '.join(SUFFIXES)}"
    if key in _SWITCHES:
        return "" if isinstance(value, bool) else "write true or false"
    if key == "sample_rate_hz" and (value is None or value == "native"):
        return ""
    low, high = _RANGES[key]
    number = not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value)
    if number and low <= value <= high and (key not in _WHOLE or value == int(value)):
        return ""
    kind = "a whole number" if key in _WHOLE else "a number"
    also = ", or native for the voice's own rate" if key == "sample_rate_hz" else ""
    return f"write {kind} from {low:g} to {high:g}{also}"


def _converted(key: str, value: Any) -> Any:
    if key == "format" or key in _SWITCHES:
        return value
    if key in _WHOLE:
        return None if value is None or value == "native" else int(value)
    return float(value)


def fingerprint(settings: DeliverySettings) -> str:
    """Names everything but the take that decides the bytes of a clip: version, settings, libraries.

    Settings of a codec that is not in use, and of what lies beside the clips, are left out: tuning them encodes nothing
    again.
    """
    values = asdict(settings)
    unused = {"ogg-vorbis": ["opus_bitrate_bps"], "ogg-opus": ["vorbis_quality"]}
    for key in [*unused.get(settings.format, ["opus_bitrate_bps", "vorbis_quality"]), *BESIDE_THE_CLIPS]:
        del values[key]
    libraries = library_versions(settings.format)
    return f"delivery {VERSION} {digest({'settings': values, 'libraries': libraries})[:32]} ({libraries})"
