"""Clock times and dates, written in the many ways that people write them.

Times are said by the 24-hour clock, digits in pairs (*klokka fjorten tretti*, *åtte null fem*): what the writer
typed, not *halv tre*, because a bus at 14.30 and one at 2.30 differ. Dates are said with the name of the month
(*syttende mai atten fjorten*). ``17/5`` is a date and ``3/4`` a fraction, see ``_day_and_month``.
"""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.abbreviations import ends_sentence
from replikk.dialogue.norwegian.cardinals import cardinal, ordinal, two_digits, year
from replikk.dialogue.norwegian.tables import listed

MONTHS = listed("januar februar mars april mai juni juli august september oktober november desember")
_SHORT_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "okt": 10}
_SHORT_MONTHS |= {"nov": 11, "des": 12}
WEEKDAYS = listed("mandag måndag tirsdag tysdag onsdag torsdag fredag lørdag laurdag søndag sundag")

_ANY_MONTH = "|".join(MONTHS) + "|" + "|".join(sorted(_SHORT_MONTHS, key=len, reverse=True))
_START = r"(?<![\w,./:-])"
_TIME = r"(\d{1,2})[.:](\d{2})(?!\d)"

_CLOCK_CUE = r"\b(klokk[ae]n?|klokkå)( | er | var | på | fra | frå )"
_CUED_RANGE = re.compile(
    rf"{_CLOCK_CUE}(\d{{1,2}})(?:[.:](\d{{2}}))?"
    rf"(?: ?[-–] ?(\d{{1,2}})(?:[.:](\d{{2}}))?)?(?![\d%]|[.,:/]\d|\. [a-zæøå])",
    re.I,
)
_BARE_RANGE = re.compile(rf"{_START}{_TIME} ?[-–] ?{_TIME}(?![.:,]?\d)")
_BARE_TIME = re.compile(rf"{_START}(\d{{1,2}})([.:])(\d{{2}})(?::(\d{{2}}))?(?![\w/-]|[.:,]\d)")
_CLOCK_BEFORE = re.compile(r"\b(?:klokk[ae]n?|til|over|på) $", re.I)

_ISO = re.compile(rf"{_START}(\d{{4}})-(\d{{2}})-(\d{{2}})(?![\w-])")
_FULL_DATE = re.compile(rf"{_START}(\d{{1,2}})(?:\. ?|/|-)(\d{{1,2}})(?:\. ?|/|-| )(\d{{4}}|\d{{2}})(?![\w/]|[.,:-]\d)")
_SHORT_COUNT = re.compile(r"\d-\d{1,2}-\d{2}|\d\d-\d-\d{2}")
"""*7-9-13*: nobody writes a date so, with hyphens, neither noughts nor the century."""
_DOTTED_DAY = re.compile(rf"{_START}(\d{{1,2}})\.(\d{{1,2}})\.(?!\d)")
_SLASHED_DAY = re.compile(rf"{_START}(\d{{1,2}})/(\d{{1,2}})(?![\w/]|[.,]\d| ?=)")
_DAY_CUE = re.compile(r"\b(?:dag er det|datoen er|den|til|fra|frå|før|etter|innen|innan|dag|dato|datoen|natt) $", re.I)
_CUED_DAY = re.compile(r"\b(den) (\d{1,2})\.(\d{1,2})(?![\w.,:]?\d|\.\w)", re.I)
_DAY_RANGE = re.compile(rf"{_START}(\d{{1,2}})\.? ?[-–] ?(\d{{1,2}})\.(?= ?[a-zæøå]{{2}})")
_NAMED_MONTH = re.compile(rf"{_START}(\d{{1,2}})\.? ?({_ANY_MONTH})(?!\w)(\.)?(?: (\d{{4}})(?![\w]|[.,:-]\d))?", re.I)
_NAME_RANGE = re.compile(rf"\b({'|'.join(WEEKDAYS + MONTHS)}) ?[-–] ?(?=(?:{'|'.join(WEEKDAYS + MONTHS)})\b)", re.I)
_MONTH_TO_DAY = re.compile(rf"\b({_ANY_MONTH})(\.?) ?[-–] ?(?=\d{{1,2}}\.)", re.I)
_SHORT_MONTH_AND_YEAR = re.compile(
    rf"\b({'|'.join(sorted(_SHORT_MONTHS, key=len, reverse=True))})\. (?=\d{{4}}(?!\d))", re.I
)
_SHORT_DAYS = {"man": "mandag", "tir": "tirsdag", "tirs": "tirsdag", "tys": "tysdag", "ons": "onsdag", "tor": "torsdag"}
_SHORT_DAYS |= {"tors": "torsdag", "fre": "fredag", "lør": "lørdag", "lau": "laurdag", "søn": "søndag", "sun": "sundag"}
_ANY_SHORT_DAY = "|".join(sorted(_SHORT_DAYS, key=len, reverse=True))
_SHORT_DAY_RANGE = re.compile(rf"\b({_ANY_SHORT_DAY})\.? ?[-–] ?({_ANY_SHORT_DAY})\.", re.I)
_VERSION_CUE = re.compile(
    r"(?:versjon|utgave|utgåve|kapittel|punkt|oppgave|oppgåve|avsnitt|pluss|minus|ganger|lik) $", re.I
)


