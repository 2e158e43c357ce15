"""Which weights the judge was trained to, by the JSON beside them; read without the weights and without numpy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from replikk.errors import JudgeError

WEIGHTS = Path(__file__).with_name("weights") / "mini.safetensors"
REMEDY = "get it back from the project (git checkout), or train it again: snakemake judge"


def read_description(path: Path) -> dict[str, Any]:
    """The JSON beside the weights. Raises JudgeError naming the file."""
    description = path.with_suffix(".json")
    try:
        facts = json.loads(description.read_text(encoding="utf-8"))
        if not isinstance(facts["sha256"], str) or not isinstance(facts["architecture"]["dilations"], list):
            raise ValueError("it does not describe the weights")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JudgeError(f"{description}: the judge's description cannot be read ({error}); {REMEDY}") from error
    return dict(facts)


def trained_sha256(path: Path = WEIGHTS) -> str:
    """SHA-256 (hex) that the weights must have. Raises JudgeError."""
    return str(read_description(path)["sha256"])
