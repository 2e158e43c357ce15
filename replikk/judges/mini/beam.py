"""Beam search: from symbol probabilities to words.

A letter by letter prefix search (CTC) with a price on words. Three kinds of words: those of the clip's own text cost
nothing, those of the fixed vocabulary cost little, and any other word may be heard as well, spelled letter by letter,
at a price per word and per letter. The prices are low against what a truly different sound costs, so a wrong word or a
wrong letter is heard as it was spoken; they are there to settle spellings that sound alike (fullt, fult), which no
ear can tell apart. For the same reason faint evidence counts for less than its share: three doubtful letters in a long
word must not outweigh the word, one clear letter must. ``docs/judge.md`` has the measured proof.

The price of a word is a potential: it is known for every beginning of a word, and a prefix pays the difference with
each letter. Paths are scored by their best alignment (maximum, not sum), so every score is a plain sum of the network's
numbers. Scores are natural logarithms; costs are negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from replikk.judges.mini.beam_settings import BeamSettings
from replikk.judges.mini.text import BLANK, SPACE, SYMBOLS
from replikk.judges.mini.words import vocabulary


def beginnings(words: Iterable[str]) -> set[str]:
    """All prefixes of all words, the words themselves and the empty one included."""
    return {word[:length] for word in words for length in range(len(word) + 1)}


@cache
def _fixed_beginnings() -> set[str]:
    return beginnings(vocabulary())


class WordCosts:
    """What a word, or the beginning of one, costs in one clip."""

    def __init__(self, wanted: Iterable[str], settings: BeamSettings) -> None:
        self._wanted = frozenset(wanted)
        self._wanted_beginnings = beginnings(self._wanted)
        self._settings = settings
        self._fixed = vocabulary()
        self._fixed_beginnings = _fixed_beginnings()

    def begun(self, part: str) -> float:
        """The least that a word beginning with ``part`` will cost."""
        if part in self._wanted_beginnings or not part:
            return 0.0
        if part in self._fixed_beginnings:
            return -self._settings.known_word
        return self._other(part)

    def finished(self, word: str) -> float:
        if word in self._wanted or not word:
            return 0.0
        if word in self._fixed:
            return -self._settings.known_word
        if len(word) == 1:
            return -self._settings.single_letter
        return self._other(word)

    def _other(self, word: str) -> float:
        return -self._settings.other_word - self._settings.other_letter * len(word)


class _Prefix:
    """A text heard so far: a node of the tree of all texts in the beam."""

    __slots__ = ("begun", "children", "cost", "ended", "parent", "part", "symbol")

    def __init__(self, parent: _Prefix | None, symbol: int, part: str, ended: float, costs: WordCosts) -> None:
        self.parent = parent
        self.symbol = symbol
        self.part = part  # letters since the last space
        self.ended = ended  # cost of all finished words
        self.cost = ended + costs.begun(part)
        self.children: dict[int, _Prefix] = {}

    def child(self, symbol: int, costs: WordCosts) -> _Prefix:
        found = self.children.get(symbol)
        if found is None:
            if symbol == SPACE:
                found = _Prefix(self, symbol, "", self.ended + costs.finished(self.part), costs)
            else:
                found = _Prefix(self, symbol, self.part + SYMBOLS[symbol], self.ended, costs)
            self.children[symbol] = found
        return found

    def text(self) -> str:
        symbols: list[str] = []
        node: _Prefix | None = self
        while node is not None and node.parent is not None:
            symbols.append(SYMBOLS[node.symbol])
            node = node.parent
        return "".join(reversed(symbols)).strip()


_NEVER = -1e30


def _discount(log_probabilities: NDArray[np.float32], doubt: float) -> NDArray[np.float32]:
    """Costs below ``doubt`` shrink in proportion: with 5, 1 nat counts as a fifth of itself, 3 as three fifths."""
    discounted: NDArray[np.float32] = log_probabilities * np.minimum(-log_probabilities / np.float32(doubt), 1)
    return discounted


def beam_search(log_probabilities: NDArray[np.float32], wanted: Iterable[str], settings: BeamSettings) -> str:
    """The best text. ``log_probabilities`` [time, symbols]; ``wanted``: the words of the clip's own text."""
    costs = WordCosts(wanted, settings)
    log_probabilities = _discount(log_probabilities, settings.doubt)
    floor, width = settings.symbol_floor, settings.width
    root = _Prefix(None, BLANK, "", 0.0, costs)
    # Per prefix: best alignment that ends in a blank, best that ends in the prefix's last symbol.
    beam: dict[_Prefix, tuple[float, float]] = {root: (0.0, _NEVER)}
    eventful = (log_probabilities[:, 1:].max(axis=1) > floor).tolist()  # column 0 is the blank
    silence = 0.0  # what frames without any likely symbol cost every prefix alike
    blanks = log_probabilities[:, BLANK].astype(np.float64).tolist()
    for time, blank in enumerate(blanks):
        if not eventful[time]:
            if silence == 0.0:
                beam = {prefix: (max(scores), _NEVER) for prefix, scores in beam.items()}
            silence += blank
            continue
        silence = 0.0
        row = log_probabilities[time]
        symbols = [(symbol, float(row[symbol])) for symbol in (np.flatnonzero(row[1:] > floor) + 1).tolist()]
        again = dict(symbols)
        following: dict[_Prefix, tuple[float, float]] = {}
        for prefix, (in_blank, in_symbol) in beam.items():
            best = in_blank if in_blank > in_symbol else in_symbol
            last = prefix.symbol
            stay_blank = best + blank
            repeated = again.get(last)
            stay_symbol = in_symbol + repeated if repeated is not None else _NEVER
            old = following.get(prefix)
            if old is not None:
                following[prefix] = (stay_blank, stay_symbol if stay_symbol > old[1] else old[1])
            else:
                following[prefix] = (stay_blank, stay_symbol)
            for symbol, score in symbols:
                # The same symbol twice needs a blank between; a text never starts with a space, nor has two.
                if symbol == last:
                    if symbol == SPACE:
                        continue
                    entered = in_blank + score
                else:
                    if symbol == SPACE and prefix.parent is None:
                        continue
                    entered = best + score
                child = prefix.child(symbol, costs)
                old = following.get(child)
                if old is None:
                    following[child] = (_NEVER, entered)
                elif entered > old[1]:
                    following[child] = (old[0], entered)
        ranked = sorted(((max(s) + p.cost, n, p) for n, (p, s) in enumerate(following.items())), reverse=True)[:width]
        limit = ranked[0][0] - settings.score_range
        beam = {prefix: following[prefix] for total, _, prefix in ranked if total > limit}
    final = max(beam, key=lambda prefix: max(beam[prefix]) + prefix.ended + costs.finished(prefix.part))
    return final.text()
