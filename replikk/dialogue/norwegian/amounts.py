"""How amounts are written: one grammar for all rules that meet a number in text.

A quantity is ``12``, ``12 500``, ``12.500``, ``3,5``, ``1/2`` or ``2 1/2``, with a minus word before it where a
rule has put one. All repeats in the patterns have an upper limit: a cell with a million digits must not make a
regular expression search a million times a million places.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from replikk.dialogue.norwegian.cardinals import decimal, fraction, whole_number

WHOLE = r"(?:\d{1,3}(?: \d{3}){1,5}(?![\d])|\d{1,3}(?:\.\d{3}){1,5}(?!\d)|\d{1,3}(?:,\d{3}){2,5}(?!\d)|\d{1,16}(?!\d))"
NUMBER = WHOLE + r"(?:,\d{1,16}(?!\d))?"
QUANTITY = rf"(?:(?:\d{{1,4}} )?\d{{1,3}}/[1-9]\d{{0,3}}(?![\d/])|{NUMBER})"
"""Use after ``NOT_IN_NUMBER``, so that a match never starts inside a longer number."""
NOT_IN_NUMBER = r"(?<![\w,./])"

_FRACTION = re.compile(r"(?:(\d+) )?(\d+)/([1-9]\d*)")


@dataclass(frozen=True)
class Quantity:
    """A written amount, taken apart."""

    whole: str
    """Digits without separators; leading zeros are kept."""
    decimals: str = ""
    numerator: int = 0
    denominator: int = 0
    separator: str = "komma"
    """The word between whole and decimals."""

    @property
    def is_one(self) -> bool:
        return not self.decimals and not self.denominator and self.whole == "1"

    @property
    def takes_singular(self) -> bool:
        """*en halv time*, *to og en halv time*, *1 time*; but *null komma fem timer*, *to timer*."""
        return self.is_one or (self.numerator == 1 and self.denominator > 0)


def parse_quantity(written: str) -> Quantity:
    """Take apart what ``QUANTITY`` matched (a full stop with one or two digits after it is a decimal point)."""
    if match := _FRACTION.fullmatch(written):
        return Quantity(match[1] or "", "", int(match[2]), int(match[3]))
    compact = written.replace(" ", "")
    if compact.count(",") > 1:
        return Quantity(compact.replace(",", ""))
    whole, _, decimals = compact.partition(",")
    if not decimals and (point := re.fullmatch(r"(\d+)\.(\d{1,2})", whole)):
        return Quantity(point[1], point[2])
    return Quantity(whole.replace(".", ""), decimals)


def say_quantity(quantity: Quantity, locale: str, neuter: bool = False, feminine: bool = False) -> str:
    """The amount in words, in the gender of the noun that follows."""
    if quantity.denominator:
        part = _say_fraction(quantity.numerator, quantity.denominator, locale, neuter)
        if not quantity.whole:
            return part
        return f"{whole_number(quantity.whole, locale, neuter, feminine)} og {part}"
    if quantity.decimals:
        return decimal(quantity.whole, quantity.decimals, locale, quantity.separator)
    return whole_number(quantity.whole, locale, neuter, feminine)


def say_written(written: str, locale: str, neuter: bool = False, feminine: bool = False) -> str:
    return say_quantity(parse_quantity(written), locale, neuter, feminine)


def _say_fraction(numerator: int, denominator: int, locale: str, neuter: bool) -> str:
    if denominator < 2:
        return f"{whole_number(str(numerator), locale)} delt på {whole_number(str(denominator), locale)}"
    return fraction(numerator, denominator, locale, neuter)
