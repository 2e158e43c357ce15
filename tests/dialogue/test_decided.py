"""What people decided about takes, applied to lines."""

import hashlib

import pytest

from replikk.dialogue.decided import Direction, decide_takes
from replikk.dialogue.decisions import Decision
from replikk.dialogue.take_keys import take_key

LINE = hashlib.sha256(b"a line").hexdigest()
OTHER = hashlib.sha256(b"the line as it was before").hexdigest()


def decision(kind, key):
    return Decision(line_id="havn_001", take_key=key, decision=kind, row=2)


def decide(*decisions, take=1, lock=None, stored=(), rounds=3):
    def stored_take(wanted):
        return next((key for key in stored if key.startswith(wanted)), None)

    return decide_takes(LINE, take, rounds, decisions, lock, stored_take)


def test_without_decisions_a_line_asks_for_one_take_per_round():
    assert decide().takes == tuple(take_key(LINE, 0, n) for n in range(3))


def test_the_take_column_asks_for_another_reading():
    assert decide(take=2).takes == tuple(take_key(LINE, 1, n) for n in range(3))


def test_a_retake_moves_on_to_the_next_reading():
    decided = decide(decision("retake", take_key(LINE, 0, 1)))
    assert decided.takes == tuple(take_key(LINE, 1, n) for n in range(3))
    assert decided.first_reading == 1


def test_a_retake_of_a_reading_that_the_take_column_has_passed_is_not_called_stale():
    decided = decide(decision("retake", take_key(LINE, 0, 1)), take=2)
    assert decided.takes[0] == take_key(LINE, 1, 0)
    assert decided.stale == ()


def test_retakes_of_two_readings_move_on_twice():
    decided = decide(decision("retake", take_key(LINE, 0, 0)), decision("retake", take_key(LINE, 1, 2)))
    assert decided.takes[0] == take_key(LINE, 2, 0)


def test_a_retake_of_a_take_that_the_line_cannot_have_any_more_does_nothing_and_is_reported():
    decided = decide(decision("retake", take_key(OTHER, 0, 0)))
    assert decided.takes[0] == take_key(LINE, 0, 0)
    assert "retake" in decided.stale[0]


@pytest.mark.parametrize(("kind", "state"), [("accept", "accepted"), ("lock", "locked")])
def test_an_accepted_or_locked_take_is_the_only_one_asked_for(kind, state):
    decided = decide(decision(kind, take_key(LINE, 0, 2)))
    assert decided.takes == (take_key(LINE, 0, 2),)
    assert decided.state == state
    assert decided.first_reading == 2  # spoken with the same reading as when it was made
    assert decided.can_be_made


def test_a_decision_may_name_the_beginning_of_a_key():
    assert decide(decision("accept", take_key(LINE, 0, 1)[:12])).takes == (take_key(LINE, 0, 1),)


def test_an_accepted_take_of_another_text_is_not_used_and_is_reported():
    decided = decide(decision("accept", take_key(OTHER, 0, 0)))
    assert decided.state == ""
    assert decided.takes[0] == take_key(LINE, 0, 0)
    assert "the line has changed" in decided.stale[0]


def test_a_locked_take_is_kept_when_its_line_changes():
    key = take_key(OTHER, 0, 0)
    decided = decide(decision("lock", key[:10]), stored=(key,))
    assert decided.takes == (key,)
    assert decided.state == "locked_stale"
    assert not decided.can_be_made


def test_a_sheet_lock_keeps_the_take_the_line_had():
    assert decide(lock=take_key(LINE, 0, 1)) == decide(), "the plan is as it was before: selection keeps the take"
    assert decide(lock=take_key(LINE, 0, 1), rounds=1).takes == (take_key(LINE, 0, 1),)
    assert decide(lock=take_key(LINE, 0, 1), rounds=1).state == "locked"
    key = take_key(OTHER, 0, 0)
    assert decide(lock=key, stored=(key,)).state == "locked_stale"


def test_the_latest_decision_wins():
    decided = decide(decision("accept", take_key(LINE, 0, 0)), decision("accept", take_key(LINE, 0, 2)))
    assert decided.takes == (take_key(LINE, 0, 2),)


def test_a_take_accepted_after_a_retake_wins_over_the_retake():
    first = take_key(LINE, 0, 0)
    decided = decide(decision("retake", first), decision("accept", first))
    assert decided.takes == (first,)


