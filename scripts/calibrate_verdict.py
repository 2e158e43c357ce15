"""Rule calibrate: propose limits from clips that people have called good or bad."""

from replikk.stages.calibrate import calibrate_verdict
from replikk.stages.running import open_job

with open_job(paths=["plan", "folder"]) as job:
    calibrate_verdict(config=job.config, plan_path=job.plan, folder=job.folder)
