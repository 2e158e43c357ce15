"""Numbers as words: cardinals, ordinals, years, decimals and fractions, in Bokmål (nb) and Nynorsk (nn).

The counting is the modern one (*tjueen*, not *enogtyve*), ``sju`` and ``tjue``, never ``syv`` and ``tyve``.
Numbers above one hundred are written apart (*to hundre og fem*), as the language council recommends. A number
that begins with 100 or 1000 drops its *ett* where people drop it: *hundre*, *hundre og fem*, *tusen*, *tusen og
fem*, but *ett tusen ni hundre*. Only 1 and what ends in it has gender: *en krone*, *ett år*, *ei veke*.
"""

from __future__ import annotations

from dataclasses import dataclass

from replikk.dialogue.norwegian.tables import listed

LARGEST = 10**15
"""One *billiard*; beyond it nobody knows the words, so digits are read one by one."""


@dataclass(frozen=True)
class NumberWords:
    """The words of one written standard; the irregular ones only, the rest is built."""

    small: tuple[str, ...]
    """0 to 19."""
    tens: tuple[str, ...]
    """20, 30 to 90."""
    feminine_one: str
    neuter_one: str
    scales: tuple[tuple[int, str, str], ...]
    """(value, singular, plural), from the largest."""
    small_ordinals: tuple[str, ...]
    """0th to 19th."""
    ordinal_ending: str
    """After the tens: *trettiende*, *trettiande*."""
    parts: tuple[str, ...]
    """Denominators from 3 to 10: *tredjedel*."""
    part_plural: str
    half: tuple[str, str, str]
    """One half: masculine, neuter, plural."""


_SMALL = listed(
    "null en to tre fire fem seks sju åtte ni ti elleve tolv tretten fjorten femten seksten sytten atten nitten"
)
_TENS = listed("tjue tretti førti femti seksti sytti åtti nitti")

WORDS = {
    "nb": NumberWords(
        small=_SMALL,
        tens=_TENS,
        feminine_one="en",
        neuter_one="ett",
        scales=(
            (10**15, "billiard", "billiarder"),
            (10**12, "billion", "billioner"),
            (10**9, "milliard", "milliarder"),
            (10**6, "million", "millioner"),
        ),
        small_ordinals=listed(
            "nulte første andre tredje fjerde femte sjette sjuende åttende niende tiende ellevte tolvte trettende "
            "fjortende femtende sekstende syttende attende nittende"
        ),
        ordinal_ending="ende",
        parts=listed("tredjedel fjerdedel femtedel sjettedel sjudel åttedel nidel tidel"),
        part_plural="er",
        half=("en halv", "et halvt", "halve"),
    ),
    "nn": NumberWords(
        small=("null", "ein", *_SMALL[2:]),
        tens=_TENS,
        feminine_one="ei",
        neuter_one="eitt",
        scales=(
            (10**15, "billiard", "billiardar"),
            (10**12, "billion", "billionar"),
            (10**9, "milliard", "milliardar"),
            (10**6, "million", "millionar"),
        ),
        small_ordinals=listed(
            "nulte første andre tredje fjerde femte sjette sjuande åttande niande tiande ellevte tolvte trettande "
            "fjortande femtande sekstande syttande attande nittande"
        ),
        ordinal_ending="ande",
        parts=listed("tredel firedel femdel seksdel sjudel åttedel nidel tidel"),
        part_plural="ar",
        half=("ein halv", "eit halvt", "halve"),
    ),
}


def words_of(locale: str) -> NumberWords:
    """The tables of ``nb`` or ``nn``; anything else is read as Bokmål."""
    return WORDS["nn" if locale == "nn" else "nb"]


def cardinal(n: int, locale: str, neuter: bool = False, feminine: bool = False) -> str:
    """The number in words; gender shows in the last *one* only. Beyond ±10^15 digit by digit."""
    words = words_of(locale)
    if n < 0:
        return "minus " + cardinal(-n, locale, neuter, feminine)
    if n > LARGEST:
        return digit_by_digit(_decimal_string(n), locale)
    if n < 20:
        return _one(words, neuter, feminine) if n == 1 else words.small[n]
    said: list[str] = []
    for value, singular, plural in words.scales:
        count, n = divmod(n, value)
        if count:
            said += [_below_thousand(count, words, words.small[1], first=not said), singular if count == 1 else plural]
    thousands, n = divmod(n, 1000)
    if thousands == 1 and not said and n < 100:
        said.append("tusen")
    elif thousands:
        said += [_below_thousand(thousands, words, words.neuter_one, first=not said), "tusen"]
    if n:
        if n < 100 and said:
            said.append("og")
        said.append(_below_thousand(n, words, _one(words, neuter, feminine), first=not said))
    return " ".join(said)


