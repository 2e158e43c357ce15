"""The card of a corpus: hours, speakers, licences, what was dropped and why, histograms, and twenty clips to listen to.

One page that needs no network and runs no script, and ``card.json`` with the same figures. The clips are the first
twenty by id, which is as good as drawn, since ids are hashes. Everything that came from recordings is escaped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replikk.corpus.audio_shards import ShardReader
from replikk.corpus.card_page import card_html
from replikk.corpus.folder import STAGES, CorpusFolder
from replikk.corpus.manifest import REASONS, Utterance, read_kept, read_summary
from replikk.corpus.settings import CorpusSettings
from replikk.corpus.tokens import HELD_OUT, TRAIN
from replikk.files import canonical_json, write_atomic

CLIPS = 20
_BINS = 24


@dataclass
class _Tally:
    """Of the kept utterances, filled in one pass."""

    seconds: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    """By source and split."""
    licences: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    speakers: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    separated: int = 0


def describe_corpus(settings: CorpusSettings, folder: CorpusFolder, shards: Sequence[str], target: Path) -> None:
    """Write the page, its figures and its clips."""
    splits = list(read_kept(folder.splits))
    tally = _Tally()
    for row in splits:
        split = row.facts["split"]
        tally.seconds[row.source, split] += row.duration_s
        tally.licences[row.licence] += row.duration_s
        tally.speakers[split][row.speaker] += row.duration_s
        tally.separated += row.separated
        _add_values(tally, row)
    figures = _figures(settings, folder, shards, tally)
    chosen = sorted(splits, key=lambda row: row.id)[:CLIPS]
    readings = _readings(folder, {row.id: row.facts["shard"] for row in chosen})
    clips = []
    for old in (target.parent / "clips").glob("*.flac"):
        old.unlink()
    with ShardReader(folder.path) as reader:
        for row in chosen:
            write_atomic(target.parent / "clips" / f"{row.id}.flac", reader.read_bytes(row))
            heard = readings[row.id]
            clips.append(
                {
                    "id": row.id,
                    "text": row.text,
                    "first": heard.first.text if heard.first else "",
                    "second": heard.second.text if heard.second else "",
                    "split": row.facts["split"],
                    "duration_s": row.duration_s,
                    "separated": row.separated,
                }
            )
    write_atomic(target.with_name("card.json"), canonical_json({**figures, "clips": clips}))
    write_atomic(target, card_html(figures, clips).encode())


def _add_values(tally: _Tally, row: Utterance) -> None:
    letters = sum(character.isalnum() for character in row.text)
    tally.values["Duration (s)"].append(row.duration_s)
    tally.values["Letters per second of speech"].append(letters / max(row.measures["speech_s"], 0.01))
    tally.values["Speech over noise (dB)"].append(min(row.measures["snr_db"], 60.0))
    tally.values["Level of the pauses (dB)"].append(row.measures["pause_level_db"])
    if "naturalness_mos" in row.measures:
        tally.values["Naturalness (DNSMOS, 1 to 5)"].append(row.measures["naturalness_mos"])


def _figures(settings: CorpusSettings, folder: CorpusFolder, shards: Sequence[str], tally: _Tally) -> dict[str, Any]:
    stages = []
    for stage in STAGES:
        counts = [read_summary(folder.manifest(stage, shard)) for shard in shards]
        stages.append(_stage(stage, counts))
    stages.append(_stage("deduplicate", [read_summary(folder.duplicates)]))
    stages.append(_stage("split", [read_summary(folder.splits)]))
    kept_s = sum(tally.seconds.values())
    return {
        "hours": {
            "fetched": stages[0]["in_s"] / 3600,
            "kept": kept_s / 3600,
            TRAIN: sum(s for (_, split), s in tally.seconds.items() if split == TRAIN) / 3600,
            HELD_OUT: sum(s for (_, split), s in tally.seconds.items() if split == HELD_OUT) / 3600,
        },
        "sources": [
            {
                "name": source.name,
                "kind": source.kind,
                "licence": source.licence,
                "hours": sum(s for (name, _), s in tally.seconds.items() if name == source.name) / 3600,
            }
            for source in settings.sources
        ],
        "licences": {name: seconds / 3600 for name, seconds in sorted(tally.licences.items())},
        "speakers": {split: len(tally.speakers[split]) for split in (TRAIN, HELD_OUT)},
        "largest_speaker_share": max(
            (s for people in tally.speakers.values() for s in people.values()), default=0.0
        ) / max(kept_s, 1e-9),
        "separated": tally.separated,
        "made_by": {
            "separator": settings.separator,
            "speaker check": settings.speaker_check,
            "transcriber": _model(settings.transcriber, settings.transcriber_model),
            "second reader": _model(settings.second_reader, settings.second_reader_model),
            "naturalness": settings.naturalness,
        },
        "stages": stages,
        "histograms": {name: _histogram(values) for name, values in tally.values.items() if values},
    }  # fmt: skip


def _model(kind: str, model: str) -> str:
    return kind if kind == "embedded" else f"{kind} {model}"


def _stage(name: str, counts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    dropped: Counter[str] = Counter()
    for count in counts:
        dropped.update(count["dropped"])
    return {
        "name": name,
        "in": sum(count["in"] for count in counts),
        "out": sum(count["out"] for count in counts),
        "in_s": sum(count["in_s"] for count in counts),
        "out_s": sum(count["out_s"] for count in counts),
        "dropped": {REASONS[reason]: number for reason, number in dropped.most_common()},
    }


def _histogram(values: list[float]) -> dict[str, Any]:
    import numpy as np

    counts, edges = np.histogram(values, bins=_BINS)
    return {
        "counts": counts.tolist(),
        "low": float(edges[0]),
        "high": float(edges[-1]),
        "median": float(np.median(values)),
    }


def _readings(folder: CorpusFolder, shards: dict[str, str]) -> dict[str, Utterance]:
    found = {}
    for shard in set(shards.values()):
        for row in read_kept(folder.manifest("filter", shard)):
            if row.id in shards:
                found[row.id] = row
    return found
