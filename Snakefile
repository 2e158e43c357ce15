"""The voice build of a game. `snakemake` makes everything that changed; see README.md.

Targets: `all` (assets and report), `judge` (train the embedded judge), `calibrate` (propose limits from what people
decided), `models` (fetch the real voice), `corpus`, `train` and `promote` (a LoRA of your own).
"""

import gc
import logging
import os
import sys

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import min_version

from replikk.errors import ReplikkError
from replikk.locks import hold_build_lock
from replikk.screen import BuildScreen, quieten
from replikk.stages.opening import open_build
from replikk.stages.running import EXIT_INTERRUPTED
from replikk.written_settings import Place, keep_places, name_places

min_version("9.27")

# What is loaded by now stays until the end: looking for garbage in it, and in the plan, finds none and takes a tenth of
# a second in every build, most of it when this process ends.
gc.freeze()
gc.set_threshold(1_000_000, 20, 20)

# Started in the folder of a game (-s ../replikk/Snakefile), a build takes that game's config.yaml, and this one where
# there is none.
SETTINGS = "config.yaml"
if not Path(SETTINGS).is_file():
    SETTINGS = str(Path(workflow.basedir) / SETTINGS)


configfile: SETTINGS


report: "docs/workflow.rst"


logging.captureWarnings(True)


# Where settings were written, the topmost last: errors name the place that the user knows.
WRITTEN = [
    Place(os.path.relpath(SETTINGS)),
    *[Place(os.path.relpath(path)) for path in workflow.config_settings.configfiles],
    Place("--config", dict(workflow.config_settings.config)),
]


class Stopped(WorkflowError):
    """What a user can mend. Where in these files it came to light is no help, and looks as if they were broken."""

    __traceback__ = property(lambda self: None, lambda self, traceback: None)


# These targets are workflows of their own: they must work while sheets are wrong, and before a build can be opened. They
# are included only when they are asked for, so that a mistake in their settings stops no build.
ASKED = {"models", "corpus", "train", "promote"} & set(sys.argv[1:])

if "models" in ASKED:

    include: "rules/models.smk"


# Training makes the corpus first, where the settings say from what.
if "corpus" in ASKED or (ASKED & {"train", "promote"} and config.get("corpus")):

    include: "rules/corpus.smk"


if ASKED & {"train", "promote"}:

    include: "rules/training.smk"


if not ASKED:

    # Whoever asks for Snakemake's own account (-n, -p, --verbose) gets it.
    ASKED_TO_TELL = workflow.output_settings
    SCREEN = BuildScreen()
    if not (
        ASKED_TO_TELL.dryrun
        or ASKED_TO_TELL.printshellcmds
        or ASKED_TO_TELL.verbose
        or ASKED_TO_TELL.debug_dag
    ):
        SCREEN = quieten(logger.handlers)

    try:
        # Every sheet is read and checked here, before any job: a bad sheet stops the build in a second.
        BUILD = open_build(config, Path(workflow.basedir) / "scripts")
        keep_places(Path(BUILD.config_path).parent, WRITTEN)
    except ReplikkError as error:
        raise Stopped(name_places(str(error), WRITTEN))
    except KeyboardInterrupt:
        print(
            "interrupted while the sheets were read; nothing was begun", file=sys.stderr
        )
        sys.exit(EXIT_INTERRUPTED)

    SCREEN.release = Path(BUILD.folder) / "release.json"

    include: "rules/common.smk"
    include: "rules/dialogue.smk"
    include: "rules/takes.smk"
    include: "rules/assets.smk"
    include: "rules/judge.smk"

    rule all:
        default_target: True
        input:
            rules.package_assets.output.manifest,
            rules.report_quality.output.page,
            # The release switch is a job only in strict builds; release.json is written by every one.
            [rules.check_release.output.checked] if BUILD.strict else [],

    onstart:
        SCREEN.jobs_speak_here = workflow.local_exec
        try:
            hold_build_lock(Path(BUILD.folder))
        except ReplikkError as error:
            raise Stopped(name_places(str(error), WRITTEN))

    onsuccess:
        end_timers()

    onerror:
        SCREEN.failed = True
        end_timers()
