"""Files of lines that are gone. In ``build/assets`` only what a build has made is removed, which its name tells.

People and game engines put files of their own there: ``.import`` files beside clips, texts, subtitles.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from replikk.stages.manifest import MOUTH, SUBTITLES, WORDS

log = logging.getLogger(__name__)

NAMED = 6  # so many files in a message: a scene that is renamed is a hundred
AUDIO_SUFFIXES = (".ogg", ".opus", ".wav")
TEMPORARY = re.compile(r"\.tmp-\w{8}\.(json|vtt|part)")
"""As ``replikk.files`` names a file until it is whole: a build that was killed leaves one behind."""


def remove_others(assets: Path, wanted: Iterable[str]) -> None:
    """Remove what a build has made and is not ``wanted`` (paths below ``assets``), and the folders left empty."""
    by_folder: dict[str, list[str]] = {}
    for path in wanted:
        folder, _, name = path.rpartition("/")
        if folder in by_folder:
            by_folder[folder].append(name)
        else:
            by_folder[folder] = [name]
    removed = list(_clear(assets, "", by_folder)) if assets.is_dir() else []
    if removed:
        names = ", ".join(removed[:NAMED])
        more = f" and {len(removed) - NAMED} more" if len(removed) > NAMED else ""
        count = "1 file" if len(removed) == 1 else f"{len(removed)} files"
        log.info("%s: %s removed that nothing needs: %s%s", assets, count, names, more)


def _clear(assets: Path, below: str, wanted: Mapping[str, list[str]]) -> Iterator[str]:
    """Clear one folder, naming what was removed."""
    # Sets of names: in a game of 10,000 lines nothing is looked at one by one but what is not wanted.
    names = set(os.listdir(assets / below))  # noqa: PTH208 - names, not Paths
    for name in sorted(names.difference(wanted.get(below, ()))):
        path = f"{below}/{name}" if below else name
        full = assets / path
        if full.is_dir() and not full.is_symlink():
            yield from _clear(assets, path, wanted)
            if not any(full.iterdir()):
                full.rmdir()
        elif is_made_by_builds(path):
            full.unlink()
            yield path


def is_made_by_builds(path: str) -> bool:
    """Whether a file below the assets has a name as builds give: any audio, what lies beside clips, halves of files."""
    parts = path.split("/")
    if path.endswith(AUDIO_SUFFIXES) or TEMPORARY.fullmatch(parts[-1]):
        return True
    if len(parts) != 3:  # <locale>/<scene>/<name>
        return False
    return path.endswith((WORDS, MOUTH)) or parts[2] == f"{parts[1]}{SUBTITLES}"
