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
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product

from replikk.dialogue.norwegian.tables import listed
from replikk.judges.keys import canonical
from replikk.judges.lattice import Lattice, Path, Token, build_lattice
from replikk.judges.pieces import Piece, is_odd, is_shouted, pieces_of
from replikk.judges.script_ways import broken_numbers, form_paths, lexicon_forms
from replikk.judges.several_words import (
    LONGEST_ABBREVIATION,
    amounts,
    days,
    dialled,
    grouped_thousands,
    hours,
    in_context,
    laughs,
    rulers,
    short_forms,
)
from replikk.judges.ways import (
    LONGEST_ACRONYM,
    Ways,
    abbreviated,
    hyphened_ways,
    letter_ways,
    number_ways,
    spelt_with_ending,
    unit_words,
    which_number,
)
from replikk.judges.words import half_stretched, unfolded_key, word_key

_TENS = "tjue|tretti|førti|femti|seksti|sytti|åtti|nitti"
_TEN_AND_ONE = re.compile(rf"({_TENS})(en|ein|ett|eitt|to|tre|fire|fem|seks|sju|åtte|ni)")
_ONE_AND_TEN = re.compile(rf"(en|ein|ett|eitt|to|tre|fire|fem|seks|sju|åtte|ni)og({_TENS})")
_SPELT_OUT = re.compile(r"[^\W\d_](?:[-.][^\W\d_])+")
_HISSED = re.compile(r"(?!([^aeiouyæøå])\1*$)[bcdfghjklmnpqrstvwxz]{3,}")
_DOUBLED = re.compile(r"(.)\1+")
_DRAWN_OUT = re.compile(r"([iouyæøå])\1|aa$|ee(?=i)|(?<=[aeiouyæøå])hh$")
_LAUGHED = re.compile(r"(h[aeiouæø])\1+")
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
        paths.extend(grouped_thousands(kept, locale))
        paths.extend(dialled(kept, locale))
        paths.extend(amounts(kept, locale))
        paths.extend(days(kept, locale))
        paths.extend(hours(kept, locale))
        paths.extend(broken_numbers(tokens, locale))
    paths.extend(laughs(tokens))
    if odd:
        paths.extend(rulers(kept, locale))
        paths.extend(in_context(text, tokens, locale))
    if script is not None:
        paths.extend(short_forms(tokens, locale, frozenset(script)))
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
        if (unfolded := unfolded_key(word)) != plain:  # mmm, mm
            ways.extend((((unfolded,), ""), ((half_stretched(unfolded),), "")))
        if after_digits and not spelt:  # 5 m
            ways.extend((keys, "abbreviation") for keys in unit_words(word, locale))
        token = Token(word, plain, f"{key}." if spelt else key, ways[0][0] if ways else (key,))
    else:
        ways.append(((key,), ""))
        if "-" in word:
            parts = [hyphened_ways(part, locale) for part in word.split("-") if part]
            ways.extend((tuple(key for keys in choice for key in keys), "") for choice in islice(product(*parts), 24))
            ways.extend((keys, "letters") for keys in spelt_with_ending(word, locale))
        unfolded = unfolded_key(word)
        if unfolded != plain:
            ways.extend((((unfolded,), ""), ((half_stretched(unfolded),), "")))
        ways.extend(((short,), "") for short in _shorter_sounds(word, unfolded))
        ways.extend(_other_ways(piece, plain, key, after_digits, locale, heard, shouted))
        token = Token(word, plain, key, (key,), capital)
    ways = [(keys, kind) for keys, kind in ways if keys]
    return token, tuple(dict.fromkeys(ways)), _may_be_short(piece, plain)


def _shorter_sounds(word: str, unfolded: str) -> Iterator[str]:
    """How long the sounds of an interjection are is free: *psst*, *hmm*; *jaa*, *neei*, *ehh*; *hahaha*."""
    if not word.isupper() and _HISSED.fullmatch(unfolded):
        yield _DOUBLED.sub(r"\1", unfolded)
    if _DRAWN_OUT.search(unfolded):
        yield _DRAWN_OUT.sub(lambda found: found[0][0], unfolded)
    if laugh := _LAUGHED.fullmatch(unfolded):
        yield laugh[1] * 2


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
