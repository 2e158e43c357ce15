"""Rule check_release: the release switch, part of a build with ``strict: true`` only.

``report_quality`` has written the report and ``release.json`` by then; both stay when this fails the build.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from replikk.errors import ReplikkError
from replikk.files import read_json, write_atomic

NAMED = 10  # so many ids in a message; the report has them all


def check_release(release_path: Path, checked: Path) -> None:
    """Raise ReplikkError while something in ``release.json`` blocks the release; else write the file ``checked``."""
    release = read_json(release_path)
    if not release["shippable"]:
        page = release_path.parent / "report" / "index.html"
        raise ReplikkError(
            f"cannot be shipped yet, and strict is true, so this build fails: {waiting(release['blocking'])}\n"
            f"report: {page}"
        )
    write_atomic(checked, b"")


def release_of(report: dict[str, Any]) -> dict[str, Any]:
    """``release.json``: whether the build can be shipped and what stands in the way, for scripts."""
    blocking = report["summary"]["blocking"]
    return {"shippable": not blocking, "blocking": blocking}


def standing(release_path: Path) -> str:
    """What stands in the way of a release, when nothing is to be built; empty where no build has said."""
    try:
        release = read_json(release_path)
        stands = "can be shipped: no line waits for a person"
        if not release["shippable"]:
            stands = f"cannot be shipped yet: {waiting(release['blocking'])}"
    except (ReplikkError, OSError, KeyError, TypeError):
        return ""
    return f"{stands}\nreport: {release_path.parent / 'report' / 'index.html'}"


def waiting(blocking: list[str]) -> str:
    """One sentence on the lines that wait for a person."""
    names = ", ".join(blocking[:NAMED])
    if len(blocking) > NAMED:
        names += f" and {len(blocking) - NAMED} more"
    lines = "1 line waits" if len(blocking) == 1 else f"{len(blocking)} lines wait"
    return f"{lines} for a person: {names}"
