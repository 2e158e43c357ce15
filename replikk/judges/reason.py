"""One thing that stands between a take and its pass, as a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ERROR, DOUBT = "error", "doubt"


@dataclass(frozen=True)
class Reason:
    """One thing that stands between a take and its pass."""

    code: str
    """For machines; ``docs/verdict.md`` lists them."""
    measured: float | None
    threshold: float | None
    text: str
    """For people, one plain sentence without a full stop."""
    severity: str = ERROR
    """``error``: the take is bad. ``doubt``: a person must listen."""

    def to_json(self) -> dict[str, Any]:
        """As the manifests of verdicts have it."""
        return {"code": self.code, "measured": self.measured, "threshold": self.threshold, "text": self.text}
