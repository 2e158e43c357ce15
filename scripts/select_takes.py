"""Rule select_takes: choose the take of each line."""

from pathlib import Path

from replikk.config import read_config
from replikk.stages.running import stage_log
from replikk.stages.select_takes import select_takes

with stage_log(snakemake.log[0]):
    select_takes(
        config=read_config(snakemake.config),
        plan_path=Path(snakemake.input.plan),
        verdict_paths=[Path(path) for path in snakemake.input.verdicts],
        selection=Path(snakemake.output.selection),
    )
