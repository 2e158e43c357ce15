"""Rule report_quality: the page, the table and the data that a person reads after a build.

Gathers from the store what the report needs and hands it to ``replikk.report``, which looks at nothing else.
"""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from replikk.config import Config
from replikk.dialogue.plan import Plan, PlannedLine, read_plan
from replikk.errors import StoreError
from replikk.files import canonical_json, digest, read_json, write_atomic
from replikk.line_memory import LineMemory
from replikk.locks import job_lock
from replikk.report.data import report_data
from replikk.report.decision_rows import decision_form
from replikk.report.memory import note_build, since_accepted, work_seen
from replikk.report.remembered import VERSION, keep, remembered
from replikk.report.render import render_page
from replikk.report.table import render_table
from replikk.report.told import BLOCKING, QUIET, LineResult, TakeResult, Told, tell
from replikk.stages.check_release import release_of, waiting
from replikk.stages.manifest import read_clip_rows
from replikk.stages.select_takes import Selection, read_selection
from replikk.store import Store

log = logging.getLogger(__name__)

MOST_DRAWN = 1500
"""Takes whose waveforms are put into the page. Where more are flagged, they have one fault in common, and a page that
is served draws the others when they are looked at."""


def report_quality(
    config: Config,
    plan_path: Path,
    selection_path: Path,
    manifest_path: Path,
    changes_path: Path,
    folder: Path,
    release_path: Path,
    fingerprint_of_rule: str = "",
) -> None:
    """Write ``index.html``, ``report.csv`` and ``report.json`` into ``folder``, and ``release.json`` for scripts.

    What ``report.memory`` keeps of this build for the next ones goes there too. ``fingerprint_of_rule`` names the code
    that a line's part of the report depends on.
    """
    with job_lock(config.build_dir, "report"):
        plan = read_plan(plan_path)
        selection = read_selection(selection_path, plan)
        manifest, clip_rows = read_clip_rows(manifest_path)
        store = Store(config.build_dir)
        memory = LineMemory(store.root / "reported.rows", digest([fingerprint_of_rule, VERSION]))
        sources = list(_sources(plan, selection, clip_rows, manifest_path))
        known = remembered(memory, enumerate(sources))
        others = [number for number in range(len(sources)) if number not in known]
        lines = {number: one.told for number, one in known.items()}
        lines.update(_tell(config, plan, selection, others, clip_rows, store))
        told = [lines[number] for number in range(len(sources))]
        decisions_path = config.dialogue_dir / "decisions.csv"
        data = report_data(
            plan=plan,
            told=told,
            manifest=manifest,
            changes=read_json(changes_path),
            decisions_path=decisions_path.as_posix(),
            form=decision_form(decisions_path),
            references=_references(plan, folder),
        )
        table_rows = {one.told.record["id"]: one.table_row for one in known.values() if not one.told.record["mark"]}
        for number in others:
            keep(memory, sources[number], told[number])
        memory.save()
        work, work_to = store.work_since(work_seen(folder / "history.jsonl"))
        facts = build_facts(config, data["summary"])
        price, currency = config.gpu_price_per_hour, config.currency
        history = note_build(folder / "history.jsonl", work, work_to, facts, price, currency)
        number = history[-1]["number"] if history else 0
        delivered = {line["id"]: line["take"] for line in data["lines"]}
        shippable = data["summary"]["shippable"]
        data["since_accepted"] = since_accepted(folder / "accepted.json", delivered, shippable, number)
        write_atomic(folder / "report.json", canonical_json(data))
        write_atomic(folder / "report.csv", render_table(data, table_rows))
        write_atomic(folder / "index.html", render_page(data, history))
        write_atomic(release_path, canonical_json(release_of(data)))
        blocking = data["summary"]["blocking"]
        if blocking:
            log.info("cannot be shipped yet: %s", waiting(blocking))
            log.info("listen and decide: %s", review_command(config))
        else:
            log.info("can be shipped: no line waits for a person (%d in all)", len(told))
        log.info("report: %s", folder / "index.html")


