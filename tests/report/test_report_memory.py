"""What the report remembers between builds: their history, and the last delivery that could be shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from replikk.report.memory import KEPT_BUILDS, SHOWN_BUILDS, note_build, read_history, since_accepted, work_seen
from replikk.store import Store

FACTS = {"lines": 3, "first_take_pass_rate": 0.9}


def work(stage: str, seconds: float, ended: float, gpu: bool = False) -> dict[str, Any]:
    return {"stage": stage, "characters": 10, "seconds": seconds, "ended": ended, "gpu": gpu}


def test_a_build_that_made_nothing_is_none(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    assert note_build(path, [], 0, FACTS, 0, "") == []
    assert not path.exists()


def test_a_build_adds_a_line_and_the_same_work_none(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    store = Store(tmp_path)
    store.note_speed("synthesize", 100, 2.0)
    found, work_to = store.work_since(work_seen(path))
    [entry] = note_build(path, found, work_to, FACTS, 0, "")
    assert (entry["number"], entry["lines"], entry["stages_s"]["synthesize"]) == (1, 3, 2.0)
    before = path.read_bytes()
    found, work_to = store.work_since(work_seen(path))
    assert found == []
    assert note_build(path, found, work_to, FACTS, 0, "") == [entry]
    assert path.read_bytes() == before
    store.note_speed("package", 100, 1.0)
    found, work_to = store.work_since(work_seen(path))
    assert [done["stage"] for done in found] == ["package"]
    assert [entry["number"] for entry in note_build(path, found, work_to, FACTS, 0, "")] == [1, 2]


def test_time_is_counted_once_where_stages_ran_side_by_side(tmp_path: Path) -> None:
    done = [work("synthesize", 10, 110), work("synthesize", 10, 112), work("package", 5, 200)]
    [entry] = note_build(tmp_path / "history.jsonl", done, 1, FACTS, 0, "")
    assert entry["time_s"] == 17.0
    assert entry["stages_s"] == {"synthesize": 20.0, "transcribe": 0.0, "package": 5.0}


@pytest.mark.parametrize(("price", "cost"), [(0, None), (36.0, 0.3)])
def test_only_the_time_of_a_gpu_costs(tmp_path: Path, price: float, cost: float | None) -> None:
    done = [work("synthesize", 30, 100, gpu=True), work("package", 500, 700)]
    [entry] = note_build(tmp_path / "history.jsonl", done, 1, FACTS, price, "kr")
    assert (entry["gpu_s"], entry["cost"], entry["currency"]) == (30.0, cost, "kr")


def test_a_process_without_torch_works_on_no_gpu(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.note_speed("synthesize", 1, 1.0)
    assert [done["gpu"] for done in store.work_since(0)[0]] == [False]


@pytest.mark.parametrize("garbage", [b"\x00\x00\n", b"[]\n", b'{"number": "x"}\n', b'{"num'])
def test_damage_to_the_memory_harms_nothing(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "history.jsonl"
    note_build(path, [work("package", 1, 100)], 7, FACTS, 0, "")
    path.write_bytes(path.read_bytes() + garbage)
    assert [entry["number"] for entry in read_history(path)] == [1]
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "work.jsonl").write_bytes(garbage)
    assert Store(tmp_path).work_since(0)[0] == []
    accepted = tmp_path / "accepted.json"
    accepted.write_bytes(garbage)
    assert since_accepted(accepted, {"a": "1" * 64}, True, 1) is None


def test_a_record_of_work_that_was_made_anew_is_read_from_its_start(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.note_speed("package", 1, 1.0)
    assert len(store.work_since(10_000)[0]) == 1


def test_the_history_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_bytes(b"".join(b'{"number":%d,"work_to":0}\n' % n for n in range(1, KEPT_BUILDS + 1)))
    shown = note_build(path, [work("package", 1, 100)], 1, FACTS, 0, "")
    assert len(shown) == SHOWN_BUILDS and shown[-1]["number"] == KEPT_BUILDS + 1
    assert len(read_history(path)) == KEPT_BUILDS


# Since the last build that could be shipped --------------------------------------------------------------------------


def test_changes_are_told_against_the_last_delivery_that_could_be_shipped(tmp_path: Path) -> None:
    path = tmp_path / "accepted.json"
    first = {"a": "1" * 64, "b": "2" * 64, "c": None}
    second = {"a": "1" * 64, "b": "3" * 64, "d": "4" * 64}
    assert since_accepted(path, first, False, 1) is None  # nobody was content yet
    assert since_accepted(path, first, True, 1) is None  # now they are: there is nothing before it
    told = {"build": 1, "new": ["d"], "changed": ["b"], "removed": []}
    assert since_accepted(path, second, False, 2) == told
    assert since_accepted(path, second, True, 2) == told  # accepted without another take
    assert since_accepted(path, second, True, 2) == told  # the same report made twice is the same
    third = {"a": "1" * 64, "d": "4" * 64}
    assert since_accepted(path, third, False, 3) == {"build": 2, "new": [], "changed": [], "removed": ["b"]}
