"""What a build says on the screen: what its stages did, whatever went wrong, and at the end what to do next.

Snakemake gives ten lines to every job: a hundred and fifty in all for one changed word, with ours somewhere between
them. Its own ``--quiet rules`` would hide failed jobs as well, and it would empty the log file too. So its account
of jobs that go well is kept from the screen alone; ``.snakemake/log`` has all of it. What is not known here is shown.

A job that failed and has said in one sentence why (``stages.running``), or that its user ended with Ctrl-C, needs no
account of the command that failed. Of any other failed job all is shown. Where other jobs go on after that sentence, it
is not the last one any more, and how the build ended is said.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from replikk.stages.check_release import standing
from replikk.stages.running import EXIT_INTERRUPTED, EXIT_TOLD

GOES_WELL = {
    "workflow_started", "run_info", "resources_info", "job_info", "job_started", "job_finished", "group_info",
    "progress", "shellcmd",
}  # fmt: skip
"""Events of Snakemake that tell of nothing but its own work."""

GOES_ON = {"job_started", "job_finished"}
"""Events after which what another job said may stand below the sentence of a failed one."""

CHATTER = (
    "Building DAG of jobs", "Using shell:", "Conda environments: ignored", "Select jobs to execute",
    "Complete log(s):", "Elapsed time:", "Shutting down, this might take some time.",
)  # fmt: skip
"""What it says beside its events."""

SAID_WHY = tuple(f"returned non-zero exit status {status}." for status in (EXIT_TOLD, EXIT_INTERRUPTED))
"""What it says of jobs that have told themselves why they end."""

SAYS_IT_FAILED = ("Exiting because a job execution failed.", "At least one job did not complete successfully.")
"""How it ends after a failed job."""


class BuildScreen(logging.Filter):
    """Lets through what a user of a build has to know. After a failure the place of the whole log belongs to that."""

    failed = False
    release: Path | None = None
    """``release.json`` of this build: what is told when nothing is to be done."""
    jobs_speak_here = False
    """Whether what jobs say stands on this screen: not of jobs on other machines."""

    def __init__(self) -> None:
        super().__init__()
        self._told: list[str] = []
        """Snakemake's messages about failed jobs that have said themselves what is wrong."""
        self._others = False
        """Whether another job has failed without a word, or went on."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.INFO:
            return not (self.jobs_speak_here and self._is_told(record))
        event = getattr(record, "event", None)
        if event is not None:
            self._others |= bool(self._told) and str(event) in GOES_ON
            return str(event) not in GOES_WELL
        message = str(record.msg)
        if self.failed and message.startswith("Complete log(s):"):
            return True
        if self.release is not None and message.startswith("Nothing to be done"):
            record.msg = f"{message}\n{standing(self.release)}".rstrip()
        return not message.startswith(CHATTER)

    def _is_told(self, record: logging.LogRecord) -> bool:
        """Whether an error of Snakemake's only says again that a job failed which has told why."""
        message, event = str(record.msg), str(getattr(record, "event", ""))
        if event == "error" and "CalledProcessError" in message:
            if any(said in message for said in SAID_WHY):
                self._told.append(message)
                return True
            self._others = True
        if event == "job_error":
            command = getattr(record, "shellcmd", None) or "no command at all"
            return any(command in told for told in self._told)
        return bool(self._told) and not self._others and any(end in message for end in SAYS_IT_FAILED)


def quieten(handlers: Iterable[logging.Handler]) -> BuildScreen:
    """Put one ``BuildScreen`` before what is written to a terminal; files are left alone."""
    screen = BuildScreen()
    for handler in handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.addFilter(screen)
    return screen