def _sources(plan: Plan, selection: Selection, clip_rows: list[bytes], manifest_path: Path) -> Iterator[bytes]:
    """What a line's part of the report is made of: its rows of the plan, the selection and the manifest.

    Raises StoreError when the manifest has not just the clips of the lines that have a take.
    """
    clips = iter(clip_rows)
    for line_id, row, chosen in zip(plan.index.ids, plan.line_rows, selection.rows, strict=True):
        clip = b"" if _NO_TAKE in chosen else next(clips, b"")
        if _NO_TAKE not in chosen and b'"id":%b,' % orjson.dumps(line_id) not in clip:
            raise StoreError(f"{manifest_path}: was damaged, it lacks [{line_id}]; delete the file and run again")
        yield b"%b\n%b\n%b" % (row, chosen, clip)
    if next(clips, None) is not None:
        raise StoreError(f"{manifest_path}: was damaged, it has more clips than the game; delete it and run again")


_NO_TAKE = b'"take":null,'
"""In a row of the selection: each of its takes has a key."""


def _tell(
    config: Config, plan: Plan, selection: Selection, numbers: list[int], clip_rows: list[bytes], store: Store
) -> dict[int, Told]:
    """What the report says of the lines with these numbers."""
    lines = [plan.lines[number] for number in numbers]
    wanted = {planned.line.id for planned in lines}
    clips = {}
    if wanted:
        speaking = [line_id for line_id, row in zip(plan.index.ids, selection.rows, strict=True) if _NO_TAKE not in row]
        clips = {i: orjson.loads(row) for i, row in zip(speaking, clip_rows, strict=True) if i in wanted}
    evidence = _evidence_to_show(config, plan, lines, selection)
    waveforms = _waveforms(config, plan, lines, selection, evidence, store)
    return {
        number: tell(
            _result(planned, selection[planned.line.id], store, evidence, waveforms), clips.get(planned.line.id)
        )
        for number, planned in zip(numbers, lines, strict=True)
    }


def review_command(config: Config) -> str:
    """What to type for deciding on this build, from the folder it was built in."""
    folders = (("dialogue", config.dialogue_dir), ("build", config.build_dir))
    named = [f"--{name}-dir {shlex.quote(str(path))}" for name, path in folders if path != Path(name)]
    return " ".join(["replikk review", *named])


def build_facts(config: Config, summary: Mapping[str, Any]) -> dict[str, Any]:
    """What the history keeps of a build's result."""
    names = ("lines", "flagged", "to_hear_once", "missing", "judged", "first_take_pass_rate", "after_retry_pass_rate")
    return {
        "engine": config.engine,
        "judge": config.judge,
        **{name: summary[name] for name in names},
        "delivered_wer": summary["words"]["delivered"]["wer"],
    }


def _references(plan: Plan, folder: Path) -> dict[str, str]:
    """The recordings that the voices were made from, relative to the page."""
    return {
        name: Path(os.path.relpath(voice.reference_audio, folder)).as_posix()
        for name, voice in plan.voices.items()
        if voice.reference_audio
    }


def _is_shown(take: Mapping[str, Any], state: str) -> bool:
    """Nobody reads the evidence on 10,000 good lines; it stays in the store."""
    return take["badness"] is not None and state != QUIET


