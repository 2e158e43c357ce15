"""The same word in Bokmål and in Nynorsk: *jeg* and *eg*, *ikke* and *ikkje*, *vanlig* and *vanleg*.

For lines that allow both standards, and for the single word that a judge writes in the other one. Small words and
irregular ones stand in tables; a few endings and *hv-* are rules. Sound changes such as *ei* and *e* are no rule, as
*seil* and *sel* are two words in Bokmål: such words stand in the tables when they are common.
"""

from __future__ import annotations

from functools import lru_cache

_PAIRS = """
    jeg eg; ikke ikkje; dere dykk; deres dykkar; dem dei; noe noko; noen nokon; noen nokre; hva kva; hvem kven;
    hvordan korleis; hvorfor kvifor; hvert kvart; fra frå; en ein; ett eitt; et eit; én éin; mye mykje; mer meir;
    flere fleire; bare berre; hjem heim; hjemme heime; vet veit; sier seier; si seie; si seia; være vere; være vera;
    vært vore; blir vert; ble vart; ble blei; blitt vorte; gjør gjer; gjøre gjere; gjøre gjera; kommer kjem; gikk gjekk;
    fikk fekk; gir gjev; tatt teke; funnet funne; kjører køyrer; kjøre køyre; kjørte køyrde; heter heiter; het heitte;
    spurte spurde; begynner byrjar; begynne byrje; begynte byrja; lekte leika; åpner opnar; åpne opne; åpnet opna;
    vann vatn; øye auge; øyet auga; øynene auga; øre øyre; hode hovud; hodet hovudet; gutt gut; gutten guten;
    gutter gutar; guttene gutane; venner vener; venn ven; vennen venen; vennene venene; skole skule; skolen skulen;
    uke veke; uka veka; uken veka; uker veker; måned månad; måneder månader; tirsdag tysdag; lørdag laurdag;
    søndag sundag; høst haust; høsten hausten; sommer sommar; sommeren sommaren; hele heile; helt heilt; hel heil;
    sent seint; gammel gammal; rød raud; røde raude; rødt raudt; hvit kvit; grønn grøn; egen eigen; egne eigne;
    annen annan; annet anna; selv sjølv; sammen saman; uten utan; utenfor utanfor; hos hjå; derfor difor; navn namn;
    navnet namnet; sted stad; stedet staden; tro tru; tror trur; trodde trudde; bo bu; bodde budde; syk sjuk;
    trenger treng; vindu vindauge; vinduet vindauget; morgen morgon; morgenen morgonen; hjerte hjarte; hjertet hjartet;
    nøkkel nykel; nøkkelen nykelen; nøkler nyklar; drøm draum; drømmen draumen; løs laus; løst laust; lavt lågt;
    skjønner skjønar; husker hugsar; huske hugse; glemmer gløymer; glemme gløyme; glemte gløymde; glemt gløymt;
    ønsker ønskjer; sover søv; verden verda; både båe; søster syster; tydelig tydeleg; hvis viss; deilig deileg;
    egentlig eigentleg;
    hvite kvite; også òg; spille spele; spiller spelar; spilte spela; spill spel; spillet spelet; bilde bilete;
    bildet biletet; ild eld; ilden elden; løfter lyfter; fortelle fortelje; forteller fortel; fortalte fortalde;
    velge velje; valgte valde; selge selje; spørre spørje; følge følgje; følger følgjer; fulgte følgde;
    tenker tenkjer; tenke tenkje; merke merkje; bruker brukar; kirke kyrkje; kirka kyrkja; kirken kyrkja;
    bygger byggjer; bygge byggje; legge leggje; sitter sit; setter set; drømmer drøymer;
    skrev skreiv; så såg; sang song; fløy flaug; trøtt trøytt; trett trøytt; tapte tapa; skrek skreik; steg steig;
    drev dreiv; frøs fraus;
    hørte høyrde; hørt høyrt; først fyrst; gjemmer gøymer; gjemme gøyme; gjemte gøymde; gjemt gøymt; redsel redsle
"""
_NOT_FOR_A_BOKMAAL_LINE = """
    hun ho; vi me; hvor kvar; hvor kor; hver kvar; hvilken kva; deres deira; leke leike; leker leikar; høre høyre;
    hører høyrer; tar tek; komme kome; komme koma; skriver skriv; leser les; finner finn; drikker drikk; løper spring;
    spiser et; åpen open; hånd hand; lav låg; nå no; da då; allerede alt; bor bur; hull hol; dere de;
    vant vann; falt fall; grep greip; løp sprang; brant brann; springer spring; synger syng; fryser frys;
    brenner brenn; skriker skrik; slår slær; flyr flyg; stiger stig;
    griper grip; vinner vinn; synker søkk; bryter bryt; biter bit; river riv; driver driv; gråter græt; faller fell;
    holder held; henger heng; spinner spinn; svinger sving; velger vel; legger legg; ligger ligg
"""
"""What Nynorsk has here is another word in Bokmål (*ho*, *me*, *kor*, *høyre*), or is near one to the ear."""
_NOT_FOR_A_NYNORSK_LINE = "de dei"
"""*de* is *they* in Bokmål and *you* in Nynorsk."""
_ENDINGS = (
    ("ane", "ene"),
    ("ar", "er"),
    ("ande", "ende"),
    ("leg", "lig"),
    ("lege", "lige"),
    ("heit", "het"),
    ("heita", "heten"),
)
"""(Nynorsk, Bokmål)."""
_SHORTEST_STEM = 3
"""Shorter words that fit the rule are strangers: *klar* and *kler*."""


def _pairs(table: str) -> frozenset[tuple[str, str]]:
    rows = (row.split() for row in table.split(";"))
    return frozenset((bokmaal, nynorsk) for bokmaal, nynorsk in rows if bokmaal != nynorsk)


_ALWAYS, _NOT_NB, _NOT_NN = map(_pairs, (_PAIRS, _NOT_FOR_A_BOKMAAL_LINE, _NOT_FOR_A_NYNORSK_LINE))


@lru_cache(maxsize=65536)
def is_other_standard(script: str, heard: str, locale: str) -> bool:
    """Whether ``heard`` is what the other written standard has for the word ``script`` of a line in ``locale``.

    ``locale`` is ``nb``, ``nn``, or empty for a line that allows both. Lower case words.
    """
    if locale == "nb":
        return (script, heard) in _ALWAYS or (script, heard) in _NOT_NN or _by_rule(script, heard)
    if locale == "nn":
        return (heard, script) in _ALWAYS or (heard, script) in _NOT_NB or _by_rule(heard, script)
    return any(is_other_standard(script, heard, one) for one in ("nb", "nn")) or any(
        pair in table for pair in ((script, heard), (heard, script)) for table in (_NOT_NB, _NOT_NN)
    )


def _by_rule(bokmaal: str, nynorsk: str) -> bool:
    if len(bokmaal) < 4 or bokmaal == nynorsk:
        return False
    if bokmaal.startswith("hv") and nynorsk.startswith("kv"):
        nynorsk = "hv" + nynorsk[2:]
        if bokmaal == nynorsk:
            return True
    for theirs, ours in _ENDINGS:
        if nynorsk.endswith(theirs) and bokmaal.endswith(ours):
            stem = nynorsk[: -len(theirs)]
            if len(stem) >= _SHORTEST_STEM and stem == bokmaal[: -len(ours)]:
                return True
    return False
