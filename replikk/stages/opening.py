"""The start of every build: settings checked, plan made, damage found; and what Snakemake must know of them.

Runs while Snakemake reads the Snakefile, so it must be quick when nothing changed: it imports neither numpy nor
pandas, parses no sheet that it has parsed before, and looks at the finished files' size and time only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import replikk
from replikk.config import Config, read_config
from replikk.dialogue.plan import OpenPlan, open_plan
from replikk.files import digest
from replikk.stages.damage import note_damage, repairs_path


@dataclass(frozen=True)
class Build:
    """What the rules need: folders, counts, and the fingerprints that make a rule run again."""

    folder: str
    plan: OpenPlan
    rounds: int
    shards: int
    strict: bool
    repairs: str
    """A file that grows when a finished file turned out to be damaged: an input of the rules that mend it."""
    fingerprints: Mapping[str, str]
    """By rule: a digest of the settings and the code that only this rule depends on."""


def open_build(settings: Mapping[str, Any]) -> Build:
    """Check everything a person wrote. Raises ReplikkError with all problems, before any audio is made."""
    config = read_config(settings)
    plan = open_plan(config)
    note_damage(config.build_dir)
    return Build(
        folder=str(config.build_dir),
        plan=plan,
        rounds=config.max_rounds,
        shards=config.shards,
        strict=config.strict,
        repairs=str(repairs_path(config.build_dir)),
        fingerprints=_fingerprints(config),
    )


def _fingerprints(config: Config) -> dict[str, str]:
    judge = [config.judge, config.judge_settings]
    bench = _code("stages/bench.py", "judges")
    return {
        "synthesize_takes": digest([config.shards, _code("stages/synthesize_takes.py", "stages/recordings.py")]),
        "transcribe_takes": digest([judge, bench, _code("stages/transcribe_takes.py")]),
        "judge_takes": digest([judge, bench, config.thresholds, _code("stages/judge_takes.py")]),
        "select_takes": _code("stages/select_takes.py"),
        "package_assets": digest(
            [config.delivery, _code("stages/package_assets.py", "stages/clips.py", "stages/manifest.py", "audio")]
        ),
        "report_quality": digest([config.strict, bench, _code("stages/report_quality.py", "report")]),
        "check_release": _code("stages/check_release.py"),
    }


def _code(*places: str) -> str:
    """A hash of our own modules. Snakemake watches scripts only, not what they import."""
    root = Path(replikk.__file__).parent
    files: list[Path] = []
    for place in places:
        path = root / place
        files += (
            sorted(f for f in path.rglob("*") if f.suffix in (".py", ".json", ".html", ".css", ".js"))
            if (path.is_dir())
            else [path]
        )
    return digest([[file.name, hashlib.sha256(file.read_bytes()).hexdigest()] for file in files])
