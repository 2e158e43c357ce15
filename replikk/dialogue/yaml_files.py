"""YAML as people write it: plain data with line numbers, and nothing that can hurt.

Built on the parser's events, not on its loader: no tag ever makes an object, aliases (which can unfold to gigabytes)
are refused, nesting and size are bounded, and a key that is written twice is an error instead of a silent loss.

Keys are always text, as written: a character may be called ``No`` and a placeholder ``0``. Values are text, whole
numbers, decimal numbers, booleans (``true``, ``yes``, ``on`` and their opposites, as Snakemake reads them) and null;
a date stays text. Text is in NFC, so that "å" is one letter however it was typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.dialogue.nearest import nearest
from replikk.errors import Problem, printable

if TYPE_CHECKING:
    from yaml.events import Event, ScalarEvent

Lines = dict[tuple[str | int, ...], int]
"""Path of keys and list places to the line where that value, or its key, is written."""

MAX_BYTES = 1_000_000  # a thousand voices are about 300 kB
MAX_DEPTH = 16  # voices.yaml needs 4
MAX_PROBLEMS = 50

_BOOLEANS = dict.fromkeys(("true", "yes", "on"), True) | dict.fromkeys(("false", "no", "off"), False)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,15}\.[0-9]{0,15}|\.[0-9]{1,15})(?:[eE][-+]?[0-9]{1,2})?")


def read_yaml(path: Path) -> tuple[Any, list[Problem]]:
    """The content of a YAML file (None when it is empty or unreadable), and what is wrong with it."""
    content, _, problems = read_yaml_lines(path)
    return content, problems


def read_yaml_lines(path: Path) -> tuple[Any, Lines, list[Problem]]:
    """As ``read_yaml``, with the line of every value for messages."""
    file = str(path)

    def unreadable(what: str, instead: str) -> tuple[Any, Lines, list[Problem]]:
        return None, {}, [Problem(file, None, "", "", what, instead)]

    try:
        if path.stat().st_size > MAX_BYTES:
            return unreadable(f"is larger than {MAX_BYTES // 1000} kB", "keep only settings in it")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        return unreadable(f"cannot be read ({reason})", "check that it exists and that you may read it")
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return None, {}, [Problem(file, line, "", "", "has letters that are not UTF-8", "save the file as UTF-8")]
    return _parse(text, file)


class _Builder:
    """Plain data from the parser's events."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.lines: Lines = {}
        self.root: Any = None
        self.documents = 0
        # The open mappings and lists, each with the key that waits for its value (None: a key comes next).
        self._open: list[tuple[Any, str | None]] = []
        self._path: list[str | int] = []

    def problem(self, line: int, what: str, instead: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.file, line, "", ".".join(map(str, self._path)), what, instead))

    def scalar(self, event: ScalarEvent) -> None:
        line = _line(event)
        text = unicodedata.normalize("NFC", event.value)
        if _SURROGATE.search(text):
            self.problem(line, "holds half a character (\\ud800 to \\udfff)", "write the character itself")
            text = _SURROGATE.sub("\ufffd", text)
        if self._open and isinstance(self._open[-1][0], dict) and self._open[-1][1] is None:
            container = self._open[-1][0]
            if text == "<<" and not event.style:
                self.problem(line, "'<<' is not used here", "write the values out")
            if text in container:
                first = self.lines.get((*self._path, text))
                self.problem(line, f"'{text}' stands here twice (first in line {first})", "keep one of the two")
            self._open[-1] = (container, text)
            self._path.append(text)
            self.lines.setdefault(tuple(self._path), line)
            return
        # A plain scalar has the style None, or "" from the parser in C.
        self._place(text if event.style else _value(text), line)

    def start(self, container: dict[str, Any] | list[Any], line: int) -> bool:
        """Open a mapping or list; False when the file cannot be followed any further."""
        if self._open and isinstance(self._open[-1][0], dict) and self._open[-1][1] is None:
            self.problem(
                line, "a mapping or list stands where a name should", "put a text before the ':', in quotes if need be"
            )
            return False
        if len(self._open) >= MAX_DEPTH:
            self.problem(line, f"is nested more than {MAX_DEPTH} deep", "write it flatter")
            return False
        self._enter(line)
        self._open.append((container, None))
        return True

    def end(self) -> None:
        container = self._open.pop()[0]
        self._leave(container)

    def _enter(self, line: int) -> None:
        if self._open and isinstance(self._open[-1][0], list):
            self._path.append(len(self._open[-1][0]))
        self.lines.setdefault(tuple(self._path), line)

    def _leave(self, value: Any) -> None:
        """Hand a finished value to what encloses it."""
        if not self._open:
            self.root = value
            return
        container, key = self._open[-1]
        if isinstance(container, dict):
            container.setdefault(key, value)
            self._open[-1] = (container, None)
        else:
            container.append(value)
        self._path.pop()

    def _place(self, value: Any, line: int) -> None:
        self._enter(line)
        self._leave(value)