def say_time(hour: int, minute: int, locale: str) -> str:
    """*fjorten tretti*, *åtte null fem*, *seks*; the hour one is neuter (*klokka ett*), hour nought two digits."""
    said = cardinal(hour, locale, neuter=hour == 1) if hour else two_digits("00", locale)
    return f"{said} {two_digits(f'{minute:02d}', locale)}" if minute else said


def say_day(day: int, month: int, locale: str) -> str:
    """*syttende mai*."""
    return f"{ordinal(day, locale)} {MONTHS[month - 1]}"


def is_date(day: int, month: int) -> bool:
    return 1 <= day <= 31 and 1 <= month <= 12


def speak_cued_times(text: str, locale: str) -> str:
    """Times after *klokka*; first of all, because *klokka 10.10* is not the tenth of October."""

    def say(match: re.Match[str]) -> str:
        cue, between, *numbers = match.groups()
        hour, minute, hour_2, minute_2 = (int(n) if n else None for n in numbers)
        if hour is None or not _valid(hour, minute) or (hour_2 is not None and not _valid(hour_2, minute_2)):
            return match[0]
        said = f"{cue}{between}{say_time(hour, minute or 0, locale)}"
        return said if hour_2 is None else f"{said} til {say_time(hour_2, minute_2 or 0, locale)}"

    return _CUED_RANGE.sub(say, text)


