"""Takes that several lines share, takes of changed recordings, decisions that are written a little otherwise."""

import numpy as np
import soundfile
from stage_runner import Stages

from replikk.dialogue.plan import open_plan, read_plan
from replikk.stages.transcribe_takes import transcripts
from replikk.store import Store

OLD, NEW = "Her er det mørkt og kaldt.", "Nå drar vi hjem til bestemor."


def heard(stages, key):
    from replikk.judges import make_judge

    return transcripts(Store(stages.game.build), make_judge("mini", {})).get(key)


def lock_and_change(game):
    """A line locked by decision and then rewritten; returns its old take and the stages."""
    game.write_sheet("a.csv", [{"id": "a_1", "text": OLD, "voice": "kari"}])
    stages = Stages(game)
    stages.all()
    take = game.selection()["a_1"]["take"]
    game.write_decisions([{"id": "a_1", "take_key": take, "decision": "lock"}])
    game.write_sheet("a.csv", [{"id": "a_1", "text": NEW, "voice": "kari"}])
    return take, stages


def forget_transcripts(game):
    """As after a new version of the judge."""
    for journal in (game.build / "store").glob("*.journal"):
        if journal.name.startswith(("transcripts", "evidence", "verdicts")):
            journal.unlink()


def test_a_stale_locked_take_is_judged_by_its_own_text_again_when_the_text_comes_back(game):
    take, stages = lock_and_change(game)
    margin = heard(stages, take)["margin"]
    forget_transcripts(game)
    stages.all()
    assert game.selection()["a_1"]["state"] == "locked_stale"
    game.write_decisions([])
    game.write_sheet("a.csv", [{"id": "a_1", "text": OLD, "voice": "kari"}])
    stages.all()
    assert game.selection()["a_1"] | {"takes": None} == {
        "id": "a_1", "state": "passed", "take": take, "outcome": "pass", "takes": None,
    }  # fmt: skip
    assert heard(stages, take)["margin"] == margin


def test_a_line_that_says_what_a_locked_line_said_is_not_judged_by_the_new_text_of_that(game):
    take, stages = lock_and_change(game)
    game.write_sheet("b.csv", [{"id": "b_1", "text": OLD, "voice": "kari"}])
    forget_transcripts(game)
    stages.all()
    assert game.selection()["b_1"]["state"] == "passed"
    assert game.selection()["b_1"]["take"] == take


def test_a_take_is_made_for_the_line_that_can_make_it_although_a_locked_one_shares_it(game):
    take, stages = lock_and_change(game)
    game.write_sheet("b.csv", [{"id": "b_1", "text": OLD, "voice": "kari"}])
    stages.all()
    Store(game.build).forget_take(take)
    stages.all()
    assert {line["take"] for line in game.selection().values()} == {take}
    assert game.selection()["a_1"]["state"] == "locked_stale"


def test_a_recording_that_changes_while_the_build_runs_is_not_kept_under_the_name_of_the_old_one(game):
    path = game.dialogue / "external" / "a_1.wav"
    path.parent.mkdir()
    tone = 0.3 * np.sin(np.arange(22_050) / 8)
    soundfile.write(path, tone, 22_050)
    game.write_sheet("a.csv", [{"id": "a_1", "text": OLD, "voice": "kari", "status": "external"}])
    stages = Stages(game)
    stages.open()
    (planned,) = read_plan(stages.plan).lines
    soundfile.write(path, tone[::-1] / 2, 22_050)
    stages.speak(0)
    assert Store(game.build).take_record(planned.takes[0]) is None
    assert "changed" in stages.round(0, "takes.0.jsonl").read_text(encoding="utf-8")


def test_an_id_in_other_case_in_the_decisions_is_the_same_line(game):
    game.write_sheet("a.csv", [{"id": "skole_a", "text": "A", "voice": "kari"}])
    stages = Stages(game)
    stages.all()
    take = game.selection()["skole_a"]["take"]
    game.write_decisions([{"id": "Skole_A", "take_key": take, "decision": "accept"}])
    plan = read_plan(open_plan(stages.config).path)
    assert plan.lines[0].state == "accepted"
    assert plan.stale_decisions == ()


def test_what_a_round_says_adds_up(game, caplog):
    """The last take that a line gets is not said to be tried again."""
    caplog.set_level("INFO", "replikk")
    game.write_sheet("a.csv", [{"id": "a_1", "text": "Vi seiler til den lille øya i morgen.", "voice": "kari"}])
    game.configure(engine="faulty", engines={"faulty": {"faults": {"stop_early": 1.0}, "timeout_s": 5}}, max_rounds=2)
    Stages(game).all()
    said = [message for message in caplog.messages if "passed" in message]
    assert said == [
        "round 0: 0 passed, 1 to be tried again, 0 for a human ear",
        "round 1: 0 passed, 0 to be tried again, 0 for a human ear, 1 not tried any more",
    ]