def _line(event: Event) -> int:
    """Counted from 1."""
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _parse(text: str, file: str, loader: Any = None) -> tuple[Any, Lines, list[Problem]]:
    import yaml

    builder = _Builder(file)
    loader = loader or getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            line = _line(event)
            if isinstance(event, yaml.AliasEvent):
                builder.problem(line, f"'*{event.anchor}' refers to another place", "write the value out here")
                return None, {}, builder.problems
            if (tag := getattr(event, "tag", None)) is not None:
                builder.problem(line, f"has a tag '{tag}'", "take the tag out; put text in quotes")
                return None, {}, builder.problems
            if isinstance(event, yaml.DocumentStartEvent):
                builder.documents += 1
                if builder.documents > 1:
                    builder.problem(line, "a second document starts here (---)", "keep one document in the file")
                    return None, {}, builder.problems
            elif isinstance(event, yaml.ScalarEvent):
                builder.scalar(event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                if not builder.start({} if isinstance(event, yaml.MappingStartEvent) else [], line):
                    return None, {}, builder.problems
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                builder.end()
    except yaml.YAMLError as error:
        if loader is not yaml.SafeLoader and "nesting depth" in str(error):
            # Newer libraries in C look ahead and stop at a depth of their own, before they say where it begins.
            return _parse(text, file, yaml.SafeLoader)
        builder.problems.append(_syntax_problem(error, text, file))
        return None, {}, builder.problems
    return builder.root, builder.lines, builder.problems


def _syntax_problem(error: Exception, text: str, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or "is not YAML"
    line = mark.line + 1 if mark is not None else None
    if line is None and isinstance(position := getattr(error, "position", None), int):
        line = text.count("\n", 0, position) + 1
    if "nesting" in what:  # newer parsers stop at a limit of their own, before ours is reached
        return Problem(file, line, "", "", f"is nested more than {MAX_DEPTH} deep", "write it flatter")
    instead = "check the colons, quotes and indentation there"
    rows = text.split("\n")
    written = rows[line - 1] if line and line <= len(rows) else ""
    if "\t" in written[: len(written) - len(written.lstrip())] or "\\t" in what:
        instead = "indent with spaces, not with tabs"
    return Problem(file, line, "", "", f"is not YAML here: {what}", instead)


def _value(text: str) -> Any:
    """A plain scalar: what it looks like."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in (text.lower(), text.upper(), text.capitalize()) and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text


class YamlReader:
    """Gathers problems while the content of one file is taken apart."""

    def __init__(self, path: Path, lines: Lines) -> None:
        self.path = path
        self.lines = lines
        self.problems: list[Problem] = []

    def problem(self, place: tuple[str | int, ...], what: str, instead: str) -> None:
        row = next((self.lines[place[:n]] for n in range(len(place), 0, -1) if place[:n] in self.lines), None)
        self.problems.append(Problem(str(self.path), row, "", ".".join(map(str, place)), what, instead))

    def mapping(
        self, value: Any, place: tuple[str | int, ...], known: Collection[str] | None, example: str, hint: str = ""
    ) -> dict[str, Any]:
        """The value as a mapping; keys that are not ``known`` are problems and left out. ``hint`` ends what is said."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.problem(place, "is not a mapping", f"write {example}")
            return {}
        if known is None:
            return value
        for key in value:
            if key not in known:
                self.problem(
                    (*place, key),
                    f"'{printable(key, 60)}' is not known here",
                    suggestion(key, known, f"use {', '.join(known)}{hint}"),
                )
        return {key: content for key, content in value.items() if key in known}

    def text(self, value: Any, place: tuple[str | int, ...]) -> str:
        """The value as text; a list or mapping is a problem."""
        if value is None:
            return ""
        if isinstance(value, (dict, list, bool)):
            self.problem(place, "is not a text", "write it in quotes")
            return ""
        return str(value).strip()


def suggestion(word: str, known: Collection[str], otherwise: str) -> str:
    """What to write instead of a word that is not known."""
    close = nearest(word, known)
    return f"did you mean '{close}'? Otherwise {otherwise}" if close is not None else otherwise
