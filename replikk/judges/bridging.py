"""Writes script and transcript the same way, so that only differences that an ear can hear remain.

Digits are spelled out as the script has them, pairs such as sju/syv become one, either form of a lexicon entry is
accepted, cast names are recognised in a near spelling, and words written apart or together are joined or split as the
script does it: *bridging*. Bridging looks at letters only: a heard stretch of words whose letters, blanks left out, are
those of a stretch of the script takes over the script's blanks. That cannot hide a wrong word, only a blank.

The script has its say once: it is spelled out in its first reading, and all other ways to say or write a stretch of it
are looked up (``_Stretches``). The order of words plays no part here; aligning comes later.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from replikk.judges.words import SPEAKABLE_SYMBOLS, is_near_name, split_words, word_key

_LONGEST_BRIDGE = 60
"""Letters in the longest stretch that bridging looks at: the number words of a date with its year are shorter."""
_MOST_OPTIONS = 64
"""Several numbers in a row, each in several readings: more combinations than this are not tried."""
_LONGEST_NAME_SPLIT = 3
"""A judge may hear an unknown name as up to three words of its own."""
_LONGEST_ABBREVIATION = 5
_THOUSANDS = re.compile(r"\d{1,3}(?: \d{3})+")
_OLD_NUMBER_WORDS = (("syv", "sju"), ("tyve", "tjue"), ("tredve", "tretti"))
_NUMBER_WORD = re.compile(
    "(?:og|null|en|ett|et|to|tre|fire|fem|seks|sju|syv|åtte|ni|ti|elleve|tolv|tretten|fjorten|femten|seksten|sytten|atten|"
    "nitten|tjue|tyve|tretti|tredve|førti|femti|seksti|sytti|åtti|nitti|hundre|tusen|ende|nde|de|te)+"
)


class Word(NamedTuple):
    """A word of one side. A displayed word may become several (25 → tjue fem), or several one."""

    key: str
    shown: str
    """What is displayed when this word stands alone in the alignment."""
    group: int
    """Number of the displayed stretch that this word came from."""
    group_size: int
    group_shown: str
    """The displayed stretch itself."""


def spell_out(script: str, locale: str) -> list[Word]:
    """The words of the script, numbers in the first of their readings."""
    out: list[Word] = []
    for group, word in enumerate(split_words(script)):
        out.extend(_words(group, _first_reading(word, locale), word))
    return out


def write_like(
    wanted: Sequence[Word],
    script: str,
    heard: str,
    locale: str,
    respelt: Sequence[tuple[str, str]] = (),
    cast_names: Collection[str] = (),
) -> list[Word]:
    """The heard words with blanks, numbers, lexicon forms and names as the script (``wanted``) has them."""
    got = split_words(heard)
    keys = [_canonical(word_key(word), locale) for word in got]
    script_keys = [word.key for word in wanted]
    if keys == script_keys:
        return [Word(key, word, group, 1, word) for group, (key, word) in enumerate(zip(keys, got, strict=True))]

    stretches = _stretches(script_keys)
    _accept_readings(stretches, split_words(script), locale)
    _accept_lexicon(stretches, respelt, locale)
    known = set(script_keys)
    # A respelling is as free as a name: nobody knows how a judge spells what it stands for.
    names = _names_in(known, [*cast_names, *(spoken for _, spoken in respelt)], locale)
    everyone = {_canonical(word_key(part), locale) for name in cast_names for part in split_words(name)}

    out: list[Word] = []
    at = group = 0
    while at < len(got):
        taken, found = _longest_stretch(got, keys, at, stretches, locale)
        if not taken and names and keys[at] not in known:
            taken, found = _near_name(keys, at, names, everyone, known)
        if not taken:
            taken, found = 1, _first_reading(got[at], locale)
        out.extend(_words(group, found, " ".join(got[at : at + taken])))
        at += taken
        group += 1
    return out


def _words(group: int, keys: Sequence[str], shown: str) -> list[Word]:
    """One displayed stretch as the words that it is compared by."""
    alone = len(keys) == 1
    return [Word(key, shown if alone else key, group, len(keys), shown) for key in keys]


# One word ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _pairs(locale: str) -> dict[str, str]:
    """Key of a word → key of the word that stands for it and for all that count as the same."""
    from replikk.dialogue.norwegian import equivalent_words

    pairs: dict[str, str] = {}
    for words in sorted(equivalent_words(locale), key=sorted):
        keys = sorted({word_key(word) for word in words})
        first = pairs.get(keys[0], keys[0])
        pairs.update(dict.fromkeys(keys, first))
    return pairs


@lru_cache(maxsize=65536)
def _canonical(key: str, locale: str) -> str:
    same = _pairs(locale).get(key)
    if same is not None:
        return same
    if any(old in key for old, _ in _OLD_NUMBER_WORDS) and _NUMBER_WORD.fullmatch(key):
        for old, new in _OLD_NUMBER_WORDS:
            key = key.replace(old, new)
    return key


def _keys(text: str, locale: str) -> tuple[str, ...]:
    return tuple(_canonical(key, locale) for key in map(word_key, split_words(text)) if key)


def _needs_reading(word: str) -> bool:
    return any(character.isdigit() or character in SPEAKABLE_SYMBOLS for character in word)


@lru_cache(maxsize=16384)
def _readings(word: str, locale: str) -> tuple[tuple[str, ...], ...]:
    """The ways to say a word with digits or symbols, or an abbreviation, as keys; at least one."""
    from replikk.dialogue.norwegian import readings

    said = readings(word, locale)
    if word.isdigit() or word.isalpha():
        said += readings(f"{word}.", locale)  # the full stop of an ordinal or abbreviation fell to ``split_words``
    keys = dict.fromkeys(_keys(reading, locale) for reading in said)
    return tuple(key for key in keys if key) or ((word_key(word),),)


def _first_reading(word: str, locale: str) -> tuple[str, ...]:
    return _readings(word, locale)[0] if _needs_reading(word) else (_canonical(word_key(word), locale),)


# Stretches of the script ---------------------------------------------------------------------------------------------

_Stretches = dict[str, set[tuple[str, ...]]]
"""Letters of a stretch of the script, blanks left out → the ways in which the script writes them."""


def _stretches(keys: Sequence[str]) -> _Stretches:
    found: _Stretches = {}
    for start in range(len(keys)):
        letters = ""
        for stop in range(start, len(keys)):
            letters += keys[stop]
            if len(letters) > _LONGEST_BRIDGE and stop > start:
                break
            found.setdefault(letters, set()).add(tuple(keys[start : stop + 1]))
    return found


def _accept_readings(stretches: _Stretches, script: Sequence[str], locale: str) -> None:
    """A number of the script may be heard in any of its readings."""
    for word in script:
        if _needs_reading(word):
            first, *others = _readings(word, locale)
            for other in others:
                stretches.setdefault("".join(other), set()).add(first)


def _accept_lexicon(stretches: _Stretches, respelt: Sequence[tuple[str, str]], locale: str) -> None:
    """Both forms of an entry are right, whichever the script has."""
    for written, spoken in respelt:
        forms = ["".join(_keys(form, locale)) for form in (written, spoken)]
        for one, other in (forms, forms[::-1]):
            if one in stretches and other and other != one:
                stretches.setdefault(other, set()).update(stretches[one])


def _longest_stretch(
    heard: Sequence[str], keys: Sequence[str], at: int, stretches: _Stretches, locale: str
) -> tuple[int, tuple[str, ...]]:
    """How many heard words from ``at`` are one stretch of the script, and its words there; (0, ()) for none."""
    best: tuple[int, tuple[str, ...]] = (0, ())
    prefixes = [""]
    for stop in range(at, len(heard)):
        taken = stop + 1 - at
        options = _options(heard[stop], keys[stop], stretches, locale)
        joined = [prefix + option for prefix in prefixes for option in options]
        prefixes = [letters for letters in joined if len(letters) <= _LONGEST_BRIDGE][:_MOST_OPTIONS]
        whole = " ".join(heard[at : stop + 1])
        numbers = _readings(whole, locale) if taken > 1 and _THOUSANDS.fullmatch(whole) else ()
        for letters in [*prefixes, *("".join(reading) for reading in numbers)]:
            ways = stretches.get(letters)
            if not ways:
                continue
            as_heard = tuple(keys[at : stop + 1])
            way = as_heard if as_heard in ways else min(ways, key=lambda way: (abs(len(way) - taken), way))
            if way[0] == keys[at]:
                best = (1, (keys[at],))  # as the script has it; what follows is looked at in its turn
            else:
                best = _without_common_end(keys[at : stop + 1], way, letters, stretches)
            break
        if not prefixes:
            break
    return best


def _without_common_end(
    heard: Sequence[str], way: tuple[str, ...], letters: str, stretches: _Stretches
) -> tuple[int, tuple[str, ...]]:
    """A stretch without the words at its end that are alike anyway, so that the display shows what was bridged."""
    taken = len(heard)
    while len(way) > 1 and taken > 1 and way[-1] == heard[taken - 1] and letters.endswith(way[-1]):
        letters = letters.removesuffix(way[-1])
        if way[:-1] not in stretches.get(letters, ()):
            break
        taken, way = taken - 1, way[:-1]
    return taken, way


def _options(word: str, key: str, stretches: _Stretches, locale: str) -> list[str]:
    """The letters that a heard word may stand for."""
    if _needs_reading(word):
        return ["".join(reading) for reading in _readings(word, locale)]
    if key in stretches or len(key) > _LONGEST_ABBREVIATION:
        return [key]
    # A short word that the script does not have may be an abbreviation of one that it has: kr, kl, NRK.
    return list(dict.fromkeys([key, *("".join(reading) for reading in _readings(word, locale))]))


# Names ---------------------------------------------------------------------------------------------------------------


def _names_in(script_keys: Iterable[str], cast_names: Collection[str], locale: str) -> list[str]:
    """The keys of the script that are cast names, also in the genitive (Torvalds)."""
    parts = {key for name in cast_names for key in _keys(name, locale) if len(key) > 1}
    return sorted({key for key in script_keys if key in parts or (key.endswith("s") and key[:-1] in parts)})


def _near_name(
    keys: Sequence[str], at: int, names: Sequence[str], everyone: Collection[str], known: Collection[str]
) -> tuple[int, tuple[str, ...]]:
    """A name of the script that the heard words from ``at`` are a near spelling of; never another character's name."""
    for taken in range(min(_LONGEST_NAME_SPLIT, len(keys) - at), 0, -1):
        if any(key in known for key in keys[at : at + taken]):
            continue
        letters = "".join(keys[at : at + taken])
        if letters in everyone:
            continue
        for name in names:
            if is_near_name(letters, name):
                return taken, (name,)
    return 0, ()
