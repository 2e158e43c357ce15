"""Rule judge_takes: turn what was heard in one round into a verdict per line."""

from pathlib import Path

from replikk.config import read_config
from replikk.stages.judge_takes import judge_takes
from replikk.stages.running import stage_log

with stage_log(snakemake.log[0]):
    judge_takes(
        config=read_config(snakemake.config),
        plan_path=Path(snakemake.input.plan),
        takes_manifests=[Path(path) for path in snakemake.input.takes],
        round_number=int(snakemake.wildcards.round),
        manifest=Path(snakemake.output.verdicts),
    )
