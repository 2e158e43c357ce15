"""Target calibrate: limits for config.yaml from clips that people have called good or bad.

Without further settings from this game's own decisions: what was accepted or locked is good, what was to be taken
again is bad; and what passed and nobody objected to counts as good, because people decide on little but what was
flagged. With ``calibrate.clips`` from a folder with audio files and ``labels.csv``: columns ``clip``, ``label`` (good
or bad) and ``id`` of a line of this game or ``script``; ``locale`` if not nb. It proposes; config.yaml is the user's
and is never written.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from replikk.config import Config
from replikk.dialogue.decisions import read_decisions
from replikk.dialogue.plan import Plan, PlannedLine, read_plan
from replikk.errors import Problem, ReplikkError, printable
from replikk.files import canonical_json, write_atomic
from replikk.judges.calibration import Calibration, calibrate
from replikk.judges.calibration_limits import Case
from replikk.judges.intervals import Share
from replikk.locks import job_lock

log = logging.getLogger(__name__)

_LABELS = {"good": True, "bad": False, "god": True, "bra": True, "dårlig": False}
_COLUMNS = {
    "clip": ("clip", "file", "fil", "klipp"),
    "label": ("label", "merke", "dom"),
    "id": ("id", "line id", "replikk-id"),
    "script": ("script", "text", "tekst", "manus"),
    "locale": ("locale", "målform", "språk"),
}
_SETTINGS = ("clips", "false_alarms", "engine")
DEFAULT_FALSE_ALARMS = 0.02


def calibrate_verdict(config: Config, plan_path: Path, folder: Path) -> None:
    """Write ``thresholds.yaml``, ``calibration.md``, ``.json`` and ``.svg`` into ``folder``.

    Raises ReplikkError for bad settings or labels, all at once, and when there is no clip to learn from.
    """
    clips, most, engine = _settings(config)
    with job_lock(config.build_dir, "calibrate"):
        from replikk.judges.calibration_plot import plot
        from replikk.stages.bench import open_bench

        plan = read_plan(plan_path)
        cases = list(_labelled(config, plan, Path(clips), engine) if clips else _decided(config, plan))
        if not cases:
            raise ReplikkError(
                "calibrate: there is nothing to learn from; accept and retake some clips (replikk review), or name a "
                "folder of labelled clips (config.yaml: calibrate.clips)"
            )
        found = calibrate(cases, open_bench(config, plan).thresholds, most)
        write_atomic(folder / "thresholds.yaml", snippet(found, most).encode())
        write_atomic(folder / "calibration.md", page(found, most, cases).encode())
        write_atomic(folder / "calibration.svg", plot(found, most).encode())
        write_atomic(folder / "calibration.json", canonical_json([asdict(one) for one in found]))
        log.info("%s", page(found, most, cases))
        log.info("proposed limits: %s", folder / "thresholds.yaml")


def _settings(config: Config) -> tuple[str, float, str]:
    """(folder of clips or empty, wanted false-alarm rate, engine that made the clips)."""
    settings = config.calibrate
    problems = [
        f"config.yaml: calibrate.{printable(str(key), 40)}: is not known; use {', '.join(_SETTINGS)}"
        for key in settings
        if key not in _SETTINGS
    ]
    most = settings.get("false_alarms", DEFAULT_FALSE_ALARMS)
    if isinstance(most, bool) or not isinstance(most, int | float) or not 0 <= most < 1:
        problems.append("config.yaml: calibrate.false_alarms: write a share such as 0.02")
    clips, engine = settings.get("clips") or "", settings.get("engine") or config.engine
    for name, value in (("clips", clips), ("engine", engine)):
        if not isinstance(value, str):
            problems.append(f"config.yaml: calibrate.{name}: is {printable(repr(value), 40)}; write text")
    if problems:
        raise ReplikkError("\n".join(problems))
    return clips, float(most), engine


# Clips that people have judged ---------------------------------------------------------------------------------------


def _decided(config: Config, plan: Plan) -> Iterator[Case]:
    """Takes that a person accepted, locked or wanted again, and those that passed undisputed."""
    from replikk.stages.bench import hear_missing, judge_line, known_verdict, open_bench, read_evidence, with_doubts
    from replikk.stages.transcribe_takes import is_heard

    decisions, problems = read_decisions(config.dialogue_dir / "decisions.csv")
    if problems:
        raise ReplikkError("\n".join(map(str, problems)))
    bench = open_bench(config, plan)
    by_id = {planned.line.id.casefold(): planned for planned in plan.lines}
    keys = list(bench.store.journal("takes"))
    judged: list[tuple[PlannedLine, str, bool]] = []
    for decision in decisions:
        planned = by_id.get(decision.line_id.casefold())
        if planned is None or planned.recording or planned.line.drill or not decision.take_key:
            continue
        if decision.decision not in ("accept", "lock", "retake"):
            continue
        judged += [
            (planned, key, decision.decision != "retake")
            for key in keys
            if key.startswith(decision.take_key) and bench.store.take_record(key) is not None
        ]
    # A take of an earlier text of the line was judged for that text; only what was heard for this one can be used.
    heard = [one for one in judged if one[1] in one[0].takes or is_heard(bench.heard.get(one[1]), one[0])]
    hear_missing(config, bench, [key for planned, key, _ in heard if key in planned.takes])
    for planned, key, good in heard:
        judge_line(bench, planned, key)
        evidence = read_evidence(bench, planned, key)
        if evidence is not None:
            yield Case(f"{planned.line.id} {key[:12]}", good, evidence, *bench.voices.fit(planned, key))
    disputed = {planned.line.id for planned, _, _ in judged}
    for planned in plan.lines:
        if planned.line.id in disputed or planned.recording or planned.line.drill:
            continue
        for key in planned.takes:
            known, evidence = known_verdict(bench, planned, key), read_evidence(bench, planned, key)
            spoken = bench.voices.spoken(planned, key) if bench.voices.are_known else None
            if known is None or spoken is None or evidence is None:
                continue
            if with_doubts(known, bench.voices.of(spoken))["outcome"] == "pass":
                yield Case(f"{planned.line.id} {key[:12]}", True, evidence, *bench.voices.fit(planned, key))
                break


def _labelled(config: Config, plan: Plan, folder: Path, engine: str) -> Iterator[Case]:
    """The clips of a folder, listened to by the build's judge."""
    from replikk.audio.recordings import read_recording
    from replikk.files import sha256_file
    from replikk.judges import judge_of
    from replikk.judges.evidence import LineFacts, gather
    from replikk.judges.records import Clip
    from replikk.judges.signal import measure_signal

    rows = read_labels(folder / "labels.csv", {planned.line.id.casefold(): planned for planned in plan.lines})
    judge = judge_of(config)
    if not judge.accepts(engine):
        raise ReplikkError(
            f"calibrate: the judge '{judge.name}' does not listen to clips of '{printable(engine, 40)}'; "
            "choose another judge, or say which engine made them (config.yaml: calibrate.engine)"
        )
    signals, facts, labels = {}, {}, {}

    def clips() -> Iterator[Clip]:
        for number, row in enumerate(rows):
            recording = read_recording(folder / row["clip"])
            key = f"{sha256_file(folder / row['clip'])}-{number}"
            signals[key] = measure_signal(recording.samples, recording.sample_rate_hz)
            facts[key], labels[key] = row["facts"], (row["clip"], row["good"])
            script, locale = row["facts"].script, row["facts"].locale
            yield Clip(key, recording.samples, recording.sample_rate_hz, script, engine, locale)

    for transcript in judge.transcribe(clips()):
        key = transcript.take_key
        name, good = labels[key]
        assert isinstance(facts[key], LineFacts)
        yield Case(name, good, gather(facts[key], transcript, signals[key]))


