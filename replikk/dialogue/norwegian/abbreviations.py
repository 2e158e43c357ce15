"""Usual abbreviations, written out: *f.eks.*, *bl.a.*, *osv.*, *kl.*, *hr.*, *t.d.*

One token pattern finds everything that could be an abbreviation and a dictionary decides, so that the cost does
not grow with the table. Three things need care. A full stop that also ends the sentence is kept (*epler osv. Så
gikk vi*). Some abbreviations are words without their number (*s.*, *min.*, *f.*) and count only before one. And
words that happen to look like one stay words: *tom*, *bla*, *min*, *man*, *art*.

Abbreviations of units and of money (*stk.*, *mill.*, *kr*) belong to the amounts in ``money_and_units``.
"""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.tables import listed

_ANYWHERE = """
    f.eks.      for eksempel            | for eksempel
    t.d.        til dømes               | til dømes
    bl.a.       blant annet             | mellom anna
    m.a.        mellom anna             | mellom anna
    m.a.o.      med andre ord           | med andre ord
    dvs.        det vil si              | det vil seie
    d.v.s.      det vil si              | det vil seie
    ca.         cirka                   | cirka
    vha.        ved hjelp av            | ved hjelp av
    v.h.a.      ved hjelp av            | ved hjelp av
    hht.        henhold til             | samsvar med
    i.o.m.      i og med                | i og med
    mao.        med andre ord           | med andre ord
    feks.       for eksempel            | for eksempel
    a.k.a.      også kjent som          | også kjend som
    pga.        på grunn av             | på grunn av
    p.g.a.      på grunn av             | på grunn av
    mht.        med hensyn til          | med omsyn til
    m.h.t.      med hensyn til          | med omsyn til
    mtp.        med tanke på            | med tanke på
    ift.        i forhold til           | i forhold til
    i.f.t.      i forhold til           | i forhold til
    iht.        i henhold til           | i samsvar med
    i.h.t.      i henhold til           | i samsvar med
    ifm.        i forbindelse med       | i samband med
    ifb.        i forbindelse med       | i samband med
    evt.        eventuelt               | eventuelt
    ev.         eventuelt               | eventuelt
    jf.         jamfør                  | jamfør
    jfr.        jamfør                  | jamfør
    ang.        angående                | angåande
    vedr.       vedrørende              | vedrørande
    hhv.        henholdsvis             | høvesvis
    inkl.       inklusive               | inklusive
    ekskl.      eksklusive              | eksklusive
    tlf.        telefon                 | telefon
    mob.        mobil                   | mobil
    adr.        adresse                 | adresse
    avd.        avdeling                | avdeling
    kap.        kapittel                | kapittel
    kl.         klokka                  | klokka
    nr.         nummer                  | nummer
    pkt.        punkt                   | punkt
    pr.         per                     | per
    vs.         versus                  | versus
    div.        diverse                 | diverse
    tidl.       tidligere               | tidlegare
    sml.        sammenlign              | samanlikn
    mva.        merverdiavgift          | meirverdiavgift
    avs.        avsender                | avsendar
    temp.       temperatur              | temperatur
    spm.        spørsmål                | spørsmål
    utg.        utgave                  | utgåve
    kgl.        kongelig                | kongeleg
    vgs.        videregående skole      | vidaregåande skule
    mvh.        med vennlig hilsen      | med venleg helsing
    el.l.       eller lignende          | eller liknande
    o.fl.       og flere                | og fleire
    d.d.        dags dato               | dags dato
    v.s.a.      ved siden av            | ved sida av
    fr.o.m.     fra og med              | frå og med
    tlf.nr.     telefonnummer           | telefonnummer
    sgt.        sersjant                | sersjant
    kpt.        kaptein                 | kaptein
    kptn.       kaptein                 | kaptein
    lt.         løytnant                | løytnant
    dr.med.     doktor medisin          | doktor medisin
    p.t.        for tiden               | for tida
    s.k.        såkalt                  | såkalla
    f.o.m.      fra og med              | frå og med
    t.o.m.      til og med              | til og med
    frk.        frøken                  | frøken
    fr.         fru                     | fru
    hr.         herr                    | herr
    mr.         mister                  | mister
    mrs.        misis                   | misis
    dr.         doktor                  | doktor
    prof.       professor               | professor
    kapt.       kaptein                 | kaptein
    ing.        ingeniør                | ingeniør
    adm.dir.    administrerende direktør | administrerande direktør
    jr.         junior                  | junior
    sr.         senior                  | senior
    d.y.        den yngre               | den yngre
    forts.      fortsettelse            | framhald
    gj.snitt    gjennomsnitt            | gjennomsnitt
    gj.sn.      gjennomsnitt            | gjennomsnitt
    t/r         tur-retur               | tur-retur
    tur/retur   tur-retur               | tur-retur
    str.        størrelse               | storleik
    tirs.       tirsdag                 | tysdag
    ons.        onsdag                  | onsdag
    tors.       torsdag                 | torsdag
    lør.        lørdag                  | laurdag
    søn.        søndag                  | søndag
    ps.         pe ess                  | pe ess
    p.s.        pe ess                  | pe ess
    o.l.        og lignende             | og liknande
    e.l.        eller lignende          | eller liknande
    m.m.        med mer                 | med meir
    m.fl.       med flere               | med fleire
    mv.         med videre              | med vidare
    m.v.        med videre              | med vidare
    osv.        og så videre            | og så vidare
    o.s.v.      og så videre            | og så vidare
    osb.        og så bortetter         | og så bortetter
    o.s.b.      og så bortetter         | og så bortetter
    etc.        et cetera               | et cetera
    o.a.        og annet                | og anna
    f.kr.       før Kristus             | før Kristus
    e.kr.       etter Kristus           | etter Kristus
    fvt.        før vår tidsregning     | før vår tidsrekning
    moh.        meter over havet        | meter over havet
    m.o.h.      meter over havet        | meter over havet
    innb.       innbyggere              | innbyggjarar
"""
_BEFORE_A_NUMBER = """
    d.          den                     | den
    maks.       maks                    | maks
    max.        maks                    | maks
    s.          side                    | side
    min.        minimum                 | minimum
    f.          født                    | fødd
    v.          versjon                 | versjon
    lv.         nivå                    | nivå
    lvl.        nivå                    | nivå
    lv          nivå                    | nivå
    lvl         nivå                    | nivå
    fig.        figur                   | figur
    kl          klokka                  | klokka
    nr          nummer                  | nummer
    str         størrelse               | storleik
"""
_WITHOUT_FULL_STOP = listed(
    "ca dvs osv pga mht mtp ift iht ifm evt jf jfr hhv tlf hr frk mr mrs dr prof etc moh inkl ekskl fvt vs osb "
    "mva mvh vha mao sgt kpt kptn lt vgs"
)
"""Current without the full stop, and not a word of their own."""
_TITLES = frozenset(listed("hr fr frk mr mrs dr prof kapt sgt kpt kptn lt"))
"""Without a full stop these count only before a name."""


