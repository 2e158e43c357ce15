"""The search for the cheapest alignment of two lattices, or of a part of them.

At a pair of nodes a stretch of words may **match**, which costs nothing, or a word may be taken for another, left out
or put in, which costs one word error each. A match goes by letters: it walks along both lattices until the letters of
both sides are used up at the same time, so that *lese spill* is *lesespill*. That hides a blank and never a letter. Of
alignments with the same number of errors, the one whose wrong words are most alike is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from replikk.judges.keys import NUMBER_WORD
from replikk.judges.lattice import Arc, Lattice, Token

_WORD_ERROR = 10_000
_UNLIKE = 100
"""What a substitution costs more when the two words have no letter in common: it only settles ties."""
_LONE = 60
"""The same for a word left out or put in: two of them beat two unlike pairs."""
_ROUNDABOUT = 40
"""For a wrong word that is only part of a reading: what is wrong is best shown as it was written."""
_INDIRECT = 2
"""For accepting a word in another form than the script's first one."""
_LONGEST_MATCH = 80
"""Letters in the longest stretch that is matched at once: the number words of a date with its year are shorter."""
_TENS_OF = {"fem": "femti", "seks": "seksti"}
"""Five and ten are not fifty: the only number words that are two others written together."""
_LONGEST_NAME_SPLIT = 3
"""A judge may hear an unknown name as up to three words of its own."""


class Step(NamedTuple):
    """A part of an alignment, in order: words with one fate."""

    op: str
    """``ok``, ``sub``, ``ins`` or ``del``; all but ``ok`` concern one word."""
    expected: tuple[str, ...]
    """The words of the script, as keys."""
    heard: tuple[str, ...]
    kind: str
    """For ``ok``: why it was accepted, when the words are not the same; several kinds have blanks between them."""
    script_nodes: tuple[int, int]
    heard_nodes: tuple[int, int]
    script_token: int = -1
    """The displayed word, where the step is just that."""
    heard_token: int = -1


Same = Callable[[Token, Token], str]
"""The kind as which a heard word is taken for a word of the script, though their letters differ; empty for not."""
SameName = Callable[[Token, str], bool]
"""Whether heard letters are a spelling of a word of the script, which is a name."""


_Match = tuple[int, int, int, tuple[Arc, ...], tuple[Arc, ...], str]
"""(node of the script, node of the heard text, cost, arcs, arcs, kind)."""


_Came = tuple[int, int, str, tuple[Arc, ...], tuple[Arc, ...], str]
_FAR = 1 << 60


def _are_two_numbers(unit: str, tens: str) -> bool:
    """*fem* against *femti* or *femtiende*: what follows the unit would be *ti*, *tiende*."""
    return unit in _TENS_OF and tens.startswith(_TENS_OF[unit]) and NUMBER_WORD.fullmatch(tens) is not None


def _step(
    op: str, arcs: Sequence[Arc], others: Sequence[Arc], kind: str, start: tuple[int, int], stop: tuple[int, int]
) -> Step:
    return Step(
        op,
        tuple(arc.key for arc in arcs),
        tuple(arc.key for arc in others),
        kind,
        (start[0], stop[0]),
        (start[1], stop[1]),
        arcs[0].token if len(arcs) == 1 else -1,
        others[0].token if len(others) == 1 else -1,
    )


