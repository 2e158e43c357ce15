"""The ways to say one displayed word: numbers, units, letters, abbreviations; as keys, the usual way first.

The readings themselves are the planner's (``replikk.dialogue.norwegian``). What is added here are the small liberties
of speakers and of judges: a dropped *og*, *klokka* before a time, a part of *50%* or *TV-skjerm* in its own reading.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from replikk.judges.keys import canonical, keys_of, locales_of
from replikk.judges.pieces import Piece
from replikk.judges.words import SPEAKABLE_SYMBOLS, word_key

_MOST_READINGS = 96
"""Several numbers in one word, each in several readings: more combinations than this are not tried."""
LONGEST_ACRONYM = 5
_PARTS = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+|[%‰°€$£§&+=]|(?<=\d)[-–](?=\d)")
_TIME = re.compile(r"\d{1,2}[.:]\d{2}")
_FULL_DATE = re.compile(r"\d{1,2}[./-]\d{1,2}[./-](\d{4})")
_QUARTER = re.compile(r"(?:fjerde|fire)del(?:er|ar)?$")
_SYMBOLS = {"=": ("er lik", "er", "blir", "lik"), "+": ("pluss", "og"), "°": ("grader", "grad"), "%": ("prosent",)}
Ways = tuple[tuple[tuple[str, ...], str], ...]
"""(keys, kind) of every way to read a displayed word, the usual one first."""


def which_number(piece: Piece, before: str, following: str, heard: bool, shouted: bool) -> str:
    """Whether the digits are a ``cardinal``, an ``ordinal``, or may be ``both``."""
    from replikk.dialogue.norwegian.clock_and_dates import MONTHS

    if heard:
        return "both"
    month = following.lower() in MONTHS
    if piece.full_stop:
        return "ordinal" if month or following[:1].islower() or (shouted and following) else "both"
    return "both" if month or before == "den" else "cardinal"


@lru_cache(maxsize=16384)
def number_ways(word: str, full_stop: bool, which: str, locale: str) -> tuple[tuple[tuple[str, ...], str], ...]:
    """The readings of a displayed word with digits or symbols, as (keys, kind), the usual one first."""
    found: dict[tuple[str, ...], str] = {}
    for one in locales_of(locale):
        for said in _said(word, full_stop, which, one):
            keys = keys_of(said, locale)
            if keys:
                found.setdefault(keys, "number" if any(c.isdigit() for c in word) else "abbreviation")
    parts = _PARTS.findall(word)
    if len(parts) > 1 and len(parts) <= 8:
        choices = [part_ways(part, locale) for part in parts]
        for choice in product(*choices):
            keys = tuple(key for keys in choice for key in keys)
            if keys:
                found.setdefault(keys, "number")
            if len(found) >= _MOST_READINGS:
                break
    for keys in unit_words(word, locale):
        found.setdefault(keys, "abbreviation")
    return tuple(found.items())


def _said(word: str, full_stop: bool, which: str, locale: str) -> list[str]:
    from replikk.dialogue.norwegian.cardinals import cardinal, digit_by_digit, ordinal, year
    from replikk.dialogue.norwegian.readings import readings

    said = readings(word, locale)
    if word.isdigit() and len(word) > 2 and word.startswith("0"):
        return list(dict.fromkeys([said[0], digit_by_digit(word, locale)]))  # 007 is neither 7 nor 07
    if word.isdigit():
        if len(word) == 2 and word.isdecimal() and not word.startswith("0"):
            # Only a code is read digit by digit, and "tre fire" for 34 would be a wrong number.
            pairs = {digit_by_digit(word, locale), digit_by_digit(word, locale).replace("sju", "syv")}
            said = [reading for reading in said if reading not in pairs]
        ordinals = [reading for reading in readings(f"{word}.", locale) if reading not in said]
        if len(word) == 2 and word.isdecimal() and word > "20" and word[1] != "0" and locale == "nb":  # toogtjuende
            ordinals.append(f"{cardinal(int(word) % 10, locale)}og{ordinal(int(word) // 10 * 10, locale)}")
        said = {"cardinal": said, "ordinal": ordinals or said, "both": said + ordinals}[which]
    elif full_stop:
        said += readings(f"{word}.", locale)  # 17.5.
    out = list(said)
    for reading in said:
        for scale in ("hundre", "tusen"):
            if f"{scale} og " in reading:
                out.append(reading.replace(f"{scale} og ", f"{scale} "))
    if _TIME.fullmatch(word):
        bare = [reading for reading in out if not reading.startswith("klokk")]
        out += [f"{clock} {reading}" for clock in ("klokka", "klokken") for reading in bare]
    if date := _FULL_DATE.fullmatch(word):
        years = [*readings(date[1], locale)]
        years += [name.replace(f"{scale} og ", f"{scale} ") for name in years for scale in ("hundre", "tusen")]
        # The year of a date has the readings of a year; readings() gives the first one.
        named = [reading for reading in said if reading.endswith(year(int(date[1]), locale))]
        usual = year(int(date[1]), locale)
        out += [reading.removesuffix(usual) + other for reading in named for other in years]
    out += _SYMBOLS.get(word, ())
    if "/" in word:
        out += [reading.replace("en halv", "et halvt") for reading in said]
        out += [reading.removeprefix("en ") for reading in said if reading == "en halv"]
        out += [reading.replace("fjerdedeler", "firedeler").replace("fjerdedel", "firedel") for reading in said]
        out += [_QUARTER.sub("kvart", reading) for reading in said]
    return list(dict.fromkeys(out))


@lru_cache(maxsize=8192)
def part_ways(part: str, locale: str) -> tuple[tuple[str, ...], ...]:
    """Readings of one part of a word such as *50%*, *2-3*, *25kr*, *A4*."""
    if part in "-–":
        return (("til",), (), ("minus",), ("strek",))
    if part[0].isdigit():
        return tuple(keys for keys, _ in number_ways(part, False, "cardinal", locale))
    ways = list(unit_words(part, locale)) or []
    ways.append((canonical(word_key(part), locale),))
    if (len(part) <= 3 and part.isupper()) or len(part) == 1:
        ways.extend(letter_ways(word_key(part), locale))
    if part in SPEAKABLE_SYMBOLS:
        ways = [way for way in ways if way != ("",)]
        ways.extend(keys for keys, _ in number_ways(part, False, "cardinal", locale))
    return tuple(dict.fromkeys(way for way in ways if "" not in way))


@lru_cache(maxsize=1024)
def unit_words(symbol: str, locale: str) -> tuple[tuple[str, ...], ...]:
    """What a unit or currency is called: singular, plural, and the long form of *kilo*."""
    from replikk.dialogue.norwegian.money_and_units import CURRENCIES, UNITS

    names: list[str] = []
    unit = UNITS.get(symbol) or UNITS.get(symbol.lower() if len(symbol) > 1 else symbol)
    currency = {"nok": "kr", "kr": "kr", "€": "€", "$": "$", "£": "£", "eur": "€", "usd": "$"}.get(symbol.lower())
    for one in locales_of(locale):
        for known in (unit, CURRENCIES[currency][0] if currency else None):
            if known is not None:
                singular, plural = known.nn if one == "nn" else known.nb
                names += [plural, singular]
    if symbol.lower() == "kg":
        names.append("kilogram")
    if symbol in ("km/t", "km/h"):
        names.append("kilometer per time")
    if symbol.startswith("°") and len(symbol) > 1:
        names += ["grader", "grad"]
    return tuple(dict.fromkeys(keys for keys in (keys_of(name, locale) for name in names) if keys))


def hyphened_ways(part: str, locale: str) -> tuple[tuple[str, ...], ...]:
    """A part of *TV-skjerm*, *T-skjorte*: as it is written, and by its letters when it is letters."""
    plain = word_key(part)
    ways: tuple[tuple[str, ...], ...] = (keys_of(part, locale),)
    if len(plain) == 1 or (part.isupper() and len(plain) <= LONGEST_ACRONYM):
        ways += letter_ways(plain, locale)
    return ways


def spelt_with_ending(word: str, locale: str) -> tuple[tuple[str, ...], ...]:
    """*TV-en*, *PC-er* as they sound: the vowel of the letter's name and that of the ending are one (*teven*)."""
    letters, _, ending = word.partition("-")
    if not (letters.isupper() and letters.isalpha() and len(letters) <= LONGEST_ACRONYM and ending[:1] == "e"):
        return ()
    ways = letter_ways(word_key(letters), locale)
    return tuple((*way[:-1], way[-1] + word_key(ending)[1:]) for way in ways if way[-1][-1:] in ("e", "é"))


