"""What stands between numbers: ranges, scores, sums, phone numbers, and the ordinal's full stop.

A hyphen between two numbers means one of four things, and context decides: a sum (*5-3=2*), a score (*3-1*, the
larger first or a word like *vant* before it), a count (*1-2-3*) or a range (*8-10 år*). These rules mostly put words
between and leave the digits, so that units and money after them still see their numbers.
"""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.abbreviations import ends_sentence
from replikk.dialogue.norwegian.amounts import NUMBER
from replikk.dialogue.norwegian.cardinals import cardinal, digit_by_digit, ordinal, two_digits, whole_number, year
from replikk.dialogue.norwegian.clock_and_dates import WEEKDAYS
from replikk.dialogue.norwegian.tables import listed

_PHONE = re.compile(
    r"(?<![\w.,/-])(\+ ?\d{2} |00\d{2} )?(\d{2} \d{2} \d{2} \d{2}|\d{3} \d{2} \d{3})(?![\w/%]|[.,:-]\d| \d| kr\b)"
)
_CUED_PHONE = re.compile(
    r"(\b(?:telefon|mobil|ring|nummeret (?:er|mitt er)|sms til|tlf)(?:nummer)?:? |(?<!\w)\+ ?47 ?)(\d{8})(?!\w)", re.I
)

_COUNT = re.compile(r"(?<![\w.,:/-])\d{1,3}(?: ?[-–] ?\d{1,3}){2,30}(?![\w]|[.,-]\d)")
_SCORE = re.compile(r"(?<![\w.,:/-])(\d{1,2})[-–](\d{1,2})(?![\w%/°²]|[.,:-]\d|[-–]\d| ?=| ?(?:kr|%|°))")
_SCORE_CUE = re.compile(
    r"\b(?:vant|vann|tapte|tapa|tap|seier|siger|står|stillingen|stillinga|uavgjort|resultatet|ledet|leder|leidde|leier"
    r"|slo|endte|enda|kampen|score)\b[^.!?]{0,24}$",
    re.I,
)
_HIGHEST_GOALS = 40
"""Handball ends about 40; a hyphen between larger numbers is no score."""
_YEARS = re.compile(
    r"(?<![\w.,/-])(\d{4}) ?([-–/]) ?(\d{4}|\d{2})(?![\w%/°]|[.,:-]\d| ?=| (?:kr|meter|m|km|kg|kroner)\b)"
)
_RANGE = re.compile(rf"(?<![\w.,:/-])({NUMBER})( ?)([-–])( ?)(?={NUMBER}(\.(?=[ ]?[a-zæøå]))?( ?[^\W\d_=+]|%|°)?)")
_OPERATOR_BEFORE = re.compile(r"(?:\d ?[-+*×÷:−<>]|=) ?$")
_OPERATOR_AFTER = re.compile(rf" ?(?:{NUMBER})? ?[=+×÷*]")

_NEGATIVE = re.compile(r"(?<![\w.,:;!?)%°-])[-–](?=\d)")
_MINUS_NEGATIVE = re.compile(r"(?<=\d) [-–] (?=minus )")
_MULTIPLY = re.compile(r"(?<=\d) ?[x×*] ?(?=\d)|(?<=\d) x (?=\()|(?<=\)) x (?=[\d(])|(?<=[\w)]) ?× ?(?=[\w(])", re.I)
_DIVIDE = re.compile(r"(?<=\d) : (?=\d)|(?<=\d) ?÷ ?(?=\d)|(?<=\d) / (?=\d)|(?<=\d)[:/](?=\d{1,16} ?=)")
_RATIO = re.compile(r"(?<![\w.,:/])(\d{1,4}):(\d{1,4})(?![\w:])(?!,\d)")
_LETTER_RANGE = re.compile(r"(?<![\w'-])([a-zæøå])[-–]([a-zæøå])(?![\w'-])", re.I)
_ALPHABET = "abcdefghijklmnopqrstuvwxyzæøå"
_LESS, _MORE = re.compile(r"(?<=\w) ?< ?(?=\w)"), re.compile(r"(?<=\w) ?> ?(?=\d)|(?<=\w) > (?=\w)")
_AT_MOST = re.compile(r"(?<![^\s(\"'])(?<![\w)] )([<>]) ?(?=\d)")
"""*< 5 min*, with nothing to compare before it."""
_ASKED = re.compile(r"\ber [\w,]{1,12} ?$", re.I)
_POWER = re.compile(r"(?<=[\w)]) ?\^ ?([1-9]\d?)(?!\d)|(?:(?<=[\d)])|(?<=\b[abcnxyz])) ?([²³])")
_AREA = re.compile(r"(?:(?<=\dm)|(?<=[ kcd]m))\^(?=[23](?!\d))")
_ROOT = re.compile(r"√ ?(?=\d)")

