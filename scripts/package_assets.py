"""Rule package_assets: trim, set the loudness, encode and tag the chosen take of each line."""

from replikk.stages.package_assets import package_assets
from replikk.stages.running import open_job

with open_job(paths=["plan", "selection", "manifest", "changes"], numbers=["workers"]) as job:
    package_assets(
        config=job.config,
        plan_path=job.plan,
        selection_path=job.selection,
        manifest_path=job.manifest,
        changes_path=job.changes,
        workers=job.workers,
        fingerprint_of_rule=job.fingerprint,
    )
