"""One thing that stands between a take and its pass, as a record."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, DOUBT = "error", "doubt"


@dataclass(frozen=True)
class Reason:
    """One thing that stands between a take and its pass."""

    code: str
    """For machines; ``docs/verdicts.md`` lists them."""
    measured: float | None
    threshold: float | None
    text: str
    """For people, one plain sentence without a full stop."""
    severity: str = ERROR
    """``error``: the take is bad. ``doubt``: a person must listen."""
