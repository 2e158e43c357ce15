"""Rule models: fetch the models of the real voice, or check those that are here."""

from replikk.models.fetch import fetch_models
from replikk.stages.running import open_job

with open_job() as job:
    fetch_models(job.config.models)
