"""What judging needs at hand, and the verdict on one take as a reading of one line.

Apart from ``judge_takes`` because the report and ``replikk judge`` need it too, and because a round without takes must
not pay for importing a judge. Evidence and verdicts are remembered by everything that they depend on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from replikk.config import Config
from replikk.dialogue.plan import Plan, PlannedLine
from replikk.errors import StoreError
from replikk.files import canonical_json, digest
from replikk.journal import Journal
from replikk.judges import Judge, judge_of
from replikk.judges.evidence import VERSION as EVIDENCE_VERSION
from replikk.judges.evidence import Evidence, LineFacts, gather
from replikk.judges.thresholds import Thresholds, thresholds_from_mapping
from replikk.judges.verdict import RANKS, Verdict, badness, decide, failure_verdict
from replikk.judges.verdict import VERSION as VERDICT_VERSION
from replikk.report.told import PLAIN_COUNTS, WORD_COUNTS
from replikk.stages.transcribe_takes import is_heard, listen, read_transcript, transcripts
from replikk.stages.voice_doubts import Doubts, VoiceDoubts, has_doubts
from replikk.stages.voice_traits import measure_missing, tools_fingerprint
from replikk.store import Store

RECORD_VERSION = 4
"""Raise it when the journal of verdicts says more or less of the same verdict."""


@dataclass(frozen=True)
class Bench:
    """What judging needs at hand."""

    plan: Plan
    judge: Judge
    thresholds: Thresholds
    heard: Journal
    evidence: Journal
    verdicts: Journal
    store: Store
    basis: str
    """A digest of what the evidence on every line depends on: judge, cast names, version."""
    limits: str
    """A digest of what every verdict depends on beside the evidence."""
    voices: VoiceDoubts
    """What the other lines of the voices say."""


def open_bench(config: Config, plan: Plan) -> Bench:
    """Open the journals and build what judging needs. Raises ReplikkError for bad thresholds."""
    store = Store(config.build_dir)
    judge = judge_of(config)
    thresholds = thresholds_from_mapping(config.thresholds)
    tools = tools_fingerprint(config)
    limits = digest([RECORD_VERSION, VERDICT_VERSION, thresholds.fingerprint(), tools])
    return Bench(
        plan=plan,
        judge=judge,
        thresholds=thresholds,
        heard=transcripts(store, judge),
        evidence=store.journal("evidence"),
        verdicts=store.journal("verdicts"),
        store=store,
        basis=digest([EVIDENCE_VERSION, judge.fingerprint(), plan.cast_names]),
        limits=limits,
        voices=VoiceDoubts(plan, store, thresholds, tools),
    )


def hear_missing(config: Config, bench: Bench, take_keys: Collection[str]) -> None:
    """Listen to the takes whose transcripts were lost since they were written, or were made for another text."""
    if not take_keys:
        return
    saying = bench.plan.line_of_take(take_keys)
    unheard = [key for key in take_keys if key in saying and not is_heard(bench.heard.find(key), saying[key])]
    if unheard:
        listen(config, bench.plan, bench.judge, bench.store, bench.heard, unheard)
    _measure(config, bench, take_keys)


def measure_voices(config: Config, bench: Bench, takes: Iterable[tuple[PlannedLine, str]]) -> None:
    """Measure those of the takes that are held against others, and of those that the voices are known by, that lack it.

    They were measured when they were listened to, except in a store of before, or with other measures.
    """
    missing = [
        key for planned, key in takes if has_doubts(planned) and bench.voices.traits_of(planned, key) is None
    ]  # fmt: skip
    if missing or not bench.voices.are_known:
        _measure(config, bench, missing)


def _measure(config: Config, bench: Bench, take_keys: Collection[str]) -> None:
    samples = [planned.takes[0] for lines in bench.voices.samples.values() for planned in lines]
    measure_missing(config, bench.plan, bench.store, bench.store.journal("traits"), [*take_keys, *samples])
    bench.voices.refresh()


def evidence_key(bench: Bench, planned: PlannedLine, take_key: str) -> str:
    """Names everything that the evidence on a take, as a reading of this line, depends on."""
    line = planned.line
    facts = [
        take_key,
        [[segment.text, segment.pause_after_ms] for segment in line.voiced_segments],
        line.locale,
        line.respelt,
        line.drill,
        line.max_seconds,
        bool(planned.recording),
        line.style,
        bench.plan.voices[line.voice].reference_transcript,
    ]
    return hashlib.sha256(bench.basis.encode() + canonical_json(facts)).hexdigest()


def read_evidence(bench: Bench, planned: PlannedLine, take_key: str) -> Evidence | None:
    """The evidence on a take of a line as it was judged; None for a take that does not exist."""
    record = bench.evidence.get(evidence_key(bench, planned, take_key))
    return None if record is None else Evidence.from_json(record["evidence"])


def known_verdict(bench: Bench, planned: PlannedLine, take_key: str) -> dict[str, Any] | None:
    """What ``judge_line`` said of this take and line before; None when that is not known any more."""
    key_of_evidence = evidence_key(bench, planned, take_key)
    known = bench.verdicts.get(_verdict_key(bench, key_of_evidence))
    # The evidence itself is not looked for: the report makes what was lost and is to be shown anew.
    return None if known is None else {**known["verdict"], "evidence": key_of_evidence}


def basis_of_verdicts(bench: Bench) -> str:
    """A digest of all that the own verdict on a line's take depends on beside the line's row in the plan."""
    transcripts_of_references = {name: voice.reference_transcript for name, voice in bench.plan.voices.items()}
    return digest([bench.basis, bench.limits, transcripts_of_references])


def _verdict_key(bench: Bench, key_of_evidence: str) -> str:
    return hashlib.sha256(f"{bench.limits}{key_of_evidence}".encode()).hexdigest()


def with_doubts(record: dict[str, Any], doubts: Doubts) -> dict[str, Any]:
    """A take's own verdict with what the other lines of its voice say: as ``decide`` with the take's ``VoiceFit``."""
    if not doubts or record["outcome"] == "retry" or any(reason["code"] == "not_heard" for reason in record["reasons"]):
        return record
    rank = RANKS["human"] - RANKS[record["outcome"]]
    reasons = [*record["reasons"], *doubts]
    return {**record, "outcome": "human", "reasons": reasons, "badness": round(record["badness"] + rank, 6)}


def judge_line(bench: Bench, planned: PlannedLine, take_key: str, is_one_of_few: bool = False) -> dict[str, Any]:
    """The verdict on a take as a reading of this line: outcome, reasons, badness, words, and the evidence's key.

    It is the take's own: the doubts that other lines raise (``voice_doubts``) come into it by ``with_doubts``.
    For one of few takes old evidence is not looked for: gathering it takes a millisecond, reading all of it fifty.
    """
    key_of_evidence = evidence_key(bench, planned, take_key)
    known = bench.evidence.recent(key_of_evidence) if is_one_of_few else bench.evidence.get(key_of_evidence)
    if known is not None:
        evidence = Evidence.from_json(known["evidence"])
    else:
        evidence = _gather(bench, planned, take_key)
        bench.evidence.append(key_of_evidence, {"take": take_key, "evidence": evidence.to_json()})
    traits = bench.voices.traits_of(planned, take_key)
    verdict = decide(evidence, bench.thresholds, None, traits)
    record = {**verdict_record(verdict, badness(evidence, verdict)), "words": _word_counts(evidence)}
    key = _verdict_key(bench, key_of_evidence)
    # A take that should have been measured, and could not be, has no verdict to keep.
    is_whole = traits is not None or not has_doubts(planned)
    if is_whole and bench.verdicts.get(key) != (kept := {"take": take_key, "verdict": record}):
        bench.verdicts.append(key, kept)
    return {**record, "evidence": key_of_evidence}


def _gather(bench: Bench, planned: PlannedLine, take_key: str) -> Evidence:
    line = planned.line
    heard = bench.heard.find(take_key)
    if heard is None:
        raise StoreError(f"[{line.id}] take {take_key[:12]} has no transcript; run again")
    transcript, signal = read_transcript(take_key, heard)
    facts = LineFacts(
        script=line.spoken,
        pauses_ms=tuple(segment.pause_after_ms for segment in line.voiced_segments),
        locale=line.locale,
        respelt=line.respelt,
        cast_names=bench.plan.cast_names,
        drill=line.drill,
        max_seconds=line.max_seconds,
        recording=bool(planned.recording),
        direction=line.style,
        reference_transcript=bench.plan.voices[line.voice].reference_transcript,
    )
    return gather(facts, transcript, signal)


def failed_record(failure: str) -> dict[str, Any]:
    """As ``judge_line``, of a take that could not be made."""
    return {**verdict_record(failure_verdict(failure), None), "words": None, "evidence": None}


def _word_counts(evidence: Evidence) -> dict[str, int] | None:
    """Kept beside the verdict: the report adds up the words of all lines and looks into the evidence of few."""
    comparison = evidence.comparison
    if comparison is None:
        return None
    plain = {name: getattr(evidence, name) for name in PLAIN_COUNTS}
    return {name: getattr(comparison, name) for name in WORD_COUNTS} | plain


def verdict_record(verdict: Verdict, how_bad: float | None) -> dict[str, Any]:
    """A verdict as plain JSON. ``badness`` None means that there is no audio at all."""
    return {
        "outcome": verdict.outcome,
        "reasons": [reason.to_json() for reason in verdict.reasons],
        "badness": None if how_bad is None else round(how_bad, 6),
    }
