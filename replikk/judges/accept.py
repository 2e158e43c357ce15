"""What is right for a text: its displayed words, each with its *accept-set* of other ways to say or write it.

Kinds of acceptance, as ``Step.kind`` and the report name them:

- ``number``: a number, time, date or amount in one of its readings (*1984*, *nitten åttifire*);
- ``abbreviation``: *f.eks.*, *kr*, *km/t*, and symbols such as *%* and *&*;
- ``letters``: letters by their names (*NRK*, *enn err kå*);
- ``lexicon``: the other form of an entry of the lexicon;
- ``form``: another right form in the same written standard (*boka*, *boken*), only where asked for;
- ``name`` and ``standard`` are not sets but questions about two words: see ``compare.py``.

Script and transcript are treated alike but for what only one of them can need: a script writes its full stops, so that
*5. klasse* is fifth and *5 klasser* five; a judge may have dropped them, and its *kl* and *feks* may be abbreviations.
What a whole line says, numbers in their context, comes from ``speakable``, the planner's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from itertools import islice, product

from replikk.dialogue.norwegian.tables import listed
from replikk.judges.keys import canonical, keys_of, locales_of
from replikk.judges.lattice import Lattice, Path, Token, build_lattice
from replikk.judges.pieces import Piece, is_odd, is_shouted, pieces_of
from replikk.judges.script_ways import form_paths, lexicon_forms
from replikk.judges.ways import (
    LONGEST_ACRONYM,
    Ways,
    abbreviated,
    hyphened_ways,
    letter_ways,
    number_ways,
    unit_words,
    which_number,
)
from replikk.judges.words import SEPARATORS, strip_edges, unfolded_key, word_key

LONGEST_ABBREVIATION = 5
_LONGEST_HUNK = 12
"""Displayed words that a rule for whole lines may change together; a sum or a date with its time has fewer."""
_TENS = "tjue|tretti|førti|femti|seksti|sytti|åtti|nitti"
_TEN_AND_ONE = re.compile(rf"({_TENS})(en|ein|ett|eitt|to|tre|fire|fem|seks|sju|åtte|ni)")
_ONE_AND_TEN = re.compile(rf"(en|ein|ett|eitt|to|tre|fire|fem|seks|sju|åtte|ni)og({_TENS})")
_THOUSANDS = re.compile(r"\d{1,3}")
_THREE_DIGITS = re.compile(r"\d{3}")
_SPELT_OUT = re.compile(r"[^\W\d_](?:[-.][^\W\d_])+")
_VOWELS = frozenset("aeiouyæøå")
_SHOUTED_WORDS = frozenset(
    listed("""
    er en et de du vi ja nei ikke ikkje meg deg seg jeg eg nå no så to på av om alt alle aldri min din ut opp ned
    inn hei han hun ho det den og at som til for men kom gå hit se ta vent stopp hjelp
    """)
)
"""Words that a writer stresses with capitals: no acronyms."""


@lru_cache(maxsize=8192)
def script_lattice(text: str, locale: str, respelt: tuple[tuple[str, str], ...], free: bool) -> Lattice:
    """Everything that is right for a script; made once for all takes of a line. See ``compare`` for the arguments."""
    return _lattice(text, locale, None, respelt, free)


def heard_lattice(text: str, locale: str, script: Lattice) -> Lattice:
    """Everything that a transcript may mean. ``script`` tells which of its words need no other meaning."""
    return _lattice(text, locale, tuple(token.same for token in script.tokens), (), False)


def _lattice(
    text: str, locale: str, script: tuple[str, ...] | None, respelt: tuple[tuple[str, str], ...], free: bool
) -> Lattice:
    """The lattice of a text; of a script when ``script`` is None, else of what was heard for these words."""
    pieces = pieces_of(text)
    heard = script is not None
    tokens: list[Token] = []
    paths: list[Path] = []
    kept: list[Piece] = []
    odd = digits = False
    shouted = is_shouted(pieces)
    for place, piece in enumerate(pieces):
        before = pieces[place - 1].word if place else ""
        which = ""
        if piece.word.isdigit():
            which = which_number(
                piece, before.lower(), pieces[place + 1].word if place + 1 < len(pieces) else "", heard, shouted
            )
        found = _one_word(piece, before[-1:].isdigit(), which, locale, heard, shouted)
        if found is None:
            continue
        token, ways, is_odd = found
        at = len(tokens)
        odd = odd or is_odd
        digits = digits or piece.word[0].isdigit()
        tokens.append(token)
        kept.append(piece)
        paths.extend([Path(at, at + 1, keys, kind) for keys, kind in ways])
    if script is not None and tuple([token.same for token in tokens]) == script:
        return build_lattice(tokens, ())  # word for word the script: nobody will ask what else it may mean
    if digits:
        paths.extend(_grouped_thousands(kept, locale))
        paths.extend(_amounts(kept, locale))
    if odd:
        paths.extend(_in_context(text, tokens, locale))
    if script is not None:
        paths.extend(_short_forms(tokens, locale, frozenset(script)))
    else:
        paths.extend(lexicon_forms(tokens, respelt, locale))
        if free:
            paths.extend(form_paths(kept, tokens, locale))
    return build_lattice(tokens, paths)


@lru_cache(maxsize=65536)
def _one_word(
    piece: Piece, after_digits: bool, which: str, locale: str, heard: bool, shouted: bool
) -> tuple[Token, Ways, bool] | None:
    """A displayed word, its ways, and whether its line may say more about it; None when nobody can say it."""
    word = piece.word
    plain = word_key(word)
    capital = "" if not word[0].isupper() else "opening" if piece.opens else "inside"
    if not word.isalpha() and (not plain or is_odd(word)):
        which = which or ("both" if heard else "cardinal")
        numbers = number_ways(word, piece.full_stop, which, locale)
        if not numbers:
            return None
        same = f"{word.lower()}{'.' if piece.full_stop and word.isdigit() and which != 'cardinal' else ''}"
        return Token(word, plain, same, numbers[0][0]), numbers, True
    key = canonical(plain, locale)
    spelt = len(plain) > 1 and _SPELT_OUT.fullmatch(word) is not None
    ways: list[tuple[tuple[str, ...], str]] = []
    if len(plain) == 1 or spelt:
        names = letter_ways(plain, locale)
        ways = [(keys, "letters" if place else "") for place, keys in enumerate(names)]
        if spelt and "." in word:
            ways.append(((key,), ""))
        token = Token(word, plain, f"{key}." if spelt else key, ways[0][0] if ways else (key,))
    else:
        ways.append(((key,), ""))
        if "-" in word:
            parts = [hyphened_ways(part, locale) for part in word.split("-") if part]
            ways.extend((tuple(key for keys in choice for key in keys), "") for choice in islice(product(*parts), 24))
        unfolded = unfolded_key(word)
        if unfolded != plain:
            ways.append(((unfolded,), ""))
        ways.extend(_other_ways(piece, plain, key, after_digits, locale, heard, shouted))
        token = Token(word, plain, key, (key,), capital)
    ways = [(keys, kind) for keys, kind in ways if keys]
    return token, tuple(dict.fromkeys(ways)), _may_be_short(piece, plain)


def _may_be_short(piece: Piece, plain: str) -> bool:
    """Whether ``speakable`` may say something else than what is written here."""
    from replikk.dialogue.norwegian.abbreviations import written_out

    word = piece.word
    if len(word) == 1:
        return word not in "iåÅ"
    if "." in word or "@" in word or word.isupper():
        return True
    short = len(plain) <= LONGEST_ABBREVIATION and (piece.full_stop or plain in _without_full_stop())
    return short and (plain == "st" or written_out(plain, "nb") is not None)


@lru_cache(maxsize=1)
def _without_full_stop() -> frozenset[str]:
    return frozenset(
        listed("""
    ca dvs osv osb pga mht mtp ift iht ifm evt jf jfr hhv tlf hr frk mr mrs dr prof etc moh inkl fvt vs kr kl nr tv
    pc cd dvd ok sms gps usb pdf wc dj stk
    """)
    )


def _other_ways(
    piece: Piece, plain: str, key: str, after_digits: bool, locale: str, heard: bool, shouted: bool
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Acronyms, units after a number, and numbers in the old order of words."""
    from replikk.dialogue.norwegian.letters import is_spelt

    word = piece.word
    if not heard and (piece.full_stop or "." in word or plain in _without_full_stop()):
        yield from ((keys, "abbreviation") for keys in abbreviated(plain, locale))
    if after_digits and word in "xX":
        yield ("gonger" if locale == "nn" else "ganger",), "abbreviation"
    if after_digits or len(word) > 1:
        yield from ((keys, "abbreviation") for keys in unit_words(word, locale))
    if len(plain) <= LONGEST_ACRONYM and plain.isalpha():
        no_vowel = not any(letter in _VOWELS for letter in plain)
        capitals = word.isupper() and not shouted and plain not in _SHOUTED_WORDS
        if capitals or "." in word or no_vowel or is_spelt(word.upper()):
            yield from ((keys, "letters") for keys in letter_ways(plain, locale))
    if found := _TEN_AND_ONE.fullmatch(key):
        yield (f"{found[2]}og{found[1]}",), "number"
    elif found := _ONE_AND_TEN.fullmatch(key):
        yield (f"{found[2]}{found[1]}",), "number"


