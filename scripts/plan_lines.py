"""Rule plan_lines: write the plan that was made when Snakemake started."""

from replikk.dialogue.plan import copy_plan
from replikk.stages.running import open_job

with open_job(paths=["plan"], words=["digest"]) as job:
    copy_plan(build_dir=job.config.build_dir, wanted_digest=job.digest, target=job.plan)
