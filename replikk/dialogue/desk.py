"""What is at hand while rows become lines and lines get their takes, and where what is found is put."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from replikk.config import Config
from replikk.dialogue.lexicon import Lexicon
from replikk.dialogue.placeholders import validate_policies
from replikk.dialogue.records import Voice
from replikk.dialogue.sheets import SheetRow
from replikk.dialogue.voices import Voices
from replikk.dialogue.yaml_files import read_yaml
from replikk.engines import Engine
from replikk.errors import Problem


@dataclass
class Desk:
    """Settings and files of the game as they were read, and what was found."""

    config: Config
    engine: Engine
    voices: Voices
    lexicon: Lexicon
    placeholders: Mapping[str, Any]
    problems: list[Problem]
    exceptions: list[dict[str, str]] = field(default_factory=list)
    unfollowed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    casting: dict[tuple[str, str], Voice | tuple[str, str]] = field(default_factory=dict)
    """The cells voice and character to what ``Voices.voice_for`` says of them."""
    placeholders_unread: bool = False
    """Whether ``placeholders.yaml`` is there and cannot be read: that is told once, and not in every row it is for."""


def read_policies(config: Config) -> tuple[dict[str, Any], list[Problem]]:
    """What to speak for placeholders: ``placeholders.yaml`` of the game, and over it what the settings say."""
    path = config.dialogue_dir / "placeholders.yaml"
    of_game, problems = read_yaml(path) if path.exists() else ({}, [])
    problems += validate_policies(of_game, str(path)) + validate_policies(config.placeholders)
    known = of_game if isinstance(of_game, Mapping) else {}
    return {**known, **config.placeholders}, problems


def unfollowed(style: str, desk: Desk) -> tuple[str, ...]:
    if style not in desk.unfollowed:
        desk.unfollowed[style] = tuple(desk.engine.unfollowed_styles(style)) if style else ()
    return desk.unfollowed[style]


def problem(row: SheetRow, column: str, what: str, instead: str, desk: Desk) -> None:
    """Note what is wrong with a row. ``column`` is a known one; it is told by the sheet's own name for it."""
    problem = Problem(row.source, row.row, row.id, row.columns.get(column, column), what, instead)
    if problem not in desk.problems[-20:]:  # the variants of a row share its problems
        desk.problems.append(problem)


def leave_out(row: SheetRow, reason: str, desk: Desk) -> None:
    desk.exceptions.append({"id": row.id, "place": f"{row.source}:{row.row}", "reason": reason})
