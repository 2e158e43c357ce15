"""Rule judge_takes: turn what was heard in one round into a verdict per line.

A line is judged by its own script (accept sets, wanted pauses, length limit), a transcript belongs to a take; so lines
that share a take are judged one by one. Evidence and verdicts are remembered by everything that they depend on: a
tuned threshold decides anew from the old evidence, a new cast name compares anew, and neither listens again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.dialogue.plan import Plan, PlannedLine, read_plan
from replikk.errors import StoreError
from replikk.files import digest, read_jsonl, write_jsonl
from replikk.journal import Journal
from replikk.judges import Judge, make_judge
from replikk.judges.evidence import VERSION as EVIDENCE_VERSION
from replikk.judges.evidence import Evidence, LineFacts, gather
from replikk.judges.thresholds import Thresholds, thresholds_from_mapping
from replikk.judges.verdict import VERSION as VERDICT_VERSION
from replikk.judges.verdict import Verdict, badness, decide, failure_verdict
from replikk.locks import job_lock
from replikk.stages.transcribe_takes import is_heard, listen, read_transcript, transcripts
from replikk.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bench:
    """What judging needs at hand."""

    plan: Plan
    judge: Judge
    judge_fingerprint: str
    thresholds: Thresholds
    heard: Journal
    evidence: Journal
    verdicts: Journal
    store: Store


def judge_takes(
    config: Config, plan_path: Path, takes_manifests: list[Path], round_number: int, manifest: Path
) -> None:
    """Judge every line that has a take in this round; writes one verdict per line, in plan order."""
    with job_lock(config.build_dir, "judge"):
        failed = {record["key"]: record.get("failed") for path in takes_manifests for record in read_jsonl(path)}
        if not failed:
            write_jsonl(manifest, [])
            return
        bench = open_bench(config, read_plan(plan_path))
        hear_missing(config, bench, [key for key, failure in failed.items() if failure is None])
        verdicts = []
        for planned in bench.plan.lines:
            if round_number >= len(planned.takes) or planned.takes[round_number] not in failed:
                continue
            key = planned.takes[round_number]
            verdict = (
                verdict_record(failure_verdict(failed[key]), None) if failed[key] else judge_line(bench, planned, key)
            )
            verdicts.append({"id": planned.line.id, "take": key, "round": round_number, **verdict})
        write_jsonl(manifest, verdicts)
        outcomes = [record["outcome"] for record in verdicts]
        log.info(
            "round %d: %d passed, %d to be tried again, %d for a human ear",
            round_number, outcomes.count("pass"), outcomes.count("retry"), outcomes.count("human"),
        )  # fmt: skip


def open_bench(config: Config, plan: Plan) -> Bench:
    """Open the journals and build what judging needs. Raises ReplikkError for bad thresholds."""
    store = Store(config.build_dir)
    judge = make_judge(config.judge, dict(config.judge_settings))
    return Bench(
        plan=plan,
        judge=judge,
        judge_fingerprint=judge.fingerprint(),
        thresholds=thresholds_from_mapping(config.thresholds),
        heard=transcripts(store, judge),
        evidence=store.journal("evidence"),
        verdicts=store.journal("verdicts"),
        store=store,
    )


def hear_missing(config: Config, bench: Bench, take_keys: Iterable[str]) -> None:
    """Listen to the takes whose transcripts were lost since they were written, or were made for another text."""
    saying = bench.plan.line_of_take()
    unheard = [key for key in take_keys if key in saying and not is_heard(bench.heard.get(key), saying[key])]
    if unheard:
        listen(config, bench.plan, bench.judge, bench.store, bench.heard, unheard)


def evidence_key(bench: Bench, planned: PlannedLine, take_key: str) -> str:
    """Names everything that the evidence on a take, as a reading of this line, depends on."""
    line = planned.line
    return digest(
        [
            EVIDENCE_VERSION,
            take_key,
            bench.judge_fingerprint,
            [[segment.text, segment.pause_after_ms] for segment in line.segments],
            line.locale,
            line.respelt,
            line.drill,
            line.max_seconds,
            bool(planned.recording),
            bench.plan.cast_names,
        ]
    )


def read_evidence(bench: Bench, planned: PlannedLine, take_key: str) -> Evidence | None:
    """The evidence on a take of a line as it was judged; None for a take that does not exist."""
    record = bench.evidence.get(evidence_key(bench, planned, take_key))
    return None if record is None else Evidence.from_json(record["evidence"])


def judge_line(bench: Bench, planned: PlannedLine, take_key: str) -> dict[str, Any]:
    """The verdict on a take as a reading of this line: outcome, reasons, badness."""
    key_of_evidence = evidence_key(bench, planned, take_key)
    key = digest([VERDICT_VERSION, key_of_evidence, bench.thresholds.fingerprint()])
    known = bench.verdicts.get(key)
    if known is not None and key_of_evidence in bench.evidence:
        return {name: known[name] for name in ("outcome", "reasons", "badness")}
    line = planned.line
    heard = bench.heard.get(take_key)
    if heard is None:
        raise StoreError(f"[{line.id}] take {take_key[:12]} has no transcript; run again")
    transcript, signal = read_transcript(take_key, heard)
    facts = LineFacts(
        script=line.spoken,
        pauses_ms=tuple(segment.pause_after_ms for segment in line.segments),
        locale=line.locale,
        respelt=line.respelt,
        cast_names=bench.plan.cast_names,
        drill=line.drill,
        max_seconds=line.max_seconds,
        recording=bool(planned.recording),
    )
    evidence = gather(facts, transcript, signal)
    verdict = decide(evidence, bench.thresholds)
    record = verdict_record(verdict, badness(evidence, verdict))
    bench.evidence.append(key_of_evidence, {"take": take_key, "evidence": evidence.to_json()})
    bench.verdicts.append(key, {"take": take_key, **record})
    return record


def verdict_record(verdict: Verdict, how_bad: float | None) -> dict[str, Any]:
    """A verdict as plain JSON. ``badness`` None means that there is no audio at all."""
    return {
        "outcome": verdict.outcome,
        "reasons": [
            {
                "code": reason.code,
                "measured": reason.measured,
                "threshold": reason.threshold,
                "text": reason.text,
            }
            for reason in verdict.reasons
        ],
        "badness": None if how_bad is None else round(how_bad, 6),
    }
