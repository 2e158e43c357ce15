"""What several displayed words say together: *2 300*, *99,90 kr*, *24. desember*, *f eks*; numbers in their line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set

from replikk.dialogue.norwegian.roman import roman_value
from replikk.judges.keys import canonical, keys_of, locales_of
from replikk.judges.lattice import Path, Token
from replikk.judges.pieces import Piece, is_odd
from replikk.judges.ways import abbreviated, number_ways
from replikk.judges.words import SEPARATORS, strip_edges, word_key

LONGEST_ABBREVIATION = 5
_LONGEST_HUNK = 12
"""Displayed words that a rule for whole lines may change together; a sum or a date with its time has fewer."""
_THOUSANDS = re.compile(r"\d{1,3}")
_TWO_DIGITS = re.compile(r"\d\d")
_LAST_DIGITS = re.compile(r"\d{3}(?:,\d+)?")
_DAY = re.compile(r"[12]?\d|3[01]")
_AFTERNOON = re.compile(r"1[3-9]|2[0-4]")
_CLOCK = frozenset(("klokka", "klokken", "kl"))
_LAUGHS = frozenset(("ha", "he", "hi", "ho", "hæ", "hø"))
_MOST_OF_A_NAME = 30
_SAID_TOO = (
    (" er lik ", " er "),  # to pluss to er fire
    (" er lik ", " blir "),
    (" i timen ", " per time "),
    (" per sekund ", " i sekundet "),
    *((f" {one} {many} ", f" {many} ") for one in ("et", "eit") for many in ("tusen", "hundre")),  # 1 250,50 kr
)
"""Other usual words for what ``speakable`` says for symbols."""


def grouped_thousands(pieces: Sequence[Piece], locale: str) -> Iterator[Path]:
    """*2 300* and *2 300,50* are one number, in two displayed words."""
    for start, piece in enumerate(pieces):
        if not _THOUSANDS.fullmatch(piece.word) or piece.full_stop:
            continue
        stop = start + 1
        while stop < len(pieces) and stop < start + 5 and _LAST_DIGITS.fullmatch(pieces[stop].word):
            stop += 1
            digits = "".join(piece.word for piece in pieces[start:stop])
            for keys, kind in number_ways(digits, False, "cardinal", locale):
                yield Path(start, stop, keys, kind)
            if pieces[stop - 1].full_stop or not pieces[stop - 1].word.isdigit():
                break


def dialled(pieces: Sequence[Piece], locale: str) -> Iterator[Path]:
    """*22 33 44 55* may be read digit by digit, too."""
    for start in range(len(pieces) - 3):
        digits = "".join(piece.word for piece in pieces[start : start + 4])
        if all(_TWO_DIGITS.fullmatch(piece.word) for piece in pieces[start : start + 4]):
            names = [number_ways(digit, False, "cardinal", locale)[0][0] for digit in digits]
            yield Path(start, start + 4, tuple(key for keys in names for key in keys), "number")


def amounts(pieces: Sequence[Piece], locale: str) -> Iterator[Path]:
    """*99,90 kr*: a number with its currency has readings of its own (*nittini nitti*)."""
    from replikk.dialogue.norwegian.readings import readings

    for at in range(len(pieces) - 1):
        one, other = pieces[at].word, pieces[at + 1].word
        if not (one[0].isdigit() and other.lower() in ("kr", "kroner")) and not (
            one.lower() == "kr" and other[0].isdigit()
        ):
            continue
        number = one if one[0].isdigit() else other
        for one_locale in locales_of(locale):
            for said in readings(f"{number} kr", one_locale):
                if keys := keys_of(said, locale):
                    yield Path(at, at + 2, keys, "number")


def days(pieces: Sequence[Piece], locale: str) -> Iterator[Path]:
    """*24. desember* may be read with an article: *den tjuefjerde desember*."""
    from replikk.dialogue.norwegian.clock_and_dates import MONTHS

    for at in range(len(pieces) - 1):
        day = pieces[at].word
        if not _DAY.fullmatch(day) or pieces[at + 1].word.lower() not in MONTHS:
            continue
        if at == 0 or pieces[at - 1].word.lower() != "den":
            for keys, kind in number_ways(day, True, "ordinal", locale):
                yield Path(at, at + 1, ("den", *keys), kind)


def hours(pieces: Sequence[Piece], locale: str) -> Iterator[Path]:
    """*klokka 22* is what some write for *klokka ti*."""
    for at in range(1, len(pieces)):
        hour = pieces[at].word
        if _AFTERNOON.fullmatch(hour) and pieces[at - 1].word.lower() in _CLOCK:
            for keys, kind in number_ways(str(int(hour) - 12), False, "cardinal", locale):
                yield Path(at, at + 1, keys, kind)


def rulers(pieces: Sequence[Piece], locale: str) -> Iterator[Path]:
    """*Ludvig XIV*, *Ludvig 14.*: *Ludvig den fjortende*, whatever the name."""
    for at in range(1, len(pieces)):
        word, name = pieces[at].word, pieces[at - 1].word
        if not name.istitle() or len(name) < 3:
            continue
        value = roman_value(word) if word.isupper() and word != "I" else None
        if word.isdigit() and pieces[at].full_stop:
            value = int(word[:4])
        if value is not None and value <= _MOST_OF_A_NAME:
            for keys, kind in number_ways(str(value), True, "ordinal", locale):
                yield Path(at, at + 1, ("den", *keys), kind)


def laughs(tokens: Sequence[Token]) -> Iterator[Path]:
    """*Ha, ha, ha!* is *haha*: nobody counts."""
    start = 0
    while start < len(tokens):
        stop = start + 1
        while stop < len(tokens) and tokens[stop].plain == tokens[start].plain:
            stop += 1
        if stop - start > 1 and tokens[start].plain in _LAUGHS:
            yield Path(start, stop, (tokens[start].plain * 2,))
        start = stop


def in_context(text: str, tokens: Sequence[Token], locale: str) -> Iterator[Path]:
    """What the planner would have a voice say, where that differs from what is written."""
    from replikk.dialogue.norwegian.speakable import speakable

    written = [token.plain if not is_odd(token.shown) else f"\0{token.shown}" for token in tokens]
    for one in locales_of(locale):
        spoken = [word_key(strip_edges(piece)) for piece in SEPARATORS.split(speakable(text, one))]
        spoken = [key for key in spoken if key]
        for i1, i2, j1, j2 in _changes(written, spoken):
            if i1 == i2:  # a word more, such as "klokka" before a time: say it with its neighbour
                i2, j2 = i2 + 1, j2 + 1
            keys = tuple(canonical(key, locale) for key in spoken[j1:j2])
            if keys and i1 < i2 <= len(tokens) and i2 - i1 <= _LONGEST_HUNK:
                kind = "number" if any(c.isdigit() for token in tokens[i1:i2] for c in token.shown) else "abbreviation"
                yield Path(i1, i2, keys, kind)
                said = f" {' '.join(keys)} "
                for usual, other in _SAID_TOO:
                    if usual in said:
                        yield Path(i1, i2, tuple(said.replace(usual, other).split()), kind)


def _changes(written: Sequence[str], spoken: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of ``written`` and ``spoken`` (from, up to, from, up to) between the words that both have."""
    from rapidfuzz.distance import Indel

    open_stretch: tuple[int, int] | None = None
    for edit in Indel.opcodes(written, spoken):
        if edit.tag != "equal":
            open_stretch = open_stretch or (edit.src_start, edit.dest_start)
        elif open_stretch is not None:
            yield open_stretch[0], edit.src_start, open_stretch[1], edit.dest_start
            open_stretch = None
    if open_stretch is not None:
        yield open_stretch[0], len(written), open_stretch[1], len(spoken)


def short_forms(tokens: Sequence[Token], locale: str, script_keys: Set[str]) -> Iterator[Path]:
    """Abbreviations that a judge wrote without full stops: *f eks*, *bl a*, *kl*."""
    for start, token in enumerate(tokens):
        if len(token.plain) > LONGEST_ABBREVIATION:
            continue
        letters = ""
        for stop in range(start + 1, min(start + 3, len(tokens)) + 1):
            letters += tokens[stop - 1].plain
            if len(letters) > LONGEST_ABBREVIATION + 1:
                break
            if stop > start + 1 or tokens[start].same not in script_keys:
                yield from (Path(start, stop, keys, "abbreviation") for keys in abbreviated(letters, locale))
