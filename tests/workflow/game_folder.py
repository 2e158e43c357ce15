"""A small real game in a folder of its own, built by real Snakemake."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).parent.parent.parent

VOICES = {
    "kari": {"label": "Kari", "espeak": {"variant": "f2", "pitch": 55, "rate_wpm": 150, "word_gap": 2}},
    "ola": {"label": "Ola", "espeak": {"variant": "m3", "pitch": 40, "rate_wpm": 150, "word_gap": 2}},
}


class Game:
    """A game's folder: dialogue in, build out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.dialogue = root / "dialogue"
        self.build = root / "build"
        self.dialogue.mkdir(parents=True)
        self.settings: dict = {}
        self.voices = json.loads(json.dumps(VOICES))
        self.write_voices()
        self.configure()

    def configure(self, **settings) -> None:
        self.settings.update(settings)
        (self.root / "config.yaml").write_text(yaml.safe_dump(self.settings, allow_unicode=True), encoding="utf-8")

    def write_voices(self, **more) -> None:
        content = yaml.safe_dump({"voices": self.voices, **more}, allow_unicode=True)
        (self.dialogue / "voices.yaml").write_text(content, encoding="utf-8")

    def write_sheet(self, name: str, rows: list[dict]) -> None:
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (self.dialogue / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, delimiter=";")
            writer.writeheader()
            writer.writerows(rows)

    def write_decisions(self, rows: list[dict]) -> None:
        with (self.dialogue / "decisions.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["id", "take_key", "decision", "who", "when", "why"], restval="")
            writer.writeheader()
            writer.writerows(rows)

    def command(self, *more: str, cores: int = 1) -> list[str]:
        snakefile = str(PROJECT / "Snakefile")
        return [
            sys.executable, "-m", "snakemake", "-s", snakefile, "--cores", str(cores), "--resources", "gpu=1", *more,
        ]  # fmt: skip

    def run(self, *more: str, cores: int = 1) -> subprocess.CompletedProcess:
        """Build; returns the finished process with its output, whatever its exit status."""
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            self.command(*more, cores=cores), cwd=self.root, env=environment, text=True, timeout=600,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def make(self, *more: str, cores: int = 1) -> str:
        """Build, insisting that it works; returns the output."""
        done = self.run(*more, cores=cores)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def manifest(self) -> dict:
        return json.loads((self.build / "assets" / "manifest.json").read_bytes())

    def clips(self) -> dict[str, dict]:
        return {clip["id"]: clip for clip in self.manifest()["clips"]}

    def report(self) -> dict:
        return json.loads((self.build / "report" / "report.json").read_bytes())

    def selection(self) -> dict[str, dict]:
        lines = (self.build / "selection.jsonl").read_text(encoding="utf-8").splitlines()
        return {record["id"]: record for record in map(json.loads, lines)}

    def takes(self) -> set[str]:
        """Keys of the takes in the store."""
        return {path.stem for path in (self.build / "store" / "takes").glob("??/*.flac")}

    def assets(self) -> dict[str, str]:
        """SHA-256 of every file below build/assets, by path."""
        root = self.build / "assets"
        return {
            path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }

    def modified_ns(self) -> dict[str, int]:
        root = self.build / "assets"
        return {path.relative_to(root).as_posix(): path.stat().st_mtime_ns for path in root.rglob("*.ogg")}

    def forget_build(self) -> None:
        """Delete everything that was ever built, Snakemake's own memory included."""
        shutil.rmtree(self.build, ignore_errors=True)
        shutil.rmtree(self.root / ".snakemake", ignore_errors=True)
