"""A take's segments cut into the pieces that the model speaks one by one, and the pauses between them.

Decoding is unstable beyond 20 s, so a segment of more than about 12 s is cut: at ends of sentences, else at marks
inside them, else before a conjunction, and between two words where there is nothing better; never inside a word. Where
to cut is found by dynamic programming over all gaps between words, so that no cut leaves a snippet at the end.

A pause is the silence from the last sound of one piece to the first of the next; whoever joins pieces takes off the
silence that the model made at their edges. Segments keep the pauses that the sheet asks for.

The text of a piece is what the model reads, not what a player sees: one without a mark at its end gets a full stop, or
a comma where it was cut inside a sentence, or dots where the sheet itself asks for a pause there. Short lines without
such a mark come out with chopped endings twice as often.

Torch-free. Raise ``versions.PIECES`` when the same segments would give other pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from replikk.dialogue.records import Segment
from replikk.engines.cosyvoice3.speaking_time import speaking_time_s

LONGEST_PIECE_S = 12.0


@dataclass(frozen=True)
class Piece:
    """What is spoken in one go, and the silence after it."""

    text: str
    """With a mark at its end; empty when only the pause counts."""
    pause_after_ms: int


@dataclass(frozen=True)
class _Gap:
    """A place between two words where a text may be cut."""

    cost: float
    pause_ms: int


# The longer the pause a reader would make, the better the place. Costs are in pieces: a cut at a comma must save the
# cuts of about two sentence ends. Pauses as in read Norwegian; those at marks inside a sentence are short.
_SENTENCE_GAP = _Gap(0.0, 450)
_STRONG_CLAUSE_GAP = _Gap(1.0, 300)
_COMMA_GAP = _Gap(2.0, 200)
_CONJUNCTION_GAP = _Gap(5.0, 80)
_WORD_GAP = _Gap(15.0, 40)

_PIECE_COST = 1.0
_SHORT_PIECE_S = 2.0  # the model is at its weakest on lines this short
_UNEVEN_COST = 0.5  # between equally good places the one that makes pieces of like length

# Bokmål and Nynorsk; words that open a clause or the next member of a list.
_CONJUNCTIONS = frozenset(
    word
    for line in (
        "og men eller for så samt mens når da hvis om fordi siden selv dersom før etter enn at som der hvor hvem hva",
        "medan viss ettersom sidan sjølv korleis kvar kven kva",
    )
    for word in line.split()
)
_CLOSERS = "\"'»”’)]"
_SENTENCE_END = re.compile(r"[.!?…]+[\"'»”’)\]]*$")
_STRONG_CLAUSE_END = re.compile(r"[;:–—][\"'»”’)\]]*$|^-$")
_COMMA_END = re.compile(r",[\"'»”’)\]]*$")
_ABBREVIATED = re.compile(r"(?:^|[^\w])\w\.$|\w\.\w+\.$")  # "f.eks.", an initial: no sentence ends there


def pieces_of(segments: Iterable[Segment], longest_s: float = LONGEST_PIECE_S) -> tuple[Piece, ...]:
    """The pieces of a take in order; a segment without speech gives a piece without text.

    A single word that takes longer than ``longest_s`` stays whole.
    """
    given = list(segments)
    pieces: list[Piece] = []
    for place, segment in enumerate(given):
        words = segment.text.split()
        if not any(character.isalnum() for character in segment.text):
            pieces.append(Piece("", segment.pause_after_ms))
            continue
        following = next((later.text for later in given[place + 1 :] if later.text.strip()), "")
        cuts = [*_cuts(words, longest_s), len(words)]
        start = 0
        for end in cuts:
            text = " ".join(words[start:end])
            if end < len(words):
                pieces.append(Piece(_with_mark(text, ","), _gap(words, end).pause_ms))
            else:
                pieces.append(Piece(_with_mark(text, "…" if _continues(following) else "."), segment.pause_after_ms))
            start = end
    return tuple(pieces)


def with_final_mark(text: str) -> str:
    """A text with a mark at its end: a full stop where there is none."""
    return _with_mark(text, ".")


def _with_mark(text: str, mark: str) -> str:
    """The text with ``mark`` at its end when it has none; a comma stands in for any mark but a full stop."""
    text = text.rstrip()
    bare = text.rstrip(_CLOSERS)
    if not bare or bare[-1] in ".!?…。！？–—-":  # a dash is a speech broken off, which a full stop would undo
        return text
    if bare[-1] in ",;:":
        return f"{bare[:-1]}.{text[len(bare) :]}" if mark == "." else text
    return text + mark


def _continues(following: str) -> bool:
    """Whether a segment's sentence goes on in the next one, after a pause of the sheet ("Jeg {w} tror det.")."""
    letters = [character for character in following if character.isalnum()]
    return bool(letters) and letters[0].islower()


def _gap(words: Sequence[str], place: int) -> _Gap:
    """What kind of place lies before ``words[place]``."""
    before, after = words[place - 1], words[place]
    if _SENTENCE_END.search(before) and not _ABBREVIATED.search(before) and not _opens_lower(after):
        return _SENTENCE_GAP
    if _STRONG_CLAUSE_END.search(before):
        return _STRONG_CLAUSE_GAP
    if _COMMA_END.search(before) or _SENTENCE_END.search(before):
        return _COMMA_GAP
    if after.casefold().strip("\"'«“‘(") in _CONJUNCTIONS and before.casefold() not in _CONJUNCTIONS:
        return _CONJUNCTION_GAP
    return _WORD_GAP


def _opens_lower(word: str) -> bool:
    letters = [character for character in word if character.isalpha()]
    return bool(letters) and letters[0].islower()


def _cuts(words: Sequence[str], longest_s: float) -> list[int]:
    """Where to cut: indices of the words before which a new piece begins."""
    whole_s = speaking_time_s(" ".join(words))
    if whole_s <= longest_s:
        return []
    # Time is summed up word by word, with the pause of the mark at each word's end when something follows it.
    spoken = [speaking_time_s(word) for word in words]
    with_pause = [speaking_time_s(f"{word} a") - speaking_time_s("a") for word in words]
    total = [0.0]
    for seconds in with_pause:
        total.append(total[-1] + seconds)

    best: list[tuple[float, int]] = [(0.0, 0)]  # by number of words: the least cost, and where its last piece begins
    for end in range(1, len(words) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            seconds = total[end - 1] - total[start] + spoken[end - 1]
            if seconds > longest_s and start < end - 1:
                break
            gap = _gap(words, start).cost if start else 0.0
            options.append((best[start][0] + gap + _piece_cost(seconds, longest_s), start))
        best.append(min(options))
    cuts = []
    place = best[-1][1]
    while place:
        cuts.append(place)
        place = best[place][1]
    return cuts[::-1]


def _piece_cost(seconds: float, longest_s: float) -> float:
    short = max(0.0, 1.0 - seconds / min(_SHORT_PIECE_S, longest_s / 2))
    return _PIECE_COST + _UNEVEN_COST * (1.0 - seconds / longest_s) ** 2 + 4.0 * short
