"""Spellings and forms that are one word to a judge: *sju* and *syv*, *nå* and *nu*."""

from __future__ import annotations

_EQUIVALENT = {
    "nb": """
        sju syv; sjuende syvende; tjue tyve; tjuende tyvende; tretti tredve; trettiende tredevte; nå nu; etter efter;
        fram frem; framover fremover; framtid fremtid; framtiden fremtiden; framme fremme; framfor fremfor;
        én en; ett étt et; selv sjøl; verken hverken; farge farve; farger farver; fargen farven; vei veg; veien vegen;
        stein sten; steinen stenen; bein ben; beinet benet; høy høg; høyt høgt; lav låg; bru bro; snø sne; melk mjølk;
        gulv golv; syk sjuk; sein sen; seint sent; seinere senere; aleine alene; ble blei; ga gav; dro drog; sto stod;
        skrev skreiv; ok okei okay; tv teve; cirka ca; epost e-post""",
    "nn": """
        ein éin; ei éi; eitt eit; me vi; først fyrst; første fyrste; vere vera; gjere gjera; seie seia; kome koma komme;
        gje gi; høyre høyra; ta take; søster syster; mjølk melk; enno ennå; då da; tysdag tirsdag; laurdag lørdag;
        sundag søndag; auga augo; òg også; ok okei okay; tv teve; cirka ca; epost e-post""",
}


def equivalent_words(locale: str) -> frozenset[frozenset[str]]:
    """Sets of words that are one word to a judge: allowed forms, or spellings that sound the same.

    Endings in -en and -a (*boken, boka*) are a rule of the judge, not rows here. *en* and *ett* are not the same.
    """
    rows = _EQUIVALENT["nn" if locale == "nn" else "nb"].split(";")
    return frozenset(frozenset(row.split()) for row in rows)
