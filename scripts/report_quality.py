"""Rule report_quality: write the page, the table and the data that a person reads after a build."""

from replikk.stages.report_quality import report_quality
from replikk.stages.running import open_job

with open_job(paths=["plan", "selection", "manifest", "changes", "page", "release"]) as job:
    report_quality(
        config=job.config,
        plan_path=job.plan,
        selection_path=job.selection,
        manifest_path=job.manifest,
        changes_path=job.changes,
        folder=job.page.parent,
        release_path=job.release,
        fingerprint_of_rule=job.fingerprint,
    )
