"""Money and units of measurement, with the number before them: *tjuefem kroner og femti øre*, *ett minutt*.

The tables give singular and plural in both written standards and the gender that decides how *1* is said. A unit
counts only next to a number, except the few (``km/t``, ``kr``, ``%``) that are never words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from replikk.dialogue.norwegian.abbreviations import ends_sentence
from replikk.dialogue.norwegian.amounts import NOT_IN_NUMBER, QUANTITY, Quantity, parse_quantity, say_quantity
from replikk.dialogue.norwegian.cardinals import cardinal
from replikk.dialogue.norwegian.tables import listed


@dataclass(frozen=True)
class Unit:
    """What a symbol is called: (singular, plural) per written standard."""

    nb: tuple[str, str]
    nn: tuple[str, str]
    neuter: bool = False
    feminine: bool = False

    def name(self, quantity: Quantity, locale: str) -> str:
        singular, plural = self.nn if locale == "nn" else self.nb
        return singular if quantity.takes_singular else plural


def _units(table: str) -> dict[str, Unit]:
    """Rows of ``symbols | gender | nb singular, plural | nn singular, plural``; one form stands for all."""
    units: dict[str, Unit] = {}
    for row in table.strip().splitlines():
        symbols, gender, *names = (cell.strip() for cell in row.split("|"))
        forms = [tuple(form.strip() for form in name.split(",")) for name in names]
        nb = (forms[0][0], forms[0][-1])
        nn = (forms[-1][0], forms[-1][-1])
        for symbol in symbols.split():
            units[symbol] = Unit(nb, nn, neuter=gender == "n", feminine=gender == "f")
    return units


UNITS = _units("""
    km          | m | kilometer
    m           | m | meter
    dm          | m | desimeter
    cm          | m | centimeter
    mm          | m | millimeter
    μm          | m | mikrometer
    nm          | m | nanometer
    tonn        | n | tonn
    km/t km/h   | m | kilometer i timen
    m/s         | m | meter per sekund
    m/s² m/s2   | m | meter per sekund i andre
    kg          | n | kilo
    hg          | n | hekto
    g           | n | gram
    mg          | n | milligram
    l L         | m | liter
    dl          | m | desiliter
    cl          | m | centiliter
    ml          | m | milliliter
    t h         | m | time, timer | time, timar
    min         | n | minutt, minutter | minutt
    sek s       | n | sekund, sekunder | sekund
    ms          | n | millisekund, millisekunder | millisekund
    mnd         | m | måned, måneder | månad, månader
    fps         | n | bilde i sekundet, bilder i sekundet | bilete i sekundet
    rpm o/min   | m | omdreining i minuttet, omdreininger i minuttet | omdreiing i minuttet, omdreiingar i minuttet
    °C          | m | grad celsius, grader celsius | grad celsius, gradar celsius
    °F          | m | grad fahrenheit, grader fahrenheit | grad fahrenheit, gradar fahrenheit
    °           | m | grad, grader | grad, gradar
    %           | m | prosent
    ‰           | m | promille
    m² m2 kvm   | m | kvadratmeter
    km² km2     | m | kvadratkilometer
    cm² cm2     | m | kvadratcentimeter
    mm² mm2     | m | kvadratmillimeter
    dm² dm2     | m | kvadratdesimeter
    daa         | n | dekar
    m³ m3       | m | kubikkmeter
    mm³ mm3     | m | kubikkmillimeter
    cm³ cm3     | m | kubikkcentimeter
    dm³ dm3     | m | kubikkdesimeter
    W           | m | watt
    kW          | m | kilowatt
    MW          | m | megawatt
    kWh         | m | kilowattime, kilowattimer | kilowattime, kilowattimar
    Wh          | m | wattime, wattimer | wattime, wattimar
    MWh         | m | megawattime, megawattimer | megawattime, megawattimar
    GWh         | m | gigawattime, gigawattimer | gigawattime, gigawattimar
    TWh         | m | terawattime, terawattimer | terawattime, terawattimar
    GW          | m | gigawatt
    V           | m | volt
    kV          | m | kilovolt
    mV          | m | millivolt
    mA          | m | milliampere
    Ah          | m | amperetime, amperetimer | amperetime, amperetimar
    mAh         | m | milliamperetime, milliamperetimer | milliamperetime, milliamperetimar
    Ω           | m | ohm
    kΩ          | m | kiloohm
    Nm          | m | newtonmeter
    kN          | m | kilonewton
    Pa          | m | pascal
    hPa         | m | hektopascal
    kPa         | m | kilopascal
    Hz          | m | hertz
    kHz         | m | kilohertz
    MHz         | m | megahertz
    GHz         | m | gigahertz
    kB KB       | m | kilobyte
    MB          | m | megabyte
    GB          | m | gigabyte
    TB          | m | terabyte
    PB          | m | petabyte
    kbit/s kb/s | m | kilobit per sekund
    Mbit/s Mb/s Mbps | m | megabit per sekund
    Gbit/s Gb/s Gbps | m | gigabit per sekund
    dB          | m | desibel
    kcal        | m | kilokalori, kilokalorier | kilokalori, kilokaloriar
    kJ          | m | kilojoule
    hk          | f | hestekraft, hestekrefter
    stk         | n | stykk, stykker | stykke
    ts          | f | teskje, teskjeer | teskei, teskeier
    ss          | f | spiseskje, spiseskjeer | spiseskei, spiseskeier
    pk          | f | pakke, pakker | pakke, pakker
    tabl        | m | tablett, tabletter | tablett, tablettar
    pers        | m | person, personer | person, personar
    mill        | m | million, millioner | million, millionar
    mrd         | m | milliard, milliarder | milliard, milliardar
