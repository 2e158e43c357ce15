"""Rule list_source: list what a source of the corpus has."""

from replikk.corpus.fetch import list_source
from replikk.corpus.settings import read_corpus_settings
from replikk.stages.running import open_job

with open_job(paths=["target"], words=["source"]) as job:
    settings = read_corpus_settings(job.config.corpus)
    list_source(settings, job.source, job.target)
