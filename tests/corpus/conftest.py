"""A corpus made from planted recordings by real Snakemake, once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus_project import CorpusProject
from planted import plant


@pytest.fixture(scope="session")
def planted_corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[CorpusProject, dict[str, str]]:
    """The made corpus, and what was planted in which recording."""
    root: Path = tmp_path_factory.mktemp("planted")
    planted = plant(root / "recordings")
    source = {"name": "own", "kind": "folder", "path": "recordings", "licence": "own", "shards": 2}
    project = CorpusProject(root, [source], held_out_share=0.2)
    project.make()
    return project, planted
