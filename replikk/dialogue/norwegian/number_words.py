"""The numbers that are left: in compounds (*6-åring*, *1800-tallet*), versions, fractions, years, plain counts.

A four-digit number is a year when a word like *i* or *siden* stands before it or when nothing countable follows;
*1500 kroner* and *nummer 1984* are counts. The lone 1 takes the gender of the next word (see ``nouns``).
"""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.amounts import NOT_IN_NUMBER, NUMBER, QUANTITY, parse_quantity, say_quantity
from replikk.dialogue.norwegian.cardinals import cardinal, digit_by_digit, ordinal, two_digits, whole_number, year
from replikk.dialogue.norwegian.clock_and_dates import MONTHS
from replikk.dialogue.norwegian.nouns import is_feminine, is_neuter
from replikk.dialogue.norwegian.tables import listed

_LONG = re.compile(r"(?<!\d)\d{17,}")
_VERSION = re.compile(r"(?<![\w,/])(\d{1,9}(?:\.\d{1,9}){1,5})(?![\w])(?!\.\d)")
_WITH_FRACTION = re.compile(rf"{NOT_IN_NUMBER}({QUANTITY})(?!\w)(?=( [^\W\d_]{{1,30}})?( [^\W\d_]{{1,30}})?)")
_FRACTION_ONLY = re.compile(r"(?:\d{1,4} )?\d{1,3}/[1-9]\d{0,3}")
_HANGING = re.compile(r"(?<![\w.,/])(\d{1,6})-(?=,? (?:og|eller|til|samt|\d))")
_MARK = re.compile(r"(\b(?:fikk|fekk|får|en|ein|karakteren?|karakter) [1-6])-(?![\w-])", re.I)
"""A school mark: *6-* is a little less than a six."""
_COMPOUND = re.compile(r"(?<![\w.,/])(\d{1,6})-([a-zæøå][^\W\d_]{0,30})")
_DECIMAL_COMPOUND = re.compile(
    r"(?<=\d)-(?=[A-ZÆØÅ])|(?<=,\d)-(?=[a-zæøå])|(?<=,\d\d)-(?=[a-zæøå])|(?<=[^\W\d_])-(?=\d)"
)
_DIE = re.compile(r"(?<![\w.,/])(\d{1,2})-?(er|eren|ere|erne|ern|ar|aren|arar|arane)(?!\w)")
_DIE_STEMS = dict(enumerate(listed("en to tre fir femm seks sju ått ni ti ellev tolv"), start=1))
"""*ener*, *toer*, *firer*, *femmer*, *sekser*: what a die shows."""
_STUCK_ORDINAL = re.compile(r"(?<![\w.,/])(\d{1,3})\.?-?(?:ste|dre|dje|de|te|nde|ende|ande)(?!\w)")
_COEFFICIENT = re.compile(
    r"(?<![\w.,/])(\d{1,4})x(?= {1,2}(?:pluss|minus|er lik|delt) )|(\b(?:pluss|minus) {1,2}\d{1,4})x(?!\w)"
)
"""*2x + 1*: in an equation it is the unknown."""
_TIMES = re.compile(r"(?<![\w.,/])(\d{1,6})x(?!\w)", re.I)
_CODE = re.compile(r"(?<!\w)([^\W\d_]{0,12}-?kode[nr]? ?(?:er |: ?)?)(\d{3,8})(?!\w|[.,]\d)", re.I)
_ANY_DIGITS = re.compile(r"\d{1,16}")

_YEAR_CUES = frozenset(
    listed("""
    i år året fra frå til siden sidan før etter rundt omkring født fødd fødde døde død anno våren sommeren
    sommaren høsten hausten vinteren julen jula påsken påska innen innan årgang sesongen vår sommer sommar høst haust
    vinter""")
) | set(MONTHS)
_COUNT_CUES = frozenset(
    listed("nummer side kapittel paragraf pluss minus ganger gonger lik på med rom oppgave oppgåve minst")
)
_AFTER_A_YEAR = frozenset(
    listed("og eller til var er blei ble da då men som kom fikk fekk ga gav skjedde begynte startet slutta sluttet")
)
_COUNTED = frozenset(
    listed("""
    år kroner krone øre dollar euro pund meter kilometer centimeter millimeter mil gram kilo tonn liter timer timar
    time minutter minutt sekunder sekund dager dagar uker veker måneder månader mennesker menneske personer personar
    barn elever elevar ganger gonger poeng stykker stykke mynter myntar gullmynter gullmyntar grader gradar prosent
    mann skritt steg høydemeter kvadratmeter kalorier innbyggere innbyggjarar kilometer soldater soldatar ord sider
    bøker spillere spelarar millioner millionar meters fot tusen milliarder milliardar eksemplarer eksemplar""")
)
_BEFORE = re.compile(r"([^\W\d_]{1,20})[ (\"']{1,2}$")
_YEAR_NAMED = re.compile(r"\b(?:året|årstallet|årstalet) (?:er|var|:)? ?$", re.I)
_FIRST_YEAR_ALONE = 1600
"""Earlier four-digit numbers are years only where a word says so: *det koster 1250*, *i 1250*."""
_NEVER_COUNTED = frozenset(
    listed("""
    er og eller til var ble blei pluss minus ganger gonger delt komma punkt i på av for som men kommer kjem fra frå
    med mot hvis dersom om når da då at lik""")
)


