"""Rule check_speakers: one person in each clip of a shard."""

from replikk.corpus.opening import corpus_folder
from replikk.corpus.settings import read_corpus_settings
from replikk.corpus.speakers import check_speakers
from replikk.stages.running import open_job

with open_job(paths=["manifest", "target"]) as job:
    settings = read_corpus_settings(job.config.corpus)
    folder = corpus_folder(job.config)
    check_speakers(settings, folder, job.manifest, job.target)
