"""The usual ways to say one written number, for judges: the first is the one that ``speakable`` uses.

A recogniser that hears *halv tre* may write ``14.30`` or the words; a voice that says *ett tusen ni hundre og
åttifire* for ``1984`` is not wrong. The lists are generous but hold only what people say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from replikk.dialogue.norwegian.amounts import NUMBER
from replikk.dialogue.norwegian.cardinals import cardinal, digit_by_digit, fraction, ordinal, two_digits, year
from replikk.dialogue.norwegian.characters import clean
from replikk.dialogue.norwegian.clock_and_dates import is_date, say_day
from replikk.dialogue.norwegian.speakable import speakable

_INTEGER = re.compile(r"\d{1,16}")
_GROUPED = re.compile(r"\d{1,3}(?:[ .]\d{3}){1,5}")
_TIME = re.compile(r"(\d{1,2})[.:](\d{2})")
_DECIMAL = re.compile(r"(\d{1,16}),(\d{1,9})")
_ORDINAL = re.compile(r"(\d{1,4})\.")
_DATE = re.compile(r"(\d{1,2})[./](\d{1,2})\.?(?:(\d{4}))?")
_MONEY = re.compile(rf"(?:kr\.? ?({NUMBER})|({NUMBER}) ?kr\.?)", re.I)
_POINTED = re.compile(r"(\d{1,3})\.(\d{1,2})")
_MILLIONS = ("million", "millioner")
_NEAR_THE_HOUR = {0: "{this}", 15: "kvart over {this}", 30: "halv {following}", 45: "kvart på {following}"}
_HALVES = {"5": (1, 2), "50": (1, 2), "25": (1, 4), "75": (3, 4)}


def readings(number_text: str, locale: str) -> list[str]:
    """Every usual reading of a written number, year, time, decimal, ordinal, date or amount, without repeats.

    The first is ``speakable(number_text, locale)`` without a final full stop. Text that is none of these has that
    one reading only; text with nothing to say has none.
    """
    locale = "nn" if locale == "nn" else "nb"
    written = clean(number_text)
    found = [speakable(written, locale).rstrip(".")]
    if len(written) <= 40:  # longer is no single token
        for kind in (_integers, _groups, _times, _decimals, _points, _ordinals, _dates, _amounts):
            found += kind(written, locale)
    found += [variant for reading in list(found) for variant in _older_words(reading, locale)]
    return [reading for reading in dict.fromkeys(found) if reading]


def _integers(written: str, locale: str) -> Iterator[str]:
    if _GROUPED.fullmatch(written):
        written = re.sub(r"[ .]", "", written)
    elif not _INTEGER.fullmatch(written):
        return
    n = int(written)
    yield cardinal(n, locale)
    yield cardinal(n, locale, neuter=True)
    yield cardinal(n, locale, feminine=True)
    one = "eitt" if locale == "nn" else "ett"
    for said in (cardinal(n, locale), cardinal(n, locale, neuter=True)):
        if said.startswith(("hundre", "tusen")):
            yield f"{one} {said}"
            if locale == "nb":
                yield f"et {said}"
        if said.startswith(f"{one} tusen "):
            yield said.removeprefix(f"{one} ")
            yield said.replace(f"{one} hundre", "hundre")
    if 20 < n < 100 and n % 10:
        small = "éin" if locale == "nn" else "en"
        unit = small if n % 10 == 1 else cardinal(n % 10, locale)
        yield f"{unit}og{cardinal(n - n % 10, locale)}"
    if 1100 <= n <= 9999 and n // 100 % 10:
        hundreds = f"{cardinal(n // 100, locale)} hundre"
        yield hundreds + (f" og {cardinal(n % 100, locale)}" if n % 100 else "")
        if n % 100:
            yield f"{hundreds} {cardinal(n % 100, locale)}"
    if 1000 < n <= 9999 and n % 1000:
        yield year(n, locale)
        yield f"{two_digits(written[:2], locale)} {two_digits(written[2:], locale)}"
    if 2 <= len(written) <= 8:
        yield digit_by_digit(written, locale)
    if 100 < n < 1000 and n % 100:
        yield f"{cardinal(n // 100, locale)} {two_digits(written[-2:], locale)}"

    yield from _halves_of_scales(n, locale)


def _halves_of_scales(n: int, locale: str) -> Iterator[str]:
    """*halvannet tusen*, *to og en halv million*."""
    one_and_a_half = ("halvannan", "halvanna") if locale == "nn" else ("halvannen", "halvannet")
    half, million, millions = ("ein halv", "million", "millionar") if locale == "nn" else ("en halv", *_MILLIONS)
    if n in (150, 1500):
        yield from (f"{said} {'hundre' if n == 150 else 'tusen'}" for said in one_and_a_half)
    if n % 1_000_000 == 500_000 and n < 100_000_000:
        whole = n // 1_000_000
        if whole == 1:
            yield f"{one_and_a_half[0]} {million}"
        head = f"{cardinal(whole, locale)} og " if whole else ""
        yield f"{head}{half} {million}"
        if whole > 1:
            yield f"{head}{half} {millions}"


def _groups(written: str, locale: str) -> Iterator[str]:
    """Numbers to be dialled, in pairs and in the groups in which they are printed: 22 33 44 55, 815 49 300."""
    if not re.fullmatch(r"\d{5}|\d{6}|\d{8}", written):
        return
    if len(written) != 5:
        yield " ".join(two_digits(written[at : at + 2], locale) for at in range(0, len(written), 2))
    if len(written) == 8 and written[0] != "0" and written[5] != "0":
        parts = cardinal(int(written[:3]), locale), two_digits(written[3:5], locale), cardinal(int(written[5:]), locale)
        yield " ".join(parts)
    if len(written) == 5:
        pairs = f"{two_digits(written[1:3], locale)} {two_digits(written[3:], locale)}"
        yield f"{digit_by_digit(written[0], locale)} {pairs}"


def _times(written: str, locale: str) -> Iterator[str]:
    match = _TIME.fullmatch(written)
    if not match or int(match[1]) > 24 or int(match[2]) > 59:
        return
    hour, minute = int(match[1]), int(match[2])

    def name(h: int) -> str:
        h = h % 12 or 12
        return cardinal(h, locale, neuter=h == 1)

    spoken = cardinal(hour, locale, neuter=hour == 1)
    hours = (spoken, digit_by_digit(match[1], locale)) if match[1].startswith("0") else (spoken,)
    for said in hours:
        yield f"{said} {two_digits(match[2], locale)}"
    if minute:
        yield f"{spoken} og {cardinal(minute, locale)}"
    else:
        yield f"klokka {spoken}"
        yield spoken
    this, following = name(hour), name(hour + 1)
    if minute in _NEAR_THE_HOUR:
        yield _NEAR_THE_HOUR[minute].format(this=this, following=following)
    else:
        near, side, whole = (minute, "over", this) if minute < 30 else (60 - minute, "på", following)
        minutes = "minutter" if near > 1 and locale == "nb" else "minutt"
        yield f"{cardinal(near, locale)} {side} {whole}"
        yield f"{cardinal(near, locale, neuter=True)} {minutes} {side} {whole}"
    if 20 <= minute < 30:
        yield f"{cardinal(30 - minute, locale)} på halv {following}"
    elif 30 < minute <= 40:
        yield f"{cardinal(minute - 30, locale)} over halv {following}"


def _decimals(written: str, locale: str) -> Iterator[str]:
    match = _DECIMAL.fullmatch(written)
    if not match:
        return
    whole = cardinal(int(match[1]), locale)
    said = [digit_by_digit(match[2], locale)]
    if not match[2].startswith("0"):
        said.append(cardinal(int(match[2]), locale))
    for decimals in said:
        yield f"{whole} komma {decimals}"
        yield f"{whole} punkt {decimals}"
        yield f"{whole} punktum {decimals}"
    if part := _HALVES.get(match[2]):
        for neuter in (False, True):
            head = "" if int(match[1]) == 0 else cardinal(int(match[1]), locale, neuter=neuter) + " og "
            yield head + fraction(*part, locale, neuter=neuter)
            if part == (1, 2) and head:
                yield f"{head}ei halv"
            if part == (1, 4):
                yield head + ("ein kvart" if locale == "nn" else "en kvart")
            if part == (3, 4):
                yield head + "tre kvart"
    if match[1] == "1" and match[2] in ("5", "50"):
        yield from ("halvannan", "halvanna") if locale == "nn" else ("halvannen", "halvannet")


def _points(written: str, locale: str) -> Iterator[str]:
    """``2.0`` is a version, or a decimal as English and machines write it."""
    match = _POINTED.fullmatch(written)
    if not match:
        return
    whole = cardinal(int(match[1]), locale)
    for decimals in dict.fromkeys((digit_by_digit(match[2], locale), two_digits(match[2], locale))):
        yield f"{whole} punktum {decimals}"
    if len(match[2]) == 1:
        yield f"{whole} {digit_by_digit(match[2], locale)}"
        yield from _decimals(written.replace(".", ","), locale)


def _ordinals(written: str, locale: str) -> Iterator[str]:
    match = _ORDINAL.fullmatch(written)
    if match:
        yield ordinal(int(match[1]), locale)
        if int(match[1]) == 2 and locale == "nb":
            yield "annen"
        if int(match[1]) == 1 and locale == "nn":
            yield "fyrste"


def _dates(written: str, locale: str) -> Iterator[str]:
    match = _DATE.fullmatch(written)
    if not match or not is_date(int(match[1]), int(match[2])):
        return
    day, month = int(match[1]), int(match[2])
    ending = f" {year(int(match[3]), locale)}" if match[3] else ""
    for said in (
        say_day(day, month, locale),
        f"{ordinal(day, locale)} i {ordinal(month, locale)}",
        f"{ordinal(day, locale)} {ordinal(month, locale)}",
    ):
        yield said + ending
        yield f"den {said}{ending}"


def _amounts(written: str, locale: str) -> Iterator[str]:
    match = _MONEY.fullmatch(written)
    if not match:
        return
    default = speakable(f"{match[1] or match[2]} kr", locale)
    yield default
    yield default.replace(" og ", " ") if default.endswith("øre") else default
    if default.endswith(" øre") and " kroner og " in default:
        yield default.removesuffix(" øre")
        yield default.replace(" kroner og ", " ").removesuffix(" øre")


def _older_words(reading: str, locale: str) -> Iterator[str]:
    """*syv*, *tyve* and *tredve* live on in Bokmål speech beside the forms of the counting reform."""
    if locale != "nb":
        return
    older = re.sub(r"sju(?=\b|ende|og)", "syv", reading)
    if older != reading:
        yield older
    oldest = re.sub(r"(?:\b|(?<=og))tjue(?=\b|nde)", "tyve", re.sub(r"(?:\b|(?<=og))tretti\b", "tredve", older))
    if oldest != older:
        yield oldest
