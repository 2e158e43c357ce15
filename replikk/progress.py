"""Progress of long work in the log: how far, how fast, how long still. One line every few seconds, never a bar."""

from __future__ import annotations

import logging
import time

EVERY_S = 5.0  # seldom enough for a log file, often enough to see that work goes on


class Progress:
    """Counts finished things of a known total."""

    def __init__(self, log: logging.Logger, what: str, total: int) -> None:
        self._log, self._what, self._total = log, what, total
        self._done = 0
        self._start_s = self._last_s = time.monotonic()

    def step(self) -> None:
        self._done += 1
        now_s = time.monotonic()
        if now_s - self._last_s < EVERY_S:
            return
        self._last_s = now_s
        left_s = (now_s - self._start_s) / self._done * (self._total - self._done)
        self._log.info("%s: %d of %d, about %s left", self._what, self._done, self._total, spell_duration(left_s))

    def end(self) -> float:
        """Log the sum and return the seconds it took."""
        took_s = time.monotonic() - self._start_s
        self._log.info("%s: %d in %s", self._what, self._done, spell_duration(took_s))
        return took_s


def spell_duration(seconds: float) -> str:
    """``95.2`` as ``1 min 35 s``; below ten seconds with one decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
