"""Rule report_quality: write the page, the table and the data that a person reads after a build."""

from pathlib import Path

from replikk.config import read_config
from replikk.stages.report_quality import report_quality
from replikk.stages.running import stage_log

with stage_log(snakemake.log[0]):
    report_quality(
        config=read_config(snakemake.config),
        plan_path=Path(snakemake.input.plan),
        selection_path=Path(snakemake.input.selection),
        manifest_path=Path(snakemake.input.manifest),
        changes_path=Path(snakemake.input.changes),
        folder=Path(snakemake.output.page).parent,
        release_path=Path(snakemake.output.release),
    )
