"""The release switch: may this build be shipped?

Rule report_quality writes the answer in every build. With ``strict: true`` rule check_release then fails while a
flagged clip is unreviewed; it is a rule of its own, so that the report stands when the build fails.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from replikk.errors import ReplikkError
from replikk.files import canonical_json, read_json, write_atomic

log = logging.getLogger(__name__)

NAMED = 10  # so many ids in the message; the report has them all


def write_release(blocking: Sequence[str], page: Path, release_path: Path) -> None:
    """Write whether the build can be shipped, and say so; ``blocking`` are the ids that stand in the way."""
    if blocking:
        log.warning("%s", _message(blocking, page))
    else:
        log.info("every clip passed or was accepted: this build can be shipped")
    answer = {"shippable": not blocking, "blocking": blocking, "page": page.as_posix()}
    write_atomic(release_path, canonical_json(answer))


def check_release(release_path: Path, passed_path: Path) -> None:
    """Raises ReplikkError when the build cannot be shipped; otherwise writes that it was checked."""
    answer = read_json(release_path)
    if answer["blocking"]:
        message = _message(answer["blocking"], Path(answer["page"]))
        raise ReplikkError(f"{message} (config.yaml: strict is true, so this build fails)")
    write_atomic(passed_path, canonical_json({"shippable": True}))


def _message(blocking: Sequence[str], page: Path) -> str:
    names = ", ".join(blocking[:NAMED]) + (f" and {len(blocking) - NAMED} more" if len(blocking) > NAMED else "")
    return (
        f"{len(blocking)} clips need a human ear: {names}; listen to them in {page} "
        "and write what you decide into decisions.csv"
    )
