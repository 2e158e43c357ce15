"""Lines that their sheet calls locked: the take that was good stays, nothing bad becomes good by being locked."""

import json

import pytest
from stage_runner import Stages

from replikk.commands.status import show_status
from replikk.dialogue.decided import locks_path, read_locks
from replikk.dialogue.plan import open_plan
from replikk.errors import ReplikkError
from replikk.store import Store

ROW = {"id": "a_1", "text": "Velkommen hjem igjen.", "voice": "kari", "status": "locked"}


def state(stages):
    return stages.game.selection()["a_1"]["state"]


def take(stages):
    return stages.game.selection()["a_1"]["take"]


@pytest.fixture
def locked(game):
    game.write_sheet("a.csv", [ROW])
    stages = Stages(game)
    stages.all()
    return stages


def test_the_build_after_the_first_one_has_the_same_plan_and_the_same_verdict(locked):
    assert state(locked) == "locked"
    plan, selection = open_plan(locked.config).digest, locked.selection.read_bytes()
    locked.all()
    assert open_plan(locked.config).digest == plan
    assert locked.selection.read_bytes() == selection


def test_a_take_that_nobody_approved_is_not_locked_by_the_sheet(game):
    """A drill, that only a person can judge: the second build must not ship it either."""
    game.write_sheet("a.csv", [{**ROW, "text": "A"}])
    stages = Stages(game)
    stages.all()
    assert state(stages) == "flagged"
    stages.all()
    assert state(stages) == "flagged"
    assert read_locks(game.build) == {}


def test_a_locked_take_stays_when_a_threshold_is_tuned_and_no_other_is_made(locked):
    key, takes = take(locked), locked.game.takes()
    locked.game.configure(thresholds={"default": {"min_characters_per_s": 1, "max_characters_per_s": 2}})
    locked.all()
    assert locked.game.selection()["a_1"]["takes"][0]["outcome"] == "retry"
    assert (state(locked), take(locked)) == ("locked", key)
    assert locked.game.takes() == takes


def test_a_locked_take_stays_when_fewer_rounds_are_asked_for(locked):
    from replikk.dialogue.decided import decide_takes
    from replikk.dialogue.take_keys import take_key

    key = take_key("ab" * 32, 0, 2)
    decided = decide_takes("ab" * 32, 1, 2, (), key, lambda wanted: None)
    assert (decided.takes, decided.state) == ((key,), "locked")


def test_a_retake_of_the_locked_take_is_obeyed(locked):
    old = take(locked)
    locked.game.write_decisions([{"id": "a_1", "take_key": old, "decision": "retake"}])
    locked.all()
    assert take(locked) != old
    new = take(locked)
    locked.all()
    assert (state(locked), take(locked)) == ("locked", new)


def test_a_take_that_a_person_accepted_goes_before_the_one_that_the_sheet_locked(locked):
    from replikk.dialogue.take_keys import take_key

    old = take(locked)
    other = take_key(json.loads(locked.plan.read_text().splitlines()[1])["line_key"], 0, 1)
    locked.game.write_decisions([{"id": "a_1", "take_key": other, "decision": "accept"}])
    locked.all()
    assert (state(locked), take(locked)) == ("accepted", other)
    assert other != old


def test_a_stale_lock_whose_take_is_lost_is_not_forgotten(locked):
    """Otherwise the build after that would speak the new text as if nothing had been locked."""
    key = take(locked)
    locked.game.write_sheet("a.csv", [{**ROW, "text": "Velkommen hit igjen."}])
    locked.all()
    assert state(locked) == "locked_stale"
    Store(locked.game.build).forget_take(key)
    locked.all()
    assert state(locked) == "missing"
    assert read_locks(locked.game.build) == {"a_1": key}


def test_status_tells_of_a_stale_lock_once_and_why_before_and_after_the_build(locked):
    locked.game.write_sheet("a.csv", [{**ROW, "text": "Velkommen hit igjen."}])
    before = show_status(locked.config, why="a_1")
    assert "has changed:" in before and "it is locked: the old take is delivered" in before
    locked.all()
    told = show_status(locked.config)
    assert "1  locked, but the line has changed  a_1" in told and "0  unchanged" in told
    after = show_status(locked.config, why="a_1")
    assert "is locked, and has changed since" in after and "take the lock away" in after


def test_damaged_memory_of_locks_stops_the_build_instead_of_speaking_locked_lines_anew(locked):
    locks_path(locked.game.build).write_bytes(b"{")
    with pytest.raises(ReplikkError, match=r"locks.json.*backup"):
        open_plan(locked.config)
