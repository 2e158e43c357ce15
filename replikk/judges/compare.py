"""What was wanted against what was heard: the alignment, and the numbers that a verdict needs.

Both sides become lattices of all that they may mean (``accept.py``), and the cheapest alignment of the two
(``lattice.py``) tells what is wrong. What no ear can hear is no error. Nothing here has a threshold; ``verdict.py``
decides.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from replikk.judges.accept import canonical, heard_lattice, script_lattice
from replikk.judges.alignment import align
from replikk.judges.lattice import Lattice, Token
from replikk.judges.runs import edge_run, longest_wrong_run, repeated_words
from replikk.judges.search import Same, SameName, Step
from replikk.judges.words import NO_NAMES, is_near_name, name_sound, sounds_alike, split_words, word_key


@dataclass(frozen=True)
class Comparison:
    """How far the heard words are from the script. Counts are words unless named otherwise."""

    words_expected: int
    words_heard: int
    hits: int
    substitutions: int
    insertions: int
    deletions: int
    wer: float
    """Word errors per expected word; 1 and more is possible. For an empty script 0, or 1 when anything was heard."""
    cer: float
    """Character errors per expected character, blanks included, both sides written the same way."""
    longest_wrong_run_words: int
    """Wrong words in a row; those that sound the same are not counted."""
    extra_words_start: int
    extra_words_end: int
    missing_words_end: int
    repeated_words: int
    """Heard words that repeat, at once, what was just said, and that the script does not repeat."""
    sound_alikes: int
    """Substitutions by a word that sounds the same (fullt/fult, og/å): a matter of spelling, not of the take."""
    alignment: tuple[tuple[str, str, str], ...]
    """(``ok`` | ``sub`` | ``ins`` | ``del``, expected, heard) in reading order, words as displayed."""
    expected_form: str
    """The script as it was compared; words with one blank between them."""
    heard_form: str
    """The heard text as it was compared, blanks and numbers written the script's way."""
    accepted: tuple[tuple[str, str, str], ...] = ()
    """(kinds, expected, heard) of what was written otherwise and is right all the same; ``accept.py`` has the kinds."""

    def to_json(self) -> dict[str, Any]:
        record = asdict(self)
        record["alignment"] = [list(step) for step in self.alignment]
        record["accepted"] = [list(step) for step in self.accepted]
        return record

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Comparison:
        values = dict(record)
        for name in ("alignment", "accepted"):
            values[name] = tuple((what, expected, heard) for what, expected, heard in values.get(name, ()))
        return cls(**values)


def compare(
    script: str,
    heard: str,
    *,
    locale: str,
    respelt: Sequence[tuple[str, str]] = (),
    cast_names: Collection[str] = (),
    other_forms: bool = False,
) -> Comparison:
    """Align what was heard with the script.

    ``locale`` is ``nb`` or ``nn``, or empty for a line that allows both. ``respelt`` holds the (written, spoken) pairs
    of the lexicon that the line uses; ``cast_names`` the names of the characters, which no judge knows.
    ``other_forms`` is for judges that write good Norwegian rather than sounds: other right forms of a word (*boka*,
    *boken*; *kasta*, *kastet*), a name in another spelling of the same sound (*Kristian*, *Christian*), *og* for *å*,
    and now and then a word in the other written standard (*ikkje*, *ikke*) are then no errors.
    No pair of texts raises; both may be empty.
    """
    return _measure(*aligned(script, heard, locale, respelt, cast_names, other_forms))


