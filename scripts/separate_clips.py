"""Rule separate_clips: speech out of noise, for the noisy clips of a shard."""

from replikk.corpus.opening import corpus_folder
from replikk.corpus.separation import separate_clips
from replikk.corpus.settings import read_corpus_settings
from replikk.stages.running import open_job

with open_job(paths=["manifest", "target"], words=["shard"]) as job:
    settings = read_corpus_settings(job.config.corpus)
    folder = corpus_folder(job.config)
    separate_clips(settings, folder, job.shard, job.manifest, job.target)
