"""Builds for the report's tests: real plan records and real evidence, made of a few words per line."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from replikk.dialogue.plan import Plan, PlannedLine
from replikk.dialogue.records import Line, Segment, Voice
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.records import Transcript
from replikk.judges.signal import measure_signal
from replikk.report.data import report_data
from replikk.report.told import LineResult, TakeResult, tell, word_counts

TONE = measure_signal((8000 * np.sin(np.arange(8000) * 0.1)).astype(np.int16), 16000)
RIGHTS = {"who": "eSpeak NG", "licence": "GPL-3.0-or-later", "evidence": "NOTICE"}


@dataclass
class Case:
    """A line and what was heard in each of its takes; ``None`` for a take that the engine could not make."""

    id: str
    text: str
    state: str = "passed"
    heard: list[str | None] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    badness: list[float] = field(default_factory=list)
    line: dict[str, Any] = field(default_factory=dict)
    mark: str = ""
    gain_limited_db: float = 0.0


def key_of(*parts: object) -> str:
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()


def make_report(cases: list[Case], **more: Any) -> dict[str, Any]:
    """The data of a build with these lines."""
    planned = [_planned(number, case) for number, case in enumerate(cases)]
    results = [_result(case, line) for case, line in zip(cases, planned, strict=True)]
    voices = sorted({line.line.voice for line in planned})
    plan = Plan(
        lines=tuple(planned),
        voices={name: Voice(name, f"{name.title()}, rolig", {}, rights=RIGHTS) for name in voices},
        cast_names=(),
        engine="espeak",
        engine_fingerprint="espeak 1",
        seed=0,
        rows=len(cases) + len(more.get("exceptions", ())),
        exceptions=tuple(more.get("exceptions", ())),
        stale_decisions=tuple(more.get("stale_decisions", ())),
    )
    changes = {
        "new": [case.id for case in cases if case.mark == "new"],
        "changed": [case.id for case in cases if case.mark == "changed"],
        "removed": list(more.get("removed", ())),
    }
    manifest = make_manifest(plan, results)
    limited = {case.id: case.gain_limited_db for case in cases}
    for clip in manifest["clips"]:
        clip["gain_limited_db"] = limited[clip["id"]]
    clips = {clip["id"]: clip for clip in manifest["clips"]}
    told = [tell(result, clips.get(result.planned.line.id)) for result in results]
    return report_data(plan, told, manifest, changes, "dialogue/decisions.csv")


def make_manifest(plan: Plan, results: list[LineResult]) -> dict[str, Any]:
    """A manifest as rule package_assets writes it, for the lines that have a take."""
    return {
        "format": 1,
        "disclosure": "The speech in this game was made by a computer.",
        "engine": {"name": plan.engine, "licence": "GPL-3.0-or-later"},
        "voices": {name: {"label": voice.label, "rights": voice.rights} for name, voice in plan.voices.items()},
        "clips": [
            {
                "id": result.planned.line.id,
                "path": f"{result.planned.line.locale}/{result.planned.line.scene}/{result.planned.line.id}.ogg",
                "voice": result.planned.line.voice,
                "duration_s": round(0.4 + len(result.planned.line.spoken) / 14, 4),
                "loudness_before_lufs": -21.5,
                "loudness_after_lufs": -18.0,
                "gain_db": 3.5,
                "gain_limited_db": 0.0,
                "synthetic": not result.planned.recording,
            }
            for result in results
            if result.take
        ],
    }


def _planned(number: int, case: Case) -> PlannedLine:
    values: dict[str, Any] = {
        "scene": "havn",
        "locale": "nb",
        "voice": "kari",
        "character": "Kari",
        "style": "",
        "file": "havn.csv",
        "row": number + 2,
        **case.line,
    }
    line = Line(
        id=case.id,
        source_id=case.id,
        text=case.text,
        display=case.text,
        segments=(Segment(case.text),),
        **values,
    )
    key = key_of(case.id)
    decided = case.state if case.state in ("accepted", "locked", "locked_stale") else ""
    takes = tuple(key_of(case.id, take) for take in range(max(1, len(case.heard))))
    return PlannedLine(line, key, takes, 0, decided, True)


def _result(case: Case, planned: PlannedLine) -> LineResult:
    heard = case.heard or ([None] if case.state == "missing" else [case.text])
    outcomes = case.outcomes or ["pass" if case.state not in ("flagged", "missing") else "retry"] * len(heard)
    badness = case.badness or [1.0] * len(heard)
    takes = []
    for number, (text, outcome, how_bad) in enumerate(zip(heard, outcomes, badness, strict=True)):
        key = key_of(case.id, number)
        evidence = None if text is None else evidence_for(planned, text)
        takes.append(
            TakeResult(
                key=key,
                round=number,
                outcome=outcome,
                reasons=() if outcome == "pass" else (_reason(text, outcome),),
                evidence=None if case.state == "passed" else evidence,
                heard=None if case.state == "passed" else text,
                path="" if text is None else f"../store/takes/{key[:2]}/{key}.flac",
                badness=None if text is None else how_bad,
            )
        )
    there = [take for take in takes if take.badness is not None]
    best = next((take for take in there if take.outcome == "pass"), None)
    if case.state == "missing":
        chosen = None
    else:
        chosen = best or min(there, key=lambda take: (take.outcome == "retry", take.badness))
    index = takes.index(chosen) if chosen else 0
    words = word_counts(evidence_for(planned, heard[index] or "")) if chosen else None
    return LineResult(planned, case.state, chosen.key if chosen else None, tuple(takes), words)


def _reason(text: str | None, outcome: str) -> dict[str, Any]:
    if text is None:
        return {"code": "no_audio", "measured": None, "threshold": None, "text": "the voice process stopped"}
    if outcome == "human":
        return {"code": "drill", "measured": None, "threshold": None, "text": "single letters are for a person to hear"}
    return {"code": "wer", "measured": 0.4, "threshold": 0.2, "text": "40 % of the words are wrong (20 % are allowed)"}


def evidence_for(planned: PlannedLine, heard: str) -> dict[str, Any]:
    """What the judge's room gathers when ``heard`` was heard in half a second of a tone."""
    line = planned.line
    return dict(_evidence(line.spoken, heard, line.locale, line.drill))


@lru_cache(maxsize=1000)
def _evidence(spoken: str, heard: str, locale: str, drill: bool) -> dict[str, Any]:
    facts = LineFacts(script=spoken, locale=locale, drill=drill)
    return gather(facts, Transcript("0" * 64, heard, (), 0.12), TONE).to_json()
