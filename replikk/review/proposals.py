"""What a page asks to be written, checked before it is: shape, size, line, take, and words that can be spoken.

All or nothing: one decision that cannot be taken refuses the batch, each with its reason, so that a page never has to
find out which half of its work was kept. It leaves those out that were refused and sends the rest again.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from replikk.config import Config
from replikk.dialogue.decisions import Decision, same_take
from replikk.dialogue.directions import respell, unfollowed_remark
from replikk.dialogue.ids import folded_id
from replikk.errors import ReplikkError, printable
from replikk.review.reviewed_build import Report, ReportLine
from replikk.review.rows import tidy

KINDS = ("accept", "retake", "lock", "note", "withdraw")
MAX_CHARACTERS = {"line_id": 200, "take_key": 64, "decision": 20, "who": 100, "when": 40, "why": 2000,
                  "style": 500, "respelling": 5000}  # fmt: skip
"""Fields of a proposal and how long they may be. A cell of the file may have 20,000."""
MAX_BATCH = 20_000
"""Decisions at once: a whole large game, selected and accepted."""
_KEY = re.compile(r"[0-9a-f]{64}")
_WHEN = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")


@dataclass(frozen=True)
class Refusal:
    """Why one decision of a batch cannot be taken."""

    index: int
    line_id: str
    what: str
    """A sentence for the person who decided."""


@dataclass(frozen=True)
class Checked:
    """A batch that was looked at: to be written as a whole when nothing was refused."""

    decisions: tuple[Decision, ...]
    refused: tuple[Refusal, ...]
    remarks: tuple[str, ...] = ()
    """What will not go as directed."""


def now() -> str:
    """The time as it stands in the file: local, to the second, with its distance from UTC."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def check_batch(
    proposals: Sequence[Any], report: Report, known: Sequence[Decision], config: Config, who: str
) -> Checked:
    """Look at what a page sent. ``known`` are the decisions of the file; ``who`` is said where a page says nobody."""
    if len(proposals) > MAX_BATCH:
        what = f"{len(proposals)} decisions at once are more than {MAX_BATCH}; send them in parts"
        return Checked((), (Refusal(0, "", what),))
    earlier: dict[str, list[Decision]] = {}
    for decision in known:
        earlier.setdefault(folded_id(decision.line_id), []).append(decision)
    found, refused = [], []
    for index, proposal in enumerate(proposals):
        read = _read(proposal, who)
        what = read if isinstance(read, str) else _wrong(read, report, earlier)
        if what:
            line_id = proposal.get("line_id") if isinstance(proposal, Mapping) else ""
            refused.append(Refusal(index, printable(line_id) if isinstance(line_id, str) else "", what))
        elif not isinstance(read, str):
            found.append(read)
    wrong, remarks = _directions(
        [decision for decision in found if decision.style or decision.respelling], report, config
    )
    if wrong:
        at = {id(decision): index for decision, index in zip(found, _kept(proposals, refused), strict=True)}
        refused += [Refusal(at[id(decision)], decision.line_id, what) for decision, what in wrong]
    return Checked(tuple(found), tuple(sorted(refused, key=lambda refusal: refusal.index)), remarks)


def _kept(proposals: Sequence[Any], refused: Sequence[Refusal]) -> list[int]:
    out = {refusal.index for refusal in refused}
    return [index for index in range(len(proposals)) if index not in out]


def _read(proposal: Any, who: str) -> Decision | str:
    """A proposal as a decision, or what is wrong with its shape."""
    if not isinstance(proposal, Mapping):
        return "is no decision: write an object with line_id, take_key and decision"
    unknown = [name for name in proposal if name not in MAX_CHARACTERS]
    if unknown:
        return f"has the unknown field '{printable(str(unknown[0]), 40)}'; known are {', '.join(MAX_CHARACTERS)}"
    cells = {}
    for name, limit in MAX_CHARACTERS.items():
        value = proposal.get(name, "")
        if not isinstance(value, str):
            return f"{name} is no text"
        if len(value) > limit:
            return f"{name} is longer than {limit} characters; shorten it"
        cells[name] = tidy(value)
    if cells["when"] and not _WHEN.fullmatch(cells["when"]):
        return "when is no time; write it as 2026-05-17T12:00:00+02:00, or leave it out"
    cells["who"] = cells["who"] or tidy(who)
    cells["when"] = cells["when"] or now()
    cells["take_key"] = cells["take_key"].lower()
    return Decision(row=0, **cells)


def _wrong(decision: Decision, report: Report, earlier: Mapping[str, Sequence[Decision]]) -> str:
    """Why a decision cannot be taken; empty when it can."""
    kind, key = decision.decision, decision.take_key
    if kind not in KINDS:
        return f"'{printable(kind, 20)}' is no decision; write one of {', '.join(KINDS)}"
    line = report.lines.get(decision.line_id)
    if line is None:
        return "is no line of this report; load the page again, there may have been a new build"
    if not key and kind != "note":
        return f"names no take; say which take to {kind}"
    if key and not _KEY.fullmatch(key):
        return "take_key is no take key: it has 64 digits 0-9 and a-f"
    if kind == "note" and not decision.why:
        return "is an empty note; write something under why"
    if (decision.style or decision.respelling) and kind != "retake":
        return f"has a new direction or respelling, which only a retake can have, not a {kind}"
    if kind == "withdraw":
        mine = earlier.get(folded_id(decision.line_id), ())
        if not any(same_take(key, other.take_key) for other in mine if other.decision != "note" and other.take_key):
            return "has no decision on this take that could be withdrawn"
    elif key and key not in line.takes:
        return f"take {key[:12]} is none of its takes any more; load the page again, there has been a new build"
    if kind == "retake" and line.spoken_by_a_person:
        return "is spoken by a person, whom the build cannot ask for another take; put a new recording in its place"
    return ""


def _directions(
    retakes: Sequence[Decision], report: Report, config: Config
) -> tuple[list[tuple[Decision, str]], tuple[str, ...]]:
    """Respellings that cannot be spoken, and remarks on directions that the voice cannot follow."""
    if not retakes:
        return [], ()
    # Imported here: most batches only accept.
    from replikk.dialogue.desk import read_policies
    from replikk.dialogue.lexicon import read_lexicon
    from replikk.dialogue.voices import read_voices
    from replikk.engines import engine_of

    voices, _ = read_voices(config.dialogue_dir / "voices.yaml", config.engine)
    lexicon, _ = read_lexicon(config.dialogue_dir / "lexicon.tsv", voices.voices)
    placeholders, _ = read_policies(config)
    engine = None
    with contextlib.suppress(ReplikkError):  # its models are not on this machine: the build will remark on directions
        engine = engine_of(config)
    wrong = []
    remarks: dict[str, None] = {}
    seen: dict[tuple[str, str, str], str] = {}
    for retake in retakes:
        line: ReportLine = report.lines[retake.line_id]
        if engine is not None and retake.style:
            remarks.update(dict.fromkeys(map(unfollowed_remark, engine.unfollowed_styles(retake.style))))
        said = (retake.respelling, line.locale, line.voice)
        if retake.respelling and said not in seen:
            respelt = respell(*said, lexicon, placeholders, voices.character_names)
            seen[said] = "; ".join(f"respelling: {what}; {instead}" for what, instead in respelt.problems)
            remarks.update(dict.fromkeys(respelt.remarks))
        if retake.respelling and seen[said]:
            wrong.append((retake, seen[said]))
    return wrong, tuple(remarks)
