"""Rule check_release: the release switch.

The report is written in every case; with ``strict: true`` the build then fails while a flagged clip is unreviewed.
"""

from __future__ import annotations

import logging
from pathlib import Path

from replikk.errors import ReplikkError
from replikk.files import canonical_json, read_json, write_atomic

log = logging.getLogger(__name__)

NAMED = 10  # so many ids in the message; the report has them all


def check_release(report_path: Path, strict: bool, verdict_path: Path) -> None:
    """Write whether the build can be shipped. Raises ReplikkError when ``strict`` is set and it cannot."""
    summary = read_json(report_path)["summary"]
    open_ids = summary["blocking"]
    if open_ids:
        names = ", ".join(open_ids[:NAMED]) + (f" and {len(open_ids) - NAMED} more" if len(open_ids) > NAMED else "")
        message = (
            f"{len(open_ids)} clips need a human ear: {names}; listen to them in {report_path.parent / 'index.html'} "
            "and write what you decide into decisions.csv"
        )
        if strict:
            raise ReplikkError(f"{message} (config.yaml: strict is true, so this build fails)")
        log.warning("%s", message)
    else:
        log.info("every clip passed or was accepted: this build can be shipped")
    write_atomic(verdict_path, canonical_json({"shippable": not open_ids, "blocking": open_ids}))
