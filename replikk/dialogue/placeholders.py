"""Placeholders in a text (``{player_name}``, ``[mc!t]``, ``{0}``, ``%s``, ``<CHARNAME>``, ``$name``), filled in before
markup is read.

``placeholders.yaml`` beside the sheets, or ``placeholders`` in ``config.yaml``, says per placeholder what is spoken;
without a word there it is an error, because no clip can say a name that the player has not typed yet:

    player_name: {substitute: venn}           # one clip, which says "venn"
    "0": {values: [en, to, tre]}              # one clip per value, named id__en, id__to, id__tre
    helper: {values: {kari: Kari, oe: Ola Ø.}}  # the same, with names of your own for the files
    secret: {skip: true}                      # no clip for lines with it

What is markup and what is a placeholder is decided in ``tags``. A row that has a ``say`` speaks only that:
placeholders in its ``text`` alone need no value and are shown as they stand. Values are taken as they are: markup
signs in them are characters.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from replikk.dialogue.ids import cleaned_id
from replikk.dialogue.markup import escape_markup, unresolved
from replikk.dialogue.nearest import nearest
from replikk.dialogue.tags import Meaning, Token, meaning_of, scan
from replikk.errors import Problem, printable

MAX_VARIANTS = 200  # clips of one row; more is a mistake in the values, not a wish
_MAX_VALUE_CHARACTERS = 100
_MAX_SUFFIX_CHARACTERS = 32
_PRINTF = re.compile(r"%\((\w+)\)[sd]")


@dataclass(frozen=True)
class Expansion:
    """One clip of a row."""

    suffix: str
    """To be joined to the id with two underscores; empty when the row is one clip."""
    text: str
    say: str


@dataclass(frozen=True)
class Expanded:
    """All clips of a row: none when it is skipped or has problems."""

    variants: tuple[Expansion, ...]
    skipped: str = ""
    """Why the row has no clip, in plain words."""
    problems: tuple[tuple[str, str], ...] = ()
    """(what is wrong, what to write instead)."""
    of_policies: tuple[tuple[str, str], ...] = ()
    """Those of ``problems`` that are mistakes of a policy, which ``validate_policies`` tells with their place."""
    without_policy: tuple[tuple[str, str], ...] = ()
    """Those that an unreadable ``placeholders.yaml`` brings about, where it is one."""


@dataclass(frozen=True)
class _Policy:
    values: tuple[tuple[str, str], ...]
    """(suffix of the file, text)."""
    skip: bool = False


def file_suffix(text: str) -> str:
    """A value as part of a file name: ``Åse Marie`` is ``aase_marie``; empty when nothing is left of it."""
    name = cleaned_id(text).lower().replace(".", "_").replace("-", "_")
    return re.sub(r"_+", "_", name)[:_MAX_SUFFIX_CHARACTERS].strip("_")


def validate_policies(placeholders: Any, file: str = "config.yaml") -> list[Problem]:
    """Everything wrong with the ``placeholders`` section of the configuration."""
    if placeholders is None:
        return []
    if not isinstance(placeholders, Mapping):
        of_settings = "placeholders: {name: {substitute: venn}}"
        instead = f"write  {of_settings if file == 'config.yaml' else 'name: {substitute: venn}'}"
        return [Problem(file, None, "", "placeholders", "is not a mapping", instead)]
    problems = []
    for name, value in placeholders.items():
        _, wrong = _policy(value)
        problems += [Problem(file, None, "", f"placeholders.{name}", what, instead) for what, instead in wrong]
    return problems


def expand(text: str, placeholders: Mapping[str, Any], say: str = "") -> Expanded:
    """Fill in the placeholders of a row's ``text`` and ``say``.

    ``placeholders`` is the section of the configuration. Several placeholders with values multiply, the first one's
    values outermost. What is wrong with a policy is ``validate_policies``' business; here its value cannot be used.
    """
    if not _may_hold_placeholder(text) and not _may_hold_placeholder(say):
        return Expanded((Expansion("", text, say),))
    by_name = {str(name): value for name, value in placeholders.items()}
    text_tokens, say_tokens = _split(text, by_name), _split(say, by_name)
    spoken = say_tokens if say.strip() else text_tokens
    wanted = {name: token.raw for token, name in reversed(spoken) if name is not None}
    order = list(dict.fromkeys(name for _, name in spoken if name is not None))

    problems: list[tuple[str, str]] = []
    of_policies: list[tuple[str, str]] = []
    without_policy: list[tuple[str, str]] = []
    choices, skip = [], ""
    for name in order:
        policy = _policy_of(name, by_name)
        if policy is None and name in by_name:
            what = f"placeholder '{printable(wanted[name], 60)}' has a value that cannot be used"
            of_policies.append((what, "mend its entry in placeholders.yaml"))
            problems.append(of_policies[-1])
        elif policy is None:
            what, instead = unresolved(wanted[name], name)
            close = nearest(name, by_name)
            without_policy.append(
                (what, f"did you mean '{close}', which has one? Otherwise {instead}" if close else instead)
            )
            problems.append(without_policy[-1])
        elif policy.skip:
            skip = skip or f"placeholder {printable(wanted[name], 60)}: placeholders.yaml says to skip lines with it"
        else:
            choices.append([(name, suffix, value) for suffix, value in policy.values])
    if skip:
        return Expanded((), skipped=skip)
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MAX_VARIANTS:
        problems.append(
            (
                f"its placeholders make {count} clips, more than {MAX_VARIANTS}",
                "give fewer values, or a substitute for one of them",
            )
        )
    if problems:
        return Expanded((), "", tuple(problems), tuple(of_policies), tuple(without_policy))

    variants = []
    for chosen in itertools.product(*choices):
        filled = {name: escape_markup(value) for name, _, value in chosen}
        suffix = "__".join(suffix for _, suffix, _ in chosen if suffix)
        variants.append(Expansion(suffix, _fill(text_tokens, filled, by_name), _fill(say_tokens, filled, by_name)))
    return Expanded(tuple(variants))


def _may_hold_placeholder(text: str) -> bool:
    """A quick look, because most lines have none."""
    return any(sign in text for sign in "{[<%$")


def _split(text: str, known: Mapping[str, Any]) -> list[tuple[Token, str | None]]:
    """The tokens of a text, each with the name of the placeholder that it is, if it is one."""
    return [(token, _name(token, known)) for token in scan(text)] if text else []


def _name(token: Token, known: Mapping[str, Any]) -> str | None:
    if token.kind == "printf":
        named = _PRINTF.fullmatch(token.raw)
        return named[1] if named else None if token.raw == "%%" else token.raw
    if token.kind == "variable":
        return token.raw[1:]
    if token.kind not in ("square", "curly", "curly2", "prefixed", "named", "angle"):
        return None
    tag = meaning_of(token)
    if tag.meaning is Meaning.PLACEHOLDER:
        return tag.name
    # [mc] and <player> look like tags; they are placeholders where the configuration says so.
    if tag.meaning in (Meaning.UNKNOWN, Meaning.CUE) and token.body.strip() in known:
        return token.body.strip()
    return None


def _fill(tokens: list[tuple[Token, str | None]], filled: Mapping[str, str], known: Mapping[str, Any]) -> str:
    parts = []
    for token, name in tokens:
        if name is None:
            parts.append(token.raw)
        elif name in filled:
            parts.append(filled[name])
        else:  # in a text that is only shown: a single value is shown, else the placeholder itself
            policy = _policy_of(name, known)
            single = policy is not None and len(policy.values) == 1
            parts.append(escape_markup(policy.values[0][1] if policy is not None and single else token.raw))
    return "".join(parts)


def _policy_of(name: str, known: Mapping[str, Any]) -> _Policy | None:
    return _policy(known[name])[0] if name in known else None


def _policy(value: Any) -> tuple[_Policy | None, list[tuple[str, str]]]:
    """The policy that a value of the configuration means, or what is wrong with it."""
    usage = "write {substitute: venn}, {values: [Kari, Ola]} or {skip: true}"
    if not isinstance(value, Mapping) or len(value) != 1:
        return None, [("does not say what to speak", usage)]
    kind, content = next(iter(value.items()))
    if kind == "skip":
        return (_Policy((), skip=True), []) if content is True else (None, [("skip is not true", usage)])
    if kind == "substitute":
        text = _text(content)
        return (_Policy((("", text),)), []) if text is not None else (None, [("the substitute is no text", usage)])
    if kind == "values":
        return _values(content)
    close = nearest(str(kind), ("substitute", "values", "skip"))
    return None, [(f"'{kind}' is not known", f"did you mean '{close}'?" if close else usage)]


def _values(content: Any) -> tuple[_Policy | None, list[tuple[str, str]]]:
    named = isinstance(content, Mapping)
    if not isinstance(content, (Mapping, list, tuple)) or not content:
        return None, [
            ("values is not a list of texts", "write {values: [Kari, Ola]} or {values: {kari: Kari, ola: Ola}}")
        ]
    pairs = list(content.items()) if isinstance(content, Mapping) else [(value, value) for value in content]
    wrong: list[tuple[str, str]] = []
    values: dict[str, str] = {}
    for label, value in pairs:
        text = _text(value)
        suffix = file_suffix(str(label))
        if text is None or not text.strip():
            wrong.append((f"value '{printable(str(value), 60)}' is no text", "write a text in quotes"))
        elif not suffix or (named and suffix != label):
            better = f"write for example {suffix}" if suffix else "write {values: {short_name: text}}"
            wrong.append((f"'{printable(str(label), 60)}' cannot be part of a file name", better))
        elif suffix in values:
            wrong.append((f"two values give the file name '{suffix}'", "write {values: {name1: text, name2: text}}"))
        else:
            values[suffix] = text
    if len(pairs) > MAX_VARIANTS:
        wrong.append((f"has {len(pairs)} values, more than {MAX_VARIANTS}", "give fewer values"))
    return (None, wrong) if wrong else (_Policy(tuple(values.items())), [])


def _text(value: Any) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and len(value) <= _MAX_VALUE_CHARACTERS else None
