"""One key for all words that are one word to a judge: *sju* and *syv*, *ei* and *éi*; also inside number words."""

from __future__ import annotations

import re
from functools import lru_cache

from replikk.judges.words import SEPARATORS, strip_edges, word_key

_OLD_NUMBER_WORDS = (("syv", "sju"), ("tyve", "tjue"), ("tredve", "tretti"), ("førr", "førti"), ("søtti", "sytti"))
_NEVER_FIRST = frozenset((*(old for old, _ in _OLD_NUMBER_WORDS), "fyrst", "fyrste"))
"""Forms that are never found inside other words once these are made one: *trettitre*, *førsteklassing*."""
NUMBER_WORD = re.compile(
    "(?:og|null|en|ett|et|to|tre|fire|fem|seks|sju|syv|åtte|ni|ti|elleve|tolv|tretten|fjorten|femten|seksten|sytten|atten|"
    "nitten|tjue|tyve|tretti|tredve|førti|førr|søtti|femti|seksti|sytti|åtti|nitti|hundre|tusen|første|andre|tredje|fjerde|sjette|ende|ande|nde|de|te)+"
)


@lru_cache(maxsize=4)
def _pairs(locale: str) -> dict[str, str]:
    """Key of a word → key of the word that stands for it and for all that count as the same."""
    from replikk.dialogue.norwegian.equivalents import equivalent_words

    pairs: dict[str, str] = {}
    for one in locales_of(locale):
        for words in sorted(equivalent_words(one), key=sorted):
            keys = {word_key(word) for word in words}
            known = {pairs.get(key, key) for key in keys}
            first = min(known | keys, key=lambda key: (key in _NEVER_FIRST, key))
            pairs.update(dict.fromkeys(keys, first))
            pairs.update({key: first for key, value in pairs.items() if value in known})
    return pairs


def locales_of(locale: str) -> tuple[str, ...]:
    return (locale,) if locale else ("nb", "nn")


@lru_cache(maxsize=65536)
def canonical(key: str, locale: str) -> str:
    """The key of the word that stands for this one and for all that count as the same."""
    same = _pairs(locale).get(key)
    if same is not None:
        return same
    if any(old in key for old, _ in _OLD_NUMBER_WORDS) and NUMBER_WORD.fullmatch(key):
        for old, new in _OLD_NUMBER_WORDS:
            key = key.replace(old, new)
    return key


@lru_cache(maxsize=65536)
def keys_of(text: str, locale: str) -> tuple[str, ...]:
    pieces = SEPARATORS.split(text)
    return tuple(canonical(key, locale) for key in map(word_key, map(strip_edges, pieces)) if key)