def ordinal(n: int, locale: str) -> str:
    """*første*, *tjueandre*, *to hundrede*, *ett tusen åtte hundre og fjortende*. Beyond ±10^15 digit by digit."""
    words = words_of(locale)
    if n < 0:
        return "minus " + ordinal(-n, locale)
    if n > LARGEST:
        return digit_by_digit(_decimal_string(n), locale)
    if n < 20:
        return words.small_ordinals[n]
    below = n % 100
    if below:
        if n < 100:
            ten, one = divmod(n, 10)
            stem = words.tens[ten - 2]
            return stem + words.small_ordinals[one] if one else stem.removesuffix("e") + words.ordinal_ending
        # cardinal() ends in the words for what is below one hundred; put the ordinal there instead.
        return cardinal(n, locale).rsplit(" ", 1)[0] + " " + ordinal(below, locale)
    said = cardinal(n, locale)
    if said.endswith("hundre"):
        return said + "de"
    if said.endswith("tusen"):
        return said + "de"
    head, _, scale = said.rpartition(" ")
    singular = next(one for _, one, many in words.scales if scale in (one, many))
    # The millionth has no "en" before it; the two millionth keeps its "to".
    return singular + "te" if head == words.small[1] else f"{head} {singular}te"


def year(n: int, locale: str) -> str:
    """A year as it is said: *nitten åttifire*, *nitten hundre*, *nitten null fem*, *to tusen og fire*, *tjue ti*."""
    if not (1010 <= n <= 1999 or 2010 <= n <= 2099):
        return cardinal(n, locale)
    century, rest = divmod(n, 100)
    head = cardinal(century, locale)
    if rest == 0:
        return head + " hundre"
    return f"{head} {two_digits(f'{rest:02d}', locale)}"


def two_digits(written: str, locale: str) -> str:
    """Two written digits, zero included: ``05`` → *null fem*, ``00`` → *null null*, ``45`` → *førtifem*."""
    if written.startswith("0"):
        return digit_by_digit(written, locale)
    return cardinal(int(written), locale)


def digit_by_digit(written: str, locale: str) -> str:
    """``007`` → *null null sju*."""
    small = words_of(locale).small
    return " ".join(small[int(digit)] for digit in written)


def decimal(whole: str, decimals: str, locale: str, separator: str = "komma") -> str:
    """``3`` and ``05`` → *tre komma null fem*: one or two decimals as a number, more of them one by one."""
    said = digit_by_digit(decimals, locale)
    if len(decimals) <= 2 and not decimals.startswith("0"):
        said = cardinal(int(decimals), locale)
    return f"{whole_number(whole, locale)} {separator} {said}"


def whole_number(written: str, locale: str, neuter: bool = False, feminine: bool = False) -> str:
    """Written digits without separators; leading zeros are spoken (``007``, ``0150``)."""
    if (len(written) > 1 and written.startswith("0")) or len(written) > 16:
        return digit_by_digit(written, locale)
    return cardinal(int(written), locale, neuter, feminine)


def fraction(numerator: int, denominator: int, locale: str, neuter: bool = False) -> str:
    """*en halv*, *tre fjerdedeler*, *sju tolvdeler*; nn *tre firedelar*. ``neuter``: *et halvt (eple)*."""
    words = words_of(locale)
    if denominator == 2:
        masculine, neutral, plural = words.half
        if numerator == 1:
            return neutral if neuter else masculine
        return f"{cardinal(numerator, locale)} {plural}"
    if 3 <= denominator <= 10:
        part = words.parts[denominator - 3]
    else:
        part = cardinal(denominator, locale).replace(" ", "") + "del"
    return f"{cardinal(numerator, locale)} {part}{'' if numerator == 1 else words.part_plural}"


def _one(words: NumberWords, neuter: bool, feminine: bool) -> str:
    if neuter:
        return words.neuter_one
    return words.feminine_one if feminine else words.small[1]


def _below_hundred(n: int, words: NumberWords, one: str) -> str:
    if n < 20:
        return one if n == 1 else words.small[n]
    ten, rest = divmod(n, 10)
    return words.tens[ten - 2] + ("" if rest == 0 else one if rest == 1 else words.small[rest])


def _below_thousand(n: int, words: NumberWords, one: str, first: bool) -> str:
    hundreds, rest = divmod(n, 100)
    said: list[str] = []
    if hundreds == 1:
        said.append("hundre" if first else f"{words.neuter_one} hundre")
    elif hundreds:
        said.append(f"{words.small[hundreds]} hundre")
    if rest:
        said += ["og"] * bool(hundreds) + [_below_hundred(rest, words, one)]
    return " ".join(said)


def _decimal_string(n: int) -> str:
    # str() refuses integers of more than 4300 digits; such a number only comes from a program, never from a sheet.
    digits: list[str] = []
    while n >= 10**1000:
        n, low = divmod(n, 10**1000)
        digits.append(f"{low:01000d}")
    return str(n) + "".join(reversed(digits))
