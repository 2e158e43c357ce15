"""Rule transcribe_takes: let the judge listen to the takes of one round and shard that it has not heard yet.

What it heard and what was measured on the samples goes into the store's journal of that judge; the manifest names the
takes that have an entry there. A take that the judge must not hear (a human recording, for ``mini``) is measured only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.dialogue.plan import Plan, PlannedLine, read_plan
from replikk.errors import StoreError
from replikk.files import digest, read_jsonl, write_jsonl
from replikk.journal import Journal
from replikk.judges import Judge, judge_of
from replikk.judges.records import Clip, HeardWord, Hearing, Transcript
from replikk.judges.signal_evidence import SignalEvidence
from replikk.locks import job_lock
from replikk.progress import Progress
from replikk.store import Store

log = logging.getLogger(__name__)


def transcribe_takes(config: Config, plan_path: Path, takes_manifest: Path, shard: int, manifest: Path) -> None:
    """Transcribe the takes named in ``takes_manifest``; takes that failed are passed over."""
    with job_lock(config.build_dir, f"transcribe-{shard}"):
        keys = [record["key"] for record in read_jsonl(takes_manifest) if "failed" not in record]
        if keys:
            store = Store(config.build_dir)
            judge = judge_of(config)
            heard = transcripts(store, judge)
            unheard = [key for key in keys if key not in heard]
            if unheard:
                listen(config, read_plan(plan_path), judge, store, heard, unheard)
        write_jsonl(manifest, ({"key": key} for key in keys))


def transcripts(store: Store, judge: Judge) -> Journal:
    """The journal of what this judge, with these settings, has heard."""
    return store.journal(f"transcripts-{judge.name}-{digest(judge.fingerprint())[:16]}")


def is_heard(record: Mapping[str, Any] | None, planned: PlannedLine) -> bool:
    """Whether a journal entry is there and was made for what the line says: its margin says how well that fits.

    The take of a locked line that has changed may have been heard for the new text, which it does not say.
    """
    return record is not None and record.get("script") == planned.line.spoken


def read_transcript(take_key: str, record: Mapping[str, Any]) -> tuple[Transcript | None, SignalEvidence]:
    """A journal entry as the records that the evidence is gathered from."""
    signal = SignalEvidence.from_json(record["signal"])
    if record["heard"] is None:
        return None, signal
    words = tuple(HeardWord(text, start_s, end_s, sure) for text, start_s, end_s, sure in record["words"])
    hearing = record.get("hearing")
    return (
        Transcript(take_key, record["heard"], words, record["margin"], None if hearing is None else Hearing(**hearing)),
        signal,
    )


def listen(config: Config, plan: Plan, judge: Judge, store: Store, heard: Journal, unheard: list[str]) -> None:
    """Let ``judge`` hear the takes in ``unheard`` and add to ``heard``. Raises StoreError for a damaged take."""
    # Imported here: a round that has nothing to hear must not pay for numpy.
    from replikk.judges.signal import measure_signal
    from replikk.stages.voice_traits import TraitsMeter

    meter = TraitsMeter(config, plan, store)
    saying = plan.line_of_take(unheard)
    signals: dict[str, SignalEvidence] = {}

    def clips(only_measure: bool) -> Iterator[Clip]:
        for key in unheard:
            planned = saying[key]
            engine = "external" if planned.recording else config.engine
            if judge.accepts(engine) == only_measure:
                continue
            loaded = store.load_take(key)
            if loaded is None:
                raise StoreError(
                    f"[{planned.line.id}] take {key[:12]} was damaged in the store and has been dropped; "
                    "run again: it will be made anew"
                )
            samples, sample_rate_hz = loaded
            signals[key] = measure_signal(samples, sample_rate_hz)
            meter.measure(key, planned, samples, sample_rate_hz, signals[key])
            yield Clip(key, samples, sample_rate_hz, planned.line.spoken, engine, planned.line.locale)

    progress = Progress(log, f"takes heard by {judge.name}", len(unheard))
    for clip in clips(only_measure=True):
        signal = signals.pop(clip.take_key).to_json()
        heard.append(clip.take_key, {"heard": None, "signal": signal, "script": saying[clip.take_key].line.spoken})
        progress.step()
    for transcript in judge.transcribe(clips(only_measure=False)):
        key = transcript.take_key
        record = {
            "heard": transcript.text,
            "words": [list(asdict(word).values()) for word in transcript.words],
            "margin": transcript.margin,
            "signal": signals.pop(key).to_json(),
            "script": saying[key].line.spoken,
        }
        if transcript.hearing is not None:
            record["hearing"] = asdict(transcript.hearing)
        heard.append(key, record)
        progress.step()
    took_s = progress.end()
    heard.sync()
    store.note_speed("transcribe", sum(len(saying[key].line.spoken) for key in unheard), took_s)