def _table() -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
    def parse(block: str) -> dict[str, tuple[str, str]]:
        rows = (re.split(r"\s*\|\s*|\s{2,}", line.strip()) for line in block.strip().splitlines())
        return {written: (nb, nn) for written, nb, nn in rows}

    anywhere = parse(_ANYWHERE)
    anywhere |= {short: anywhere[short + "."] for short in _WITHOUT_FULL_STOP}
    # "f.eks epler": people forget the last full stop, and no word has one inside.
    anywhere |= {key[:-1]: spoken for key, spoken in anywhere.items() if "." in key[:-1] and key.endswith(".")}
    return anywhere, parse(_BEFORE_A_NUMBER)


_BY_NAME, _BY_NAME_BEFORE_NUMBER = _table()

_BY_LETTERS = {key.replace(".", ""): spoken for key, spoken in (_BY_NAME_BEFORE_NUMBER | _BY_NAME).items()}

_SPACED = re.compile(
    r"(?<![\w.])(?:(f)\. (eks|Kr)|(bl)\. (a)|(e)\. (Kr|l)|(o)\. (l|a)|(m)\. (m|fl|a)|(t)\. (d))\.(?!\w)", re.I
)
_UNDOTTED = sorted((re.escape(key) for key in _BY_NAME | _BY_NAME_BEFORE_NUMBER if not key.endswith(".")), key=len)
_TOKEN = re.compile(
    rf"(?<![\w.'-])(?:(?:{'|'.join(reversed(_UNDOTTED))})(?![\w.-])|[^\W\d_]{{1,8}}(?:\.[^\W\d_]{{1,8}}){{0,3}}\.)",
    re.I,
)
_SLASHED = re.compile(r"(?<![\w/])(?<!\d )([vmu])/ ?(?=[^\W\d_²³]{2})", re.I)
_SLASH_WORDS = {"v": ("ved", "ved"), "m": ("med", "med"), "u": ("uten", "utan")}
_NUMBERS_ENDING = re.compile(r"(?<=[a-zæøå]{2})nr\.(?= ?\d)")
_SCHOOL_CLASS = re.compile(r"(?<=\d\. )kl\.(?! ?\d)")
_PERSON = re.compile(r"(?<=[123]\. )pers\.")
_CAPITALISED = re.compile(r"(?<![\w.])(?:(Alt|Eks)\.(?= ?\d)|(Gen)\.(?= [A-ZÆØÅ]))")
"""*alt*, *eks* and *gen* are words too, and may end a sentence."""
_CAPITALISED_WORDS = {"Alt": "Alternativ", "Eks": "Eksempel", "Gen": "General"}
_DIED = re.compile(r"(?<![\w.])d\. (?=\d{4}(?!\d))")
_SHORT_VERSION = re.compile(r"(?<!\w)v ?(?=\d{1,3}\.\d)", re.I)
_SAINT = re.compile(r"(?<![\w.])St\. (?=[A-ZÆØÅ])")
_NUMBER_SIGN = re.compile(r"(?<![\w#])# ?(?=\d)")
_SECTION = re.compile(r"(§{1,2}) ?(?=\d)")
_NEXT_SENTENCE = re.compile(r"[\"')]{0,2}(?:\Z| [\"'( –-]{0,4}[A-ZÆØÅ])")
_NUMBER_FOLLOWS = re.compile(r"\s?[-–]?\d")
_NAME_FOLLOWS = re.compile(r"\s[A-ZÆØÅ]")


