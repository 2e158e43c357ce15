"""Rule package_assets: trim, set the loudness, encode and tag the chosen take of each line."""

from pathlib import Path

from replikk.config import read_config
from replikk.stages.package_assets import package_assets
from replikk.stages.running import stage_log

with stage_log(snakemake.log[0]):
    package_assets(
        config=read_config(snakemake.config),
        plan_path=Path(snakemake.input.plan),
        selection_path=Path(snakemake.input.selection),
        manifest_path=Path(snakemake.output.manifest),
        changes_path=Path(snakemake.output.changes),
        workers=snakemake.threads,
    )
