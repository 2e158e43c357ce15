"""Corpora and models for the tests of training: the embedded voice, tokenised by a small model of the published
layout."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

sys.path += [str(Path(__file__).parent.parent / room) for room in ("engines", "judges")]  # their small models

from cosyvoice3_small import make_small_model
from spoken_corpus import spoken_corpus


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Sums in one order, so that equal runs are equal to the bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> dict[str, Path]:
    """Finished corpora of two voices that say the same lines."""
    folder = tmp_path_factory.mktemp("corpora")
    return {variant: spoken_corpus(folder / variant, model_folder, variant) for variant in ("f2", "m3")}
