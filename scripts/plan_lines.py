"""Rule plan_lines: write the plan that was made when Snakemake started."""

from pathlib import Path

from replikk.config import read_config
from replikk.dialogue.plan import copy_plan
from replikk.stages.running import stage_log

with stage_log(snakemake.log[0]):
    copy_plan(
        config=read_config(snakemake.config),
        wanted_digest=snakemake.params.digest,
        target=Path(snakemake.output.plan),
    )
