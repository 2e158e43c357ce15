"""Rule filter_clips: which clips of a shard keep to the limits."""

from replikk.corpus.filters import filter_clips
from replikk.corpus.opening import corpus_folder
from replikk.corpus.settings import read_corpus_settings
from replikk.stages.running import open_job

with open_job(paths=["manifest", "target"], words=["shard"]) as job:
    settings = read_corpus_settings(job.config.corpus)
    folder = corpus_folder(job.config)
    filter_clips(settings, folder, job.shard, job.manifest, job.target)
