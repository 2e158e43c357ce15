"""A plan that was read is the plan that was written, whichever part of a line is looked at first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from replikk.dialogue.plan import Plan, PlannedLine, plan_bytes, read_plan
from replikk.dialogue.plan_rows import TakeLines, index_of, joined, line_bytes
from replikk.dialogue.records import Line, Segment, Voice
from replikk.errors import ReplikkError


def line(line_id: str, **values: object) -> Line:
    text = str(values.pop("text", "Hei, «du»!"))
    base = Line(
        id=line_id, file="havn.csv", row=2, source_id=line_id, scene="havn", locale="nb", voice="kari", character="",
        style="", text=text, display=text, segments=(Segment(text),),
    )  # fmt: skip
    return replace(base, **values)  # type: ignore[arg-type]


LINES = (
    PlannedLine(line("a"), "k1", ("t1", "t2"), 0, "", True),
    PlannedLine(line("b", status="locked", voice="ola"), "k2", ("t3",), 0, "locked_stale", False),
    PlannedLine(line("c", drill=True, text='B, "b"},{"bytes":1'), "k3", ("t4", "t5"), 1, "", True),
    PlannedLine(line("d", extra={'"line":{': "},"}), "k4", ("t6",), 0, "accepted", True, "external/d.wav", ("k5",)),
)


def plan_of(lines: tuple[PlannedLine, ...]) -> Plan:
    voices = {name: Voice(name, name.title(), {}) for name in ("kari", "ola")}
    return Plan(lines, voices, ("Nora",), "espeak", "espeak 1", 0, len(lines), (), ())


def written(path: Path, lines: tuple[PlannedLine, ...] = LINES) -> Plan:
    path.write_bytes(plan_bytes(plan_of(lines), index_of(lines), map(line_bytes, lines)))
    return read_plan(path)


def test_lines_and_index_come_back(tmp_path: Path) -> None:
    plan = written(tmp_path / "plan.jsonl")
    assert tuple(plan.lines) == LINES
    assert plan.index == index_of(LINES)
    assert [plan.lines[number] for number in (3, -1)] == [LINES[3]] * 2
    assert list(plan.lines[1:3]) == list(LINES[1:3])
    assert plan.line_rows == [line_bytes(planned)[:-1] for planned in LINES]
    assert plan_of(LINES).line_rows == plan.line_rows


def test_a_game_without_lines(tmp_path: Path) -> None:
    plan = written(tmp_path / "plan.jsonl", ())
    assert len(plan.lines) == 0 and list(plan.index.ids) == []


def test_lines_apart_are_recordings_and_drills() -> None:
    assert list(index_of(LINES).apart) == [False, False, True, True]


def test_the_index_of_sheets_one_after_the_other_is_that_of_all_lines() -> None:
    assert joined([index_of(LINES[:1]), index_of(()), index_of(LINES[1:])]) == index_of(LINES)


def test_only_what_a_sheet_calls_locked_is_locked_to_a_take() -> None:
    index, locks = index_of(LINES), {"a": "t1", "b": "t3"}
    assert [index.locked_take(number, locks) for number in range(4)] == [None, "t3", None, None]
    assert index.locked_take(1, {"b": "t9"}) is None, "of an earlier text"


def test_a_take_is_said_by_a_line_that_can_make_it(tmp_path: Path) -> None:
    stale = replace(LINES[1], takes=("t1",))
    for lines in ((stale, LINES[0]), (LINES[0], stale)):
        saying = TakeLines(lines, index_of(lines), ["t1", "t2", "t9"])
        assert saying["t1"].line.id == "a"
        assert set(saying) == {"t1", "t2"} and "t3" not in saying and len(saying) == 2


def test_a_file_of_an_earlier_version_has_no_index(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    written(path)
    head, *rows = path.read_bytes().split(b"\n")
    start, end = head.index(b'"index":'), head.index(b'"lines":')
    path.write_bytes(b"\n".join([head[:start] + head[end:], *rows]))
    assert read_plan(path).index == index_of(LINES)


@pytest.mark.parametrize("harm", [lambda data: data[:-40] + b"\n", lambda data: data.replace(b'"id":"b"', b'"id":"b')])
def test_a_row_that_was_damaged_is_named(tmp_path: Path, harm) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "plan.jsonl"
    written(path)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(ReplikkError, match=r"lines\.jsonl:[35]: is not JSON; delete the file"):
        list(read_plan(path).lines)
