"""Rule read_again: what the second recogniser reads in the clips of a shard."""

from replikk.corpus.opening import corpus_folder
from replikk.corpus.readings import read_again
from replikk.corpus.settings import read_corpus_settings
from replikk.stages.running import open_job

with open_job(paths=["manifest", "target"]) as job:
    settings = read_corpus_settings(job.config.corpus)
    folder = corpus_folder(job.config)
    read_again(job.config, settings, folder, job.manifest, job.target)
