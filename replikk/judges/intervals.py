"""Confidence intervals of shares: Wilson's, which holds for few clips and for shares at 0 and 1.

E. B. Wilson: Probable Inference, the Law of Succession, and Statistical Inference. JASA 22 (1927).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959964
"""Standard normal quantile of 97.5 %: intervals hold in 95 of 100 cases."""


@dataclass(frozen=True)
class Share:
    """A share of clips and the 95 % interval of what it would be in many more."""

    hits: int
    total: int
    share: float
    """0 when there are none to count."""
    low: float
    high: float


def wilson(count: int, of: int, z: float = Z_95) -> Share:
    """The share of ``count`` in ``of``; the interval is 0 to 1 where nothing was counted. Raises ValueError."""
    if not 0 <= count <= of:
        raise ValueError(f"{count} of {of} is no share")
    if of == 0:
        return Share(0, 0, 0.0, 0.0, 1.0)
    share = count / of
    spread = z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    low = 0.0 if count == 0 else max(0.0, middle - half)
    return Share(count, of, share, low, 1.0 if count == of else min(1.0, middle + half))
