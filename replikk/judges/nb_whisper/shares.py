"""Which part of the wanted text each window of a long clip should hold.

The windows of a clip follow one another without a gap and share no sound (``windows``), so the wanted words are shared
out among them in order, each word to one window: none can get lost between two. What was heard says where the borders
lie: the wanted words are aligned with all that was written (``compare``), and go where their counterparts are.

At a border that does not settle everything. A word that nobody wrote there may belong to either side, and of a word
that the cut went through each side heard half, as something else. So a border may lie anywhere in the wrong words
around it, and the weighing takes the likeliest place: a word on the wrong side would weigh as two faults. A word or
number that was heard in two right parts (*lands* | *byen*) is wanted from each side as it was heard.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from replikk.judges.compare import aligned, stretches, tokens_between
from replikk.judges.lattice import Lattice
from replikk.judges.pieces import pieces_of
from replikk.judges.search import Step

_FEW_WORDS = 3
"""Up to here every place in the wrong words around a border is tried; of more, both ends and what was aligned."""


@dataclass(frozen=True)
class Shares:
    """A wanted text, and where it may be parted."""

    words: tuple[str, ...]
    """As displayed."""
    borders: tuple[tuple[int, ...], ...]
    """Between each window and the next: how many words may lie before it, in rising order."""

    def parts_of(self, window: int) -> list[tuple[int, int]]:
        """The (from, up to) of the words that a window may be to hold."""
        lefts = self.borders[window - 1] if window else (0,)
        rights = self.borders[window] if window < len(self.borders) else (len(self.words),)
        return [(left, right) for left in lefts for right in rights if left <= right]

    def text(self, part: tuple[int, int]) -> str:
        return " ".join(self.words[slice(*part)])


@dataclass(frozen=True)
class _Run:
    """Wanted words with one fate."""

    words: tuple[str, ...]
    window: int
    right: bool


def share(wanted: str, heard: Sequence[str], locale: str) -> Shares:
    """The shares of windows in which ``heard`` was written, one text a window. No texts raise; all may be empty."""
    script, got, steps = aligned(wanted, " ".join(heard), locale, other_forms=True)
    windows = _windows_of_tokens(got, heard)
    runs: list[_Run] = []
    for group in stretches(script, got, steps):
        for words, window, right in _runs_of(group, script, got, windows):
            # Words that nobody wrote lie behind those that somebody did.
            runs.append(_Run(words, max(window, runs[-1].window if runs else 0), right))
    words = tuple(word for run in runs for word in run.words)
    return Shares(words, tuple(_places(runs, border) for border in range(len(heard) - 1)))


def _windows_of_tokens(got: Lattice, heard: Sequence[str]) -> list[int]:
    """The window of each displayed word that was heard."""
    pieces = [(piece.word, window) for window, text in enumerate(heard) for piece in pieces_of(text)]
    windows = []
    at = 0
    for token in got.tokens:
        while pieces[at][0] != token.shown:  # a sign that nobody can say is no token
            at += 1
        windows.append(pieces[at][1])
        at += 1
    return windows


def _runs_of(
    group: Sequence[Step], script: Lattice, got: Lattice, windows: Sequence[int]
) -> list[tuple[tuple[str, ...], int, bool]]:
    """(wanted words, window, whether they are right) of a group of steps, for each window that heard a part of it."""
    right = all(step.op == "ok" for step in group)
    tokens = tokens_between(script, group[0].script_nodes[0], group[-1].script_nodes[1])
    begin, end = (got.token_at[node] for node in (group[0].heard_nodes[0], group[-1].heard_nodes[1]))
    in_windows = sorted(set(windows[begin:end]))
    if len(in_windows) <= 1:
        return [(tuple(token.shown for token in tokens), in_windows[0] if in_windows else 0, right)]
    if right:
        shown = [(got.tokens[at].shown, windows[at]) for at in range(begin, end)]
        return [(tuple(word for word, its in shown if its == window), window, True) for window in in_windows]
    # A number of several words, one of them wrong (nitten | åttifem): each of its words is wanted where it was heard.
    return [(step.expected, windows[min(_token_of(step, got), end - 1)], step.op == "ok") for step in group]


def _token_of(step: Step, got: Lattice) -> int:
    return bisect_right(got.bounds, step.heard_nodes[0]) - 1


def _places(runs: Sequence[_Run], border: int) -> tuple[int, ...]:
    """Where the border behind window number ``border`` may lie: in the wrong words of the windows on both sides."""
    at = sum(run.window <= border for run in runs)
    first = last = at
    while first > 0 and not runs[first - 1].right and runs[first - 1].window == border:
        first -= 1
    while last < len(runs) and not runs[last].right and runs[last].window == border + 1:
        last += 1
    low, aligned_there, high = (sum(len(run.words) for run in runs[:count]) for count in (first, at, last))
    return tuple(range(low, high + 1)) if high - low <= _FEW_WORDS else tuple(sorted({low, aligned_there, high}))
