"""Rule judge_takes: turn what was heard in one round into a verdict per line."""

from replikk.stages.judge_takes import judge_takes
from replikk.stages.running import open_job

with open_job(paths=["plan", "verdicts", "retries"], lists=["takes"], numbers=["round"]) as job:
    judge_takes(
        config=job.config,
        plan_path=job.plan,
        takes_manifests=job.takes,
        round_number=job.round,
        manifest=job.verdicts,
        retries=job.retries,
        fingerprint_of_rule=job.fingerprint,
    )
