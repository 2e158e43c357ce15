"""Sample-rate conversion of mono clips by a polyphase filter.

Design: ``scipy.signal.resample_poly`` with a Kaiser-windowed sinc of its own design, because the default one lets
through too much just above the new band's end. scipy is imported here and only when a rate really changes.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

ZERO_CROSSINGS = 24  # of the sinc on either side: a transition band of about a tenth of the lower rate's band
STOP_BAND_BETA = 8.0  # Kaiser beta: about 80 dB
ROLL_OFF = 0.94  # cut-off relative to the lower Nyquist frequency, so that the transition ends near it


@functools.lru_cache(maxsize=16)
def _filter(up: int, down: int) -> NDArray[np.float32]:
    """Low-pass at the lower of the two Nyquist frequencies, at the rate of the upsampled signal."""
    ratio = max(up, down)
    half = ZERO_CROSSINGS * ratio
    at = np.arange(-half, half + 1) / ratio
    taps = ROLL_OFF * np.sinc(ROLL_OFF * at) * np.kaiser(len(at), STOP_BAND_BETA)
    return (taps / taps.sum()).astype(np.float32)


def resample(samples: NDArray[np.float32], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """Mono ``samples`` [samples] at ``to_hz``: ceil(samples * to / from) of them, the same array when the rate
    stays."""
    if from_hz == to_hz or len(samples) == 0:
        return samples
    # Late: scipy.signal takes almost a second to import, and most builds never change a rate.
    from scipy.signal import resample_poly

    divisor = math.gcd(from_hz, to_hz)
    up, down = to_hz // divisor, from_hz // divisor
    window: Any = _filter(up, down)  # scipy takes the taps themselves; its type stubs know only names of windows
    return np.asarray(resample_poly(samples, up, down, window=window), dtype=np.float32)
