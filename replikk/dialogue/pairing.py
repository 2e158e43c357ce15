r"""Tags of looks that have no partner, or cross one another: ``{b}Hei``, ``Hei{/i}``, ``{b}{i}Hei{/b}{/i}``.

They are stripped like all others and change nothing that is spoken, but the game will show the text otherwise than its
writer meant (Ren'Py refuses it). So each is a remark, never an error: TextMeshPro, for one, ends its tags with the
text. Only tags that always enclose something take part; those that may stand alone (``{w}``, ``[speed=…]``,
``<sprite>``) do not.
"""

from __future__ import annotations

from replikk.dialogue.norwegian.tables import listed
from replikk.dialogue.tags import Tag, Token
from replikk.errors import printable

_ENCLOSING = {
    "curly": frozenset(listed("b i u s plain k a alpha color cps font outlinecolor size alt_color rb")),
    "square": frozenset(
        listed("""
        b i u s code center left right fill url color bgcolor fgcolor font font_size outline_size outline_color ul ol
        table cell dropcap hint wave shake bounce tornado fade rainbow pulse jitter wobble matrix ghost heart swing
        nomarkup noparse""")
    ),
    "angle": frozenset(
        listed("""
        b i u s em strong mark small big sub sup del ins span a font color size allcaps uppercase lowercase smallcaps
        gradient link nobr noparse cite code""")
    ),
}
_BRACKETS = {"curly": ("{", "}"), "square": ("[", "]"), "angle": ("<", ">")}


class Pairs:
    """The tags that are open at a place of a text."""

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []
        """(kind, name), the innermost last."""

    def take(self, token: Token, tag: Tag) -> str:
        """The remark that the next tag is worth; usually empty."""
        if tag.name == "/":  # Yarn: closes everything
            self._open.clear()
            return ""
        name = "color" if token.kind == "angle" and tag.name == "#" else tag.name  # <#ff0000>…</color>
        if name not in _ENCLOSING.get(token.kind, frozenset()) or tag.self_closing:
            return ""
        one = (token.kind, name)
        if not tag.closing:
            self._open.append(one)
            return ""
        closing = printable(token.raw, 60)
        if one not in self._open:
            return f"'{closing}' closes nothing: write {_opening(one)} before what it encloses, or take it out"
        at = len(self._open) - 1 - self._open[::-1].index(one)
        inner = self._open[-1]
        del self._open[at]
        if inner == one:
            return ""
        return f"'{closing}' crosses '{_opening(inner)}': write {_closing(inner)} before {closing}"

    def left_open(self) -> list[str]:
        """The remarks on what is still open at the end of the text.

        What was opened twice was set back by the second: ``<size=120%>STORT<size=100%> og lite``.
        """
        return [
            f"'{_opening(one)}' is never closed: write {_closing(one)} after what it encloses"
            for one in self._open
            if self._open.count(one) == 1
        ]


def _opening(one: tuple[str, str]) -> str:
    kind, name = one
    left, right = _BRACKETS[kind]
    return f"{left}{name}{right}"


def _closing(one: tuple[str, str]) -> str:
    kind, name = one
    left, right = _BRACKETS[kind]
    return f"{left}/{name}{right}"
