"""What a direction does to the embedded voice: moods (``replikk.dialogue.styles``) as rate, pitch, range, volume,
whisper.

The effects are chosen to be heard and to stay inside what the judge understands. Several moods combine (factors
multiply, shifts add) and the sum is bounded here; the engine bounds the resulting settings once more.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from replikk.dialogue import styles


@dataclass(frozen=True)
class StyleEffect:
    """Change against the voice's own settings."""

    rate_factor: float = 1.0
    pitch_shift: int = 0
    """In eSpeak's pitch units (0 to 99); about 1 % of the fundamental frequency each."""
    range_factor: float = 1.0
    """Above 1 the melody is wider, below 1 flatter."""
    volume_factor: float = 1.0
    whisper: bool = False


_EFFECTS: dict[str, StyleEffect] = {
    "whisper": StyleEffect(rate_factor=0.92, range_factor=0.8, whisper=True),
    "quiet": StyleEffect(rate_factor=0.94, pitch_shift=-3, range_factor=0.8, volume_factor=0.6),
    "calm": StyleEffect(rate_factor=0.92, pitch_shift=-2, range_factor=0.75, volume_factor=0.9),
    "thoughtful": StyleEffect(rate_factor=0.88, pitch_shift=-4, range_factor=0.7, volume_factor=0.9),
    "excited": StyleEffect(rate_factor=1.10, pitch_shift=8, range_factor=1.4, volume_factor=1.1),
    "happy": StyleEffect(rate_factor=1.06, pitch_shift=6, range_factor=1.3),
    "shout": StyleEffect(pitch_shift=12, range_factor=1.3, volume_factor=1.2),
    "sad": StyleEffect(rate_factor=0.86, pitch_shift=-8, range_factor=0.5, volume_factor=0.8),
    "angry": StyleEffect(rate_factor=1.08, pitch_shift=2, range_factor=1.3, volume_factor=1.2),
    "scared": StyleEffect(rate_factor=1.10, pitch_shift=10, range_factor=1.2, volume_factor=0.8),
    "firm": StyleEffect(rate_factor=0.95, pitch_shift=-4, range_factor=0.8, volume_factor=1.1),
    "tired": StyleEffect(rate_factor=0.85, pitch_shift=-6, range_factor=0.6, volume_factor=0.8),
    "surprised": StyleEffect(rate_factor=1.02, pitch_shift=8, range_factor=1.4),
    "wondering": StyleEffect(rate_factor=0.95, pitch_shift=5, range_factor=1.3),
    "slow": StyleEffect(rate_factor=0.84),
    "fast": StyleEffect(rate_factor=1.20),
    "deep": StyleEffect(pitch_shift=-15),
    "bright": StyleEffect(pitch_shift=15),
    "warm": StyleEffect(rate_factor=0.96, pitch_shift=2, range_factor=1.15),
    "flat": StyleEffect(range_factor=0.4),
    "neutral": StyleEffect(),
}

# Bounds of a combination: beyond them a voice is no longer the same person.
_RATE_FACTOR = (0.75, 1.3)
_PITCH_SHIFT = (-20, 20)
_RANGE_FACTOR = (0.4, 1.6)
_VOLUME_FACTOR = (0.5, 1.2)


@functools.lru_cache(maxsize=4096)
def style_effects(style: str) -> StyleEffect:
    """The effect of all moods in a direction; a direction without known words changes nothing."""
    rate = pitch_range = volume = 1.0
    pitch, whisper = 0, False
    for mood in sorted(styles.moods(style)):
        effect = _EFFECTS[mood]
        rate *= effect.rate_factor
        pitch += effect.pitch_shift
        pitch_range *= effect.range_factor
        volume *= effect.volume_factor
        whisper = whisper or effect.whisper
    return StyleEffect(
        rate_factor=_bounded(rate, _RATE_FACTOR),
        pitch_shift=round(_bounded(pitch, _PITCH_SHIFT)),
        range_factor=_bounded(pitch_range, _RANGE_FACTOR),
        volume_factor=_bounded(volume, _VOLUME_FACTOR),
        whisper=whisper,
    )


def _bounded(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])
