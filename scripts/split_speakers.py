"""Rule split_speakers: which speakers are held out."""

from replikk.corpus.settings import read_corpus_settings
from replikk.corpus.splitting import split_speakers
from replikk.stages.running import open_job

with open_job(paths=["manifest", "target"]) as job:
    settings = read_corpus_settings(job.config.corpus)
    split_speakers(settings, job.manifest, job.target)
