"""Faces made of punctuation, ``:)``, ``:D``, ``<3``: they are looked at, never said.

They go before all other rules, while the signs are still those that the writer typed: ``:D`` would else end as a
letter and ``<3`` as a sum. A face stands apart or closes a word, and one that could be something else stays:
``8)`` numbers a list, ``x <3`` compares, ``:3`` after a number is a ratio.
"""

from __future__ import annotations

import re

_APART = r"(?<![^\s.,!?…\"'»”*)])"
_ENDS = r"(?![^\s.,!?…\"'«“*])"
_FACE = re.compile(
    rf"{_APART}(?:[>}}]?[:;]['’´]?[-^o~]?(?:[)(|@$]{{1,5}}|[DPpSsXxOo]|[/\\])|=[)(DP]"  # :) ;-( =D :P :O :/
    r"|[8B]-[)(D]{1,3}|[xX]D{1,3}"
    rf"|\^[_.]?\^|-[_.]-|[oO][._][oO]|[TQ;]_[TQ;]|\\[oO]/){_ENDS}"  # ^^ -_- o_O T_T \o/
    rf"|(?<=[a-zæøå])[:;]-?(?:[)(]{{1,5}}|[DP]){_ENDS}"
)
_HEART = re.compile(rf"{_APART}<[/\\]?3{{1,5}}(?: ?<[/\\]?3{{1,5}}){{0,9}}(?!\d|[.,]\d| ?[-+=×*/])(?!\w)")
_CAT = re.compile(rf"{_APART}[:=]-?3{_ENDS}")
_COMPARED = re.compile(r"(?:\d|(?<!\w)[^\W\d_]) ?$")
_MAY_HOLD_A_FACE = re.compile(r"[:;=<^\\]|[xX8B]-?D|[8B]-\)|-[_.]-|[oOTQ][._][oOTQ]")


def drop_emoticons(text: str) -> str:
    """The text without its faces; a blank is left in their place."""
    if not _MAY_HOLD_A_FACE.search(text):
        return text
    text = _FACE.sub(" ", text)
    return _CAT.sub(_unless_compared, _HEART.sub(_unless_compared, text))


def _unless_compared(match: re.Match[str]) -> str:
    return match[0] if _COMPARED.search(match.string[max(0, match.start() - 4) : match.start()]) else " "
