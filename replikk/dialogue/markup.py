r"""Text of a sheet, with the markup of its engine, taken apart into what is shown and what is spoken.

The markup itself is known to ``tags`` and the stage cues to ``cues``; here they are carried out:

- looks are stripped, with a remark where a tag has no partner (``pairing``); pauses end a segment of speech; a cue
  becomes style, silence or a remark, and never words;
- ``\[``, ``\{``, ``\*`` …, ``[[`` and ``{{`` give the bare character, entities (``&nbsp;``) theirs, ``\n`` and
  ``<br>`` a new line;
- what no clip can say (``[[a|b]]``, ``[if …]``) and what no table knows is a problem: nothing unknown is spoken or
  silently dropped.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field

from replikk.dialogue.cues import Cue, CueKind, directions
from replikk.dialogue.nearest import nearest
from replikk.dialogue.pairing import Pairs
from replikk.dialogue.pauses import LONGEST_PAUSE_MS, read_pause
from replikk.dialogue.records import Segment
from replikk.dialogue.segments import DROPPED, join_segments, tidy_display, tidy_speech
from replikk.dialogue.tags import Meaning, Tag, Token, meaning_of, scan, tag_names
from replikk.errors import printable

_MOST_NOTES = 20  # problems or remarks of one line: a line that is broken a thousand times is broken

_SPEAKER = re.compile(r"([^:\n]{1,80}?)\s*(\([^()\n:]{1,60}\))?\s*:(?!\w|//)[ \t]*")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
)
_MARKUP_SIGN = re.compile(r"[\\\[\]{}<>*()&%#$]")


@dataclass(frozen=True)
class Marked:
    """A text without its markup."""

    display: str
    """What the player reads; stage cues are direction and not in it."""
    segments: tuple[Segment, ...]
    """What is spoken, not yet normalised, with the silence after each part."""
    styles: tuple[str, ...]
    """Direction found in the text, for the whole line."""
    remarks: tuple[str, ...]
    speaker: str
    """The character that the text itself names, as written; empty if none."""
    problems: tuple[tuple[str, str], ...]
    """(what is wrong, what to write instead)."""


@dataclass
class _State:
    shown: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    segments: list[tuple[str, int]] = field(default_factory=list)
    styles: dict[str, None] = field(default_factory=dict)
    remarks: dict[str, None] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    speaker: str = ""
    shown_only: bool = False
    # Tags that hide what they enclose: name to how many are open; their sums per channel.
    hiding: dict[str, int] = field(default_factory=dict)
    pairs: Pairs = field(default_factory=Pairs)
    not_shown: int = 0
    not_spoken: int = 0

    def put(self, shown: str, spoken: str) -> None:
        if not self.not_shown:
            self.shown.append(shown)
        if not self.not_spoken:
            self.spoken.append(spoken)

    def pause(self, duration_ms: int) -> None:
        if not self.not_spoken:
            self.segments.append((tidy_speech("".join(self.spoken)), duration_ms))
            self.spoken = []

    def remark(self, text: str) -> None:
        if len(self.remarks) < _MOST_NOTES:
            self.remarks[text] = None

    def problem(self, raw: str, what: str, instead: str) -> None:
        if self.shown_only:
            self.put(raw, "")
        elif len(self.problems) < _MOST_NOTES:
            self.problems.setdefault(what, instead)


def escape_markup(text: str) -> str:
    """The text in a form that ``parse_markup`` gives back as it is, whatever signs are in it."""
    return _MARKUP_SIGN.sub(r"\\\g<0>", text)


def parse_markup(
    text: str, characters: Collection[str] = (), extra_tags: Collection[str] = (), shown_only: bool = False
) -> Marked:
    """Take a text apart. Never raises; see ``Marked.problems``.

    ``characters``: the names whose "Anna: " before a text is not spoken (in any case of letters). ``extra_tags``:
    names of a game's own ``[tags]`` that only change looks. ``shown_only``: the row has a ``say``, so this text is
    not spoken; what no clip could say is shown as it stands, and nothing is a problem.
    """
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\u2028", "\n"))
    state = _State(shown_only=shown_only)
    text = _take_speaker(text, characters, state)
    extra = frozenset(name.casefold() for name in extra_tags)
    for token in scan(text):
        _take(token, text, state, extra)
    for name, count in state.hiding.items():
        if count:
            state.problem("", f"'[{name}]' is never closed", f"write [/{name}] after what it encloses")
    for remark in state.pairs.left_open():
        state.remark(remark)
    return Marked(
        display=tidy_display("".join(state.shown)),
        segments=join_segments([*state.segments, (tidy_speech("".join(state.spoken)), 0)]),
        styles=tuple(state.styles),
        remarks=tuple(state.remarks),
        speaker=state.speaker,
        problems=tuple(state.problems.items()),
    )


def _take_speaker(text: str, characters: Collection[str], state: _State) -> str:
    """Strip "Anna: " or "Anna (hvisker): " when Anna is a known character."""
    text = text.lstrip()
    prefix = _SPEAKER.match(text[:200]) if characters else None
    if prefix is None:
        return text
    name = " ".join(prefix[1].split())
    folded = name.casefold()
    if not any(unicodedata.normalize("NFC", known).casefold() == folded for known in characters):
        return text
    cue = prefix[2] or ""
    if cue and not directions(cue[1:-1]):
        return text
    state.speaker = name
    return f"{cue} {text[prefix.end() :]}" if cue else text[prefix.end() :]


def _take(token: Token, text: str, state: _State, extra: frozenset[str]) -> None:
    """Carry out one token."""
    raw, kind = token.raw, token.kind
    if kind == "text":
        state.put(raw, raw)
    elif kind == "newline":
        state.put("\n", " ")
    elif kind == "escape":
        _take_escape(raw, state)
    elif kind == "entity":
        plain = _INVISIBLE.sub("", html.unescape(raw))
        state.put(plain, plain)
    elif kind == "stars":
        _take_stars(token, text, state)
    elif kind == "cue":
        _take_cues(raw, directions(token.body), state)
    elif kind == "line_tag":
        pass  # Yarn: #line:0a1b2c names the line
    elif kind == "open":
        state.problem(raw, f"'{raw}' has no partner", f"close it, or write \\{raw} for the character itself")
    elif kind == "command":
        name = printable(raw, 60)
        state.problem(raw, f"'{name}' is a command of the game", "take it out of the text, or write « and » for quotes")
    elif kind == "printf":
        if raw == "%%":
            state.put("%", "%")
        else:
            state.problem(raw, *unresolved(raw, raw))
    elif kind == "variable":
        state.problem(raw, *unresolved(raw, raw[1:]))
    else:
        _take_tag(token, meaning_of(token), state, extra)


def unresolved(raw: str, name: str) -> tuple[str, str]:
    """(what, instead) for a placeholder that the configuration does not know."""
    key = name if re.fullmatch(r"[^\W\d]\w*", name) else '"' + name.replace('"', '\\"') + '"'
    return (
        f"placeholder '{printable(raw, 60)}' has no value",
        f'write in placeholders.yaml beside the sheets  {printable(key, 60)}: {{substitute: "venn"}}  (or values: '
        "[Kari, Ola] for one clip each, or skip: true), or put what to speak in the column 'say'",
    )


def _take_escape(raw: str, state: _State) -> None:
    if raw == "\\n":
        state.put("\n", " ")
    elif raw == "\\t":
        state.put(" ", " ")
    else:
        sign = raw[-1]
        state.put(sign, " " if sign in "*<>" else sign)  # engines read them as commands or by name


def _take_stars(token: Token, text: str, state: _State) -> None:
    """Asterisks that are no cue: stress, a footnote, or "2 * 3"."""
    end = token.start + len(token.raw)
    before, after = text[max(0, token.start - 20) : token.start], text[end : end + 90]
    if len(token.raw) == 1 and before.rstrip()[-1:].isdigit() and after.lstrip()[:1].isdigit():
        state.put("*", "×")
        return
    alone = (not before or before[-1].isspace()) and (not after or after[0].isspace())
    state.put(token.raw if alone else "", "")
    opening = not alone and not after[:1].isspace() and (not before or before[-1].isspace() or before[-1] in '(«“"')
    enclosed = re.match(r"[^*\n]{1,80}(?=\*)", after)
    if opening and enclosed and len(enclosed[0].split()) > 2:
        state.remark(f"'*{printable(enclosed[0], 60)}*' is spoken: direction belongs in the column 'style'")


def _take_cues(raw: str, cues: tuple[Cue, ...], state: _State) -> None:
    shown = printable(raw, 90)
    for cue in cues:
        if cue.kind is CueKind.STYLE:
            state.styles[cue.phrase] = None
            state.remark(f"stage cue {shown} is direction for the whole line")
        elif cue.kind is CueKind.PAUSE:
            state.pause(_capped(cue.pause_ms, shown, state))
        else:
            state.remark(f"stage cue {shown} is not spoken")
    state.put(DROPPED, DROPPED)


def _take_tag(token: Token, tag: Tag, state: _State, extra: frozenset[str]) -> None:
    """Carry out a token in brackets."""
    raw, meaning = token.raw, tag.meaning
    if remark := state.pairs.take(token, tag):
        state.remark(remark)
    if meaning in (Meaning.HIDE, Meaning.HIDE_DISPLAY, Meaning.HIDE_SPEECH) or (
        meaning is Meaning.SPEAKER and (tag.closing or not tag.self_closing)
    ):
        if meaning is Meaning.SPEAKER and not tag.closing:
            state.speaker = " ".join((tag.attributes.get("name") or tag.value).split())
        _hide(tag, state)
    elif meaning is Meaning.SPEAKER:
        state.speaker = " ".join((tag.attributes.get("name") or tag.value).split())
    elif meaning is Meaning.END:
        state.hiding["done"] = 0
        state.not_shown += 1
        state.not_spoken += 1
    elif meaning is Meaning.STRIP and tag.name == "/":
        state.hiding.clear()
        state.not_shown = state.not_spoken = 0
    elif meaning is Meaning.TEXT:
        state.put(raw, raw)
    elif meaning is Meaning.LITERAL:
        state.put("[" if tag.name == "lb" else "]", " ")
    elif meaning is Meaning.BREAK:
        state.put("\n", " ")
    elif meaning in (Meaning.PAUSE_S, Meaning.PAUSE_MS):
        _take_pause(token, tag, state)
    elif meaning is Meaning.CUE:
        _take_cues(raw, directions(tag.name), state)
    elif meaning is Meaning.IGNORED:
        state.remark(f"'{printable(raw, 60)}' is not followed: use the columns 'style' and 'say', or the lexicon")
    elif meaning is Meaning.CHOICE and not tag.closing:
        state.problem(
            raw,
            f"'{printable(raw, 60)}' is chosen while the game runs, and one clip cannot say it",
            "write one row for each outcome, or put what to speak in the column 'say'",
        )
    elif meaning is Meaning.PLACEHOLDER:
        state.problem(raw, *unresolved(raw, tag.name))
    elif meaning is Meaning.UNKNOWN and not (token.kind == "square" and tag.name in extra):
        _unknown(token, tag, state)


def _hide(tag: Tag, state: _State) -> None:
    step = 1
    if tag.closing:
        if not state.hiding.get(tag.name):
            return
        step = -1
    elif tag.self_closing or tag.attributes.get("src"):
        return
    state.hiding[tag.name] = state.hiding.get(tag.name, 0) + step
    if tag.meaning is not Meaning.HIDE_SPEECH:
        state.not_shown += step
    if tag.meaning is not Meaning.HIDE_DISPLAY:
        state.not_spoken += step


def _unknown(token: Token, tag: Tag, state: _State) -> None:
    raw = printable(token.raw, 60)
    if tag.closing and any(what.startswith(f"unknown markup '{token.raw[0]}{tag.name}") for what in state.problems):
        return  # its opening tag was reported
    instead = f"escape it with \\{raw} or take it out"
    close = nearest(tag.name, tag_names(token.kind))
    if close == tag.name:
        instead = f"'{close}' is a tag, but not with what stands after it: {instead}"
    elif close is not None:
        instead = f"did you mean '{close}'? Otherwise {instead}"
    if token.kind == "square" and not tag.closing and tag.name.isidentifier():
        instead += f"; if it is a placeholder, say in placeholders.yaml what to speak for {tag.name}"
    state.problem(token.raw, f"unknown markup '{raw}'", instead)


def _take_pause(token: Token, tag: Tag, state: _State) -> None:
    if tag.closing:
        return
    pause = read_pause(token, tag)
    if pause is None:
        state.problem("", f"'{printable(token.raw, 60)}' is no length of a pause", "write seconds: [pause=0.5s]")
        return
    if pause.remark:
        state.remark(pause.remark)
    state.pause(_capped(pause.duration_ms, printable(token.raw, 60), state))
    if tag.name == "p" and not state.not_shown:
        state.shown.append("\n")


def _capped(duration_ms: int, shown: str, state: _State) -> int:
    if duration_ms > LONGEST_PAUSE_MS:
        state.remark(f"{shown}: the pause of {duration_ms / 1000:g} s is cut to {LONGEST_PAUSE_MS / 1000:g} s")
    return min(duration_ms, LONGEST_PAUSE_MS)
