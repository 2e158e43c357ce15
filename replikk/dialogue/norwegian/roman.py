"""Roman numerals: *Harald V* is *Harald den femte*, *kapittel IV* is *kapittel fire*.

A numeral of capitals is also a word or a shout (*VI*, *DI*, *LIV*, *MIX*), so it counts only after a regnal name, a
title, a word that is numbered, or when it is one of the forms that are no Norwegian word.
"""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.cardinals import cardinal, ordinal

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_VALID = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_NUMERAL = r"([IVXLC]{1,8})(?!\w)(?!['’.]\w)"

_NAMES = (
    "Harald|Olav|Håkon|Haakon|Magnus|Sverre|Øystein|Sigurd|Inge|Eirik|Erik|Christian|Kristian|Fredrik|Frederik|Hans|Oscar|"
    "Oskar|Karl|Carl|Gustav|Margrete|Margrethe|Elisabeth|Elizabeth|Ludvig|Henrik|Henry|Charles|Georg|George|Edvard|"
    "Vilhelm|Wilhelm|Filip|Felipe|Napoleon|Ivan|Nikolai|Peter|Katarina|Johannes|Pius|Leo|Benedikt|Frans|Ramses|Richard"
)
_TITLES = r"kong|konge|dronning|keiser|keisar|tsar|pave|prins|prinsesse|farao|sultan|hertug|hertuginne"
_RULER = re.compile(rf"(?<!\w)({_NAMES}) {_NUMERAL}")
_TITLED = re.compile(rf"(?<!\w)((?:{_TITLES})(?: [^\W\d_]{{2,20}}){{1,3}}) {_NUMERAL}", re.I)
_NUMBERED = re.compile(
    r"(?<!\w)((?:kapittel|del|akt|scene|bind|bok|nivå|fase|klasse|type|kvartal|trinn|grad|tabell|figur|"
    r"verdenskrig|verdskrig|rocky|rom|bane|oppgave|oppgåve) )" + _NUMERAL,
    re.I,
)
_ALONE = re.compile(r"(?<![\w'-])(II|III|IV|VII|VIII|IX|XII|XIII|XIV|XV|XVI|XVII|XVIII|XIX|XXI)(?![\w'-])")
_ANY = re.compile(rf"(?<!\w){_NUMERAL}")
_LOWER_WORD = re.compile(r" [a-zæøå]")


def speak_roman_numerals(text: str, locale: str) -> str:
    """Kings get an ordinal, chapters a cardinal; the rest stays."""

    def ruler(match: re.Match[str]) -> str:
        value = roman_value(match[2])
        # "Har du sett Harald I går?": after a bare name a lone I before a small letter is the preposition.
        if value is None or (match[2] == "I" and _LOWER_WORD.match(match.string, match.end())):
            return match[0]
        return f"{match[1]} den {ordinal(value, locale)}"

    def titled(match: re.Match[str]) -> str:
        value = roman_value(match[2])
        if value is None or not match[2].isupper():
            return match[0]
        return f"{match[1]} den {ordinal(value, locale)}"

    def numbered(match: re.Match[str]) -> str:
        value = roman_value(match[2])
        if (
            value is None
            or not match[2].isupper()
            or (match[2] == "I" and _LOWER_WORD.match(match.string, match.end()))
        ):
            return match[0]
        return match[1] + cardinal(value, locale)

    if not _ANY.search(text):
        return text
    text = _RULER.sub(ruler, text)
    text = _TITLED.sub(titled, text)
    text = _NUMBERED.sub(numbered, text)
    return _ALONE.sub(lambda m: cardinal(roman_value(m[1]) or 0, locale), text)


def roman_value(numeral: str) -> int | None:
    """The value of a well-formed numeral in capitals, None of anything else."""
    if not numeral or not _VALID.fullmatch(numeral):
        return None
    total = 0
    for sign, following in zip(numeral, numeral[1:] + "I", strict=True):
        value = _VALUES[sign]
        total += -value if value < _VALUES[following] and following != sign else value
    return total
