"""Rule synthesize_takes: speak the takes of one round and shard that the store lacks."""

from replikk.stages.running import open_job
from replikk.stages.synthesize_takes import synthesize_takes

with open_job(paths=["plan", "asked", "takes"], numbers=["round", "shard", "workers"]) as job:
    synthesize_takes(
        config=job.config,
        plan_path=job.plan,
        retries=job.asked if job.round else None,
        round_number=job.round,
        shard=job.shard,
        manifest=job.takes,
        workers=job.workers,
    )
