"""What several rules share: the rounds and shards of this build, which round comes before which, and how a script
is started.

Rules start their scripts through `shell:`, not `script:`. A `script:` job imports Snakemake before its own first line,
0.1 s of every job; in a build with one changed line that was the largest single cost. The interpreter is the one that
runs Snakemake, unless a conda environment comes before it.
"""

import os
import sys

ROUNDS = list(range(BUILD.rounds))
SHARDS = list(range(BUILD.shards))
SCRIPTS = Path(workflow.basedir) / "scripts"

# A list of folders, the first one wins; a conda environment puts its own before it.
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
)


def retries_before(wildcards):
    """What the round before wants to be tried again: round 0 has no round before it."""
    before = int(wildcards.round) - 1
    return [] if before < 0 else f"{BUILD.folder}/rounds/{before}/retries.jsonl"