def speak_dates(text: str, locale: str) -> str:
    """Dates with numbers for the month or its name; what is no possible date stays as it is."""

    def full(match: re.Match[str]) -> str:
        day, month = int(match[1]), int(match[2])
        if not is_date(day, month) or _after(match, _VERSION_CUE) or _SHORT_COUNT.fullmatch(match[0]):
            return match[0]
        return f"{say_day(day, month, locale)} {_say_year(match[3], locale)}"

    def iso(match: re.Match[str]) -> str:
        day, month = int(match[3]), int(match[2])
        return f"{say_day(day, month, locale)} {_say_year(match[1], locale)}" if is_date(day, month) else match[0]

    def dotted(match: re.Match[str]) -> str:
        day, month = int(match[1]), int(match[2])
        if not is_date(day, month) or _after(match, _VERSION_CUE):
            return match[0]
        stop = "." if ends_sentence(match.string, match.end()) else ""
        return say_day(day, month, locale) + stop

    def cued(match: re.Match[str]) -> str:
        day, month = int(match[2]), int(match[3])
        return f"{match[1]} {say_day(day, month, locale)}" if is_date(day, month) else match[0]

    def named(match: re.Match[str]) -> str:
        day, name = int(match[1]), match[2].lower()
        month = MONTHS.index(name) + 1 if name in MONTHS else _SHORT_MONTHS[name]
        if not is_date(day, month):
            return match[0]
        stop = "."
        if match[3] and not match[4] and name not in MONTHS and not ends_sentence(match.string, match.end()):
            stop = ""
        said = say_day(day, month, locale)
        return f"{said} {_say_year(match[4], locale)}" if match[4] else said + (stop if match[3] else "")

    def days(match: re.Match[str]) -> str:
        return f"{ordinal(int(match[1]), locale)} til {ordinal(int(match[2]), locale)}"

    text = _ISO.sub(iso, text)
    text = _FULL_DATE.sub(full, text)
    text = _DOTTED_DAY.sub(dotted, text)
    text = _CUED_DAY.sub(cued, text)
    text = _SLASHED_DAY.sub(lambda m: _day_and_month(m, locale), text)
    text = _DAY_RANGE.sub(days, text)
    text = _SHORT_MONTH_AND_YEAR.sub(lambda m: MONTHS[_SHORT_MONTHS[m[1].lower()] - 1] + " ", text)
    text = _MONTH_TO_DAY.sub(r"\1\2 til ", text)
    return _NAMED_MONTH.sub(named, text)


def speak_name_ranges(text: str) -> str:
    """*mandag–fredag*, *mai–juni*, *man.–fre.*"""
    text = _SHORT_DAY_RANGE.sub(lambda m: f"{_SHORT_DAYS[m[1].lower()]} til {_SHORT_DAYS[m[2].lower()]}", text)
    return _NAME_RANGE.sub(r"\1 til ", text)


def speak_bare_times(text: str, locale: str) -> str:
    """``14:30`` and ``14.30`` without *klokka*; late, when amounts with a point in them are already words."""

    def between(match: re.Match[str]) -> str:
        hour, minute, hour_2, minute_2 = (int(n) for n in match.groups())
        if not (_valid(hour, minute) and _valid(hour_2, minute_2)):
            return match[0]
        return f"{say_time(hour, minute, locale)} til {say_time(hour_2, minute_2, locale)}"

    def one(match: re.Match[str]) -> str:
        hour, minute = int(match[1]), int(match[3])
        if not _valid(hour, minute) or _after(match, _VERSION_CUE):
            return match[0]
        said = say_time(hour, minute, locale)
        if match[4]:
            if int(match[4]) > 59:
                return match[0]
            return f"{said}{'' if minute else ' null null'} {two_digits(match[4], locale)}"
        if minute:
            return said
        if match[2] == "." and len(match[1]) == 1:
            return match[0]  # 2.00 is no usual way to write a time
        return said if _after(match, _CLOCK_BEFORE) else "klokka " + said  # "toget går seks" could be a number

    return _BARE_TIME.sub(one, _BARE_RANGE.sub(between, text))


def _valid(hour: int, minute: int | None) -> bool:
    return hour <= 24 and (minute or 0) <= 59


def _say_year(written: str, locale: str) -> str:
    return two_digits(written, locale) if len(written) == 2 else year(int(written), locale)


def _after(match: re.Match[str], pattern: re.Pattern[str]) -> bool:
    start = match.start()
    return pattern.search(match.string[max(0, start - 16) : start]) is not None


def _day_and_month(match: re.Match[str], locale: str) -> str:
    """``17/5`` and ``24/12`` are dates; ``3/4`` is a fraction unless something like *den* stands before it."""
    day, month = int(match[1]), int(match[2])
    looks_like_fraction = day < month <= 10 or day == month
    if (day, month) == (24, 7):  # around the clock
        return f"{cardinal(day, locale)} {cardinal(month, locale)}"
    if not is_date(day, month) or (looks_like_fraction and not _after(match, _DAY_CUE)):
        return match[0]
    return say_day(day, month, locale)
