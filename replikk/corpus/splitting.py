"""Stage ``split``: speakers are held out, never single utterances: a voice that was trained on is no test.

Speakers come in the order of their hashes, which has nothing to do with who they are, and whole ones are held out until
the wanted share of the hours is reached. The largest speakers are passed over while smaller ones will do, and with
fewer than two speakers nothing is held out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from replikk.corpus.manifest import read_kept, write_manifest
from replikk.corpus.settings import CorpusSettings
from replikk.corpus.tokens import HELD_OUT, TRAIN


def split_speakers(settings: CorpusSettings, manifest: Path, target: Path) -> None:
    rows = list(read_kept(manifest))
    seconds: dict[str, float] = defaultdict(float)
    for row in rows:
        seconds[row.speaker] += row.duration_s
    held_out = held_out_speakers(seconds, settings.held_out_share)
    rows = [replace(row, facts={**row.facts, "split": HELD_OUT if row.speaker in held_out else TRAIN}) for row in rows]
    write_manifest(
        target,
        rows,
        speakers={TRAIN: len(seconds) - len(held_out), HELD_OUT: len(held_out)},
        held_out_s=round(sum(seconds[speaker] for speaker in held_out), 3),
    )


def held_out_speakers(seconds: Mapping[str, float], share: float) -> set[str]:
    """Whole speakers with together at least ``share`` of the time where that leaves half of it to train on."""
    total = sum(seconds.values())
    wanted = share * total
    if len(seconds) < 2 or wanted <= 0:
        return set()
    chosen: set[str] = set()
    held = 0.0
    for speaker in _small_first(seconds, wanted):
        if held >= wanted:
            break
        if held + seconds[speaker] <= total / 2:
            chosen.add(speaker)
            held += seconds[speaker]
    return chosen


def _small_first(seconds: Mapping[str, float], wanted: float) -> Iterable[str]:
    """Those who speak no longer than what is wanted, then the others, each in the order of their names."""
    return sorted(seconds, key=lambda speaker: (seconds[speaker] > wanted, speaker))
