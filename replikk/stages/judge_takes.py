"""Rule judge_takes: turn what was heard in one round into a verdict per line.

A line is judged by its own script (accept sets, wanted pauses, length limit), a transcript belongs to a take; so lines
that share a take are judged one by one. Evidence and verdicts are remembered by everything that they depend on: a
tuned threshold decides anew from the old evidence, a new cast name compares anew, and neither listens again.
"""

from __future__ import annotations

import logging
from pathlib import Path

from replikk.config import Config
from replikk.dialogue.plan import read_plan
from replikk.files import read_jsonl, write_jsonl
from replikk.locks import job_lock

log = logging.getLogger(__name__)

FEW = 50
"""With fewer takes to judge, gathering their evidence anew is quicker than reading the evidence on all takes."""


def judge_takes(
    config: Config, plan_path: Path, takes_manifests: list[Path], round_number: int, manifest: Path, retries: Path
) -> None:
    """Judge every line that has a take in this round; writes one verdict per line, in plan order.

    ``retries`` names the lines that the next round must try again; empty when there is nothing to try.
    """
    with job_lock(config.build_dir, "judge"):
        failed = {record["key"]: record.get("failed") for path in takes_manifests for record in read_jsonl(path)}
        if not failed:
            write_jsonl(manifest, [])
            write_jsonl(retries, [])
            return
        # Imported here: a round without takes must not pay for the judge and numpy.
        from replikk.stages.bench import failed_record, hear_missing, judge_line, known_verdict, open_bench

        bench = open_bench(config, read_plan(plan_path))
        judged = []
        for planned in bench.plan.lines:
            key = planned.takes[round_number] if round_number < len(planned.takes) else None
            if key is not None and key in failed:
                known = failed_record(failed[key]) if failed[key] else known_verdict(bench, planned, key)
                judged.append((planned, key, known))
        unknown = [key for _, key, known in judged if known is None]
        hear_missing(config, bench, unknown)
        verdicts, again = [], []
        for planned, key, known in judged:
            verdict = known or judge_line(bench, planned, key, is_one_of_few=len(unknown) < FEW)
            verdicts.append({"id": planned.line.id, "take": key, "round": round_number, **verdict})
            if verdict["outcome"] == "retry" and round_number + 1 < len(planned.takes):
                again.append({"id": planned.line.id})
        bench.voices.remember()
        write_jsonl(manifest, verdicts)
        write_jsonl(retries, again)
        outcomes = [record["outcome"] for record in verdicts]
        log.info(
            "round %d: %d passed, %d to be tried again, %d for a human ear",
            round_number, outcomes.count("pass"), outcomes.count("retry"), outcomes.count("human"),
        )  # fmt: skip
