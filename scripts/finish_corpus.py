"""Rule finish_corpus: the list of all token shards, once they are there."""

from replikk.corpus.folder import remove_downloads
from replikk.corpus.opening import corpus_folder
from replikk.corpus.tokenise import finish_tokens
from replikk.stages.running import open_job

with open_job(lists=["shards"]) as job:
    folder = corpus_folder(job.config)
    finish_tokens(folder, [str(shard) for shard in job.shards])
    remove_downloads(folder.all_downloads)  # all shards are made; this is of earlier settings
