"""Rule describe_corpus: the card of the corpus."""

from replikk.corpus.card import describe_corpus
from replikk.corpus.opening import corpus_folder
from replikk.corpus.settings import read_corpus_settings
from replikk.stages.running import open_job

with open_job(paths=["target"], lists=["shards"]) as job:
    settings = read_corpus_settings(job.config.corpus)
    folder = corpus_folder(job.config)
    describe_corpus(settings, folder, [str(shard) for shard in job.shards], job.target)
