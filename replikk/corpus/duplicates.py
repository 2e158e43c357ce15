"""Stage ``deduplicate``: of several recordings of one utterance the best stays. All shards at once, from small records.

NST was recorded with a near and a far microphone; the same reading is there twice, and would be in both splits, or
count double. Two utterances are one when they say the same (by text or by a reading), last about as long, and sound
alike by fingerprint. What two people say in the same words, or one person twice, differs in its fingerprint.

Where no text was given, saying the same is a matter of what was read, and a far microphone is read with a letter wrong
here and there. So readings may differ in one letter of ten. Who says nearly the same is looked for among those that
begin or end with the same letters, so that nobody is compared with everybody.

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
_LEAST_ALIKE = 0.9
"""Of the letters of two readings, where no text says what was read."""
_END_LETTERS = 10


@dataclass(frozen=True)
class Candidate:
    """What must be known of an utterance here, small enough for all of a corpus at once."""

    row: Utterance
    """Without readings and facts."""
    keys: tuple[str, ...]
    """The letters of its text and of both readings."""
    shard: str
    has_text: bool = True
    """A text was given; else what was read stands in its place."""


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
    by_key: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    kept_by: dict[str, str] = {}
    ordered = sorted(candidates, key=_worst_last)
    all_have_texts = all(candidate.has_text for candidate in ordered)
    for candidate in ordered:
        places = _places(candidate, whole=all_have_texts)
        alike = (other for place in places for other in by_key[place])
        same = next(
            (
                other
                for other in alike
                if _is_same(candidate.row, other.row, max_distance) and _says_the_same(candidate, other)
            ),
            None,
        )
        if same is not None:
            kept_by[candidate.row.id] = same.row.id
            continue
        for place in places:
            by_key[place].append(candidate)
    return kept_by


def _places(candidate: Candidate, whole: bool) -> dict[tuple[str, str], None]:
    """Under what it is found: all its letters, and unless ``whole`` the first or last few of them."""
    places = {("all", key): None for key in candidate.keys}
    for key in () if whole else candidate.keys:
        places |= {("first", key[:_END_LETTERS]): None, ("last", key[-_END_LETTERS:]): None}
    return places


def _says_the_same(one: Candidate, other: Candidate) -> bool:
    from rapidfuzz.distance import Levenshtein

    if set(one.keys) & set(other.keys):
        return True
    if one.has_text and other.has_text:
        return False
    return any(
        Levenshtein.normalized_similarity(mine, theirs) >= _LEAST_ALIKE for mine in one.keys for theirs in other.keys
    )


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
    # The filter puts the first reading in the place of a text that was not given.
    has_text = row.first is None or row.text != " ".join(row.first.text.split())
    return Candidate(small, keys, shard, has_text)


def _key(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())
