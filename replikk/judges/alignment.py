"""The cheapest alignment of two lattices.

They are searched from left to right (``search.py``), without what agrees at both ends. The search looks at pairs of
nodes, so texts that are too long for it are cut into parts first, where they agree for certain.
"""

from __future__ import annotations

from replikk.judges.lattice import Lattice
from replikk.judges.search import Same, SameName, Search, Step

_MOST_CELLS = 60_000
"""Pairs of nodes that are looked at; texts beyond it (a loop, a monologue) are cut where they agree first."""
_PART = 4
"""A part of such a text has so many times fewer: there may be many."""
_AGREEING = (4, 3, 2, 1)
"""Words in a row that must agree where a text is cut: few only in a part that is still too long. A single *hundre* or
*og* agrees by chance, in the middle of another number."""


def align(script: Lattice, heard: Lattice, same: Same | None, same_name: SameName | None) -> list[Step]:
    """The cheapest alignment of two lattices."""
    left, right = len(script.tokens), len(heard.tokens)
    if left == right and all(one.same == other.same for one, other in zip(script.tokens, heard.tokens, strict=True)):
        return [_agreed(script, heard, at, at) for at in range(left)]
    start = 0
    while start < min(left, right) and _agree(script, heard, start, start):
        start += 1
    while left > start and right > start and _agree(script, heard, left - 1, right - 1):
        left, right = left - 1, right - 1
    steps = [_agreed(script, heard, at, at) for at in range(start)]
    steps += _between(script, heard, (start, left), (start, right), same, same_name)
    steps += [_agreed(script, heard, left + at, right + at) for at in range(len(script.tokens) - left)]
    return steps


def _agree(script: Lattice, heard: Lattice, i: int, j: int) -> bool:
    return script.tokens[i].same == heard.tokens[j].same and i not in script.joined and j not in heard.joined


def _agreed(script: Lattice, heard: Lattice, i: int, j: int) -> Step:
    words = script.tokens[i].first
    return Step(
        "ok", words, words, "",
        (script.bounds[i], script.bounds[i + 1]), (heard.bounds[j], heard.bounds[j + 1]), i, j,
    )  # fmt: skip


def _between(
    script: Lattice,
    heard: Lattice,
    wanted: tuple[int, int],
    got: tuple[int, int],
    same: Same | None,
    same_name: SameName | None,
    agreeing: tuple[int, ...] = _AGREEING,
) -> list[Step]:
    """The alignment of the displayed words ``wanted`` and ``got`` (from, up to)."""
    first, last = script.bounds[wanted[0]], script.bounds[wanted[1]]
    begin, end = heard.bounds[got[0]], heard.bounds[got[1]]
    most = _MOST_CELLS if agreeing is _AGREEING else _MOST_CELLS // _PART
    if (last - first + 1) * (end - begin + 1) <= most or first == last or begin == end:
        return Search(script, heard, first, last, begin, end, same, same_name).steps()
    if not agreeing:
        return _step_by_step(script, heard, wanted, got, same, same_name)
    from rapidfuzz.distance import Levenshtein

    steps: list[Step] = []
    i, j = wanted[0], got[0]
    names = [token.same for token in script.tokens[slice(*wanted)]]
    for block in Levenshtein.opcodes(names, [token.same for token in heard.tokens[slice(*got)]]):
        if block.tag != "equal" or block.src_end - block.src_start < agreeing[0]:
            continue
        # The words at the ends of what agrees may belong to a reading of their neighbours.
        edge = int(agreeing[0] > 2)
        at, there = wanted[0] + block.src_start + edge, got[0] + block.dest_start + edge
        steps += _between(script, heard, (i, at), (j, there), same, same_name, agreeing[1:])
        length = block.src_end - block.src_start - 2 * edge
        steps += [_agreed(script, heard, at + k, there + k) for k in range(length)]
        i, j = at + length, there + length
    return steps + _between(script, heard, (i, wanted[1]), (j, got[1]), same, same_name, agreeing[1:])


def _step_by_step(
    script: Lattice,
    heard: Lattice,
    wanted: tuple[int, int],
    got: tuple[int, int],
    same: Same | None,
    same_name: SameName | None,
) -> list[Step]:
    """Two long stretches that agree in no displayed word: what matches next is taken, without a look at the rest."""
    (i, last), (j, end) = wanted, got
    nodes = script.bounds[i], script.bounds[last], heard.bounds[j], heard.bounds[end]
    search = Search(script, heard, *nodes, same, same_name)
    steps: list[Step] = []

    def wrong(to_i: int, to_j: int) -> None:
        nonlocal i, j
        while i < to_i or j < to_j:
            expected = script.tokens[i].first[:1] if i < to_i else ()
            other = heard.tokens[j].first[:1] if j < to_j else ()
            to = script.bounds[i + bool(expected)], heard.bounds[j + bool(other)]
            op = "sub" if expected and other else "del" if expected else "ins"
            where = (script.bounds[i], to[0]), (heard.bounds[j], to[1]), i if expected else -1, j if other else -1
            steps.append(Step(op, expected, other, "", *where))
            i, j = i + bool(expected), j + bool(other)

    while i < last and j < end:
        for ahead, there in _NEXT:
            if i + ahead < last and j + there < end and (found := search.next_steps(i + ahead, j + there)):
                wrong(i + ahead, j + there)
                steps += found
                i, j = script.token_at[found[-1].script_nodes[1]], heard.token_at[found[-1].heard_nodes[1]]
                i, j = last if i < 0 else i, end if j < 0 else j  # no word begins at the last node
                break
        else:
            wrong(i + 1, j + 1)
    wrong(last, end)
    return steps


_NEXT = sorted(((i, j) for i in range(6) for j in range(6)), key=lambda place: (sum(place), abs(place[0] - place[1])))
"""How many displayed words ahead a match is looked for, the nearest first."""
