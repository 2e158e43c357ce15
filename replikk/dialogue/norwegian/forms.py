"""Words that have more than one right form in the same written standard: *boka* and *boken*, *kasta* and *kastet*.

Norwegian leaves much to the writer. A judge that writes good Norwegian rather than sounds chooses its own form, so
these differences are no errors of a take. The rules are by ending and by part of a compound, so that they hold for
words that nobody listed; the lists say where a rule would join two words of different meaning: *huset* and *husa* are
one house and several, *gutten* and *gutta* one boy and several, *dansen* a noun and *dansa* a verb.
"""

from __future__ import annotations

from functools import lru_cache

from replikk.dialogue.norwegian.nouns import is_feminine, is_neuter
from replikk.dialogue.norwegian.tables import listed

_SAME = {
    "nb": """
        en ei; min mi; din di; liten lita; ingen inga; annen anna; egen eiga; vet veit; hjem heim; hjemme heime;
        gress gras; tro tru; slo slog; lo log; jus juice; hm hmm; oi oj; hei hey; mellom imellom;
        brua broa broen bruen; trøtt trett; skrek skreik; steg steig; grep greip; drev dreiv; bet beit; rev reiv;
        red reid; svek sveik; krøp kraup; frøs fraus; brøt braut; skjøt skaut; strøk strauk; røk røyk rauk;
        fløy fløg; ba bad; het heit; ses sees; gjennom igjennom; bedre betre; laget lagde laga; bodde budde;
        beina bena beinene benene; å og; å åh""",
    "nn": """
        no nå; mellom imellom; gjennom igjennom; kvifor korfor; sjølv sjøl; hendene hendane; gjekk gikk; fekk fikk;
        hos hjå; kvar kor; blei vart; blir vert; bli verte; blitt vorte; jus juice; hm hmm; oi oj; hei hey; å og;
        å åh""",
}
"""Rows of words that say the same, beside those of ``equivalent_words``. *å* and *og* are one sound."""

_STEM_ROWS = """
    fram frem; etter efter; vei veg; stein sten; melk mjølk; farge farve; gulv golv; syk sjuk; bein ben; snø sne;
    språk sprog; sein sen; gress gras; hjem heim; høy høg; grein gren; hånd hand; lørdag laurdag; alene aleine
"""
_STEMS = tuple(tuple(row.split()) for row in _STEM_ROWS.split(";"))
_ONLY_IN_FRONT = frozenset(listed("bein ben sein sen snø sne høy høg syk sjuk etter efter hånd hand vei veg"))
"""At the end of a word these letters are often no word of their own (*losen*, *laben*, *sørover*)."""
_NOT_IN_COMPOUNDS = frozenset(listed("sen sein ben bein"))

_VERBS = frozenset(
    listed("""
    kast hopp dans snakk hent vent start slutt våkn åpn arbeid elsk hat klatr vask tegn skift fisk jag pakk flytt
    stopp regn lag plask plukk sjekk ønsk håp hvisk kviskr bank frykt tørk kikk titt gjesp hulk hikst logr undr vandr
    rusl sykl land savn saml klapp klikk trykk rist skrap stirr test tromm virk ordn pust rydd sladr slikk slukk snubl
    spark stamp vink flagr forandr glitr husk juks klag krangl kutt lukt lytt merk nikk oppdag plag prikk ramm
    samarbeid senk skad smugl snurr surr svett tråkk tull utforsk varsl vekk velt veksl vipp ytr handl lov mangl pass
    støtt takk vass fang mist dytt løft puss vift hakk høst lysn mørkn rull hump dump kremt mumll tusl list rens kjemp
    redd tru trøst skravl tiss blunk rødm lengt lek leik vakn opn øv prøv gjett snork tygg sukk brumm bjeff mal mjau
    studs sprut drypp blomstr glimt knirk knitr rasl susl visn
    jobb prat bytt fest gift pynt kyss klem dukk jogg surf chatt skulk plapr stapp strikk stønn sulk sutr svikt tast
    trill vokt vrikk skrubb smatt smekk rykk lugg labb hekt salt takk erstatt utfordr forvandl behandl forbann velsign
    stabl våg lagr bekymr beundr drukn flakk flakr fabl foml forvent frels fusk grubl gurgl herm humr innr jubl kravl
    kvitr myrd nynn overnatt ransak skvulp slurp smask splint tråkl vakl virvl
    raut knegg grynt knurr kvekk summ snøft visl krasj raml vralt sjangl stavr hink streif flykt sirkl slukn slokn
    blink bobl pisk hekl hamr spikr plant slakt forlov henrett vedd tipp stav knytt sutt goml gnask kryss puff dult
    dask napp rugg rokk gyng lusk vegr jamr speid hikk host harkl spytt svelg land
""")
) - frozenset(listed("mumll mal lek øv prøv tygg tru"))
"""Stems of the weak verbs whose past is *-et* or *-a*."""
_FEMININE_VERBS = frozenset(listed("last jakt sag vugg hyll krabb skuff post lenk"))
"""The same, where *-a* and *-en* are a noun: *lasta*, *lasten*, *lastet*."""
_NOUN_COMES = frozenset(
    listed("dette et ett eit eitt mitt ditt sitt vårt dei disse hele heile første siste store lange i på under over")
)
_NOUN_MAY_COME = _NOUN_COMES | frozenset(listed("det av til fra frå med mot for hvert kvart noe noko")) | {""}
_NOUNS_TOO = frozenset(
    listed("hopp arbeid trykk plask hikst merk lag brumm kyss rykk salt svikt stønn kryss napp spytt dask puff grynt")
)
INFINITIVE_COMES = frozenset(listed("å skal vil kan må bør kunne skulle ville måtte burde få får lat la"))
_NOT_FEMININE = frozenset(
    listed("gutt mat hal stol hank ans hag mann arm ald fad far bror venn ung fisk dag gang gjest kart no åp hav sult")
)
"""Stems whose *-a* is another word or another number (*gutta*, *mata*, *hala*)."""


