"""What else is right for a script: the lexicon's other form, other right forms of its words, the *ett* of *hundre*."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from replikk.dialogue.norwegian.forms import INFINITIVE_COMES
from replikk.dialogue.norwegian.tables import listed
from replikk.judges.keys import NUMBER_WORD, canonical, keys_of, locales_of
from replikk.judges.lattice import Path, Token
from replikk.judges.pieces import Piece
from replikk.judges.words import word_key

_SUBJECTS = frozenset(listed("eg du han ho vi me de dei det jeg hun dere ikkje ikke"))
_BROKEN = re.compile(r"\d[,/½]\d|½")
_STUTTER = re.compile(r"(?:([bcdfghjklmnpqrstvwxz]{1,3}|[aeiouyæøå])-){1,4}(\1[^\W\d_]+)")
"""*J-jeg*, *hv-hva*: a judge may leave the stumbling out."""
_SCALES = frozenset(("hundre", "tusen"))


def lexicon_forms(tokens: Sequence[Token], respelt: Sequence[tuple[str, str]], locale: str) -> Iterator[Path]:
    """Both forms of an entry are right, whichever the script has."""
    forms: dict[str, set[tuple[str, ...]]] = {}
    for pair in respelt:
        written, spoken = (keys_of(form, locale) for form in pair)
        for one, other in ((written, spoken), (spoken, written)):
            if one and other and one != other:
                forms.setdefault("".join(one), set()).add(other)
    if not forms:
        return
    longest = max(map(len, forms))
    for start in range(len(tokens)):
        letters = ""
        for stop in range(start + 1, len(tokens) + 1):
            letters += "".join(tokens[stop - 1].first)
            if len(letters) > longest:
                break
            for keys in sorted(forms.get(letters, ())):
                yield Path(start, stop, keys, "lexicon")


def form_paths(pieces: Sequence[Piece], tokens: Sequence[Token], locale: str) -> Iterator[Path]:
    """Other right forms of the script's words, and the small words that a number may have or not."""
    for at, (piece, token) in enumerate(zip(pieces, tokens, strict=True)):
        if stuttered := _STUTTER.fullmatch(piece.word.lower()):
            yield Path(at, at + 1, (canonical(word_key(stuttered[2]), locale),), "form")
        if not piece.word.isalpha():
            continue
        before = tokens[at - 1] if at else None
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        if token.capital != "inside":
            for form in _forms(token.plain, _before(tokens, at), locale):
                yield Path(at, at + 1, form, "form")
        if token.plain in _SCALES:
            if before is None or not NUMBER_WORD.fullmatch(before.same):
                for one in locales_of(locale):
                    yield Path(at, at + 1, (*keys_of("eitt" if one == "nn" else "ett", locale), token.plain), "number")
        elif after is not None and after.plain in _SCALES and token.plain in ("ett", "et", "eitt"):
            yield Path(at, at + 2, (after.plain,), "number")
        elif (
            token.plain == "og"
            and before is not None
            and after is not None
            and before.plain in _SCALES
            and NUMBER_WORD.fullmatch(after.same)
        ):
            yield Path(at - 1, at + 1, (before.plain,), "number")


def broken_numbers(tokens: Sequence[Token], locale: str) -> Iterator[Path]:
    """*2,5 timer* is read *to og en halv time*."""
    for at in range(1, len(tokens)):
        token = tokens[at]
        if _BROKEN.search(tokens[at - 1].shown) and token.capital != "inside" and len(token.plain) > len("er"):
            for one in _singulars(token.plain):
                yield Path(at, at + 1, (canonical(one, locale),), "form")


def _before(tokens: Sequence[Token], at: int) -> str:
    """The word before a word; in a question the auxiliary before its subject (*kan du hjelpe*)."""
    if at > 1 and tokens[at - 1].plain in _SUBJECTS and tokens[at - 2].plain in INFINITIVE_COMES:
        return tokens[at - 2].plain
    return tokens[at - 1].plain if at else ""


def _singulars(plural: str) -> tuple[str, ...]:
    if plural.endswith(("er", "ar")):
        return (plural[:-2], plural[:-2] + "e")
    return ()


@lru_cache(maxsize=32768)
def _forms(word: str, before: str, locale: str) -> tuple[tuple[str, ...], ...]:
    from replikk.dialogue.norwegian.forms import other_forms

    found = [form for one in locales_of(locale) for form in other_forms(word, one, before)]
    return tuple(dict.fromkeys((canonical(form, locale),) for form in found))
