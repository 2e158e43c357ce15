"""Reference vectors that the published CosyVoice 3 code computed on small random weights.

A folder of them has one folder a part (``llm``, ``flow``, ``hift``, ``sampling``, ``feat``, ``frontend``), each with
``model.safetensors`` and ``model.json`` where it has weights, and two files a case: ``NAME.safetensors`` and
``NAME.json``. Prefixes of tensors: ``in.`` inputs, ``mid.`` intermediates, ``out.`` results, ``rand.`` captured random
draws, ``grad.`` gradients, ``override.`` weight rows to replace for that case only.

The environment variable REPLIKK_GOLDEN names another folder of the same form; unset, the trimmed copy of the project
is read, whose tensor files are gzipped. Tests discover what a folder holds, so that no case is silently left out.
"""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load
from torch import Tensor

FOLDER = Path(os.environ.get("REPLIKK_GOLDEN") or Path(__file__).parents[1] / "data" / "golden")


@dataclass(frozen=True)
class GoldenCase:
    """One case: its tensors by prefixed name, and what its JSON file says."""

    part: str
    name: str
    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def group(self, prefix: str) -> dict[str, Tensor]:
        """The tensors of one prefix (``in``, ``out``, …), by name without it."""
        return {key[len(prefix) + 1 :]: value for key, value in self.tensors.items() if key.startswith(prefix + ".")}


def names_of_cases(part: str, *patterns: str, having: str = "", folder: Path = FOLDER) -> list[str]:
    """The names of the cases of a part that match a pattern, such as ``names_of_cases("llm", "greedy_*")``.

    With ``having`` only those whose JSON file has that entry: the others of that part are of another kind.
    """
    names = sorted(path.stem for path in (folder / part).glob("*.json"))
    names = [name for name in names if name != "model" and any(fnmatch(name, pattern) for pattern in patterns)]
    return [name for name in names if not having or having in _facts(folder, part, name)]


def golden_cases(part: str, *patterns: str, having: str = "") -> pytest.MarkDecorator:
    """Runs a test once per case, with its name as the argument ``name``; a folder without such cases skips it."""
    return pytest.mark.parametrize("name", names_of_cases(part, *patterns, having=having))


def read_case(part: str, name: str) -> GoldenCase:
    """A case, or with the name ``model`` the weights and hyper-parameters of a part."""
    packed = FOLDER / part / f"{name}.safetensors.gz"
    plain = FOLDER / part / f"{name}.safetensors"
    if packed.exists():
        tensors = load(gzip.decompress(packed.read_bytes()))
    else:
        tensors = load(plain.read_bytes()) if plain.exists() else {}
    return GoldenCase(part, name, tensors, _facts(FOLDER, part, name))


def _facts(folder: Path, part: str, name: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((folder / part / f"{name}.json").read_text(encoding="utf-8"))
    return facts
