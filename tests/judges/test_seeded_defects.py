"""Faults planted in real audio are stopped, clean clips are not: a sample of what docs/verdict.md has in full."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import numpy as np
import pytest

from replikk.judges.mini.hearing import Studio
from replikk.judges.mini.measure_page import read_voices
from replikk.judges.seeded.defects import DEFECTS
from replikk.judges.seeded.measure import all_lines, measure
from replikk.judges.seeded.page import BEGIN, END, table
from replikk.judges.thresholds import BANDS, band_of
from replikk.judges.words import split_words

PROJECT = Path(__file__).parents[2]
VOICES = PROJECT / "dialogue" / "voices.yaml"


def test_every_band_has_lines_and_none_comes_twice() -> None:
    lines = all_lines()
    assert len(lines) == len(set(lines))
    counts = {band: sum(band_of(len(split_words(line))) == band for line in lines) for band in BANDS}
    assert all(count >= 35 for count in counts.values()), counts


@pytest.mark.parametrize("defect", [one for one in DEFECTS if one.sound], ids=lambda one: one.name)
def test_faults_of_the_sound_change_it(defect: object) -> None:
    samples = (8000 * np.sin(np.arange(22_050) * 0.05)).astype(np.int16)
    spoiled = defect.sound(samples, 22_050, Random(1))  # type: ignore[attr-defined]
    assert spoiled.dtype == np.int16 and not np.array_equal(spoiled, samples)


def test_a_sample_of_all_faults() -> None:
    voices = read_voices(VOICES)
    studio = Studio({name: voices[name] for name in ("kari", "ola", "gudrun")})
    cells = measure(studio, clips_per_cell=3, seed=3)
    assert sum(cell.stopped.total for cell in cells) >= 220
    alarms = [cell for cell in cells if cell.clean and cell.band != "1"]
    assert sum(cell.stopped.hits for cell in alarms) <= 1, alarms
    missed = [cell for cell in cells if not cell.clean and cell.stopped.hits < cell.stopped.total]
    assert sum(cell.stopped.total - cell.stopped.hits for cell in missed) <= 2, missed
    text = table(cells, studio, 3)
    assert text.startswith(BEGIN) and text.endswith(END) and text.count("\n|") == len(DEFECTS) + 3


@pytest.mark.soak
def test_all_targets_are_met() -> None:
    cells = measure(Studio(read_voices(VOICES)))
    assert [cell for cell in cells if not cell.met] == []


def test_the_page_holds_a_table_without_a_missed_target() -> None:
    page = (PROJECT / "docs" / "verdict.md").read_text(encoding="utf-8")
    part = page[page.index(BEGIN) : page.index(END)]
    assert all(defect.name in part for defect in DEFECTS)
    assert "missed" not in part
    clips = re.search(r"(\d+) clips, (\d+) of them clean", part)
    assert clips is not None and int(clips[1]) >= 400