def _evidence_to_show(
    config: Config, plan: Plan, lines: Sequence[PlannedLine], selection: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """``Evidence.to_json()`` of the takes of ``lines`` that are shown, by the evidence's key."""
    shown: dict[str, tuple[PlannedLine, str]] = {}
    for planned in lines:
        chosen = selection[planned.line.id]
        for take in chosen["takes"]:
            if _is_shown(take, chosen["state"]):
                shown[take["evidence"]] = (planned, take["take"])
    if not shown:
        return {}
    journal = Store(config.build_dir).journal("evidence")
    lost = [said for key, said in shown.items() if journal.get(key) is None]
    if lost:  # the store has lost evidence since the takes were judged
        from replikk.stages.bench import hear_missing, judge_line, open_bench

        bench = open_bench(config, plan)
        hear_missing(config, bench, list(dict.fromkeys(key for _, key in lost)))
        for planned, key in lost:
            judge_line(bench, planned, key)
        journal.refresh()
    records = {key: journal.get(key) for key in shown}
    return {key: record["evidence"] for key, record in records.items() if record is not None}


def _waveforms(
    config: Config,
    plan: Plan,
    lines: Sequence[PlannedLine],
    selection: Mapping[str, Any],
    evidence: Mapping[str, dict[str, Any]],
    store: Store,
) -> dict[str, dict[str, Any]]:
    """Outline and placed words of the takes that a person is to hear, by their evidence's key.

    Remembered in the store, because an outline needs the audio and the words need the judge's transcript.
    """
    wanted: dict[str, tuple[PlannedLine, str]] = {}
    for planned in lines:
        chosen = selection[planned.line.id]
        if chosen["state"] in BLOCKING:
            for take in chosen["takes"]:
                if take["evidence"] in evidence and len(wanted) < MOST_DRAWN:
                    wanted[take["evidence"]] = (planned, take["take"])
    if not wanted:
        return {}
    from replikk.report.waveforms import VERSION, outline, place_words

    journal = store.journal("waveforms")
    known = {key: record for key in wanted if (record := journal.get(key)) and record["version"] == VERSION}
    unknown = {key: said for key, said in wanted.items() if key not in known}
    if unknown:
        from replikk.stages.bench import hear_missing, open_bench

        bench = open_bench(config, plan)
        hear_missing(config, bench, list(dict.fromkeys(take for _, take in unknown.values())))
        for key, (_, take) in unknown.items():
            loaded = store.load_take(take)
            comparison = evidence[key]["comparison"]
            heard = (bench.heard.get(take) or {}).get("words") or ()
            duration_s = evidence[key]["signal"]["duration_s"]
            known[key] = {
                "version": VERSION,
                "take": take,
                "outline": outline(*loaded) if loaded else "",
                "words": place_words(comparison["alignment"], heard, duration_s) if comparison else [],
            }
            journal.append(key, known[key])
    return known


def _result(
    planned: PlannedLine,
    chosen: Mapping[str, Any],
    store: Store,
    evidence: Mapping[str, dict[str, Any]],
    waveforms: Mapping[str, dict[str, Any]],
) -> LineResult:
    """A line with what became of its takes."""
    state, delivered = chosen["state"], chosen["take"]
    return LineResult(
        planned=planned,
        state=state,
        take=delivered,
        takes=tuple([_take(take, state, store, evidence, waveforms) for take in chosen["takes"]]),
        words=next(iter([take["words"] for take in chosen["takes"] if take["take"] == delivered]), None),
    )


def _take(
    take: Mapping[str, Any],
    state: str,
    store: Store,
    evidence: Mapping[str, dict[str, Any]],
    waveforms: Mapping[str, dict[str, Any]],
) -> TakeResult:
    shown = _is_shown(take, state)
    mine = evidence.get(take["evidence"]) if shown else None
    drawn = waveforms.get(take["evidence"]) if mine else None
    path = store.take_path(take["take"]).relative_to(store.root.parent).as_posix() if shown else ""
    return TakeResult(
        key=take["take"],
        round=take["round"],
        outcome=take["outcome"],
        reasons=tuple(take["reasons"]),
        evidence=mine,
        heard=mine["heard"] if mine else None,
        path=f"../{path}" if shown else "",
        badness=take["badness"],
        outline=drawn["outline"] if drawn else None,
        words=drawn["words"] if drawn else (),
    )