_ORDINAL_RANGE = re.compile(r"(?<![\w.,/-])(\d{1,4})\. ?[-–] ?(\d{1,4})\.(?= ?[a-zæøå])")
_ORDINAL_LIST = re.compile(r"(?<![\w.,/-])(\d{1,3})\.(?=(?:, \d{1,3}\.){1,9} (?:og|eller) \d{1,3}\. [a-zæøå])")
_ORDINAL_COMPOUND = re.compile(r"(?<![\w.,/-])(\d{1,3})\.-(?=[a-zæøå]{2})")
_ORDINAL = re.compile(r"(?<![\w.,/:-])(\d{1,6})\. ?(?=([^\W\d_]{1,24})?)")
_DEN = re.compile(rf"\b(?:den|det|de|{'|'.join(WEEKDAYS)}) $", re.I)
_CAPITAL_AFTER_ORDINAL = frozenset(
    listed("juledag juledagen påskedag pinsedag verdenskrig verdskrig klasse trinn steg etasje plass premie mai")
)
_REGNAL = re.compile(r"\b(?:Harald|Olav|H[åa]a?kon|Magnus|Sverre|Christian|Kristian|Fredrik|Karl|Carl|Gustav) $")


def speak_phone_numbers(text: str, locale: str) -> str:
    """Pairs as numbers (*tjueto trettitre …*), groups of three digit by digit."""

    def group(digits: str) -> str:
        return two_digits(digits, locale) if len(digits) == 2 else digit_by_digit(digits, locale)

    def say(match: re.Match[str]) -> str:
        code = match[1] or ""
        country = code.strip(" +").removeprefix("00")
        said = " ".join(group(digits) for digits in match[2].split())
        return f"pluss {two_digits(country, locale)} {said}" if country else said

    def pairs(match: re.Match[str]) -> str:
        digits = match[2]
        lead = f"pluss {two_digits('47', locale)} " if "+" in match[1] else match[1]
        return lead + " ".join(group(digits[i : i + 2]) for i in range(0, 8, 2))

    return _CUED_PHONE.sub(pairs, _PHONE.sub(say, text))


def speak_ranges(text: str, locale: str) -> str:
    """Hyphens and dashes between numbers; sums keep theirs for ``speak_sums`` as a minus sign."""

    def count(match: re.Match[str]) -> str:
        numbers = re.findall(r"\d+", match[0])
        if _in_a_sum(match):
            return " − ".join(numbers)
        return ", ".join(whole_number(number, locale) for number in numbers)

    def score(match: re.Match[str]) -> str:
        home, away = int(match[1]), int(match[2])
        likely = home >= away or _SCORE_CUE.search(match.string[max(0, match.start() - 40) : match.start()])
        if not likely or max(home, away) > _HIGHEST_GOALS or _in_a_sum(match):
            return match[0]
        return f"{whole_number(match[1], locale)} {whole_number(match[2], locale)}"

    def years(match: re.Match[str]) -> str:
        first, last = int(match[1]), int(match[3])
        if (
            not (1000 <= first <= 2099 and last <= 2099)
            or (match[2] == "/" and last % 100 != (first + 1) % 100)
            or _in_a_sum(match)
        ):
            return match[0]
        said = two_digits(match[3], locale) if len(match[3]) == 2 else year(last, locale)
        between = " " if match[2] == "/" else " til "
        return f"{year(first, locale)}{between}{said}"

    def interval(match: re.Match[str]) -> str:
        first, before, dash, after, _, unit = match.groups()
        spaced = bool(before and after)
        if _in_a_sum(match) or (bool(before) and not after):
            return f"{first} − "
        rest = re.match(NUMBER, match.string[match.end() : match.end() + 24])
        rises = rest is not None and _size(first) < _size(rest[0])
        if spaced and not (rises and (unit or dash == "–")):
            return f"{first} − "
        return f"{first} til "

    text = _COUNT.sub(count, text)
    text = _YEARS.sub(years, text)
    text = _SCORE.sub(score, text)
    return _RANGE.sub(interval, text)


