"""What several rules share: the rounds and shards of this build, which round comes before which, and how a script
is started.

Rules start their scripts through `shell:`, not `script:`. A `script:` job imports Snakemake before its own first line,
0.1 s of every job; in a build with one changed line that was the largest single cost. The interpreter is the one that
runs Snakemake, unless a conda environment comes before it.

No rule of a build has params. To compare them Snakemake imports pandas, a quarter of a second in every build, those with
nothing to do included. What a rule depends on stands in the text of its command, which Snakemake remembers as well; where
this checkout lies does not, because a checkout that was moved builds nothing anew.
"""

import os
import sys
import threading
from shlex import quote

ROUNDS = list(range(BUILD.rounds))
SHARDS = list(range(BUILD.shards))

SCRIPTS = Path(workflow.basedir) / "scripts"

os.environ.update(
    REPLIKK_SCRIPTS=str(SCRIPTS),
    # A list of folders, the first one wins; a conda environment puts its own before it.
    PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()]),
)


def start_of(rule):
    """The start of the command of a rule's script. Another fingerprint makes it another command, and the rule runs again."""
    return (
        f'python3 -P "$REPLIKK_SCRIPTS"/{rule}.py --config {quote(BUILD.config_path)}'
        f" --log {{log:q}} --fingerprint {BUILD.fingerprints[rule]}"
    )


def end_timers():
    """Stop the timers of Snakemake's job rate limit: its process waits a second for the last of them after a build."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def asked_of_round(wildcards):
    """What a round starts from: the plan, and later what the round before wants to be tried again."""
    before = int(wildcards.round) - 1
    if before < 0:
        return f"{BUILD.folder}/plan/lines.jsonl"
    return f"{BUILD.folder}/rounds/{before}/retries.jsonl"


# Nearly all builds have rounds in which nothing is to be tried again. Their jobs make empty manifests here, for a tenth
# of what the start of a Python costs. A file that is not there is left to the script, which says so.
UNLESS_EMPTY = (
    "some=; for asked in {input.asked:q}; do"
    ' if [ -s "$asked" ] || [ ! -e "$asked" ]; then some=yes; fi; done;'
    ' if [ -z "$some" ]; then for made in {output:q}; do : > "$made"; done; exit 0; fi; '
)
