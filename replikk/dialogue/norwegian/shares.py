"""Two numbers with a stroke between them that are no fraction and no date: *tre av fem*, *ti delt på to*.

Games count with strokes: ``Nøkler: 3/5``, ``HP 50/100``, ``3/5 nøkler``, ``8/10 fullført``, and rate with them
(``jeg gir den 8/10``). A plural noun proves it, because a fraction has a singular after it (*3/4 time*). In a
question of arithmetic the stroke and the colon divide, where the division comes out. All else is left to the rules of
dates and fractions.
"""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.tables import listed

_PAIR = re.compile(r"(?<![\w.,/:-])(\d{1,6}) ?([/:]) ?(\d{1,6})(?![\w/:]|[.,]\d|[-–]\d| ?[=+×*])(?=( [^\W\d_]{1,30})?)")
_LABEL = re.compile(r"([^\W\d_]{1,24})(:? )$")
_METERS = frozenset(
    listed("""
    hp mp xp ep sp ap lp helse liv mana energi utholdenhet stamina rustning ammo ammunisjon skudd score poeng poengsum
    oppdrag oppgave oppgåve runde bølge bølgje nivå framgang fremgang fremdrift framdrift magi plass plasser side
    steg trinn forsøk sjanse sjansar sjanser deltakere spillere spelarar spiller""")
)
"""What is counted with a stroke, with or without a colon after it."""
_DONE = frozenset(
    listed("""
    fullført fullførte fullførde ferdig ferdige funnet funne samlet samla oppnådd oppnådde klart klare
    låst løst løyst riktig riktige rett rette liv poeng""")
)
"""What follows a count with a stroke: a state of affairs, or a plural that looks like a singular."""
_SMALLEST_OF_A_STATE = 5
"""*3/4 ferdig* is a fraction; *3/5 ferdig* counts."""
_RATES = re.compile(
    r"\b(?:gir|gav|ga|gjev|får|fikk|fekk|fått|karakteren?|vurdering|terningkast)"
    r"(?: (?:den|det|deg|ham|han|henne|ho|hun|dem|dei|dette|denne|filmen|maten|spillet|spelet))? $",
    re.I,
)
_SUM_ASKED = re.compile(
    r"\b(?:(?:hva|kva|hvor mye|kor mykje) (?:er|blir|vert)|regn ut|rekn ut|løs|løys|stykket|reknestykket) $", re.I
)
_PROPORTION = re.compile(
    r"\b(?:målestokk|forholdet?|blandes|blandast|blandet|blanda|blandingsforhold|sannsynligheten?|sjansen?|odds|oddsen)"
    r"(?: (?:er|på|i|med|til))? $",
    re.I,
)
_PLURAL = re.compile(r"[^\W\d_]{2,}(?:er|ar|ene|ane)")
_NO_PLURAL = frozenset(
    listed("""
    er eller etter under over liter desiliter meter kilometer centimeter millimeter mer meir per for har var kommer
    blir går får ser sier resten bare berre dollar igjen her der timer timar minutter sekunder dager dagar uker
    veker måneder månader kopper koppar skjeer skeier teskjeer teskeier spiseskjeer spiseskeier kroner grader gradar""")
)


def speak_shares(text: str) -> str:
    """Put *av* or *delt på* between such numbers; the digits stay for the rules that follow."""
    if "/" not in text and ":" not in text:
        return text
    return _PAIR.sub(_say, text)


def _say(match: re.Match[str]) -> str:
    first, sign, second = match[1], match[2], match[3]
    before = match.string[max(0, match.start() - 40) : match.start()]
    part, whole = int(first), int(second)
    if _SUM_ASKED.search(before) and whole and second[0] != "0" and part >= whole and part % whole == 0:
        return f"{first} delt på {second}"
    if sign == ":" and _PROPORTION.search(before):
        return f"{first} til {second}"
    if sign == ":" or part > whole or whole < 2:
        return match[0]
    label = _LABEL.search(before)
    following = (match[4] or "").strip().lower()
    counted = (
        _is_meter(label)
        or (following in _DONE and whole >= _SMALLEST_OF_A_STATE)
        or (whole == 10 and _RATES.search(before) is not None)
        or (_PLURAL.fullmatch(following) is not None and following not in _NO_PLURAL)
    )
    return f"{first} av {second}" if counted else match[0]


def _is_meter(label: re.Match[str] | None) -> bool:
    """``HP: 50/100``, ``Oppdrag 3/10``, ``Nøkler: 3/5``."""
    if label is None:
        return False
    word = label[1].lower()
    if word in _METERS:
        return True
    return label[2].startswith(":") and _PLURAL.fullmatch(word) is not None and word not in _NO_PLURAL
