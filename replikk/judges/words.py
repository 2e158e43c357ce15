"""What counts as the same word when a judge's spelling meets the script's.

A judge writes what it hears, in its own spelling: without case and punctuation (``mini``) or with both, digits and
all (``nb-whisper``). A difference in spelling that no ear can hear must not cost a take. So every word is compared by
a *key*: lower case, no punctuation, no accents, ``aa`` for ``å`` in names. å, ø and æ are letters of their own and are
never folded. ``sound_key`` goes further and asks whether two different words sound the same; that is weaker
evidence and never counts as equal by itself.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

SEPARATORS = re.compile(r"[\s\\|–—―…]+|\.{2,}|(?<!\w)-|-(?!\w)|(?<!\d)/|/(?!\d)")
"""Where one displayed word ends: blanks, dashes, ellipses and slashes, but no hyphen inside a word and no 1/2."""
_EDGES = re.compile(r"^[^\w%&+=§°€$£]+|[^\w%&+=§°€$£]+$")
SPEAKABLE_SYMBOLS = frozenset("%&+=§°€$£")
_STRETCHED = re.compile(r"(.)\1{2,}")
"""Three equal letters in a row are never spelling in Norwegian, but a stretched sound: 'neeei'."""
_OWN_LETTERS = frozenset("åøæ")
_BORROWED = str.maketrans({"ä": "æ", "ö": "ø", "ü": "y", "ß": "ss", "đ": "d", "ð": "d", "ł": "l", "œ": "ø"})
"""Letters of neighbours and what Norwegians write and say for them."""


def split_words(text: str) -> list[str]:
    """The words of a text as a reader sees them, punctuation around them dropped. NFC."""
    pieces = SEPARATORS.split(unicodedata.normalize("NFC", text))
    return [word for word in map(strip_edges, pieces) if is_word(word)]


def strip_edges(piece: str) -> str:
    """A piece of text between blanks without the punctuation around it."""
    return piece if piece.isalpha() else _EDGES.sub("", piece)


def is_word(word: str) -> bool:
    """Whether there is anything to say in it."""
    return word.isalpha() or any(c.isalnum() or c in SPEAKABLE_SYMBOLS for c in word)


@lru_cache(maxsize=65536)
def word_key(word: str) -> str:
    """The form in which a word is compared; empty for a word without letters and digits."""
    return _STRETCHED.sub(r"\1", unfolded_key(word)).replace("aa", "å")


@lru_cache(maxsize=65536)
def unfolded_key(word: str) -> str:
    """``word_key`` before ``aa`` became ``å`` and stretched sounds one letter: *kanadaavtale*, *trafikkkontroll*."""
    lowered = unicodedata.normalize("NFC", word).lower().translate(_BORROWED)
    kept = []
    for character in lowered:
        if not character.isalnum():
            continue
        if character.isascii() or character in _OWN_LETTERS:
            kept.append(character)
        else:
            kept.extend(c for c in unicodedata.normalize("NFD", character) if not unicodedata.combining(c))
    return "".join(kept)


def half_stretched(key: str) -> str:
    """A stretched sound as two letters: *brrr* is also written *brr*."""
    return _STRETCHED.sub(r"\1\1", key)


_SOUNDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        # small words whose spelling says nothing about their sound
        (r"^og$", "å"),
        (r"^(j|m|d|s)eg$", r"\1ei"),
        (r"^det$", "de"),
        # names of letters: a judge writes m, mm, em or emm
        (r"^e?([flmnrs])\1?$", r"e\1"),
        # foreign letters
        (r"ch|ck|q", "k"),
        (r"c(?=[eiy])|z", "s"),
        (r"c", "k"),
        (r"w", "v"),
        (r"x", "ks"),
        (r"ph", "f"),
        (r"th|dt", "t"),
        # silent letters: hv-, hj-, gj-, lj-, -nd, -ld, -rd, -ig
        (r"^hv", "v"),
        (r"^(hj|gj|lj)", "j"),
        (r"g(?=n$)", "i"),
        (r"(?<=[nlr])d(?=s?$)", ""),
        (r"(?<=i)g$", ""),
        # sj- and kj-sounds
        (r"^(skj|stj|sch|sh)|^sk(?=[iy]|ei|øy)", "sj"),
        (r"^(kj|tj)|^k(?=[iy]|ei|øy)", "kj"),
        # the same vowel in other letters
        (r"ei|ai", "ei"),
        (r"æ", "e"),
        (r"o(?=([^aeiouyæøå])\1)", "å"),
        # a double consonant before another one is only spelling: fullt, fult
        (r"([^aeiouyæøå])\1(?=[^aeiouyæøå])", r"\1"),
    )
)


@lru_cache(maxsize=16384)
def sound_key(key: str) -> str:
    """How a word sounds, roughly: equal for spelling homophones such as fullt/fult, nærmer/nermer, og/å."""
    for pattern, sound in _SOUNDS:
        key = pattern.sub(sound, key)
    return key


def sounds_alike(one: str, other: str) -> bool:
    """Whether two displayed words are two spellings of about the same sound."""
    return sound_key(word_key(one)) == sound_key(word_key(other))


@lru_cache(maxsize=16384)
def _loose_sound(key: str) -> str:
    """For names only, where spelling is free: double letters, h after a consonant and y/i count as nothing."""
    sound = re.sub(r"(?<=[^aeiouyæøå])h", "", sound_key(key)).replace("y", "i").replace("j", "i")
    return re.sub(r"(.)\1+", r"\1", sound)


NO_NAMES = frozenset(("tack", "can", "will", "with", "fick", "gick", "och", "dock"))
"""Foreign words that a judge which left the language writes, and that sound like Norwegian ones: *Takk*, *tack*."""
_NAME_SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"ck", "kk"),
        (r"ch|q", "k"),
        (r"c(?=[eiyæ])", "s"),
        (r"c", "k"),
        (r"z", "s"),
        (r"w", "v"),
        (r"x", "ks"),
        (r"ph", "f"),
        (r"(?<=[tdrg])h", ""),
        (r"(?<=[aeiou])h$", ""),
        (r"(?<=[aeiou])h(?=[lmnr])", ""),
        (r"dt$", "t"),
        (r"(?<=...)y$", "i"),
    )
)


@lru_cache(maxsize=16384)
def name_sound(key: str, free: bool) -> str:
    """A name without the spellings that have no sound of their own: *Christian*, *Kristian*; *Sarah*, *Sara*.

    ``free`` also takes a double consonant in a long name for a single one (*Mattias*); *Anne* and *Ane* are two names.
    """
    for pattern, sound in _NAME_SPELLINGS:
        key = pattern.sub(sound, key)
    if free and len(key) >= _LONG_NAME:
        key = re.sub(r"([^aeiouyæøå])\1", r"\1", key)
    return key


_LONG_NAME = 6


def is_near_name(heard: str, name: str) -> bool:
    """Whether a judge may have meant this cast name: keys of the heard word and of the name.

    The same sound, or one wrong letter in five, two in nine and more, behind the same first letter. Judges do not know
    invented names; but 'Kari' is not 'Mari' and 'Ola' is not 'Ole'.
    """
    if not heard or not name:
        return False
    if _loose_sound(heard) == _loose_sound(name):
        return True
    allowed = 0 if len(name) < 5 else 1 if len(name) < 9 else 2
    if not allowed or heard[0] != name[0]:
        return False
    from rapidfuzz.distance import OSA

    return OSA.distance(heard, name, score_cutoff=allowed) <= allowed
