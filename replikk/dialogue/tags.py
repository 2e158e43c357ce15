r"""The one table of text markup: what a token in brackets, braces or angle brackets means.

Placeholders are filled in before markup is stripped, and both must agree on what ``{i}`` (italics of Ren'Py) and
``{player_name}`` (a placeholder) are. So both read a text with ``scan``, which cuts it into tokens, and ask
``meaning_of``.

The tables cover Ren'Py text tags ``{..}``; Yarn Spinner, Godot BBCode, Dialogue Manager and Dialogic ``[..]``; Unity
rich text, HTML and SSML ``<..>``. A well-formed token that no table knows is never guessed at: it is ``UNKNOWN``, and
the writer hears of it.

Everything is linear in the length of the text, on hostile input too: each alternative of the pattern stops at the
next opening bracket of its kind or after ``_LONGEST`` characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from replikk.dialogue.cues import cues_between_stars, cues_in_parentheses, directions

_LONGEST = 300  # characters inside one pair of brackets; a longer one is text that was not closed

_TOKEN = re.compile(
    rf"""
    (?P<escape>\\[\\\[\]{{}}<>*()&:%#_$"'nt])
  | (?P<square2>\[\[(?:[^\[\]]{{1,{_LONGEST}}}\]\])?)
  | (?P<square>\[[^\[\]]{{0,{_LONGEST}}}\])
  | (?P<curly2>\{{\{{(?:[^{{}}]{{1,{_LONGEST}}}\}}\}})?)
  | (?P<prefixed>[$\#%]\{{[^{{}}]{{1,{_LONGEST}}}\}})
  | (?P<curly>\{{[^{{}}]{{0,{_LONGEST}}}\}})
  | (?P<named><%=?[ ]?[^\W\d][\w.]{{0,40}}[ ]?%>|(?<![\w%])%[^\W\d]\w{{1,40}}%(?!\w)|\$\([^\W\d][\w.]{{0,40}}\))
  | (?P<command><<(?=[^\W\d_])[^<>]{{1,{_LONGEST}}}>>)
  | (?P<angle></?(?:[^\W\d_]|\#)[^<>]{{0,{_LONGEST}}}>)
  | (?P<open>[\[{{](?=[/\#$]?\w))
  | (?P<entity>&(?:\#[0-9]{{1,7}}|\#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}});)
  | (?P<printf>(?<![\d%])%(?:[0-9]{{1,2}}\$)?[sdi](?!\w)|(?<![\w%])%[1-9](?![\w.,])|%\(\w{{1,40}}\)[sd]|%%)
  | (?P<variable>(?<![\w$])\$[^\W\d]\w{{1,40}})
  | (?P<stars>\*+(?:[^*\n]{{1,80}}\*+)?)
  | (?P<paren>\((?:[^()\n]{{1,80}}\))?)
  | (?P<line_tag>(?<!\S)\#line:\w+)
  | (?P<newline>\r\n?|\n)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text: ``kind`` is a group of the pattern above, ``cue`` for a stage cue in parentheses or
    asterisks, or ``text`` for what lies between tokens."""

    kind: str
    raw: str
    start: int

    @property
    def body(self) -> str:
        """The token without its brackets."""
        if self.kind in ("square", "curly", "angle"):
            return self.raw[1:-1]
        if self.kind == "cue":
            return self.raw.strip("*()")
        if self.kind in ("square2", "curly2", "command"):
            return self.raw[2:-2]
        if self.kind == "prefixed":
            return self.raw[2:-1]
        if self.kind == "named":
            return self.raw.strip("[]<>%=$() ")
        return self.raw


_LINK = re.compile(r"\[\[[^\W\d]\w*(?:\.\w+)*\]\]")


def scan(text: str) -> Iterator[Token]:
    """Cut a text into tokens; their ``raw`` strings joined are the text."""
    position = 0
    while found := _TOKEN.search(text, position):
        kind, start, end = str(found.lastgroup), found.start(), found.end()
        if kind == "square2" and _LINK.fullmatch(found.group()):
            kind = "named"  # a variable or a link; Ren'Py's bracket has one partner only
        elif kind == "square2" and (end - start == 2 or "|" not in found.group()):
            kind, end = "escape", start + 2  # [[ is Ren'Py for a bracket that is shown
        elif kind == "curly2" and end - start == 2:
            kind = "escape"  # {{ is Ren'Py for a brace that is shown
        elif kind == "prefixed" and _known("curly", found.group()[2:-1].strip()) is not None:
            kind, end = "text", start + 1  # "100 %{i}sikker{/i}"
        elif kind == "stars":
            inner = found.group().strip("*")
            if inner and cues_between_stars(text, start, end, inner):
                kind = "cue"
            else:  # what the stars enclose may hold markup of its own
                end = start + len(found.group()) - len(found.group().lstrip("*"))
        elif kind == "paren":
            if cues_in_parentheses(text, start, end):
                kind = "cue"
            else:
                kind, end = "text", start + 1
        if start > position:
            yield Token("text", text[position:start], position)
        yield Token(kind, text[start:end], start)
        position = end
    if position < len(text):
        yield Token("text", text[position:], position)


class Meaning(Enum):
    """What a token in brackets does to display and speech."""

    STRIP = auto()
    """Looks only: taken out, what it encloses stays."""
    IGNORED = auto()
    """Asks something of the voice that no engine here is told: taken out with a remark."""
    PAUSE_S = auto()
    PAUSE_MS = auto()
    BREAK = auto()
    """A new line on the screen."""
    LITERAL = auto()
    """Stands for a character that would otherwise be markup."""
    HIDE = auto()
    """What it encloses is neither shown nor spoken (the path of a picture)."""
    HIDE_SPEECH = auto()
    HIDE_DISPLAY = auto()
    END = auto()
    """Nothing after it is shown or spoken."""
    SPEAKER = auto()
    CHOICE = auto()
    """The game decides at run time what is shown: no single clip can say it."""
    CUE = auto()
    """A stage cue: ``[hvisker]``, ``<sigh>``."""
    PLACEHOLDER = auto()
    UNKNOWN = auto()
    TEXT = auto()
    """Not markup: punctuation in brackets."""


@dataclass(frozen=True)
class Tag:
    """A token in brackets, taken apart."""

    meaning: Meaning
    name: str
    value: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    closing: bool = False
    self_closing: bool = False


def _table(rows: dict[Meaning, str]) -> dict[str, tuple[Meaning, str]]:
    """Names to (meaning, whether a value belongs to it): ``=`` after a name: always, ``?``: perhaps, nothing: never."""
    table = {}
    for meaning, names in rows.items():
        for name in names.split():
            bare = name.rstrip("=?")
            table[bare] = (meaning, name[len(bare) :])
    return table


# Braces: the text tags of Ren'Py 8.
_CURLY = _table(
    {
        Meaning.STRIP: "b i u s plain k= a= alpha= alt_color= axis:= color= cps= font= outlinecolor= size= space= "
        "vspace= image= feature:= instance= shader= transform= lang= style= nw? fast clear rb",
        Meaning.PAUSE_S: "w? p?",
        Meaning.HIDE_SPEECH: "noalt rt art",
        Meaning.HIDE_DISPLAY: "alt",
        Meaning.END: "done",
    }
)
# Square brackets: Yarn Spinner's own and sample attributes, Godot BBCode, Dialogue Manager, Dialogic.
_SQUARE = _table(
    {
        Meaning.STRIP: "a? b i u s e code p? center left right fill indent url? color= bgcolor= fgcolor= font? "
        "font_size= outline_size= outline_color= opentype_features= otf= lang= ul? ol? li table= "
        "cell? dropcap? hint= hr? char= wave? shake? bounce? tornado? fade? rainbow? pulse? "
        "jitter? wobble? matrix? ghost? heart? swing? nomarkup noparse trimwhitespace style? "
        "speed= next= id= voice= mood= portrait= signal= set? do? aa= ns= nospeed elif? else endif "
        "tags=",
        Meaning.PAUSE_S: "wait?",
        Meaning.PAUSE_MS: "pause?",
        Meaning.BREAK: "br n",
        Meaning.LITERAL: "lb rb",
        Meaning.HIDE: "img?",
        Meaning.SPEAKER: "character?",
        Meaning.CHOICE: "select? plural? ordinal? if? random?",
    }
)
# Angle brackets: TextMeshPro and Unity rich text, usual HTML, SSML.
_ANGLE = _table(
    {
        Meaning.STRIP: "b i u s em strong mark? small big sub? sup del ins span? div? p? a? font? color= size= "
        "alpha= align= allcaps uppercase lowercase smallcaps cspace= font-weight= gradient? "
        "indent= line-height= line-indent= link? margin= margin-left= margin-right= mspace= nobr "
        "noparse pos= rotate= space= sprite? style= voffset= width= material= quad? speak? "
        "center w cite code",
        Meaning.IGNORED: "prosody? emphasis? say-as? phoneme? voice? lang? audio?",
        Meaning.PAUSE_S: "pause? wait?",
        Meaning.PAUSE_MS: "break?",
        Meaning.BREAK: "br page",
    }
)
_TABLES = {"curly": _CURLY, "square": _SQUARE, "angle": _ANGLE}

_SHAPE = re.compile(r"\s*(/)?\s*([^\W\d][\w:.-]*)\s*(.*)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\W\d][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=]+))\s*""")
_CURLY_PLACEHOLDER = re.compile(r"\$?([^\W\d][\w.]*|\d+)\s*(?:[:!|,].*)?", re.DOTALL)
_SQUARE_PLACEHOLDER = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*)(!\w{1,4})?")
_ANGLE_PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_]{1,40}")


def tag_names(kind: str) -> list[str]:
    """The names that the table of ``square``, ``curly`` or ``angle`` brackets knows, for suggestions."""
    return sorted(_TABLES[kind])


def meaning_of(token: Token) -> Tag:
    """What a token in brackets, or a ``named`` one (``%name%``, ``$(name)``, ``<%= name %>``), means."""
    body = token.body.strip()
    if token.kind == "square2":
        return Tag(Meaning.CHOICE, "[[…|…]]")
    if token.kind in ("curly2", "prefixed", "named"):
        return Tag(Meaning.PLACEHOLDER, _placeholder_name(body))
    known = _known(token.kind, body)
    if known is not None:
        return known
    if token.kind == "curly":
        return Tag(Meaning.PLACEHOLDER, _placeholder_name(body))
    if not any(c.isalnum() for c in body):
        return Tag(Meaning.TEXT, "")
    if directions(body):
        return Tag(Meaning.CUE, body)
    if token.kind == "square":
        name = _SQUARE_PLACEHOLDER.fullmatch(body)
        if name and (name[2] or "_" in name[1] or "." in name[1]):
            return Tag(Meaning.PLACEHOLDER, name[1])
    elif _ANGLE_PLACEHOLDER.fullmatch(body):
        return Tag(Meaning.PLACEHOLDER, body)
    shape = _SHAPE.match(body)
    name_only = shape[2].casefold() if shape else body
    return Tag(Meaning.UNKNOWN, name_only, closing=bool(shape and shape[1]))


def _placeholder_name(body: str) -> str:
    plain = _CURLY_PLACEHOLDER.fullmatch(body)
    return plain[1] if plain else body


def _known(kind: str, body: str) -> Tag | None:
    """The tag of the table, or None."""
    if special := _special(kind, body):
        return special
    self_closing = body.endswith("/") and body != "/"
    shape = _SHAPE.fullmatch(body[:-1] if self_closing else body)
    if shape is None:
        return None
    name, rest = shape[2].casefold(), shape[3]
    family = name.split(":")[0] + ":" if kind == "curly" and ":" in name else name
    found = _TABLES[kind].get(family)
    if found is None:
        return None
    meaning, wants_value = found
    if shape[1]:
        return None if rest.strip() else Tag(meaning, name, closing=True)
    value, attributes, sound = _values(kind, rest)
    if not sound or (rest and not wants_value) or (not rest and wants_value == "="):
        return None
    return Tag(meaning, name, value, attributes, self_closing=self_closing)


def _special(kind: str, body: str) -> Tag | None:
    """Markup that has no name before its first sign."""
    if kind == "square":
        if body == "/":  # Yarn: closes everything
            return Tag(Meaning.STRIP, "/", closing=True)
        if body.startswith("#"):  # Dialogue Manager: tags of the line
            return Tag(Meaning.STRIP, "#")
        if body.startswith("$>"):  # Dialogue Manager: a mutation
            return Tag(Meaning.STRIP, "$>")
    elif kind == "curly":
        if body.startswith("#"):  # Ren'Py: keeps two equal texts apart for translators
            return Tag(Meaning.STRIP, "#")
        if body.startswith("=") or body == "/=":  # Ren'Py: {=style}
            return Tag(Meaning.STRIP, "=")
    elif re.fullmatch(r"#[0-9a-fA-F]{3,8}", body):  # TextMeshPro: <#ff0000>
        return Tag(Meaning.STRIP, "#")
    return None


def _values(kind: str, rest: str) -> tuple[str, dict[str, str], bool]:
    """(value after the name, attributes, whether all of it is well formed)."""
    rest = rest.strip()
    if not rest:
        return "", {}, True
    if kind == "curly":
        return rest[1:].strip(), {}, rest.startswith("=")
    value = ""
    if rest.startswith("="):
        first, _, rest = rest[1:].strip().partition(" ") if "=" in rest[1:] else (rest[1:].strip(), "", "")
        value, rest = first.strip("\"'"), rest.strip()
    attributes: dict[str, str] = {}
    while rest:
        attribute = _ATTRIBUTE.match(rest)
        if attribute is None:
            # Yarn and Dialogue Manager write bare values and code: [pause 1000/], [do give("key")], [if has_key].
            return value or rest, attributes, kind == "square"
        attributes[attribute[1].casefold()] = attribute[2] or attribute[3] or attribute[4] or ""
        rest = rest[attribute.end() :]
    return value, attributes, True
