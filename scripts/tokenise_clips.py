"""Rule tokenise_clips: text ids and speech tokens of the clips of a shard."""

from replikk.corpus.opening import corpus_folder
from replikk.corpus.tokenise import tokenise_clips
from replikk.models.present import model_paths
from replikk.stages.running import open_job

with open_job(paths=["splits", "target"], words=["shard"]) as job:
    folder = corpus_folder(job.config)
    tokenise_clips(folder, model_paths(job.config.models).base, job.shard, job.splits, job.target)