""")
_WITH_FULL_STOP = frozenset(listed("t min sek s mnd stk pk tabl pers ts ss mill mrd kr kg g l dl"))
_STANDING_ALONE = {symbol: UNITS[symbol] for symbol in ("km/t", "km/h", "kWh", "°C", "°F", "m²", "m³", "km²", "cm²")}

CURRENCIES = {
    "kr": (Unit(("krone", "kroner"), ("krone", "kroner"), feminine=True), "øre"),
    "$": (Unit(("dollar", "dollar"), ("dollar", "dollar")), "cent"),
    "€": (Unit(("euro", "euro"), ("euro", "euro")), "cent"),
    "£": (Unit(("pund", "pund"), ("pund", "pund"), neuter=True), "pence"),
    "¥": (Unit(("yen", "yen"), ("yen", "yen")), "sen"),
    "SEK": (Unit(("svensk krone", "svenske kroner"), ("svensk krone", "svenske kroner"), feminine=True), "øre"),
    "DKK": (Unit(("dansk krone", "danske kroner"), ("dansk krone", "danske kroner"), feminine=True), "øre"),
}
_SAME_CURRENCY = {"nok": "kr", "kr": "kr", "usd": "$", "eur": "€", "gbp": "£", "sek": "SEK", "dkk": "DKK", "jpy": "¥"}

_POINTED = r"\d{1,9}\.\d{1,2}(?![\d.,])"
_MONEY_NUMBER = rf"(?:{_POINTED}|{QUANTITY})"
_SCALE = r"(?: ?(mill\.?|mrd\.?|million(?:er|ar)?|milliard(?:er|ar)?)(?![\w]))?"
_CODE = r"(?:[Kk][Rr]\.?|NOK|USD|EUR|GBP|DKK|JPY|[$€£¥])"
_DASH_AFTER = r"(?:,[-–]{1,2}(?!\d)|,00(?!\d))?"
_MONEY_FIRST = re.compile(
    rf"(?<![\w$€£¥])(?<!\d )({_CODE}) ?(minus )?({_MONEY_NUMBER})(?: til ({_MONEY_NUMBER}))?{_DASH_AFTER}{_SCALE}(?!\w)"
)
_MONEY_LAST = re.compile(
    rf"{NOT_IN_NUMBER}({_MONEY_NUMBER}){_SCALE}{_DASH_AFTER} ?"
    r"(kr(?:oner?)?|KR|Kr|NOK|USD|EUR|GBP|SEK|DKK|JPY|[$€£¥])(?!\w)(\.)?"
)
_MONEY_BARE = re.compile(rf"{NOT_IN_NUMBER}({QUANTITY}),[-–]{{1,2}}(?![\w-])")
_ANY_UNIT = "|".join(re.escape(symbol) for symbol in sorted(UNITS, key=len, reverse=True))
_PER_WORDS = "dag|døgn|uke|veke|år|måned|månad|time|minutt|sekund|mil|stykk|person|innbygger|pers"
_MEASURE = re.compile(
    rf"{NOT_IN_NUMBER}({_MONEY_NUMBER}) ?(° ?[CF]|{_ANY_UNIT})"
    rf"(?:/({_ANY_UNIT}|{_PER_WORDS}))?(?![\w²³]|/\w|['’]\w)(\.)?"
)
_PER = re.compile(
    r"(?:(?<=\dkr)|(?<= kr)|(?<=[€$£¥]))/(kg|t|h|l|m²|m2|kvm|stk|mnd|min|år|dag|uke|time|person|pers)(?![\w/])"
)
_LONE = re.compile(rf"(?<![\w/])({'|'.join(re.escape(s) for s in _STANDING_ALONE)})(?![\w/])")
_LONE_SCALE = re.compile(r"(?<![\w/.])(mill|mrd)\.(?= [a-zæøå]|$)")
_LONE_MONTH = re.compile(r"(?<![\w/.])mnd\b(?:\.(?= [a-zæøå]))?")
_LONE_PIECE = re.compile(r"\bstk\b(?:\.(?= [a-zæøå]))?")
_LONE_KRONER = re.compile(r"(?<![\w/.])kr(?:\.(?= [a-zæøå]))?(?![\w/])")


def speak_money(text: str, locale: str) -> str:
    """``kr 25``, ``25,50 kr``, ``100,-``, ``$5``, ``5 mill. kr`` in words."""
    text = _PER.sub(lambda m: _per(m[1], locale), text) if "/" in text else text
    text = _MONEY_FIRST.sub(lambda m: (m[2] or "") + _money(m[3], m[4], m[5], m[1], locale), text)

    def last(match: re.Match[str]) -> str:
        said = _money(match[1], None, match[2], match[3], locale)
        return said + "." if match[4] and (ends_sentence(match.string, match.end())) else said

    text = _MONEY_LAST.sub(last, text)
    return _MONEY_BARE.sub(lambda m: _money(m[1], None, None, "kr", locale), text)


def speak_units(text: str, locale: str) -> str:
    """``5 km``, ``25 %``, ``5 °C`` in words."""

    def measure(match: re.Match[str]) -> str:
        symbol = match[2].replace(" ", "")
        if symbol[-1].isalpha() and match.string.startswith("-", match.end()):
            return match[0]  # "2 t-skjorter"
        unit, quantity = UNITS[symbol], parse_quantity(match[1])
        said = f"{say_quantity(quantity, locale, unit.neuter, unit.feminine)} {unit.name(quantity, locale)}"
        if match[3]:
            said += _per(match[3], locale)
        if not match[4]:
            return said
        stop = ends_sentence(match.string, match.end()) or symbol not in _WITH_FULL_STOP
        return said + ("." if stop else "")

    return _MEASURE.sub(measure, text)


def speak_lone_units(text: str, locale: str) -> str:
    """Symbols that are units even without a number: ``km/t``, ``m²``, ``kr``, ``stk.``; last, when no digit is left."""
    text = _LONE_PIECE.sub("stykket" if locale == "nn" else "stykk", text)
    text = _LONE_KRONER.sub("kroner", text)
    text = _LONE_MONTH.sub("månad" if locale == "nn" else "måned", text)
    text = _LONE_SCALE.sub(lambda m: UNITS[m[1]].name(Quantity("2"), locale), text)
    return _LONE.sub(lambda m: _STANDING_ALONE[m[1]].name(Quantity("2"), locale), text)


def _per(symbol: str, locale: str) -> str:
    unit = UNITS.get(symbol)
    word = unit.name(Quantity("1"), locale) if unit else "person" if symbol == "pers" else symbol
    return f" per {word}"


def _money(written: str, upper: str | None, scale: str | None, code: str, locale: str) -> str:
    code = code.strip(".").lower().removesuffix("oner").removesuffix("one")
    unit, cents = CURRENCIES[_SAME_CURRENCY.get(code, code)]
    amount = parse_quantity(written)
    if upper is not None:
        top = parse_quantity(upper)
        name = _scale_name(scale, top, locale) + unit.name(Quantity("2"), locale)
        return f"{say_quantity(amount, locale)} til {say_quantity(top, locale)} {name}"
    if scale:
        return f"{say_quantity(amount, locale)} {_scale_name(scale, amount, locale)}{unit.name(Quantity('2'), locale)}"
    if len(amount.decimals) != 2:
        return f"{say_quantity(amount, locale, unit.neuter, unit.feminine)} {unit.name(amount, locale)}"
    whole, hundredths = Quantity(amount.whole), int(amount.decimals)
    said_whole = f"{say_quantity(whole, locale, unit.neuter, unit.feminine)} {unit.name(whole, locale)}"
    said_cents = f"{cardinal(hundredths, locale, neuter=cents == 'øre')} {cents}"
    if not hundredths:
        return said_whole
    return said_cents if not int(amount.whole) else f"{said_whole} og {said_cents}"


def _scale_name(scale: str | None, amount: Quantity, locale: str) -> str:
    if not scale:
        return ""
    is_million = scale.lower().startswith("mill") and "iard" not in scale.lower()
    return UNITS["mill" if is_million else "mrd"].name(amount, locale) + " "
