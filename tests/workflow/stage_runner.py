"""All stages of a build in this process, without Snakemake: for tests of what a stage does with what it finds."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from game_folder import PROJECT, Game

from replikk.config import Config, read_config
from replikk.stages.judge_takes import judge_takes
from replikk.stages.opening import open_build
from replikk.stages.package_assets import package_assets
from replikk.stages.report_quality import report_quality
from replikk.stages.select_takes import select_takes
from replikk.stages.synthesize_takes import synthesize_takes
from replikk.stages.transcribe_takes import transcribe_takes


@dataclass(frozen=True)
class Stages:
    """The stages of one game's build with the paths that the rules give them."""

    game: Game

    @property
    def settings(self) -> dict:
        return {**self.game.settings, "dialogue_dir": str(self.game.dialogue), "build_dir": str(self.game.build)}

    @property
    def config(self) -> Config:
        return read_config(self.settings)

    @property
    def plan(self) -> Path:
        return self.game.build / "plan" / "lines.jsonl"

    @property
    def selection(self) -> Path:
        return self.game.build / "selection.jsonl"

    def round(self, number: int, name: str) -> Path:
        return self.game.build / "rounds" / str(number) / name

    def open(self) -> None:
        """What happens while Snakemake reads the Snakefile, and rule plan_lines."""
        build = open_build(self.settings, PROJECT / "scripts")
        script, known = PROJECT / "scripts" / "plan_lines.sh", self.game.build / "plan" / "known"
        subprocess.run(["sh", script, known, f"{build.plan.digest[:32]}.jsonl", self.plan], check=True)

    def speak(self, number: int) -> None:
        before = self.round(number - 1, "retries.jsonl") if number else None
        for shard in range(self.config.shards):
            takes = self.round(number, f"takes.{shard}.jsonl")
            synthesize_takes(self.config, self.plan, before, number, shard, takes)

    def listen(self, number: int) -> None:
        for shard in range(self.config.shards):
            takes = self.round(number, f"takes.{shard}.jsonl")
            transcribe_takes(self.config, self.plan, takes, shard, self.round(number, f"transcripts.{shard}.jsonl"))

    def judge(self, number: int) -> None:
        takes = [self.round(number, f"takes.{shard}.jsonl") for shard in range(self.config.shards)]
        verdicts, retries = self.round(number, "verdicts.jsonl"), self.round(number, "retries.jsonl")
        judge_takes(self.config, self.plan, takes, number, verdicts, retries)

    def select(self) -> None:
        rounds = range(self.config.max_rounds)
        select_takes(self.config, self.plan, [self.round(n, "verdicts.jsonl") for n in rounds], self.selection)

    def package(self, workers: int = 1) -> None:
        manifest, changes = self.game.build / "assets" / "manifest.json", self.game.build / "changes.json"
        package_assets(self.config, self.plan, self.selection, manifest, changes, workers)

    def report(self) -> None:
        build = self.game.build
        report_quality(
            self.config, self.plan, self.selection, build / "assets" / "manifest.json", build / "changes.json",
            build / "report",
            build / "release.json",
        )  # fmt: skip

    def all(self) -> None:
        self.open()
        for number in range(self.config.max_rounds):
            self.speak(number)
            self.listen(number)
            self.judge(number)
        self.select()
        self.package()
        self.report()
