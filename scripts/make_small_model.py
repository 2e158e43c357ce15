"""Rule make_small_model: a small random model in the published layout, to try the whole way out."""

from replikk.corpus.small_model import make_small_model
from replikk.stages.running import open_job

with open_job(paths=["target"]) as job:
    make_small_model(job.target.parent)
