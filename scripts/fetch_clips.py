"""Rule fetch_clips: the recordings of a shard as FLAC, measured."""

from replikk.corpus.fetch import fetch_clips
from replikk.corpus.opening import corpus_folder
from replikk.corpus.settings import read_corpus_settings
from replikk.stages.running import open_job

with open_job(paths=["listing", "target"], words=["shard"]) as job:
    settings = read_corpus_settings(job.config.corpus)
    folder = corpus_folder(job.config)
    fetch_clips(settings, folder, job.shard, job.listing, job.target)
