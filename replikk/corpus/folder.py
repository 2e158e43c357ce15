"""Where everything of a corpus lies."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
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
        """Raw files of the hub while the shard is fetched: with columns that no artefact may have, such as names."""
        return self.all_downloads / shard

    @property
    def all_downloads(self) -> Path:
        return self.path / "downloads"

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


def remove_downloads(folder: Path) -> None:
    """A folder of ``downloads`` with all that is in it, if it is there."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def remove_done_downloads(folder: CorpusFolder, shards: Iterable[str]) -> None:
    """Raw files that killed runs left of shards that are made.

    Only those: the others are continued, by a job that may be running beside the process that asks.
    """
    for shard in shards:
        if folder.downloads(shard).exists() and folder.manifest("fetch", shard).exists():
            remove_downloads(folder.downloads(shard))
            with contextlib.suppress(OSError):  # not empty: there are other shards
                folder.all_downloads.rmdir()