@lru_cache(maxsize=4096)
def letter_ways(letters: str, locale: str) -> tuple[tuple[str, ...], ...]:
    """Letters by their names, as keys: the engine's names first, then every letter in another spelling of its name."""
    from replikk.dialogue.norwegian.letters import letter_names

    names = [[keys_of(name, locale) for name in letter_names(letter)] for letter in letters]
    ways = []
    for choice in product(*names):
        ways.append(tuple(key for keys in choice for key in keys))
        if len(ways) >= _MOST_READINGS:
            break
    return tuple(dict.fromkeys(way for way in ways if way))


@lru_cache(maxsize=16384)
def abbreviated(letters: str, locale: str) -> tuple[tuple[str, ...], ...]:
    """What an abbreviation without full stops may stand for, as keys."""
    from replikk.dialogue.norwegian.abbreviations import written_out

    if len(letters) < 2:
        return ()
    said = [spoken for one in locales_of(locale) if (spoken := written_out(letters, one))]
    said += [_ALSO_WRITTEN[letters]] if letters in _ALSO_WRITTEN else []
    said += [other for spoken in said for other in _ALSO_SAID.get(spoken, ())]
    return tuple(dict.fromkeys(keys_of(spoken, locale) for spoken in said))


_ALSO_SAID = {
    "klokka": ("klokken",),
    "mellom anna": ("blant anna",),
    "et cetera": ("etsetera",),
    "inklusive": ("inkludert",),
    "eksklusive": ("ekskludert",),
    "maks": ("maksimalt", "maksimum"),
    "og lignende": ("og liknende",),
    "eller lignende": ("eller liknende",),
    "med vennlig hilsen": ("med venleg helsing",),
}
_ALSO_WRITTEN = {"mvh": "med vennlig hilsen"}
"""In chats rather than in scripts: not among the planner's abbreviations."""
