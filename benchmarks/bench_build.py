"""How long builds take: clean, no-op, one changed line; and where a clean build spends its CPU time.

    python benchmarks/bench_build.py                     # 100 and 10,000 lines; a clean build of 2,000
    python benchmarks/bench_build.py --lines 50000       # another size, with peak memory

The 10,000-line game is built once for real. Prints the machine, wall and CPU seconds of whole `snakemake` runs
(children included) and the peak memory of the largest process. Nothing is asserted: figures go into the README by hand.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PEOPLE = ["Nora", "Emil", "Ugla", "Kapteinen", "Læreren", "Bestemor", "Trollet", "Havfrua"]
VERBS = ["fant", "mistet", "så", "ville ha", "gjemte", "lånte", "tok med", "glemte", "savnet", "pusset"]
KINDS = ["den gamle", "den nye", "den røde", "den lille", "den tunge", "den rare", "den fine", "den våte"]
THINGS = ["lykta", "nøkkelen", "båten", "porten", "boka", "steinen", "brua", "kista", "fjæra", "sekken"]
PLACES = ["i havna", "på fjellet", "ved elva", "bak skolen", "under brua", "i skogen", "på loftet", "ved fyret"]


def write_game(root: Path, lines: int) -> None:
    """A game of up to 51,200 different lines of six to eight words, in scenes of 100."""
    rng = random.Random(lines)
    dialogue = root / "dialogue"
    dialogue.mkdir(parents=True)
    shutil.copy(PROJECT / "config.yaml", root / "config.yaml")
    shutil.copy(PROJECT / "dialogue" / "voices.yaml", dialogue / "voices.yaml")
    shutil.copytree(PROJECT / "dialogue" / "references", dialogue / "references")
    voices = _voice_names(dialogue / "voices.yaml")
    for start in range(0, lines, 100):
        with (dialogue / f"scene_{start // 100:04}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(["id", "text", "voice", "style"])
            for number in range(start, min(start + 100, lines)):
                text, rest = "", number
                for words in (PEOPLE, VERBS, KINDS, THINGS, PLACES):  # a different sentence for every number
                    rest, choice = divmod(rest, len(words))
                    text += f" {words[choice]}"
                style = rng.choice(["", "", "stille"])
                writer.writerow([f"line_{number:06}", f"{text.strip()}.", rng.choice(voices), style])


def _voice_names(path: Path) -> list[str]:
    import yaml

    return list(yaml.safe_load(path.read_text(encoding="utf-8"))["voices"])


def build(root: Path, cores: int = 1) -> dict[str, float]:
    """Run Snakemake; wall seconds, CPU seconds of all processes, peak memory of the largest (MB)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start_s = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-s", PROJECT / "Snakefile", "--cores", str(cores), "--resources", "gpu=1"],
        cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    wall_s = time.monotonic() - start_s
    if done.returncode:
        sys.exit(done.stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall_s": wall_s,
        "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mb": after.ru_maxrss / 1024,
    }


def change_one_line(root: Path) -> None:
    """A word that no line has: with another of the words above the take might be in the store already."""
    sheet = root / "dialogue" / "scene_0000.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace(" fant ", " fant ikke ", 1), encoding="utf-8")


def finished_audio_s(root: Path) -> float:
    clips = json.loads((root / "build" / "assets" / "manifest.json").read_bytes())["clips"]
    return sum(clip["duration_s"] for clip in clips)


def show(name: str, figures: dict[str, float]) -> None:
    values = "  ".join(f"{key} {value:8.2f}" for key, value in figures.items())
    print(f"{name:<44} {values}", flush=True)


def measure(lines: int, folder: Path, repeats: int) -> None:
    root = folder / f"game{lines}"
    write_game(root, lines)
    clean = build(root)
    audio_s = finished_audio_s(root)
    show(f"{lines} lines: clean build, {audio_s:.0f} s of audio", clean)
    print(f"    {audio_s / clean['cpu_s']:.1f} s of finished audio per CPU second")
    for _ in range(repeats):
        show(f"{lines} lines: no-op", build(root))
    for _ in range(repeats):
        change_one_line(root)
        show(f"{lines} lines: one changed line", build(root))
    for stage, speed in json.loads((root / "build/store/speed.json").read_bytes()).items():
        print(f"    last {stage}: {speed['characters']} characters in {speed['seconds']:.1f} s")


def machine() -> str:
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.processor(),
    )
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="*", default=[100, 2000, 10_000])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="replikk-bench-") as folder:
        for lines in options.lines:
            measure(lines, Path(folder), options.repeats)


if __name__ == "__main__":
    main()
