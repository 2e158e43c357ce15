"""What a build says on the screen: what its stages did, whatever went wrong, and at the end what to do next.

Snakemake gives ten lines to every job: a hundred and fifty in all for one changed word, with ours somewhere between
them. Its own ``--quiet rules`` would hide failed jobs as well, and it would empty the log file too. So its account
of jobs that go well is kept from the screen alone; ``.snakemake/log`` has all of it. What is not known here is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

GOES_WELL = {
    "workflow_started", "run_info", "resources_info", "job_info", "job_started", "job_finished", "group_info",
    "progress", "shellcmd",
}  # fmt: skip
"""Events of Snakemake that tell of nothing but its own work."""

CHATTER = (
    "Building DAG of jobs", "Using shell:", "Conda environments: ignored", "Select jobs to execute",
    "Complete log(s):", "Elapsed time:",
)  # fmt: skip
"""What it says beside its events."""


class BuildScreen(logging.Filter):
    """Lets through what a user of a build has to know. After a failure the place of the whole log belongs to that."""

    failed = False

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO:
            return True
        event = getattr(record, "event", None)
        if event is not None:
            return str(event) not in GOES_WELL
        message = str(record.msg)
        if self.failed and message.startswith("Complete log(s):"):
            return True
        return not message.startswith(CHATTER)


def quieten(handlers: Iterable[logging.Handler]) -> BuildScreen:
    """Put one ``BuildScreen`` before what is written to a terminal; files are left alone."""
    screen = BuildScreen()
    for handler in handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.addFilter(screen)
    return screen