def speak_letter_ranges(text: str) -> str:
    """*fra A–Å*: only upwards, so that a stutter (*b-b*) stays."""

    def between(match: re.Match[str]) -> str:
        rises = _ALPHABET.find(match[1].lower()) < _ALPHABET.find(match[2].lower())
        return f"{match[1]} til {match[2]}" if rises else match[0]

    return _LETTER_RANGE.sub(between, text)


def speak_sums(text: str, locale: str) -> str:
    """Arithmetic in words: *to pluss to er lik fire*, *fem i andre*, *minus ti*."""
    power = "opphøgd i" if locale == "nn" else "opphøyd i"

    def raised(match: re.Match[str]) -> str:
        exponent = match[1] or {"²": "2", "³": "3"}[match[2]]
        if exponent in "23":
            return f" i {ordinal(int(exponent), locale)}"
        return f" {power} {cardinal(int(exponent), locale)}"

    text = _AREA.sub("", text)  # m^2 is the unit m2
    text = _MULTIPLY.sub(" ganger " if locale != "nn" else " gonger ", text)
    text = _DIVIDE.sub(" delt på ", text)
    text = text.replace("−", " minus ")
    text = _NEGATIVE.sub("minus ", text)
    text = _MINUS_NEGATIVE.sub(" minus ", text)
    text = _POWER.sub(raised, text)
    text = _ROOT.sub("kvadratroten av " if locale != "nn" else "kvadratrota av ", text)
    text = _AT_MOST.sub(lambda m: "mindre enn " if m[1] == "<" else "mer enn " if locale != "nn" else "meir enn ", text)
    text = _LESS.sub(lambda m: _compared(m, "mindre enn"), text)
    text = _MORE.sub(lambda m: _compared(m, "større enn"), text)
    text = text.replace("±", " pluss minus ").replace("≠", " er ikke lik " if locale != "nn" else " er ikkje lik ")
    text = text.replace("≈", " er omtrent lik ").replace("∞", " uendelig " if locale != "nn" else " uendeleg ")
    text = re.sub(r"~ ?(?=\d)", "cirka ", text)
    text = re.sub(r"=+", " er lik ", text)
    return text.replace("+", " pluss ")


def speak_ratios(text: str) -> str:
    """``16:9``; after the clock, which writes the same sign."""
    return _RATIO.sub(r"\1 til \2", text) if ":" in text else text


def speak_ordinals(text: str, locale: str) -> str:
    """``5. klasse``, ``den 3.``; a number before a full stop and a capital ends its sentence and stays a cardinal."""

    def say(match: re.Match[str]) -> str:
        following = match[2] or ""
        before = match.string[max(0, match.start() - 12) : match.start()]
        after_den = _DEN.search(before) is not None
        if after_den and before.lower().endswith("det ") and not following[:1].islower():
            after_den = False  # "det 3." is a list or an amount
        regnal = len(match[1]) <= 2 and _REGNAL.search(before) is not None
        is_ordinal = regnal or following[:1].islower() or following.lower() in _CAPITAL_AFTER_ORDINAL or after_den
        if not is_ordinal:
            return match[0]
        said = ordinal(int(match[1]), locale)
        if regnal:
            said = f"den {said}"
        if following:
            sentence_ends = following[:1].isupper() and following.lower() not in _CAPITAL_AFTER_ORDINAL
            return f"{said}. " if sentence_ends else f"{said} "
        stop = "." if ends_sentence(match.string, match.end()) else ""
        return said + stop + " " * match[0].endswith(" ")

    text = _ORDINAL_LIST.sub(lambda m: ordinal(int(m[1]), locale), text)
    text = _ORDINAL_COMPOUND.sub(lambda m: ordinal(int(m[1]), locale), text)
    text = _ORDINAL_RANGE.sub(lambda m: f"{ordinal(int(m[1]), locale)} til {ordinal(int(m[2]), locale)}", text)
    return _ORDINAL.sub(say, text)


def _compared(match: re.Match[str], words: str) -> str:
    asked = _ASKED.search(match.string[max(0, match.start() - 20) : match.start()])
    return f" {words} " if asked else f" er {words} "


def _in_a_sum(match: re.Match[str]) -> bool:
    text, start, end = match.string, match.start(), match.end()
    return bool(_OPERATOR_BEFORE.search(text[max(0, start - 4) : start]) or _OPERATOR_AFTER.match(text, end))


def _size(written: str) -> float:
    whole, _, decimals = written.replace(" ", "").replace(".", "").partition(",")
    return float(f"{whole}.{decimals.replace(',', '') or 0}")
