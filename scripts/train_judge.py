"""Rule train_judge: train the embedded judge from its seed and write the weights."""

from pathlib import Path

from replikk.judges.mini.training import train_judge
from replikk.stages.running import stage_log

with stage_log(snakemake.log[0]):
    train_judge(
        work=Path(snakemake.params.work),
        generators=max(1, snakemake.threads - 1),
        weights=Path(snakemake.output.weights),
    )