def expand_abbreviations(text: str, locale: str) -> str:
    """Write out abbreviations, ``#3``, ``§ 5`` and ``v/``; ``text`` is clean, digits stay as they are."""
    nn = locale == "nn"
    text = _SPACED.sub(lambda m: ".".join(part for part in m.groups() if part) + ".", text)
    text = _SAINT.sub("Sankt ", text)
    if "." in text:
        text = _NUMBERS_ENDING.sub("nummer", text)
        text = _SCHOOL_CLASS.sub("klasse", text)
        text = _PERSON.sub("person", text)
        text = _CAPITALISED.sub(lambda m: _CAPITALISED_WORDS[m[1] or m[2]], text)
        text = _DIED.sub("død ", text)
        text = _SHORT_VERSION.sub("versjon ", text)
    text = _TOKEN.sub(lambda m: _expand(m, nn), text)
    if "/" in text:
        text = _SLASHED.sub(lambda m: _SLASH_WORDS[m[1].lower()][nn] + " ", text)
    text = _NUMBER_SIGN.sub("nummer ", text)
    return _SECTION.sub(lambda m: "paragraf " if len(m[1]) == 1 else "paragrafane " if nn else "paragrafene ", text)


def written_out(letters: str, locale: str) -> str | None:
    """What an abbreviation without its full stops may stand for (``feks``, ``bla``); None when it is none.

    For judges, which drop full stops: many abbreviations look like words then, so this is no rule for a script.
    """
    spoken = _BY_LETTERS.get(letters)
    return None if spoken is None else spoken[locale == "nn"]


def ends_sentence(text: str, position: int) -> bool:
    """Whether a full stop just before ``position`` also ends a sentence: nothing follows, or a capital does."""
    return position >= len(text) or _NEXT_SENTENCE.match(text, position) is not None


def _expand(match: re.Match[str], nn: bool) -> str:
    written, text, end = match[0], match.string, match.end()
    key = written.lower()
    spoken = _BY_NAME.get(key)
    if spoken and key in _TITLES and not _NAME_FOLLOWS.match(text, end):
        spoken = None
    if not spoken and _NUMBER_FOLLOWS.match(text, end):
        spoken = _BY_NAME_BEFORE_NUMBER.get(key)
    if not spoken:
        return written
    said = spoken[nn]
    if written[0].isupper():
        said = said[0].upper() + said[1:]
    if written.endswith(".") and _swallowed_the_end(key, text, end):
        return said + "."
    return said + " " if text[end : end + 1].isalnum() else said


_NEVER_LAST = frozenset(
    listed(
        "f.eks. t.d. bl.a. m.a. dvs. ca. evt. ev. ang. vedr. jf. jfr. hhv. tlf. mob. kap. kl. nr. pr. s. f. d. v. fig. "
        "str. hr. fr. frk. mr. mrs. dr. prof. kapt. ing. min. maks. max. pga. mht. ift. iht. inkl. ekskl. "
        "vha. v.h.a. iom. feks. div. tidl. sml. kgl. mvh. sgt. kpt. kptn. lt. lv. "
        "lvl."
    )
)
"""Something follows these, so a capital after them is a name, not a new sentence."""


def _swallowed_the_end(key: str, text: str, end: int) -> bool:
    if end == len(text) or text[end] == ".":
        return True
    return key not in _NEVER_LAST and ends_sentence(text, end)
