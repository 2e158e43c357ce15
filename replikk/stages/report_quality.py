"""Rule report_quality: the page, the table and the data that a person reads after a build.

Gathers from the store what the report needs and hands it to ``replikk.report``, which looks at nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.dialogue.plan import PlannedLine, read_plan
from replikk.files import canonical_json, read_json, write_atomic
from replikk.locks import job_lock
from replikk.report.data import QUIET, LineResult, TakeResult, report_data, word_counts
from replikk.report.decision_rows import decision_form
from replikk.report.render import render_page
from replikk.report.table import render_table
from replikk.stages.check_release import release_of, waiting
from replikk.stages.judge_takes import Bench, evidence_key, hear_missing, judge_line, open_bench
from replikk.stages.select_takes import read_selection

log = logging.getLogger(__name__)


def report_quality(
    config: Config,
    plan_path: Path,
    selection_path: Path,
    manifest_path: Path,
    changes_path: Path,
    folder: Path,
    release_path: Path,
) -> None:
    """Write ``index.html``, ``report.csv`` and ``report.json`` into ``folder``, and ``release.json`` for scripts."""
    with job_lock(config.build_dir, "report"):
        plan = read_plan(plan_path)
        bench = open_bench(config, plan)
        selection = read_selection(selection_path, plan)
        lost: list[tuple[PlannedLine, str]] = []
        results = [_result(planned, selection[planned.line.id], bench, lost) for planned in plan.lines]
        if lost:  # the store has lost evidence since the takes were judged
            hear_missing(config, bench, dict.fromkeys(key for _, key in lost))
            for planned, key in lost:
                judge_line(bench, planned, key)
            results = [_result(planned, selection[planned.line.id], bench, []) for planned in plan.lines]
        decisions_path = config.dialogue_dir / "decisions.csv"
        data = report_data(
            plan=plan,
            results=results,
            manifest=read_json(manifest_path),
            changes=read_json(changes_path),
            decisions_path=decisions_path.as_posix(),
            form=decision_form(decisions_path),
        )
        write_atomic(folder / "report.json", canonical_json(data))
        write_atomic(folder / "report.csv", render_table(data))
        write_atomic(folder / "index.html", render_page(data))
        write_atomic(release_path, canonical_json(release_of(data)))
        blocking = data["summary"]["blocking"]
        log.info("%s", waiting(blocking) if blocking else "every clip passed or was accepted: this can be shipped")
        log.info("report: %s", folder / "index.html")


def _result(
    planned: PlannedLine, chosen: Mapping[str, Any], bench: Bench, lost: list[tuple[PlannedLine, str]]
) -> LineResult:
    """A line with what became of its takes. Takes whose evidence should be there and is not are added to ``lost``."""
    return LineResult(
        planned=planned,
        state=chosen["state"],
        take=chosen["take"],
        takes=tuple(_take(planned, take, chosen["state"], bench, lost) for take in chosen["takes"]),
        words=word_counts(_evidence(bench, planned, chosen["take"], lost)) if chosen["take"] else None,
    )


def _take(
    planned: PlannedLine, take: Mapping[str, Any], state: str, bench: Bench, lost: list[tuple[PlannedLine, str]]
) -> TakeResult:
    # Nobody reads the evidence on 10,000 good lines; it stays in the store.
    shown = take["badness"] is not None and state != QUIET
    evidence = _evidence(bench, planned, take["take"], lost) if shown else None
    path = bench.store.take_path(take["take"]).relative_to(bench.store.root.parent).as_posix() if shown else ""
    return TakeResult(
        key=take["take"],
        round=take["round"],
        outcome=take["outcome"],
        reasons=tuple(take["reasons"]),
        evidence=evidence,
        heard=evidence["heard"] if evidence else None,
        path=f"../{path}" if shown else "",
        badness=take["badness"],
    )


def _evidence(
    bench: Bench, planned: PlannedLine, take_key: str, lost: list[tuple[PlannedLine, str]]
) -> dict[str, Any] | None:
    """``Evidence.to_json()`` of a take as a reading of this line."""
    record = bench.evidence.get(evidence_key(bench, planned, take_key))
    if record is None:
        lost.append((planned, take_key))
        return None
    return record["evidence"]
