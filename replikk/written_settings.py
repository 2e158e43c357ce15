"""Where a setting was really written: config.yaml, a file of ``--configfile``, or the command line.

Everything that is said of a setting calls it ``config.yaml: key``, because who finds the fault knows the setting alone.
Snakemake puts several places on top of one another. So the name is put right where a sentence reaches its reader: it is
that of the topmost place that has the key. A section that several places have is named with all of them, as the fault
may be in any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from replikk.files import canonical_json, write_if_changed

ASSUMED = "config.yaml"
_SETTING = re.compile(r"\bconfig\.yaml(?=:? (\w[\w-]*(?:\.[\w-]+)*)\b)")
_KEPT = "written.json"


class Place(NamedTuple):
    """Something that settings are written in."""

    name: str
    """As the user knows it: a path, ``--config``."""
    settings: Mapping[str, Any] | None = None
    """None for a file that is read when it is asked for."""


def name_places(message: str, places: Sequence[Place]) -> str:
    """``message`` with the places in it where its settings were written; ``places`` with the topmost last."""
    if ASSUMED not in message or [place.name for place in places] == [ASSUMED]:
        return message
    read = [(place.name, _settings_of(place)) for place in places]
    return _SETTING.sub(lambda found: _name_of(found[1].split("."), read), message)


def _name_of(key: list[str], places: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    for length in range(len(key), 0, -1):
        found = [(name, value) for name, settings in places if (value := _value(settings, key[:length])) is not None]
        if found and isinstance(found[-1][1], Mapping):
            return " or ".join(name for name, _ in found)
        if found:
            return found[-1][0]
    return ASSUMED


def _value(settings: Any, key: Sequence[str]) -> Any:
    for name in key:
        settings = settings.get(name) if isinstance(settings, Mapping) else None
    return settings


def _settings_of(place: Place) -> Mapping[str, Any]:
    if place.settings is not None:
        return place.settings
    from replikk.dialogue.yaml_files import read_yaml

    content, _ = read_yaml(Path(place.name))
    return content if isinstance(content, Mapping) else {}


def keep_places(folder: Path, places: Sequence[Place]) -> None:
    """Keep the places beside the settings of a build (``plan/config.json``), for its jobs."""
    write_if_changed(folder / _KEPT, canonical_json([list(place) for place in places]))


def kept_places(settings_path: Path) -> list[Place]:
    """The places that were kept beside a build's settings; none where that cannot be known."""
    try:
        return [Place(*place) for place in orjson.loads((settings_path.parent / _KEPT).read_bytes())]
    except (OSError, ValueError, TypeError):
        return []
