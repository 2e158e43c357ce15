"""Rule transcribe_takes: let the judge listen to the takes of one round and shard that it has not heard yet."""

from replikk.stages.running import open_job
from replikk.stages.transcribe_takes import transcribe_takes

with open_job(paths=["plan", "takes", "transcripts"], numbers=["shard"]) as job:
    transcribe_takes(
        config=job.config,
        plan_path=job.plan,
        takes_manifest=job.takes,
        shard=job.shard,
        manifest=job.transcripts,
    )
