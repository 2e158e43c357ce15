"""The card of a corpus: hours, speakers, licences, what was dropped and why, histograms, and twenty clips to listen to.

One page that needs no network and runs no script, and ``card.json`` with the same figures. The clips are the first
twenty by id, which is as good as drawn, since ids are hashes. Everything that came from recordings is escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.corpus.audio_shards import ShardReader
from replikk.corpus.card_page import card_html
from replikk.corpus.folder import STAGES, CorpusFolder
from replikk.corpus.manifest import REASONS, Utterance, read_kept, read_summary
from replikk.corpus.settings import CorpusSettings
from replikk.corpus.tokens import HELD_OUT, TRAIN
from replikk.files import canonical_json, write_atomic

if TYPE_CHECKING:
    import pandas as pd

CLIPS = 20
_BINS = 24
_COLUMNS = {
    "source": "str", "split": "str", "licence": "str", "speaker": "str", "separated": "bool", "duration_s": "float64",
    "letters": "float64", "speech_s": "float64", "snr_db": "float64", "pause_level_db": "float64",
    "naturalness_mos": "float64",
}  # fmt: skip
"""Of the table of kept utterances, with their types: an empty corpus has them too."""


def describe_corpus(settings: CorpusSettings, folder: CorpusFolder, shards: Sequence[str], target: Path) -> None:
    """Write the page, its figures and its clips."""
    splits = list(read_kept(folder.splits))
    kept = _table(splits)
    figures = _figures(settings, folder, shards, kept)
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


def _table(splits: Sequence[Utterance]) -> pd.DataFrame:
    """One row per kept utterance: where it came from, whose it is, how long it is, and the measures that are drawn."""
    import pandas as pd

    rows = [
        {
            "source": row.source,
            "split": row.facts["split"],
            "licence": row.licence,
            "speaker": row.speaker,
            "separated": row.separated,
            "duration_s": row.duration_s,
            "letters": sum(character.isalnum() for character in row.text),
            "speech_s": row.measures["speech_s"],
            "snr_db": row.measures["snr_db"],
            "pause_level_db": row.measures["pause_level_db"],
            "naturalness_mos": row.measures.get("naturalness_mos"),
        }
        for row in splits
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _histograms(kept: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """By the name that the card shows; a measure that no utterance has is left out."""
    drawn = {
        "Duration (s)": kept.duration_s,
        "Letters per second of speech": kept.letters / kept.speech_s.clip(lower=0.01),
        "Speech over noise (dB)": kept.snr_db.clip(upper=60.0),
        "Level of the pauses (dB)": kept.pause_level_db,
        "Naturalness (DNSMOS, 1 to 5)": kept.naturalness_mos.dropna(),
    }
    return {name: _histogram(values) for name, values in drawn.items() if len(values)}


def _figures(
    settings: CorpusSettings, folder: CorpusFolder, shards: Sequence[str], kept: pd.DataFrame
) -> dict[str, Any]:
    stages = []
    for stage in STAGES:
        counts = [read_summary(folder.manifest(stage, shard)) for shard in shards]
        stages.append(_stage(stage, counts))
    stages.append(_stage("deduplicate", [read_summary(folder.duplicates)]))
    stages.append(_stage("split", [read_summary(folder.splits)]))
    kept_s = float(kept.duration_s.sum())
    by_source, by_licence, by_split = (kept.groupby(name).duration_s.sum() for name in ("source", "licence", "split"))
    by_speaker = kept.groupby(["split", "speaker"]).duration_s.sum()
    return {
        "hours": {
            "fetched": stages[0]["in_s"] / 3600,
            "kept": kept_s / 3600,
            **{split: float(by_split.get(split, 0.0)) / 3600 for split in (TRAIN, HELD_OUT)},
        },
        "sources": [
            {
                "name": source.name,
                "kind": source.kind,
                "licence": source.licence,
                "hours": float(by_source.get(source.name, 0.0)) / 3600,
            }
            for source in settings.sources
        ],
        "licences": {str(name): seconds / 3600 for name, seconds in by_licence.items()},
        "speakers": {split: int(kept.speaker[kept.split == split].nunique()) for split in (TRAIN, HELD_OUT)},
        "largest_speaker_share": float(by_speaker.max()) / max(kept_s, 1e-9) if len(kept) else 0.0,
        "separated": int(kept.separated.sum()),
        "made_by": {
            "separator": settings.separator,
            "speaker check": settings.speaker_check,
            "transcriber": _model(settings.transcriber, settings.transcriber_model),
            "second reader": _model(settings.second_reader, settings.second_reader_model),
            "naturalness": settings.naturalness,
        },
        "stages": stages,
        "histograms": _histograms(kept),
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


def _histogram(values: pd.Series) -> dict[str, Any]:
    import numpy as np

    counts, edges = np.histogram(values, bins=_BINS)
    return {
        "counts": counts.tolist(),
        "low": float(edges[0]),
        "high": float(edges[-1]),
        "median": float(values.median()),
    }


def _readings(folder: CorpusFolder, shards: dict[str, str]) -> dict[str, Utterance]:
    found = {}
    for shard in set(shards.values()):
        for row in read_kept(folder.manifest("filter", shard)):
            if row.id in shards:
                found[row.id] = row
    return found