def _grouped_thousands(pieces: Sequence[Piece], locale: str) -> Iterator[Path]:
    """*2 300* is one number, in two displayed words."""
    for start, piece in enumerate(pieces):
        if not _THOUSANDS.fullmatch(piece.word) or piece.full_stop:
            continue
        stop = start + 1
        while stop < len(pieces) and stop < start + 5 and _THREE_DIGITS.fullmatch(pieces[stop].word):
            stop += 1
            digits = "".join(piece.word for piece in pieces[start:stop])
            for keys, kind in number_ways(digits, False, "cardinal", locale):
                yield Path(start, stop, keys, kind)
            if pieces[stop - 1].full_stop:
                break


def _amounts(pieces: Sequence[Piece], locale: str) -> Iterator[Path]:
    """*99,90 kr*: a number with its currency has readings of its own (*nittini nitti*)."""
    from replikk.dialogue.norwegian import readings

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


def _in_context(text: str, tokens: Sequence[Token], locale: str) -> Iterator[Path]:
    """What the planner would have a voice say, where that differs from what is written."""
    from replikk.dialogue.norwegian import speakable

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
                text_keys = " ".join(keys)
                if " er lik " in text_keys:  # to pluss to er fire
                    yield Path(i1, i2, tuple(text_keys.replace(" er lik ", " er ").split()), kind)
                    yield Path(i1, i2, tuple(text_keys.replace(" er lik ", " blir ").split()), kind)


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


def _short_forms(tokens: Sequence[Token], locale: str, script_keys: Set[str]) -> Iterator[Path]:
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
