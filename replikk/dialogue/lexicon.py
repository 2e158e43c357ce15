"""The pronunciation lexicon: written form to respelling, in ``dialogue/lexicon.tsv``.

Columns ``written`` (``skrevet``), ``spoken`` (``uttale``), ``scope`` (``gjelder``), ``notes``. An empty scope is
everywhere; ``voice:kari``, ``locale:nn`` and lists of them (``voice:kari, voice:ola, locale:nn``) narrow it, and the
narrower entry wins.

- Whole words only. A hyphen ends a word ("NRK" is found in "NRK-huset"), an apostrophe inside one does not ("it" is
  not in "it's"), and one at its end does ("Lars" is in "Lars'").
- The longest entry wins. Blanks match any white space, ``-`` and ``'`` their typographic kin.
- An entry in lower case matches any case of letters; one with a capital matches only as it is written, so that
  ``Mai`` can be a name while "mai" stays a month.
- Inflected forms ("Ylvas") are entries of their own: nothing is guessed.
- What was respelt is never respelt again.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from replikk.dialogue.columns import fold, locale_of
from replikk.dialogue.nearest import nearest
from replikk.dialogue.small_tables import read_named_rows
from replikk.errors import Problem, printable

COLUMNS = {
    "written": ("written", "skrevet", "ord", "word", "skriftform"),
    "spoken": ("spoken", "uttale", "uttales", "respelling"),
    "scope": ("scope", "gjelder"),
    "notes": ("notes", "merknad", "notat", "kommentar", "comment"),
}
MAX_CHARACTERS = 200  # of a form; a longer one is a line that belongs in the column "say" of its sheet

_SCOPE_KINDS = {"voice": "voice", "stemme": "voice", "locale": "locale", "malform": "locale", "sprak": "locale"}
_KIN = str.maketrans({"‐": "-", "‑": "-", "’": "'", "ʼ": "'"})
# Word signs, and accents that have no composed letter.
_LETTER = r"[\w\u0300-\u036f]"
_START = rf"(?<!{_LETTER})(?<!\w['’])(?<!\d[.,])"
_END = rf"(?!{_LETTER})(?!['’]\w)(?![.,]\d)"


@dataclass(frozen=True)
class Entry:
    """A row of the lexicon."""

    written: str
    spoken: str
    voices: frozenset[str] = frozenset()
    """Folded names of the voices it holds for; empty for all."""
    locales: frozenset[str] = frozenset()
    row: int = 0

    @property
    def any_case(self) -> bool:
        return self.written == self.written.lower()

    @property
    def key(self) -> str:
        return _key(self.written)

    @property
    def narrowness(self) -> int:
        return 2 * bool(self.voices) + bool(self.locales)

    def holds_for(self, voice: str, locale: str) -> bool:
        return (not self.voices or voice in self.voices) and (not self.locales or locale in self.locales)

    def collides(self, other: Entry) -> bool:
        """Whether nothing says which of the two is meant somewhere."""
        return (
            self.narrowness == other.narrowness
            and (not self.voices or bool(self.voices & other.voices))
            and (not self.locales or bool(self.locales & other.locales))
        )


@dataclass(frozen=True)
class _Compiled:
    pattern: re.Pattern[str]
    by_key: dict[str, Entry]


@dataclass(frozen=True)
class Lexicon:
    """All entries; what holds for a voice and a locale is compiled once into one pattern."""

    entries: tuple[Entry, ...] = ()
    _compiled: dict[tuple[str, str], _Compiled | None] = field(default_factory=dict, repr=False, compare=False)

    def apply(self, text: str, voice: str, locale: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The text respelt, and the (written, spoken) pairs that were used, each once, in order."""
        place = (voice.casefold(), locale)
        if place not in self._compiled:
            self._compiled[place] = _compile([entry for entry in self.entries if entry.holds_for(*place)])
        compiled = self._compiled[place]
        if compiled is None:
            return text, ()
        by_key = compiled.by_key
        used: dict[tuple[str, str], None] = {}

        def respell(found: re.Match[str]) -> str:
            key = _key(found[0])
            entry = by_key.get(key) or by_key.get(key.lower())
            if entry is None:  # letters that match without regard to case but have no common lower form
                return found[0]
            used[entry.written, entry.spoken] = None
            return entry.spoken

        respelt = compiled.pattern.sub(respell, text)
        return respelt, tuple(used)


def _key(form: str) -> str:
    return " ".join(form.translate(_KIN).split())


