"""The measured table of the verdict, between two markers of a page."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from replikk.errors import ReplikkError
from replikk.files import write_if_changed
from replikk.judges.mini.description import trained_sha256
from replikk.judges.mini.hearing import Studio
from replikk.judges.mini.measure_page import read_voices
from replikk.judges.seeded.measure import Cell, measure
from replikk.judges.thresholds import BANDS

BEGIN = "<!-- measured: begin (written by scripts/measure_verdict.py) -->"
END = "<!-- measured: end -->"


def table(cells: Sequence[Cell], studio: Studio, seed: int) -> str:
    """Markdown between the markers, markers included."""
    rows: dict[str, dict[str, Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.what, {})[cell.band] = cell
    clean, *faults = rows.items()
    lines = [
        BEGIN,
        "",
        "| stopped | " + " | ".join(_band_name(band) for band in BANDS) + " | target |",
        "|---|" + "---|" * (len(BANDS) + 1),
        "| clean clips (false alarms) | "
        + " | ".join(_clean_cell(clean[1][band]) for band in BANDS)
        + " | at most 5 % in 2–3 words, 2 % in more |",
        *(
            f"| {what} | "
            + " | ".join(_cell(by_band[band]) for band in BANDS)
            + f" | at least {next(iter(by_band.values())).target:.0%} |"
            for what, by_band in faults
        ),
        "",
        f"{sum(cell.stopped.total for cell in cells)} clips, "
        f"{sum(cell.stopped.total for cell in cells if cell.clean)} of them clean; "
        f"{len(studio.voices)} voices; seed {seed}; {platform.machine()}; judge `mini` {trained_sha256()[:12]}. "
        "In brackets the 95 % interval (Wilson) and the number of clips. "
        f"The clean clips are of {_lines_of(clean[1])} different lines, by length; clips of one line by several voices "
        "are not independent, so the intervals are rather too narrow.",
        "",
        END,
    ]
    return "\n".join(lines)


def _lines_of(clean: Mapping[str, Cell]) -> str:
    *most, last = [str(clean[band].lines) for band in BANDS]
    return f"{', '.join(most)} and {last}"


def _band_name(band: str) -> str:
    return "1 word" if band == "1" else f"{band.replace('-', '–')} words"


def _clean_cell(cell: Cell) -> str:
    return _cell(cell) + (f"; to a person {cell.stopped.hits - cell.retried}" if cell.stopped.hits else "")


def _cell(cell: Cell) -> str:
    share = cell.stopped
    if not share.total:
        return "–"
    missed = "" if cell.met else " **missed**"
    return f"{share.share:.1%} ({share.low:.1%}–{share.high:.1%}, {share.total}){missed}"


def insert(page: str, part: str) -> str:
    """The page with everything between the markers replaced. Raises ReplikkError when it lacks them."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ReplikkError(f"the page has no place for the table; put '{BEGIN}' and '{END}' into it")
    return page[: page.index(BEGIN)] + part + page[page.index(END) + len(END) :]


def measure_and_write(voices: Path, page: Path, clips_per_cell: int, seed: int) -> bool:
    """Measure, write the table, print it; whether every target is met. Raises ReplikkError."""
    insert(page.read_text(encoding="utf-8"), "")  # a page without a place for it is found before minutes of work
    studio = Studio(read_voices(voices))
    cells = measure(studio, clips_per_cell=clips_per_cell, seed=seed)
    part = table(cells, studio, seed)
    # Read again: somebody may have edited the page meanwhile.
    write_if_changed(page, insert(page.read_text(encoding="utf-8"), part).encode())
    print(part)
    return all(cell.met for cell in cells)