@lru_cache(maxsize=4)
def _rows(locale: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in _SAME["nn" if locale == "nn" else "nb"].split(";"):
        words = tuple(row.split())
        for word in words:
            found[word] = (*found.get(word, ()), *(other for other in words if other != word))
    return found


@lru_cache(maxsize=32768)
def other_forms(word: str, locale: str, before: str = "") -> tuple[str, ...]:
    """The other right forms of a word, without repeats; none for most words.

    ``before`` is the word before it, which tells a verb from a noun. Lower case in, lower case out. Forms that nobody
    writes (*bilen*, *bila*) may be among them: nobody will hear them. Names keep their endings: do not ask for them.
    """
    nynorsk = locale == "nn"
    found = dict.fromkeys(_rows(locale).get(word, ()))
    if word in ("si", "sin") and before.endswith(("a", "en")):
        found["sin" if word == "si" else "si"] = None  # boka si, boken sin; but "si" alone is a verb
    if len(word) >= 3:
        for base in (word, *_in_compounds(word)):
            found[base] = None
            found.update(dict.fromkeys(_endings(base, nynorsk, before)))
    found.pop(word, None)
    return tuple(found)


def _endings(word: str, nynorsk: bool, before: str) -> list[str]:
    found = []
    if word.endswith("en") and _may_be_feminine(word[:-2]):
        found.append(word[:-2] + "a")
    if word.endswith("a"):
        stem = word[:-1]
        if _may_be_feminine(stem) and not stem.endswith("e"):
            found.append(stem + "en")
        if _is_neuter(stem):
            found.append(stem + "ene")
        if _is_weak_verb(stem, before):
            found.append(stem + "et")
    if word.endswith("ene") and _is_neuter(word[:-3]):
        found.append(word[:-3] + "a")
    if word.endswith("et") and _is_weak_verb(word[:-2], before):
        found.append(word[:-2] + "a")
    if nynorsk and before in INFINITIVE_COMES and word[-1] in "ea":
        found.append(word[:-1] + ("a" if word[-1] == "e" else "e"))
    return found


def _is_neuter(stem: str) -> bool:
    return is_neuter(stem) or is_neuter(stem + "e")


def _is_weak_verb(stem: str, before: str) -> bool:
    if stem not in _VERBS | _FEMININE_VERBS or before in _NOUN_COMES:
        return False
    # "hoppet", "laget" and "arbeidet" are nouns as well, and "hoppa" then several: the word before must leave no doubt.
    return before not in _NOUN_MAY_COME or not (_is_neuter(stem) or stem in _NOUNS_TOO)


def _may_be_feminine(stem: str) -> bool:
    """Whether *-en* and *-a* on this stem are one form; Bokmål lets every feminine noun have either."""
    if len(stem) < 2 or not any(letter in "aeiouyæøå" for letter in stem):
        return False  # kva, kven
    if is_feminine(stem) or is_feminine(stem + "e"):
        return True
    return not (stem in _VERBS or stem in _NOT_FEMININE or _is_neuter(stem))


def _in_compounds(word: str) -> list[str]:
    """*veikant* and *vegkant*, *framtid* and *fremtid*: the part in front, or at the end of a longer word."""
    found = []
    for row in _STEMS:
        for stem in row:
            if stem not in word or stem in _NOT_IN_COMPOUNDS:
                continue
            for other in row:
                if other == stem or other in _NOT_IN_COMPOUNDS:
                    continue
                if word.startswith(stem):
                    found.append(other + word[len(stem) :])
                elif stem not in _ONLY_IN_FRONT and len(word) >= len(stem) + 3 and word.endswith(stem):
                    found.append(word[: -len(stem)] + other)
    return found