def _compile(entries: list[Entry]) -> _Compiled | None:
    if not entries:
        return None
    by_key: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: entry.narrowness):
        by_key[entry.key] = entry
    # The longest first; of two with the same letters the one that minds its capitals.
    ordered = sorted(by_key.values(), key=lambda entry: (-len(entry.key), entry.any_case, entry.key))
    # Alternatives by their first letter: at most places of a text a few of them are tried, not all.
    families: dict[str, list[str]] = {}
    for entry in ordered:
        families.setdefault(entry.key[0].lower(), []).append(_alternative(entry))
    branches = [f"(?=(?i:{re.escape(first)}))(?:{'|'.join(family)})" for first, family in families.items()]
    firsts = "".join(re.escape(first + first.upper()) for first in families)
    return _Compiled(re.compile(f"(?=(?i:[{firsts}]))(?:{'|'.join(branches)})"), by_key)


def _alternative(entry: Entry) -> str:
    signs = []
    for sign in entry.key:
        if sign == " ":
            signs.append(r"\s+")
        elif sign in "-'":
            signs.append("[-‐‑]" if sign == "-" else "['’ʼ]")
        else:
            signs.append(re.escape(sign))
    form = "".join(signs)
    start = _START if re.match(_LETTER, entry.key[0]) else ""
    end = _END if re.match(_LETTER, entry.key[-1]) else ""
    return start + (f"(?i:{form})" if entry.any_case else form) + end


def read_lexicon(path: Path, voices: Collection[str] = ()) -> tuple[Lexicon, list[Problem]]:
    """The lexicon of a file; none when there is no file. With ``voices`` given, scopes must name one of them."""
    rows, problems = read_named_rows(path, COLUMNS, ("written", "spoken"))
    entries: list[Entry] = []
    by_form: dict[tuple[str, bool], list[Entry]] = {}
    for number, cells in rows:
        wrong: list[tuple[str, str, str]] = []
        written, spoken = " ".join(cells["written"].split()), " ".join(cells["spoken"].split())
        for column, form in (("written", written), ("spoken", spoken)):
            if not any(c.isalnum() for c in form):
                instead = "write a word, or take the row out"
                if column == "spoken" and not form and " " in written:  # typed with blanks between its columns
                    instead = "put a tab between what is written and what is spoken"
                wrong.append((column, "has no letter or digit" if form else "is empty", instead))
            elif len(form) > MAX_CHARACTERS:
                wrong.append(
                    (column, f"is longer than {MAX_CHARACTERS} characters", "use the column 'say' of the sheet")
                )
        if signs := sorted(set(spoken) & set("<>[]{}*|\\")):
            wrong.append(
                ("spoken", f"holds {' '.join(signs)}, which no engine speaks", "spell it as a reader would say it")
            )
        scopes, wrong_scopes = _scopes(cells.get("scope", ""), voices)
        wrong += [("scope", what, instead) for what, instead in wrong_scopes]
        entry = Entry(written, spoken, scopes["voice"], scopes["locale"], number)
        if not wrong:
            rivals = by_form.setdefault((entry.key, entry.any_case), [])
            rival = next((other for other in rivals if entry.collides(other)), None)
            if rival is not None:
                wrong.append(
                    (
                        "written",
                        f"'{printable(written, 60)}' stands in row {rival.row} too",
                        "keep one, or give them different scopes",
                    )
                )
            else:
                rivals.append(entry)
                entries.append(entry)
        problems += [Problem(str(path), number, "", column, what, instead) for column, what, instead in wrong]
    return Lexicon(tuple(entries)), problems


def _scopes(cell: str, voices: Collection[str]) -> tuple[dict[str, frozenset[str]], list[tuple[str, str]]]:
    scopes: dict[str, set[str]] = {"voice": set(), "locale": set()}
    wrong = []
    known_voices = {name.casefold() for name in voices}
    for part in cell.replace(";", ",").split(","):
        if not part.strip():
            continue
        kind_name, colon, value = (piece.strip() for piece in part.partition(":"))
        kind = _SCOPE_KINDS.get(fold(kind_name))
        if kind is None or not colon or not value:
            wrong.append(
                (
                    f"'{printable(part.strip(), 60)}' is no scope",
                    "write voice:name or locale:nb or locale:nn, or leave it empty",
                )
            )
        elif kind == "voice":
            if voices and value.casefold() not in known_voices:
                close = nearest(value, voices)
                wrong.append(
                    (
                        f"there is no voice '{printable(value, 60)}'",
                        f"did you mean '{close}'?" if close else "use one of voices.yaml",
                    )
                )
            scopes["voice"].add(value.casefold())
        elif (locale := locale_of(value)) is None:
            wrong.append((f"there is no locale '{printable(value, 60)}'", "write nb or nn"))
        else:
            scopes["locale"].add(locale)
    return {kind: frozenset(names) for kind, names in scopes.items()}, wrong
