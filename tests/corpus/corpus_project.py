"""A project folder in which ``snakemake corpus`` is run for real."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

from replikk.corpus.manifest import Utterance, read_manifest

PROJECT = Path(__file__).parent.parent.parent
EMBEDDED = {
    "separator": "none",
    "speaker_check": "embedded",
    "transcriber": "embedded",
    "second_reader": "embedded",
    "salt": "test",
}
MODELS = {"base": "build/small_model", "base_licence": "own", "adapter": "none"}


class CorpusProject:
    """``build/corpus`` below ``root``."""

    def __init__(self, root: Path, sources: list[dict], **settings: object) -> None:
        self.root = root
        self.corpus = root / "build" / "corpus"
        root.mkdir(parents=True, exist_ok=True)
        self.configure(sources, **settings)

    def configure(self, sources: list[dict], **settings: object) -> None:
        content = {"models": MODELS, "corpus": {"sources": sources, **EMBEDDED, **settings}}
        (self.root / "config.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), "--cores", "2", "--resources", "gpu=2",
            *more, "--", "corpus",
        ]  # fmt: skip
        return subprocess.run(
            command, cwd=self.root, text=True, timeout=600, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=False,
        )  # fmt: skip

    def make(self, *more: str) -> str:
        done = self.run(*more)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def rows(self, stage: str) -> list[Utterance]:
        return [row for path in sorted((self.corpus / stage).glob("*.jsonl")) for row in read_manifest(path)]

    def fate(self) -> dict[str, str]:
        """By the path of each recording why it was dropped; empty for those that were kept."""
        fates: dict[str, str] = {}
        for stage in ("fetch", "separate", "speakers", "filter", "deduplicate"):
            fates |= {row.origin: row.dropped for row in self.rows(stage)}
        return fates
