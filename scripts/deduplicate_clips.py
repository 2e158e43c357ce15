"""Rule deduplicate_clips: of several recordings of one utterance the best."""

from replikk.corpus.duplicates import deduplicate
from replikk.corpus.settings import read_corpus_settings
from replikk.stages.running import open_job

with open_job(paths=["target"], lists=["manifests"]) as job:
    settings = read_corpus_settings(job.config.corpus)
    deduplicate(settings, job.manifests, job.target)
