"""Which gain a clip gets: one number per clip, never a dynamic process.

The rules, by the length of the trimmed clip:

- 3 s and more: integrated loudness (BS.1770-4, gated) is brought to the target.
- 0.4 to 3 s: the maximum momentary loudness (400 ms windows) is brought to the target. Gating means little on so few
  blocks.
- below 0.4 s: BS.1770 has no value. The clip gets its voice's **anchor**: the gain that this voice usually needs. Its
  own level, K-weighted over the whole clip, only bounds the outcome (``anchor_span_lu``), so that a lone f is not
  left inaudible and a loud ``Å!`` does not jump out. Without an anchor that level itself is brought to the target.

The target is the configured one plus an offset (voice and style: a whisper stays quieter than a shout). The offset is
applied after the measurement, so a whisper is exactly that much below a neutral line; no further clamp is needed
there. The true-peak ceiling outranks all of it (``delivery.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from replikk.audio.loudness import BLOCK_S, DUAL_MONO_LU, block_energies, integrated_of, momentary_of, ungated_loudness
from replikk.audio.settings import DeliverySettings

LoudnessKind = Literal["integrated", "momentary", "anchor", "ungated"]

INTEGRATED_FROM_S = 3.0
MOMENTARY_FROM_S = BLOCK_S
ANCHOR_STEP_DB = 0.5
"""An anchor is a multiple of this: editing one line of a voice moves the median a little, and hardly ever the anchor,
so the voice's shortest clips are not encoded anew at every edit. It stays a pure function of the measured clips."""


@dataclass(frozen=True)
class Measured:
    """The level of a trimmed take, before any gain."""

    duration_s: float
    kind: LoudnessKind
    """``anchor`` for a clip that needs its voice's anchor: ``deliver`` wants ``anchor_gain_db`` for it alone."""
    loudness_lufs: float | None
    """By ``kind``: integrated, maximum momentary, or (anchor) over the whole clip; None for silence."""
    needed_gain_db: float | None
    """From there to the target without offsets; None for silence."""


def kind_for(duration_s: float) -> LoudnessKind:
    """How the loudness of a clip of that length is measured."""
    if duration_s >= INTEGRATED_FROM_S:
        return "integrated"
    return "momentary" if duration_s >= MOMENTARY_FROM_S else "anchor"


def loudness_of(
    samples: NDArray[np.floating], sample_rate_hz: int, kind: LoudnessKind, settings: DeliverySettings
) -> float | None:
    """Loudness in LUFS of mono ``samples`` [samples] by the rule ``kind``; None for silence."""
    if kind == "integrated":
        loudness = integrated_of(block_energies(samples, sample_rate_hz))
    elif kind == "momentary":
        loudness = momentary_of(block_energies(samples, sample_rate_hz))
    else:
        loudness = ungated_loudness(samples, sample_rate_hz)
    if loudness is None:
        return None
    return loudness + (DUAL_MONO_LU if settings.dual_mono else 0.0)


def target_lufs(kind: LoudnessKind, settings: DeliverySettings) -> float:
    """The target of a clip without offsets."""
    return settings.target_lufs + (settings.momentary_offset_lu if kind == "momentary" else 0.0)


def measure_prepared(samples: NDArray[np.floating], sample_rate_hz: int, settings: DeliverySettings) -> Measured:
    """The level of a trimmed clip, mono ``samples`` [samples], full scale = 1."""
    duration_s = len(samples) / sample_rate_hz
    kind = kind_for(duration_s)
    loudness = loudness_of(samples, sample_rate_hz, kind, settings)
    needed = None if loudness is None else target_lufs(kind, settings) - loudness
    return Measured(
        duration_s=round(duration_s, 6),
        kind=kind,
        loudness_lufs=None if loudness is None else round(loudness, 2),
        needed_gain_db=None if needed is None else round(needed, 2),
    )


def anchor_gain_db(measurements: Iterable[Measured]) -> float | None:
    """A voice's anchor: the median gain that its clips of 3 s and more need, else its clips of 0.4 to 3 s.

    A multiple of 0.5 dB. Order does not matter. None when the voice has no such clip.
    """
    known = list(measurements)
    for kind in ("integrated", "momentary"):
        needed = [m.needed_gain_db for m in known if m.kind == kind and m.needed_gain_db is not None]
        if needed:
            import statistics  # 10 ms, and few games have clips this short

            return round(statistics.median(needed) / ANCHOR_STEP_DB) * ANCHOR_STEP_DB
    return None


def wanted_gain_db(
    measured: Measured, settings: DeliverySettings, *, offset_lu: float = 0.0, anchor_gain_db: float | None = None
) -> tuple[float, LoudnessKind]:
    """The gain in dB before the true-peak ceiling is heeded, and the rule it comes from; 0 dB for silence."""
    if measured.needed_gain_db is None or measured.loudness_lufs is None:
        return 0.0, measured.kind
    kind: LoudnessKind = measured.kind
    gain = measured.needed_gain_db
    if kind == "anchor":
        if anchor_gain_db is None:
            kind = "ungated"
        else:
            span = settings.anchor_span_lu
            gain = min(max(anchor_gain_db, gain - span), gain + span)
    return min(gain + offset_lu, settings.max_gain_db), kind
