"""Rule synthesize_takes: speak the takes of one round and shard that the store lacks."""

from pathlib import Path

from replikk.config import read_config
from replikk.stages.running import stage_log
from replikk.stages.synthesize_takes import synthesize_takes

with stage_log(snakemake.log[0]):
    verdicts = snakemake.input.get("verdicts")
    synthesize_takes(
        config=read_config(snakemake.config),
        plan_path=Path(snakemake.input.plan),
        previous_verdicts=Path(verdicts) if verdicts else None,
        round_number=int(snakemake.wildcards.round),
        shard=int(snakemake.wildcards.shard),
        manifest=Path(snakemake.output.takes),
        workers=snakemake.threads,
    )
