"""Rule check_release: the release switch. With `strict: true`, a flagged clip nobody has reviewed fails the build."""

from pathlib import Path

from replikk.stages.check_release import check_release
from replikk.stages.running import stage_log

with stage_log(snakemake.log[0]):
    check_release(release_path=Path(snakemake.input.release), checked=Path(snakemake.output.checked))