def speak_long_numbers(text: str, locale: str) -> str:
    """Codes, and numbers too long for words, first of all: digit by digit; long ones with a breath after each four."""

    def say(match: re.Match[str]) -> str:
        digits = match[0]
        return ", ".join(digit_by_digit(digits[i : i + 4], locale) for i in range(0, len(digits), 4))

    text = _LONG.sub(say, text)
    return _CODE.sub(lambda m: m[1] + digit_by_digit(m[2], locale), text)


def speak_versions(text: str, locale: str) -> str:
    """``2.0`` and ``192.168.0.1``: *to punkt null*; a number with thousands points is left alone."""

    def say(match: re.Match[str]) -> str:
        if re.fullmatch(NUMBER, match[1]):
            return match[1]
        return " punkt ".join(whole_number(part, locale) for part in match[1].split("."))

    return _VERSION.sub(say, text)


def speak_compounds(text: str, locale: str) -> str:
    """Numbers that are part of a word: *seksåring*, *attenhundretallet*, *nittiårene*, *sekser*, *syttende-*."""

    def die(match: re.Match[str]) -> str:
        stem = _DIE_STEMS.get(int(match[1]))
        return match[0] if stem is None else stem + match[2]

    text = _STUCK_ORDINAL.sub(lambda m: ordinal(int(m[1]), locale), text)
    text = _DIE.sub(die, text)
    text = _COEFFICIENT.sub(lambda m: f"{m[1] or m[2]} x", text)
    text = _TIMES.sub(r"\1 gonger" if locale == "nn" else r"\1 ganger", text)
    text = _HANGING.sub(lambda m: _compound(m[1], "", locale) + "-", text)
    text = _MARK.sub(r"\1 minus", text)
    text = _COMPOUND.sub(lambda m: _compound(m[1], m[2], locale), text)
    return _DECIMAL_COMPOUND.sub(" ", text)


def speak_numbers(text: str, locale: str) -> str:
    """All other numbers; after this step no digit is left."""

    def say(match: re.Match[str]) -> str:
        written, following = match[1], (match[2] or "").strip()
        quantity = parse_quantity(written)
        if _FRACTION_ONLY.fullmatch(written):
            if quantity.numerator >= quantity.denominator or quantity.numerator == 0 or quantity.denominator > 100:
                return _improper(written, locale)
        elif _looks_like_year(match, written, following):
            return year(int(written), locale)
        counted = following.lower() not in _NEVER_COUNTED
        neuter = counted and is_neuter(following, (match[3] or "").strip())
        feminine = counted and is_feminine(following)
        return say_quantity(quantity, locale, neuter, feminine)

    text = _WITH_FRACTION.sub(say, text)

    def rest(match: re.Match[str]) -> str:
        before, after = match.string[match.start() - 1 : match.start()], match.string[match.end() : match.end() + 1]
        said = whole_number(match[0], locale)
        return " " * before.isalnum() + said + " " * after.isalnum()

    return _ANY_DIGITS.sub(rest, text)


def _improper(written: str, locale: str) -> str:
    """``10/10`` is ten of ten, ``9/3`` a division."""
    first, second = written.rsplit(" ", 1)[-1].split("/")
    head = written.rsplit(" ", 1)[0] + " " if " " in written else ""
    between = " av " if int(first) == int(second) != 50 else " delt på "
    if first == second == "50":
        between = " "  # half each
    return (
        (whole_number(head.strip(), locale) + " " if head else "")
        + whole_number(first, locale)
        + between
        + whole_number(second, locale)
    )


def _looks_like_year(match: re.Match[str], written: str, following: str) -> bool:
    if len(written) != 4 or not written.isdigit() or not 1010 <= int(written) <= 2099:
        return False
    if following.lower() in _COUNTED:
        return False
    before = _BEFORE.search(match.string[max(0, match.start() - 24) : match.start()])
    previous = before[1].lower() if before else ""
    if previous in _YEAR_CUES or _YEAR_NAMED.search(match.string[max(0, match.start() - 24) : match.start()]):
        return True
    if int(written) < _FIRST_YEAR_ALONE or previous in _COUNT_CUES:
        return False
    return not following or following.lower() in _AFTER_A_YEAR


def _compound(digits: str, suffix: str, locale: str) -> str:
    n = int(digits)
    if len(digits) > 1 and digits.startswith("0"):
        return f"{whole_number(digits, locale)} {suffix}".strip()
    decade = re.match(r"tal|år(?!ing|ig|s)", suffix) is not None or not suffix
    if 1100 <= n <= 1999 and n % 100 == 0:
        said = cardinal(n // 100, locale) + "hundre"
    elif decade and (1010 <= n <= 1999 or 2010 <= n <= 2099):
        century, rest = cardinal(n // 100, locale), two_digits(f"{n % 100:02d}", locale)
        return f"{century} {rest}{suffix}"  # "nitten åttitallet": one long word would be hard on any engine
    else:
        neuter = suffix.startswith(("år", "tal", "barn", "roms", "minut", "sekund"))
        said = cardinal(n, locale, neuter=neuter)
        if n <= 1000 or n % 1000 == 0:
            said = said.replace(" ", "")
    if len(said) > 1 and said[-1] == said[-2] == suffix[:1]:
        suffix = suffix[1:]  # ett + tall is ettall: never three equal consonants
    return said + suffix