def aligned(
    script: str,
    heard: str,
    locale: str,
    respelt: Sequence[tuple[str, str]] = (),
    cast_names: Collection[str] = (),
    other_forms: bool = False,
) -> tuple[Lattice, Lattice, list[Step]]:
    """Both sides as lattices and the steps between them, for those who want more than counts; as ``compare``."""
    locale = locale if locale in ("nb", "nn") else ""
    wanted = script_lattice(script, locale, tuple(respelt), other_forms)
    got = heard_lattice(heard, locale, wanted)
    spelling_of = _spelling_of(wanted, tuple(respelt), tuple(cast_names), locale)
    steps = align(wanted, got, _same(locale) if other_forms else None, spelling_of)
    if other_forms and locale:
        borrowed = sum(step.kind == "standard" for step in steps)
        if borrowed > max(1, len(wanted.tokens) // _MOST_BORROWED):
            # A line in the other standard is another line, though the judge may borrow a word of it.
            steps = align(wanted, got, _same_name, spelling_of)
    return wanted, got, steps


_MOST_BORROWED = 2
"""Of a line's words one in so many may be heard in the other written standard, and one in any line."""


def _spelling_of(
    script: Lattice, respelt: tuple[tuple[str, str], ...], cast_names: tuple[str, ...], locale: str
) -> SameName | None:
    """The question whether heard letters are a spelling of a name; None when the script has no name to spell.

    Cast names are free to spell, but never as a word of the script or as another character's name.
    """
    if not cast_names and not respelt:
        return None
    everyone = _name_keys(cast_names, locale)
    # A respelling is as free as a name: nobody knows how a judge spells what it stands for.
    parts = everyone | _name_keys(tuple(spoken for _, spoken in respelt), locale)
    known = {token.same for token in script.tokens}
    near = {key for key in known if len(key) > 1 and (key in parts or (key.endswith("s") and key[:-1] in parts))}
    if not near:
        return None

    def spelling_of(name: Token, letters: str) -> bool:
        return (
            name.same in near and letters not in known and letters not in everyone and is_near_name(letters, name.same)
        )

    return spelling_of


@lru_cache(maxsize=256)
def _name_keys(names: tuple[str, ...], locale: str) -> frozenset[str]:
    return frozenset(canonical(word_key(part), locale) for name in names for part in split_words(name))


@lru_cache(maxsize=4)
def _same(locale: str) -> Same:
    """The question about two words that no set answers."""
    from replikk.dialogue.norwegian.standards import is_other_standard

    def same(wanted: Token, got: Token) -> str:
        return "standard" if is_other_standard(wanted.plain, got.plain, locale) else _same_name(wanted, got)

    return same


def _same_name(wanted: Token, got: Token) -> str:
    """Any name may be heard in another spelling of its sound."""
    if not wanted.capital or got.plain in NO_NAMES:
        return ""
    inside = wanted.capital == "inside"
    return "name" if name_sound(wanted.plain, inside) == name_sound(got.plain, inside) else ""


# From steps to counts ------------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """One word's fate: the unit that counts are made of."""

    op: str
    expected: str
    heard: str


def _measure(wanted: Lattice, got: Lattice, steps: Sequence[Step]) -> Comparison:
    parts: list[_Part] = []
    rows: list[tuple[str, str, str]] = []
    accepted: list[tuple[str, str, str]] = []
    for group in stretches(wanted, got, steps):
        _add(group, wanted, got, parts, rows, accepted)
    ops = [part.op for part in parts]
    counts = {op: ops.count(op) for op in ("ok", "sub", "ins", "del")}
    expected_keys = [part.expected for part in parts if part.op != "ins"]
    heard_keys = [part.heard for part in parts if part.op != "del"]
    expected_form, heard_form = " ".join(expected_keys), " ".join(heard_keys)
    errors = len(parts) - counts["ok"]
    if not errors:
        cer = 0.0
    elif not expected_keys or not heard_keys:
        cer = 1.0
    else:
        from rapidfuzz.distance import Levenshtein

        cer = Levenshtein.distance(expected_form, heard_form) / len(expected_form)
    alike = [part.op == "sub" and sounds_alike(part.expected, part.heard) for part in parts]
    starts, ends = edge_run(ops), edge_run(ops[::-1])
    return Comparison(
        words_expected=len(expected_keys),
        words_heard=len(heard_keys),
        hits=counts["ok"],
        substitutions=counts["sub"],
        insertions=counts["ins"],
        deletions=counts["del"],
        wer=errors / len(expected_keys) if expected_keys else float(bool(heard_keys)),
        cer=cer,
        longest_wrong_run_words=longest_wrong_run(ops, alike),
        extra_words_start=max(0, starts[1] - starts[0]),
        extra_words_end=max(0, ends[1] - ends[0]),
        missing_words_end=max(0, ends[0] - ends[1]),
        # What was said twice is somewhere in the alignment as words too many or in the place of others.
        repeated_words=min(repeated_words(expected_keys, heard_keys), counts["ins"] + counts["sub"]) if errors else 0,
        sound_alikes=sum(alike),
        alignment=tuple(rows),
        expected_form=expected_form,
        heard_form=heard_form,
        accepted=tuple(accepted),
    )


def stretches(wanted: Lattice, got: Lattice, steps: Sequence[Step]) -> list[list[Step]]:
    """The steps in groups that begin and end between displayed words on both sides."""
    groups: list[list[Step]] = []
    closed = True
    for step in steps:
        if closed:
            groups.append([])
        groups[-1].append(step)
        closed = wanted.token_at[step.script_nodes[1]] >= 0 and got.token_at[step.heard_nodes[1]] >= 0
    return groups


def _add(
    group: Sequence[Step],
    wanted: Lattice,
    got: Lattice,
    parts: list[_Part],
    rows: list[tuple[str, str, str]],
    accepted: list[tuple[str, str, str]],
) -> None:
    """Adds a group's words, its rows for display, and what was accepted in it."""
    tokens = tokens_between(wanted, group[0].script_nodes[0], group[-1].script_nodes[1])
    others = tokens_between(got, group[0].heard_nodes[0], group[-1].heard_nodes[1])
    shown = " ".join(token.shown for token in tokens)
    other_shown = " ".join(token.shown for token in others)
    ops = {step.op for step in group}
    if ops == {"ok"}:
        parts.extend(_Part("ok", word, word) for token in tokens for word in token.first)
        rows.append(("ok", shown, other_shown))
        if shown == other_shown or shown.lower() == other_shown.lower():
            return
        kinds = dict.fromkeys(kind for step in group for kind in step.kind.split())
        if not kinds and [token.plain for token in tokens] != [token.plain for token in others]:
            kinds["compound" if _letters(tokens) == _letters(others) else "form"] = None
        elif not kinds and _letters_shown(shown) != _letters_shown(other_shown):
            kinds["spelling"] = None  # Haakon, Håkon; idé, ide
        elif kinds and "".join(shown.split()).lower() == "".join(other_shown.split()).lower():
            kinds = {"compound": None}
        if kinds:
            accepted.append((" ".join(kinds), shown, other_shown))
        return
    for step in group:
        if step.op == "ok":
            parts.extend(_Part("ok", word, word) for word in step.expected)
        else:
            parts.append(_Part(step.op, " ".join(step.expected), " ".join(step.heard)))
    if len(group) > 1 and ops <= {"ok", "sub"}:
        rows.append(("sub", shown, other_shown))
        return
    for step in group:
        one = wanted.tokens[step.script_token].shown if step.script_token >= 0 else " ".join(step.expected)
        other = got.tokens[step.heard_token].shown if step.heard_token >= 0 else " ".join(step.heard)
        rows.append((step.op, one, other))


def _letters_shown(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _letters(tokens: Sequence[Token]) -> str:
    return "".join(token.plain for token in tokens)


def tokens_between(lattice: Lattice, start: int, stop: int) -> tuple[Token, ...]:
    if start == stop:
        return ()
    first = lattice.token_at[start]
    last = lattice.token_at[stop] if lattice.token_at[stop] >= 0 else len(lattice.tokens)
    return lattice.tokens[first:last]