# Retakes with a direction: the line goes on as another version of itself ----------------------------------------------


def key_of(direction):
    """The key of the test's line under a direction, as planning makes it: another text or style is another key."""
    said = (direction.style, direction.respelling)
    return LINE if said == ("", "") else hashlib.sha256(repr(said).encode()).hexdigest()


def directed(key, style="", respelling="", row=2):
    return Decision("havn_001", key, "retake", style=style, respelling=respelling, row=row)


def direct(*decisions, take=1, lock=None, stored=(), rounds=3):
    return decide_takes(
        LINE,
        take,
        rounds,
        decisions,
        lock,
        lambda wanted: next((k for k in stored if k.startswith(wanted)), None),
        key_of,
    )


QUIET = key_of(Direction("stille"))


def test_a_retake_with_a_direction_asks_for_takes_of_the_line_as_directed():
    decided = direct(directed(take_key(LINE, 0, 1), style=" stille "))
    assert decided.takes == tuple(take_key(QUIET, 0, n) for n in range(3))
    assert decided.direction == Direction("stille")
    assert decided.first_reading == 0
    assert decided.line_keys == (LINE, QUIET)
    assert decided.stale == ()


def test_a_direction_goes_on_in_the_retakes_after_it():
    decided = direct(directed(take_key(LINE, 0, 0), style="stille"), decision("retake", take_key(QUIET, 0, 2)))
    assert decided.takes[0] == take_key(QUIET, 1, 0)
    both = Direction("stille", "hei på deg", 3)
    decided = direct(
        directed(take_key(LINE, 0, 0), style="stille"), directed(take_key(QUIET, 0, 2), respelling="hei på deg", row=3)
    )
    assert decided.direction == both
    assert decided.takes[0] == take_key(key_of(both), 0, 0)


def test_a_direction_and_a_respelling_on_two_takes_of_a_line_come_together():
    decided = direct(directed(take_key(LINE, 0, 0), style="stille"), directed(take_key(LINE, 0, 1), respelling="hei"))
    assert (decided.direction.style, decided.direction.respelling) == ("stille", "hei")


def test_of_two_directions_the_last_one_holds():
    decided = direct(directed(take_key(LINE, 0, 0), style="glad"), directed(take_key(LINE, 0, 1), style="stille"))
    assert decided.takes[0] == take_key(QUIET, 0, 0)


def test_who_goes_back_to_an_earlier_direction_gets_a_new_reading_of_it():
    loud = key_of(Direction("rop"))
    decided = direct(
        directed(take_key(LINE, 0, 0), style="stille"),
        directed(take_key(QUIET, 0, 0), style="rop"),
        directed(take_key(loud, 0, 0), style="stille"),
    )
    assert decided.takes[0] == take_key(QUIET, 1, 0)


def test_a_take_of_an_earlier_direction_may_be_accepted_after_all():
    decided = direct(directed(take_key(LINE, 0, 0), style="stille"), decision("accept", take_key(LINE, 0, 1)))
    assert (decided.takes, decided.state) == ((take_key(LINE, 0, 1),), "accepted")
    assert decided.direction == Direction(), "it is spoken as it was"
    decided = direct(directed(take_key(LINE, 0, 0), style="stille"), decision("lock", take_key(QUIET, 0, 1)))
    assert (decided.takes, decided.state) == ((take_key(QUIET, 0, 1),), "locked")
    assert decided.direction == Direction("stille")


def test_a_direction_for_a_line_that_has_changed_since_is_not_followed():
    decided = direct(directed(take_key(OTHER, 0, 0), style="stille"))
    assert decided.takes[0] == take_key(LINE, 0, 0)
    assert decided.direction == Direction()
    assert "no longer fits" in decided.stale[0]


def test_the_take_column_counts_readings_of_the_line_as_directed_too():
    decided = direct(directed(take_key(LINE, 0, 0), style="stille"), take=2)
    assert decided.takes[0] == take_key(QUIET, 1, 0)


def test_a_locked_take_of_a_direction_is_kept_when_the_line_changes():
    locked = take_key(key_of(Direction("en regi fra før")), 0, 0)
    decided = direct(decision("lock", locked))
    assert (decided.takes, decided.state, decided.can_be_made) == ((locked,), "locked_stale", False)
