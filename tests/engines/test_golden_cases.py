"""Which cases of a folder of reference vectors are found, whatever else lies there."""

from __future__ import annotations

import json
from pathlib import Path

from golden_cases import names_of_cases


def test_cases_are_found_by_what_the_folder_holds(tmp_path: Path) -> None:
    """Other names of a known kind are cases; other kinds, files that are no cases, and missing parts are not."""
    part = tmp_path / "hift"
    part.mkdir()
    for name, facts in (("model", {"finalize": 1}), ("batch2", {"finalize": True}), ("noise_buffers", {}), ("x", {})):
        (part / f"{name}.json").write_text(json.dumps(facts))
    (part / "README.md").write_text("no case")
    (part / "batch2.safetensors").write_bytes(b"")
    (part / "alone.safetensors").write_bytes(b"")
    assert names_of_cases("hift", "*", having="finalize", folder=tmp_path) == ["batch2"]
    assert names_of_cases("hift", "b*", "x", folder=tmp_path) == ["batch2", "x"]
    assert names_of_cases("hift", "dit_*", folder=tmp_path) == []
    assert names_of_cases("feat", "filterbanks*", folder=tmp_path) == []
