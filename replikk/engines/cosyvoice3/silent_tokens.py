"""Long silences are shortened between language model and flow.

Eleven ids of the codebook stand for silence and breath noise. Within a run of them, in any mix, only the first few
reach the flow. The language model keeps all of them in its own history: it decided on them.
"""

from __future__ import annotations

from collections.abc import Iterable

SILENT_IDS = frozenset({1, 2, 28, 29, 55, 248, 494, 2241, 2242, 2322, 2323})
"""Ids of the published codebook, from its specification."""

LONGEST_RUN = 5
"""Tokens of 40 ms each: no silence inside a line is longer than 0.2 s."""


def without_long_silences(tokens: Iterable[int], longest_run: int = LONGEST_RUN) -> list[int]:
    """The tokens for the flow: of every run of silent ids only the first ``longest_run``."""
    kept: list[int] = []
    run = 0
    for token in tokens:
        run = run + 1 if token in SILENT_IDS else 0
        if run <= longest_run:
            kept.append(token)
    return kept
