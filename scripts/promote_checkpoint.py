"""Rule promote_checkpoint: let every checkpoint read to the gate, and release the one that speaks better, if any."""

from replikk.stages.running import open_job
from replikk.training.promote import promote
from replikk.training.settings import read_training_settings

with open_job(paths=["decision"], numbers=["workers"]) as job:
    promote(
        config=job.config,
        settings=read_training_settings(job.config.training),
        decision_path=job.decision,
        workers=job.workers,
    )
