"""The measured table of the embedded judge, between two markers of a page."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import yaml

from replikk.errors import ReplikkError
from replikk.files import write_if_changed
from replikk.judges.mini.description import trained_sha256
from replikk.judges.mini.hearing import Studio
from replikk.judges.mini.measure import Row, measure

BEGIN = "<!-- measured: begin (written by scripts/measure_judge.py) -->"
END = "<!-- measured: end -->"


def read_voices(path: Path) -> dict[str, dict[str, Any]]:
    """Name -> settings of the embedded voice. Raises ReplikkError naming the file."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        voices = {name: dict(voice["espeak"]) for name, voice in content["voices"].items() if "espeak" in voice}
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ReplikkError(f"{path}: no voices can be read ({error}); see docs/voices.md") from error
    if not voices:
        raise ReplikkError(f"{path}: has no voice with settings for espeak; see docs/voices.md")
    return voices


def table(rows: list[Row], studio: Studio) -> str:
    """Markdown between the markers, markers included."""
    lines = [
        BEGIN,
        "",
        "| what | measured | target | clips |",
        "|---|---|---|---|",
        *(
            f"| {row.what} | {row.figure}{'' if row.met else ' (**missed**)'} | {row.target} | {row.clips} |"
            for row in rows
        ),
        "",
        f"{len(studio.voices)} voices ({', '.join(sorted(studio.voices))}); {studio.audio_s / 3600:.1f} hours, "
        f"{studio.audio_s / studio.judge_cpu_s:.0f} times real time on one core ({platform.machine()}), from samples "
        f"to transcript. Weights `{trained_sha256()[:12]}`.",
        "",
        END,
    ]
    return "\n".join(lines)


def insert(page: str, part: str) -> str:
    """The page with everything between the markers replaced. Raises ReplikkError when it lacks them."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ReplikkError(f"the page has no place for the table; put '{BEGIN}' and '{END}' into it")
    return page[: page.index(BEGIN)] + part + page[page.index(END) + len(END) :]


def measure_and_write(voices: Path, page: Path, voices_per_line: int, seed: int = 1) -> bool:
    """Measure, write the table, print it; whether every target is met. Raises ReplikkError."""
    insert(page.read_text(encoding="utf-8"), "")  # a page without a place for it is found before minutes of work
    studio = Studio(read_voices(voices))
    rows = measure(studio, voices_per_line=voices_per_line, seed=seed)
    part = table(rows, studio)
    # Read again: somebody may have edited the page meanwhile.
    write_if_changed(page, insert(page.read_text(encoding="utf-8"), part).encode())
    print(part)
    return all(row.met for row in rows)
