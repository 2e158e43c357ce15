"""Where everything of a corpus lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

STAGES = ("fetch", "separate", "speakers", "transcribe", "read_again", "filter")
"""With a job for each shard, in order."""


@dataclass(frozen=True)
class CorpusFolder:
    """``build/corpus``: a folder for each stage, ``tokens``, and ``card``."""

    path: Path

    def listing(self, source: str) -> Path:
        return self.path / "sources" / f"{source}.json"

    def manifest(self, stage: str, shard: str) -> Path:
        return self.path / stage / f"{shard}.jsonl"

    def tar(self, stage: str, shard: str) -> Path:
        return self.path / self.tar_name(stage, shard)

    def tar_name(self, stage: str, shard: str) -> str:
        return f"{stage}/{shard}.tar"

    def downloads(self, shard: str) -> Path:
        return self.path / "downloads" / shard

    @property
    def duplicates(self) -> Path:
        return self.path / "deduplicate" / "all.jsonl"

    @property
    def splits(self) -> Path:
        return self.path / "split" / "all.jsonl"

    @property
    def tokens(self) -> Path:
        return self.path / "tokens"

    def tokenised(self, shard: str) -> Path:
        return self.path / "tokenise" / f"{shard}.json"

    @property
    def card(self) -> Path:
        return self.path / "card" / "index.html"
