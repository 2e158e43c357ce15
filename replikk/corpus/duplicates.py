"""Stage ``deduplicate``: of several recordings of one utterance the best stays. All shards at once, from small records.

NST was recorded with a near and a far microphone; the same reading is there twice, and would be in both splits, or
count double. Two utterances are one when they say the same (by text or by a reading), last about as long, and sound
alike by fingerprint. What two people say in the same words, or one person twice, differs in its fingerprint.

The one with the least noise stays, the earlier one among equals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from replikk.corpus.manifest import Utterance, read_kept, write_manifest
from replikk.corpus.measures import fingerprint_distance
from replikk.corpus.settings import CorpusSettings

_DURATION_RATIO = 1.1


@dataclass(frozen=True)
class Candidate:
    """What must be known of an utterance here, small enough for all of a corpus at once."""

    row: Utterance
    """Without readings and facts."""
    keys: tuple[str, ...]
    shard: str


def deduplicate(settings: CorpusSettings, manifests: Sequence[Path], target: Path) -> None:
    """One manifest of all shards: id, speaker, text, and which are duplicates."""
    candidates = [_candidate(row, path.stem) for path in manifests for row in read_kept(path)]
    kept_by = duplicates(candidates, settings.limits.max_duplicate_distance)
    rows = []
    for candidate in candidates:
        row = candidate.row
        kept = kept_by.get(row.id)
        rows.append(row if kept is None else row.drop("duplicate", f"of {kept}"))
    write_manifest(target, rows)


def duplicates(candidates: Iterable[Candidate], max_distance: float) -> dict[str, str]:
    """By the id of each utterance that is not kept, the id of the one that is."""
    by_key: dict[str, list[Candidate]] = defaultdict(list)
    kept_by: dict[str, str] = {}
    for candidate in sorted(candidates, key=_worst_last):
        alike = (other for key in candidate.keys for other in by_key[key])
        same = next((other for other in alike if _is_same(candidate.row, other.row, max_distance)), None)
        if same is not None:
            kept_by[candidate.row.id] = same.row.id
            continue
        for key in candidate.keys:
            by_key[key].append(candidate)
    return kept_by


def _worst_last(candidate: Candidate) -> tuple[bool, float, str]:
    measures = candidate.row.measures
    return candidate.row.separated, measures["pause_level_db"] - min(measures["snr_db"], 40.0), candidate.row.id


def _is_same(one: Utterance, other: Utterance, max_distance: float) -> bool:
    if one.source == other.source and one.speaker != other.speaker:
        return False
    shorter, longer = sorted((one.measures["speech_s"], other.measures["speech_s"]))
    if longer > _DURATION_RATIO * max(shorter, 0.01) and abs(one.duration_s - other.duration_s) > 0.1 * one.duration_s:
        return False
    return fingerprint_distance(one.fingerprint, other.fingerprint) <= max_distance


def _candidate(row: Utterance, shard: str) -> Candidate:
    texts = (row.text, row.first.text if row.first else "", row.second.text if row.second else "")
    keys = tuple(dict.fromkeys(key for key in map(_key, texts) if key))
    small = Utterance(
        id=row.id,
        source=row.source,
        origin=row.origin,
        speaker=row.speaker,
        text=row.text,
        licence=row.licence,
        tar=row.tar,
        member=row.member,
        duration_s=row.duration_s,
        measures=row.measures,
        fingerprint=row.fingerprint,
        separated=row.separated,
        facts={"shard": shard},
    )
    return Candidate(small, keys, shard)


def _key(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
