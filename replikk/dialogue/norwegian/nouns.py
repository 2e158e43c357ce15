"""The gender of nouns that are counted, as far as the number one needs it.

Only *1* shows gender in speech (*en krone*, *ett eple*, nn *ei veke*), so this is a list of nouns that games and
lessons count, not a dictionary. A noun that is not here counts as masculine, which Bokmål also allows for every
feminine noun. Heads of compounds are found by their ending: *gulleple* is an *eple*.
"""

from __future__ import annotations

from replikk.dialogue.norwegian.tables import listed

_NEUTER = frozenset(
    listed("""
    år minutt sekund døgn tiår århundre øyeblikk augeblikk kvarter kilo gram tonn pund øre eple bær egg brød stykke
    par dusin barn dyr hus tre tårn slott rom bord vindu vindauge lys tak gulv golv kjøkken skap hjul tog skip fly
    hjem land fjell vann vatn hav tall tal ord spørsmål svar poeng liv mål spill spel kort brett kast steg skritt
    trinn slag felt nivå forsøk bilde bilete kapittel avsnitt punkt nummer sted hjerte hjarte hode øye auge ben bein
    glass fat anker sverd skjold våpen kart frø blad lam føll esel ekorn troll monster spøkelse tegn teikn flagg
    spor problem eksempel eventyr prosjekt møte lag løp sett ønske råd bevis valg knep hull hol hjørne språk kvadrat
    rektangel siffer signal album besøk bur dikt gjerde håndkle kne kors leksikon lodd lokk navn namn rike rop rør
    selskap smil angrep forsvar oppdrag brev hint sting skudd skot spyd bål lager kammer tempel kloster fengsel fort
    palass museum galleri bibliotek apotek sykehus sjukehus hotell teater stadion dokument passord kamera menneske
    medlem skjelett horn reir uhyre vesen gjenferd insekt belte armbånd smykke spann krus beger støv bånd tau nett
    lerret plagg skjørt skjerf ark papir hefte eksemplar frimerke postkort instrument piano program system nettsted
    kompass mikroskop teleskop treff hopp spark kyss løfte krav skrik brøl hyl minne mirakel mysterium drap mord
    vitne offer speil spegl stativ ekko geni segl sjal hakk symbol ikon tempo dalføre vær stykk hår ansikt andlet
    bryst kinn øyelokk lår skjær sandkorn korn strå rykte opprør slep spett verk håndverk kunstverk byggverk maleri
    portrett gap gufs sug napp bitt vers forhold unntak forbud påbud skilt varsel budskap kallenavn fornavn
    etternavn bursdagskort gebyr lån honorar krystall arsenal lass kobbel kull mel fartøy sjørøverskip anlegg parti
    foredrag samfunn oppgjør bokmerke tastetrykk klikk trykk bad gys tilbud tilbod triks under univers verktøy vink
    merke""")
)
_NO_HEADS = frozenset(listed("skap lokk under sett sting fort nett lager offer bitt napp"))
"""Endings of other words as well: *egenskap*, *flokk*, *testing*, *komfort*, *klarinett*, *slager*."""
_HEADS = (
    *sorted(word for word in _NEUTER - _NO_HEADS if len(word) >= 4),
    *listed("bær hus rom dyr egg brød tog tall lys ark kart"),
)
_NEUTER_ADJECTIVES = frozenset(
    listed("""
    lite stort rødt raudt gult grønt blått hvitt kvitt nytt gammelt gammalt godt varmt kaldt langt høyt høgt rundt
    halvt enkelt annet anna tomt fullt fint pent rart tungt gyllent""")
)
_ADJECTIVE_ENDINGS = ("ig", "leg", "sk", "lt", "nt", "rt", "st", "ende", "ande")
_FEMININE = frozenset(
    listed("""
    krone veke bok dronning jente søster syster mor datter dotter dame kone gås geit ku mus rotte side mil natt tid
    øy hytte dør rose klokke stjerne sol flaske kiste skattekiste nøtt hand gåve oppgåve prinsesse heks kake gate bøtte
    pære seng lampe lykt bru eske dukke fele fløyte grop gruve hole hylle jakke kasse linje lue løve måke nål pakke
    panne perle plate rute saks skål skei teskei spiseskei tavle trapp tunge vise vogn åre bygd elv øks bie tue høne
    skive kråke ugle brikke skjorte strofe setning bølgje mengd rekkje gruppe""")
)


def is_neuter(word: str, next_word: str = "") -> bool:
    """Whether *1* before these words is *ett* (nb), *eitt* (nn); an adjective may stand first: *1 magisk sverd*."""
    word = word.lower()
    if next_word and word.endswith(_ADJECTIVE_ENDINGS) and is_neuter(next_word):
        return True
    if word in _NEUTER or word in _NEUTER_ADJECTIVES:
        return True
    return len(word) > 5 and word.endswith(_HEADS)


def is_feminine(word: str) -> bool:
    """Whether *1* before this word is *ei* in Nynorsk."""
    return word.lower() in _FEMININE
