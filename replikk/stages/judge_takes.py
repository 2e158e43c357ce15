"""Rule judge_takes: turn what was heard in one round into a verdict per line.

A line is judged by its own script (accept sets, wanted pauses, length limit), a transcript belongs to a take; so lines
that share a take are judged one by one. Evidence and verdicts are remembered by everything that they depend on: a
tuned threshold decides anew from the old evidence, a new cast name compares anew, and neither listens again. The rows
of lines for which all of it is as in the last build are taken over as they are.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import orjson

from replikk.config import Config
from replikk.dialogue.plan import read_plan
from replikk.files import canonical_json, digest, read_jsonl, write_atomic, write_jsonl
from replikk.locks import job_lock

log = logging.getLogger(__name__)

FEW = 50
"""With fewer takes to judge, gathering their evidence anew is quicker than reading the evidence on all takes."""
_PASSED = b'"outcome":"pass"'
"""In a verdict's row; inside a string of JSON no quotation mark stands without a backslash."""


def judge_takes(
    config: Config,
    plan_path: Path,
    takes_manifests: list[Path],
    round_number: int,
    manifest: Path,
    retries: Path,
    fingerprint_of_rule: str = "",
) -> None:
    """Judge every line that has a take in this round; writes one verdict per line, in plan order.

    ``retries`` names the lines that the next round must try again; empty when there is nothing to try.
    ``fingerprint_of_rule`` names settings and code that a verdict depends on.
    """
    with job_lock(config.build_dir, "judge"):
        failed = {record["key"]: record.get("failed") for path in takes_manifests for record in read_jsonl(path)}
        if not failed:
            write_jsonl(manifest, [])
            write_jsonl(retries, [])
            return
        # Imported here: a round without takes must not pay for the judge and numpy.
        from replikk.stages.bench import (
            basis_of_verdicts,
            failed_record,
            hear_missing,
            judge_line,
            known_verdict,
            measure_voices,
            open_bench,
            with_doubts,
        )
        from replikk.stages.judged_lines import JudgedLines
        from replikk.stages.voice_doubts import has_doubts

        plan = read_plan(plan_path)
        bench = open_bench(config, plan)
        basis = digest([fingerprint_of_rule, basis_of_verdicts(bench), round_number])
        memory = JudgedLines(bench.store.root / f"judged-{round_number}.rows", basis, bench.voices)
        lines = plan.line_rows
        judged: list[tuple[int, str, dict[str, Any] | None]] = []
        for number, (takes, line) in enumerate(zip(plan.index.takes, lines, strict=True)):
            key = takes[round_number] if round_number < len(takes) else None
            if key is None or key not in failed:
                continue
            if failed[key]:
                judged.append((number, key, failed_record(failed[key])))
            elif not memory.take_over(number, line):
                judged.append((number, key, known_verdict(bench, plan.lines[number], key)))
        unknown = [key for _, key, known in judged if known is None]
        hear_missing(config, bench, unknown)
        new = [(plan.lines[number], key) for number, key, _ in judged if not failed[key]]
        if new or memory.has_moved:
            measure_voices(config, bench, new)
        rows = memory.rows()
        for number, key, known in judged:
            planned = plan.lines[number]
            verdict = known or judge_line(bench, planned, key, is_one_of_few=len(unknown) < FEW)
            own = {"id": planned.line.id, "take": key, "round": round_number, **verdict}
            spoken = None if failed[key] else bench.voices.spoken(planned, key)
            doubted = with_doubts(own, bench.voices.of(spoken)) if spoken is not None else own
            rows[number] = canonical_json(doubted)
            # Neither a failure nor a take that could not be measured is one to keep.
            if not failed[key] and (spoken is not None or not has_doubts(planned)):
                memory.keep(lines[number], own, spoken, doubted)
        memory.save()
        verdicts = [rows[number] for number in sorted(rows)]
        # Nearly all have passed, and of those nothing more is asked here.
        others = [orjson.loads(row) for row in verdicts if _PASSED not in row]
        lasting = {
            i for i, takes in zip(plan.index.ids, plan.index.takes, strict=True) if round_number + 1 < len(takes)
        }
        again = [{"id": one["id"]} for one in others if one["outcome"] == "retry" and one["id"] in lasting]
        write_atomic(manifest, b"".join([row + b"\n" for row in verdicts]))
        write_jsonl(retries, again)
        outcomes = [record["outcome"] for record in others]
        # The last take that a line gets, or one that a person has accepted or locked.
        at_end = outcomes.count("retry") - len(again)
        log.info(
            "round %d: %d passed, %d to be tried again, %d for a human ear%s",
            round_number, len(verdicts) - len(others), len(again), outcomes.count("human"),
            f", {at_end} not tried any more" if at_end else "",
        )  # fmt: skip
