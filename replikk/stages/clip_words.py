"""When the words of a chosen take were said: from what its judge heard, brought to the edges of the sound.

Remembered in the store by the evidence on the take, which names take, script and judge: words are placed once, when a
clip is packaged for the first time. Only what this build changed is looked for. Those records are the newest of their
journals, of which a game of 10,000 lines has a hundred megabytes: only their ends are read.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from replikk.config import Config
from replikk.dialogue.plan import Plan, PlannedLine
from replikk.errors import StoreError
from replikk.journal import Journal
from replikk.progress import Progress
from replikk.stages.pool import carried_out
from replikk.store import Store

if TYPE_CHECKING:  # builds in which no word was said anew never load numpy
    from replikk.alignment.word_times import TimedWord

log = logging.getLogger(__name__)

VERSION = 1
"""Raise it when the same take and evidence would give other times."""
FEW = 100
"""Up to so many takes the ends of journals are looked at before they are read as a whole."""


class WantedWords(NamedTuple):
    """A line, its take, and the key of the evidence on it."""

    planned: PlannedLine
    take: str
    evidence: str


def spoken_words(
    config: Config, plan: Plan, wanted: Sequence[WantedWords], store: Store, workers: int
) -> dict[str, list[TimedWord]]:
    """The words of each line with times in its take, by the key of the evidence; none where no judge has listened.

    Raises StoreError for a take that was damaged, and as judges do where transcripts were lost and must be made anew.
    """
    from replikk.alignment.word_times import TimedWord

    journal = store.journal("words")
    by_evidence = {item.evidence: item for item in wanted}
    known = {evidence: _look_up(journal, _key(evidence), len(by_evidence)) for evidence in by_evidence}
    if len(by_evidence) <= FEW and None in known.values():
        known = _recent_or_older(store, journal, known)
    placed = {
        evidence: [TimedWord(*word) for word in record["words"]]
        for evidence, record in known.items()
        if record is not None
    }
    unplaced = [item for evidence, item in by_evidence.items() if evidence not in placed]
    if unplaced:
        placed.update(_place(config, plan, unplaced, store, workers))
    return placed


def _key(evidence: str) -> str:
    return hashlib.sha256(f"words {VERSION} {evidence}".encode()).hexdigest()


def _look_up(journal: Journal, key: str, how_many: int) -> Any:
    return journal.recent(key) if how_many <= FEW else journal.get(key)


def _recent_or_older(store: Store, journal: Journal, known: dict[str, Any]) -> dict[str, Any]:
    """Words that were placed long ago are looked for only where the evidence is not new either."""
    evidence = store.journal("evidence")
    return {
        key: journal.get(_key(key)) if record is None and evidence.recent(key) is None else record
        for key, record in known.items()
    }


def _place(
    config: Config, plan: Plan, unplaced: Sequence[WantedWords], store: Store, workers: int
) -> dict[str, list[TimedWord]]:
    """Place the words of takes and remember them."""
    heard = _heard_words(config, plan, unplaced, store)
    progress = Progress(log, "takes whose words were placed", len(unplaced))
    journal, placed = store.journal("words"), {}
    takes = [(item.planned.line.id, item.take, words) for item, words in zip(unplaced, heard, strict=True)]
    for item, words in zip(unplaced, carried_out(_fit, takes, store, workers), strict=True):
        placed[item.evidence] = words
        record = {"take": item.take, "words": [[w.text, w.start_s, w.end_s, w.confidence] for w in words]}
        journal.append(_key(item.evidence), record)
        progress.step()
    progress.end()
    return placed


def _heard_words(config: Config, plan: Plan, items: Sequence[WantedWords], store: Store) -> list[list[TimedWord]]:
    """The words of the lines with the times that the judge gave them."""
    from replikk.judges import judge_of
    from replikk.stages.transcribe_takes import transcripts

    evidence, heard = store.journal("evidence"), transcripts(store, judge_of(config))

    def found(item: WantedWords) -> tuple[Any, Any]:
        return _look_up(evidence, item.evidence, len(items)), _look_up(heard, item.take, len(items))

    def older(item: WantedWords) -> tuple[Any, Any]:
        return evidence.get(item.evidence), heard.get(item.take)

    records = [found(item) for item in items]
    records = [pair if None not in pair else older(item) for item, pair in zip(items, records, strict=True)]
    lost = [item for item, pair in zip(items, records, strict=True) if None in pair]
    if lost:
        _hear_again(config, plan, lost)
        evidence.refresh()
        heard.refresh()
        records = [pair if None not in pair else older(item) for item, pair in zip(items, records, strict=True)]
    return [_script_words(item, *pair) for item, pair in zip(items, records, strict=True)]


def _hear_again(config: Config, plan: Plan, lost: Sequence[WantedWords]) -> None:
    """Make transcripts and evidence that the store has lost since the takes were judged."""
    from replikk.stages.bench import hear_missing, judge_line, open_bench, read_evidence

    bench = open_bench(config, plan)
    hear_missing(config, bench, list(dict.fromkeys(item.take for item in lost)))
    for item in lost:
        if read_evidence(bench, item.planned, item.take) is None:
            judge_line(bench, item.planned, item.take)


def _script_words(item: WantedWords, evidence: Any, heard: Any) -> list[TimedWord]:
    from replikk.alignment.word_times import TimedWord, script_times
    from replikk.stages.transcribe_takes import read_transcript

    if evidence is None or heard is None:
        raise StoreError(
            f"[{item.planned.line.id}] what was heard in take {item.take[:12]} is lost, and the settings name another "
            "judge; delete selection.jsonl in the build folder and run again"
        )
    comparison, (transcript, signal) = evidence["evidence"]["comparison"], read_transcript(item.take, heard)
    if comparison is None or transcript is None:
        return []
    words = [TimedWord(word.text, word.start_s, word.end_s, word.confidence) for word in transcript.words]
    return script_times(item.planned.line.spoken.split(), words, comparison["alignment"], signal.duration_s)


def _fit(item: tuple[str, str, list[TimedWord]], store: Store) -> list[TimedWord]:
    """The words at the edges of their sound."""
    line_id, take, words = item
    if not words:
        return []
    from replikk.alignment.speech_edges import fitted_to_speech
    from replikk.stages.clips import load_take

    return fitted_to_speech(words, *load_take(store, line_id, take))
