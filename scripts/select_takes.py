"""Rule select_takes: choose the take of each line."""

from replikk.stages.running import open_job
from replikk.stages.select_takes import select_takes

with open_job(paths=["plan", "selection"], lists=["verdicts"]) as job:
    select_takes(
        config=job.config,
        plan_path=job.plan,
        verdict_paths=job.verdicts,
        selection=job.selection,
    )
