"""A text as a lattice of everything it accepts.

The nodes are the gaps between displayed words, and between the words of a reading that has several (*1984*: *nitten
åttifire*). Every arc is one word, as the key it is compared by. ``alignment.py`` aligns two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Token(NamedTuple):
    """A displayed word."""

    shown: str
    plain: str
    """Its letters, lower case: before words that count as the same were made one."""
    same: str
    """Two displayed words with the same ``same`` match, whatever stands around them."""
    first: tuple[str, ...]
    """The words that it counts as: its first reading."""
    capital: str = ""
    """``inside`` a sentence a capital marks a name; one that is ``opening`` a sentence may or may not."""


class Path(NamedTuple):
    """A way to read the displayed words from ``start`` up to ``stop``."""

    start: int
    stop: int
    keys: tuple[str, ...]
    kind: str = ""
    """Why it is accepted; empty for the word itself. ``accept.py`` has the kinds."""


class Arc(NamedTuple):
    to: int
    key: str
    kind: str
    token: int
    """The displayed word that the arc is; -1 when it is a part of one, or stands for several."""


@dataclass(frozen=True)
class Lattice:
    """Nodes are numbered so that every arc leads to a higher one."""

    tokens: tuple[Token, ...]
    arcs: tuple[tuple[Arc, ...], ...]
    bounds: tuple[int, ...]
    """Gap between displayed words → node."""
    token_at: tuple[int, ...]
    """Node → the displayed word that begins there; -1 inside a reading."""
    joined: frozenset[int]
    """Displayed words that must not be matched without a look at their neighbours: some path takes them together, or
    says the word itself and one more (*hundre*, *ett hundre*)."""


def build_lattice(tokens: Sequence[Token], paths: Iterable[Path]) -> Lattice:
    """The lattice of ``tokens`` with all ``paths``; of paths with the same letters the first one is kept."""
    starting: list[list[Path]] = [[] for _ in tokens]
    seen: set[tuple[int, int, str]] = set()
    inner: dict[tuple[int, int, int, str], int] = {}
    inside = [0] * len(tokens)
    joined: set[int] = set()
    for path in paths:
        start, stop, keys, _ = path
        letters = keys[0] if len(keys) == 1 else "".join(keys)
        if not letters or (start, stop, letters) in seen:
            continue
        seen.add((start, stop, letters))
        starting[start].append(path)
        if stop - start > 1 or (len(keys) > 1 and tokens[start].same in keys):
            joined.update(range(start, stop))
        behind = 0
        for key in keys[:-1]:
            # Readings that begin alike share their nodes, which stand right behind the gap where they begin.
            name = (start, stop, behind, key)
            if name not in inner:
                inside[start] += 1
                inner[name] = inside[start]
            behind = inner[name]
    bounds: list[int] = []
    node = 0
    for count in inside:
        bounds.append(node)
        node += 1 + count
    bounds.append(node)
    arcs: list[list[Arc]] = [[] for _ in range(node + 1)]
    token_at = [-1] * (node + 1)
    for at, bound in enumerate(bounds):
        token_at[bound] = at
    for at, begun in enumerate(starting):
        for start, stop, keys, kind in begun:
            if len(keys) == 1:
                arcs[bounds[start]].append(Arc(bounds[stop], keys[0], kind, start if stop - start == 1 else -1))
                continue
            node = bounds[start]
            for place, key in enumerate(keys, start=1):
                to = bounds[stop] if place == len(keys) else bounds[at] + inner[start, stop, node - bounds[at], key]
                if not any(arc.to == to and arc.key == key for arc in arcs[node]):
                    arcs[node].append(Arc(to, key, kind, -1))
                node = to
    return Lattice(tuple(tokens), tuple(map(tuple, arcs)), tuple(bounds), tuple(token_at), frozenset(joined))