class Search:
    """One run of the alignment over a part of two lattices."""

    def __init__(
        self,
        script: Lattice,
        heard: Lattice,
        first: int,
        last: int,
        begin: int,
        end: int,
        same: Same | None,
        same_name: SameName | None,
    ) -> None:
        self.script, self.heard = script, heard
        self.first, self.last, self.begin, self.end = first, last, begin, end
        self.same, self.same_name = same, same_name

    def steps(self) -> list[Step]:
        from rapidfuzz.distance import Levenshtein

        unlike = Levenshtein.normalized_distance
        script_arcs, heard_arcs, begin, end = self.script.arcs, self.heard.arcs, self.begin, self.end
        width = end - begin + 1
        best = [[_FAR] * width for _ in range(self.first, self.last + 1)]
        came: list[list[_Came | None]] = [[None] * width for _ in range(self.first, self.last + 1)]
        best[0][0] = 0
        for i in range(self.first, self.last + 1):
            row = best[i - self.first]
            out_script = script_arcs[i] if i < self.last else ()
            for j in range(begin, end + 1):
                cost = row[j - begin]
                if cost == _FAR:
                    continue
                out_heard = heard_arcs[j] if j < end else ()
                moves: list[tuple[int, int, int, str, tuple[Arc, ...], tuple[Arc, ...], str]] = []
                if out_script and out_heard:
                    for to_i, to_j, more, arcs, others, kind in self.matches(i, j):
                        moves.append((to_i, to_j, more, "ok", arcs, others, kind))
                    for arc in out_script:
                        for other in out_heard:
                            if arc.key != other.key:
                                # The words themselves are looked at only where they can still improve anything.
                                if arc.to > self.last or other.to > end:
                                    continue
                                known = best[arc.to - self.first][other.to - begin]
                                if cost + _WORD_ERROR >= known:
                                    continue
                                more = _WORD_ERROR + round(_UNLIKE * unlike(arc.key, other.key))
                                more += _ROUNDABOUT * (arc.token < 0) + _ROUNDABOUT * (other.token < 0)
                                moves.append((arc.to, other.to, more, "sub", (arc,), (other,), ""))
                for arc in out_script:
                    more = _WORD_ERROR + _LONE + _ROUNDABOUT * (arc.token < 0)
                    moves.append((arc.to, j, more, "del", (arc,), (), ""))
                for other in out_heard:
                    more = _WORD_ERROR + _LONE + _ROUNDABOUT * (other.token < 0)
                    moves.append((i, other.to, more, "ins", (), (other,), ""))
                for to_i, to_j, more, op, arcs, others, kind in moves:
                    if to_i <= self.last and to_j <= end and cost + more < best[to_i - self.first][to_j - begin]:
                        best[to_i - self.first][to_j - begin] = cost + more
                        came[to_i - self.first][to_j - begin] = (i, j, op, arcs, others, kind)
        steps: list[Step] = []
        i, j = self.last, end
        while (before := came[i - self.first][j - begin]) is not None:
            from_i, from_j, op, arcs, others, kind = before
            steps.append(_step(op, arcs, others, kind, (from_i, from_j), (i, j)))
            i, j = from_i, from_j
        return steps[::-1]

    def next_steps(self, i: int, j: int) -> list[Step]:
        """The shortest way without an error from two displayed words up to two others; empty for none."""
        came: dict[tuple[int, int], tuple[tuple[int, int], _Match]] = {}
        start = (self.script.bounds[i], self.heard.bounds[j])
        waiting = [start]
        while waiting:
            at = waiting.pop(0)
            if at != start and self._is_between_words(*at):
                steps: list[Step] = []
                while at != start:
                    before, (_, _, _, arcs, others, kind) = came[at]
                    steps.append(_step("ok", arcs, others, kind, before, at))
                    at = before
                return steps[::-1]
            for match in sorted(self.matches(*at), key=lambda match: match[2]):
                if match[:2] not in came:
                    came[match[:2]] = (at, match)
                    waiting.append(match[:2])
        return []

    def _is_between_words(self, node: int, heard_node: int) -> bool:
        return (node == self.last or self.script.token_at[node] >= 0) and (
            heard_node == self.end or self.heard.token_at[heard_node] >= 0
        )

    def matches(self, i: int, j: int) -> list[_Match]:
        """All stretches from (i, j) that have the same letters on both sides."""
        found: list[_Match] = []
        todo: list[tuple[int, int, str, bool, int, tuple[Arc, ...], tuple[Arc, ...]]] = []
        script_arcs, heard_arcs = self.script.arcs, self.heard.arcs
        for arc in script_arcs[i]:
            for other in heard_arcs[j]:
                if arc.key[0] == other.key[0]:
                    self._meet(found, todo, arc.key, other.key, 0, arc.to, other.to, (arc,), (other,))
                if (
                    self.same is not None
                    and arc.token >= 0
                    and other.token >= 0
                    and arc.key != other.key
                    and not (arc.kind or other.kind)
                ):
                    kind = self.same(self.script.tokens[arc.token], self.heard.tokens[other.token])
                    if kind:
                        found.append((arc.to, other.to, 4 * _INDIRECT, (arc,), (other,), kind))
            if self.same_name is not None and arc.token >= 0 and not arc.kind:
                self._names(found, arc, j)
        while todo:
            at, there, rest, of_script, length, arcs, others = todo.pop()
            if of_script:  # the script is ahead: the heard words must go on with its letters
                if there < self.end:
                    for other in heard_arcs[there]:
                        self._meet(found, todo, rest, other.key, length, at, other.to, arcs, (*others, other))
            elif at < self.last:
                for arc in script_arcs[at]:
                    self._meet(found, todo, arc.key, rest, length, arc.to, there, (*arcs, arc), others)
        return found

    def _meet(
        self,
        found: list[_Match],
        todo: list[tuple[int, int, str, bool, int, tuple[Arc, ...], tuple[Arc, ...]]],
        one: str,
        other: str,
        length: int,
        at: int,
        there: int,
        arcs: tuple[Arc, ...],
        others: tuple[Arc, ...],
    ) -> None:
        """Letters of the script against letters heard: the same, or one side is ahead, or no match."""
        if one == other:
            if at <= self.last and there <= self.end:
                kinds = dict.fromkeys(arc.kind for arc in (*arcs, *others) if arc.kind)
                cost = _INDIRECT * len(kinds) + (len(arcs) > 1 or len(others) > 1)
                found.append((at, there, cost, arcs, others, " ".join(kinds)))
            return
        if length + min(len(one), len(other)) > _LONGEST_MATCH:
            return
        if _are_two_numbers(one, other) or _are_two_numbers(other, one):
            return
        if one.startswith(other):
            rest, of_script, done = one[len(other) :], True, other
        elif other.startswith(one):
            rest, of_script, done = other[len(one) :], False, one
        else:
            return
        length += len(done)
        todo.append((at, there, rest, of_script, length, arcs, others))
        # Three equal consonants become two where words are joined: buss stopp, busstopp.
        if len(done) > 1 and done[-1] == done[-2] != rest[0] and done[-1] not in "aeiouyæøå":
            todo.append((at, there, done[-1] + rest, of_script, length, arcs, others))

    def _names(self, found: list[_Match], arc: Arc, j: int) -> None:
        """The word of the script may be a name, and up to three heard words a spelling of it."""
        assert self.same_name is not None
        name = self.script.tokens[arc.token]
        letters, node = "", j
        others: tuple[Arc, ...] = ()
        for _ in range(_LONGEST_NAME_SPLIT):
            if node >= self.end:
                return
            other = next((arc for arc in self.heard.arcs[node] if arc.token >= 0), None)
            if other is None:
                return
            letters, node, others = letters + other.key, other.to, (*others, other)
            if letters != arc.key and self.same_name(name, letters):
                found.append((arc.to, node, 4 * _INDIRECT, (arc,), others, "name"))
