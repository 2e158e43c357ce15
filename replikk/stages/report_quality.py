"""Rule report_quality: the page, the table and the data that a person reads after a build.

Gathers from the store what the report needs and hands it to ``replikk.report``, which looks at nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from replikk.config import Config
from replikk.dialogue.plan import PlannedLine, read_plan
from replikk.files import canonical_json, read_jsonl, write_atomic
from replikk.locks import job_lock
from replikk.report.data import QUIET, LineResult, TakeResult, report_data
from replikk.report.decision_rows import decision_form
from replikk.report.render import render_page
from replikk.report.table import render_table
from replikk.stages.check_release import write_release
from replikk.store import Store

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
    """Write ``index.html``, ``report.csv`` and ``report.json`` into ``folder``, and the release answer."""
    with job_lock(config.build_dir, "report"):
        plan = read_plan(plan_path)
        store = Store(config.build_dir)
        selection = {record["id"]: record for record in read_jsonl(selection_path)}
        results = [_result(planned, selection[planned.line.id], store) for planned in plan.lines]
        decisions_path = config.dialogue_dir / "decisions.csv"
        data = report_data(
            plan=plan,
            results=results,
            manifest=orjson.loads(manifest_path.read_bytes()),
            changes=orjson.loads(changes_path.read_bytes()),
            decisions_path=decisions_path.as_posix(),
            form=decision_form(decisions_path),
        )
        write_atomic(folder / "report.json", canonical_json(data))
        write_atomic(folder / "report.csv", render_table(data))
        write_atomic(folder / "index.html", render_page(data))
        summary = data["summary"]
        log.info("%d lines: %s", summary["lines"], folder / "index.html")
        write_release(summary["blocking"], folder / "index.html", release_path)


def _result(planned: PlannedLine, chosen: Mapping[str, Any], store: Store) -> LineResult:
    """A line with what became of its takes."""
    return LineResult(
        planned=planned,
        state=chosen["state"],
        take=chosen["take"],
        takes=tuple([_take(take, chosen["state"], store) for take in chosen["takes"]]),
        words=next((take["words"] for take in chosen["takes"] if take["take"] == chosen["take"]), None),
    )


def _take(take: Mapping[str, Any], state: str, store: Store) -> TakeResult:
    # Nobody reads the evidence on 10,000 good lines; it stays in the store.
    shown = take["badness"] is not None and state != QUIET
    evidence = _evidence(store, take["evidence"]) if shown else None
    path = store.take_path(take["take"]).relative_to(store.root.parent).as_posix() if shown else ""
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


def _evidence(store: Store, key: str | None) -> dict[str, Any] | None:
    """``Evidence.to_json()`` by its key; None for a take that does not exist."""
    record = None if key is None else store.journal("evidence").get(key)
    return None if record is None else record["evidence"]