def read_labels(path: Path, by_id: Mapping[str, PlannedLine]) -> list[dict[str, Any]]:
    """Rows of ``labels.csv``: clip, good, and what the clip should say. Raises ReplikkError with all problems."""
    from replikk.dialogue.small_tables import named_rows
    from replikk.dialogue.tables import SheetReadError, read_table
    from replikk.judges.evidence import LineFacts

    if not path.exists():
        raise ReplikkError(f"{path}: there is no such file; write one with the columns clip, label and id or script")
    try:
        table = read_table(path)[0]
    except SheetReadError as error:
        raise ReplikkError(str(Problem(str(path), None, "", "", error.what, error.instead))) from error
    found, problems = named_rows(table, str(path), _COLUMNS, ("clip", "label"))
    rows: list[dict[str, Any]] = []
    for number, cells in found:
        clip, label = cells.get("clip", "").strip(), cells.get("label", "").strip().lower()
        planned = by_id.get(cells.get("id", "").strip().casefold())
        script = cells.get("script", "").strip()

        def problem(column: str, what: str, instead: str, row: int = number, clip: str = clip) -> None:
            problems.append(Problem(str(path), row, clip, column, what, instead))

        if label not in _LABELS:
            problem("label", f"is '{printable(label, 40)}'", "write good or bad")
        if planned is None and not script:
            problem("id", "names no line of this game", "write its id, or what the clip should say under script")
        file = (path.parent / clip).resolve()
        if not clip or not file.is_relative_to(path.parent.resolve()) or not file.is_file():
            problem("clip", "is no file in this folder", "write the name of an audio file beside labels.csv")
        if planned is not None and not script:
            line = planned.line
            pauses = tuple(segment.pause_after_ms for segment in line.voiced_segments)
            facts = LineFacts(line.spoken, pauses, line.locale, line.respelt, drill=line.drill, direction=line.style)
        else:
            facts = LineFacts(script, locale=cells.get("locale", "").strip() or "nb")
        rows.append({"clip": clip, "good": _LABELS.get(label, False), "facts": facts})
    if problems:
        raise ReplikkError("\n".join(map(str, problems)))
    return rows


