"""Rule transcribe_takes: let the judge listen to the takes of one round and shard that it has not heard yet."""

from pathlib import Path

from replikk.config import read_config
from replikk.stages.running import stage_log
from replikk.stages.transcribe_takes import transcribe_takes

with stage_log(snakemake.log[0]):
    transcribe_takes(
        config=read_config(snakemake.config),
        plan_path=Path(snakemake.input.plan),
        takes_manifest=Path(snakemake.input.takes),
        shard=int(snakemake.wildcards.shard),
        manifest=Path(snakemake.output.transcripts),
    )
