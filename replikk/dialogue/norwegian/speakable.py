"""The one entry point: text as a writer typed it, in; words and ordinary punctuation, out.

The order of the rules is the design. Each rule takes what only it can know and leaves words behind, so that the
next one no longer sees the digits: addresses before abbreviations (``nrk.no``), clock times with *klokka* before
dates (``klokka 10.10``), phone numbers before ranges, sums before amounts, amounts before bare times (``10.50 kr``),
numbers before acronyms. Every rule is one pass of a regular expression whose repeats are limited, so the time is
linear in the length of the text, and nothing here raises.
"""

from __future__ import annotations

import re

from replikk.dialogue.norwegian.abbreviations import expand_abbreviations
from replikk.dialogue.norwegian.addresses import speak_addresses
from replikk.dialogue.norwegian.between_numbers import (
    speak_letter_ranges,
    speak_ordinals,
    speak_phone_numbers,
    speak_ranges,
    speak_ratios,
    speak_sums,
)
from replikk.dialogue.norwegian.characters import clean, tidy
from replikk.dialogue.norwegian.clock_and_dates import (
    speak_bare_times,
    speak_cued_times,
    speak_dates,
    speak_name_ranges,
)
from replikk.dialogue.norwegian.emoticons import drop_emoticons
from replikk.dialogue.norwegian.letters import speak_letters, split_ids
from replikk.dialogue.norwegian.money_and_units import speak_lone_units, speak_money, speak_units
from replikk.dialogue.norwegian.number_words import (
    speak_compounds,
    speak_long_numbers,
    speak_numbers,
    speak_versions,
)
from replikk.dialogue.norwegian.roman import speak_roman_numerals
from replikk.dialogue.norwegian.shares import speak_shares

_DIGIT = re.compile(r"\d")
_SIGN = re.compile(r"[%‰€$£¥§&^²³+=−±≈≠√∞<>~]")
_SIGN_WORDS = {
    "%": "prosent",
    "‰": "promille",
    "€": "euro",
    "$": "dollar",
    "£": "pund",
    "¥": "yen",
    "§": "paragraf",
    "&": "og",
}
_SIGN_WORDS |= {"²": "i andre", "³": "i tredje"}
_AND_OR = re.compile(r"(?<=\bog)/(?=eller\b)", re.I)
_EITHER = re.compile(r"(?<=[^\W\d_][^\W\d_])/(?=[^\W\d_]{2})")


def speakable(text: str, locale: str) -> str:
    """What a voice says for ``text``: no digits, no symbols, abbreviations written out.

    ``text`` is plain (markup stripped, placeholders filled); ``locale`` is ``nb`` or ``nn``. Letters, their case and
    ordinary punctuation are kept; a spaced dash becomes a comma; what cannot be spoken (emoji, bullets) is dropped,
    so the result may be empty. Text that has nothing to expand comes back as it is. Never raises.
    """
    locale = "nn" if locale == "nn" else "nb"
    text = clean(drop_emoticons(text))
    text = speak_addresses(text)
    text = expand_abbreviations(text, locale)
    if _DIGIT.search(text):
        text = speak_long_numbers(text, locale)
        text = speak_cued_times(text, locale)
        text = speak_phone_numbers(text, locale)
        text = speak_shares(text)
        text = speak_dates(text, locale)
        text = speak_ranges(text, locale)
    if _DIGIT.search(text) or _SIGN.search(text):
        text = speak_sums(text, locale)
    if _DIGIT.search(text):
        text = speak_ordinals(text, locale)
        text = speak_money(text, locale)
        text = speak_units(text, locale)
        text = speak_bare_times(text, locale)
        text = speak_ratios(text)
        text = speak_versions(text, locale)
        text = speak_compounds(text, locale)
        text = split_ids(text)
        text = speak_numbers(text, locale)
    text = speak_lone_units(text, locale)
    text = text.replace("°", " gradar " if locale == "nn" else " grader ")
    text = _SIGN.sub(lambda m: f" {_SIGN_WORDS.get(m[0], '')} ", text)
    text = _EITHER.sub(" eller ", _AND_OR.sub(" ", text))
    if "-" in text or "–" in text:
        text = speak_name_ranges(speak_letter_ranges(text))
    text = speak_roman_numerals(text, locale)
    return tidy(speak_letters(text))
