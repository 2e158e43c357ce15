"""Which files the review server gives out: the report, the clips, the takes, and references that the report names.

An address is taken apart by its own names, never joined to a folder as a whole; what it leads to must, with every link
followed, lie in the build folder. Everything else of the build (plans, logs, journals) is nobody's business here.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

FOLDERS = (("report",), ("assets",), ("store", "takes"), ("store", "clips"))
"""Of the build folder, with everything below."""
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".jsonl": "application/json-seq",
    ".csv": "text/csv; charset=utf-8",
    ".png": "image/png",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
}
"""What browsers are told of a file, by its ending; files of other kinds are not given out."""


def find_file(path: str, build_dir: Path, references: Mapping[str, Path]) -> Path | None:
    """The file at a site's path (percent signs already decoded), every link followed; None when there is none to give.

    ``references`` are recordings outside of the build by their path on the site.
    """
    if path in references:
        return _regular(references[path])
    names = path.removeprefix("/").split("/")
    if not path.startswith("/") or not any(tuple(names[: len(top)]) == top for top in FOLDERS):
        return None
    if any(name in ("", ".", "..") or name.startswith(".") or set(name) & set("\\\0") for name in names):
        return None
    found = _regular(build_dir.joinpath(*names))
    return found if found is not None and found.is_relative_to(build_dir.resolve()) else None


def media_type(path: Path) -> str:
    """What to tell the browser of a file that ``find_file`` found."""
    return KINDS[path.suffix.lower()]


def _regular(path: Path) -> Path | None:
    """The real path of a file of a known kind; None for folders, devices, pipes and what is not there."""
    try:
        real = path.resolve(strict=True)
        regular = stat.S_ISREG(real.stat().st_mode)
    except (OSError, RuntimeError, ValueError):  # not there, a circle of links, a name too long
        return None
    return real if regular and real.suffix.lower() in KINDS else None