# What is written -----------------------------------------------------------------------------------------------------


def snippet(found: Sequence[Calibration], most: float) -> str:
    """The proposed limits, to be copied into config.yaml under ``thresholds``."""
    lines = [f"# Proposed by snakemake calibrate for at most {most:.1%} false alarms; copy what you agree with into"]
    lines.append("# config.yaml under thresholds.bands. The value in force stands behind each.")
    if not any(one.changes for one in found):
        return "\n".join([*lines, "# Nothing to change: the limits in force do as well as any.", ""])
    lines += ["thresholds:", "  bands:"]
    for one in found:
        if one.changes:
            lines.append(f'    "{one.band}":')
            lines += [f"      {name}: {new:g}  # {old:g}" for name, (old, new) in one.changes.items()]
    return "\n".join([*lines, ""])


def page(found: Sequence[Calibration], most: float, cases: Sequence[Case]) -> str:
    """What was found, in Markdown."""
    good = sum(case.good for case in cases)
    lines = [
        f"# Calibration: {len(cases)} clips, {good} good and {len(cases) - good} bad",
        "",
        f"Wanted: at most {most:.1%} of good clips stopped. Rates under *proposed* were measured on clips that the "
        "limits were not chosen from; in brackets the 95 % interval (Wilson).",
        "",
        "| words | false alarms, now | false alarms, proposed | misses, now | misses, proposed | limits that move |",
        "|---|---|---|---|---|---|",
    ]
    for one in found:
        shares = (one.now.false_alarms, one.proposed.false_alarms, one.now.misses, one.proposed.misses)
        cells = [_in_words(share) for share in shares]
        moved = [f"{name} {old:g} → {new:g}" for name, (old, new) in one.changes.items()]
        moved = [*moved, one.remark] if one.remark else moved or ["none"]
        lines.append(f"| {one.band} | {' | '.join(cells)} | {'; '.join(moved)} |")
    return "\n".join([*lines, ""])


def _in_words(share: Share) -> str:
    if not share.total:
        return "–"
    return f"{share.share:.1%} ({share.low:.1%}–{share.high:.1%}, {share.hits} of {share.total})"
