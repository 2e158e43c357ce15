"""What report.json says, and that it is what its published schema promises."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jiwer
import pytest
from jsonschema import Draft202012Validator
from report_builder import Case, key_of, make_report

from replikk.files import canonical_json
from replikk.report.told import STATES

SCHEMA = json.loads((resources.files("replikk") / "schemas" / "report.schema.json").read_text(encoding="utf-8"))

TEXT = "Båten går klokka halv elleve"

ONE_OF_EACH = [
    Case("a_passed", TEXT),
    Case("b_regenerated", TEXT, "regenerated", [TEXT[:9], TEXT], ["retry", "pass"]),
    Case("c_flagged", TEXT, "flagged", [TEXT[:9], "Båten går klokka"], badness=[3.0, 1.0]),
    Case("d_accepted", TEXT, "accepted"),
    Case("e_locked", TEXT, "locked"),
    Case("f_stale", TEXT, "locked_stale", ["noe helt annet"]),
    Case("g_missing", TEXT, "missing", [None, None]),
    Case("h_drill", "M", "flagged", ["em"], ["human"], line={"drill": True}),
]


def summary_of(cases: list[Case], **more: Any) -> dict[str, Any]:
    return make_report(cases, **more)["summary"]


def test_the_schema_is_a_schema_and_the_report_keeps_to_it() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    data = make_report(
        ONE_OF_EACH,
        exceptions=[{"id": "x", "place": "havn.csv:9", "reason": "cut"}],
        stale_decisions=["[y] has decisions, but there is no such line any more"],
        removed=["gone"],
    )
    Draft202012Validator(SCHEMA).validate(json.loads(canonical_json(data)))


@pytest.mark.parametrize(
    ("what", "value"),
    [("state", "fine"), ("take", "abc"), ("mark", "old"), ("duration_s", "3 s"), ("unheard_of", 1)],
)
def test_the_schema_refuses_what_is_no_line(what: str, value: object) -> None:
    data = make_report([Case("a", TEXT)])
    data["lines"][0][what] = value
    assert list(Draft202012Validator(SCHEMA).iter_errors(data))


def test_the_schema_wants_all_takes_of_a_flagged_line() -> None:
    data = make_report([Case("a", TEXT, "flagged", ["nei"])])
    del data["lines"][0]["takes"]
    assert list(Draft202012Validator(SCHEMA).iter_errors(data))


def test_every_line_is_counted_once() -> None:
    summary = summary_of(ONE_OF_EACH)
    assert [summary[state] for state in STATES] == [1] * len(STATES)
    assert summary["to_hear_once"] == 1
    assert sum(summary[state] for state in STATES) + summary["to_hear_once"] == summary["lines"] == 8
    assert summary["clips"] == 7


def test_a_build_is_shippable_when_nobody_is_waited_for() -> None:
    fine = [case for case in ONE_OF_EACH if case.state in ("passed", "regenerated", "accepted", "locked")]
    assert summary_of(fine)["shippable"] is True
    assert summary_of(fine)["blocking"] == []
    for case in ONE_OF_EACH:
        if case not in fine:
            assert summary_of([*fine, case])["shippable"] is False
            assert summary_of([*fine, case])["blocking"] == [case.id]


def test_what_blocks_a_release_stands_in_the_order_in_which_to_look_at_it() -> None:
    """Stale locks, then missing clips, then what is known to be wrong, the worst first; drills at the end."""
    cases = [
        Case("drill", "A, B, C", "flagged", ["a be se"], ["human"], line={"drill": True}),
        Case("unsure", TEXT, "flagged", [TEXT], ["human"], badness=[9.0]),
        Case("bad", TEXT, "flagged", ["nei"], badness=[1.0]),
        Case("worse", TEXT, "flagged", ["nei"], badness=[2.0]),
        Case("missing", TEXT, "missing", [None]),
        Case("passed", TEXT),
        Case("stale", TEXT, "locked_stale", ["nei"]),
    ]
    assert summary_of(cases)["blocking"] == ["stale", "missing", "worse", "bad", "unsure", "drill"]


@pytest.mark.parametrize(
    ("drill", "outcome", "once"),
    [(True, "human", True), (True, "retry", False), (False, "human", False)],
)
def test_only_a_drill_with_nothing_wrong_is_to_be_heard_once(drill: bool, outcome: str, once: bool) -> None:
    summary = summary_of([Case("a", "M", "flagged", ["em"], [outcome], line={"drill": drill})])
    assert (summary["to_hear_once"], summary["flagged"]) == ((1, 0) if once else (0, 1))


def test_first_takes_and_retries_are_counted_apart() -> None:
    """Best of N never hides: a line that passed with its second take did not pass with its first."""
    cases = [
        Case("a", TEXT),
        Case("b", TEXT),
        Case("c", TEXT, "regenerated", ["Båten går", TEXT], ["retry", "pass"]),
        Case("d", TEXT, "flagged", ["Båten går", "Båten går klokka halv ti"]),
        Case("e", TEXT, "accepted"),
        Case("f", "M", "flagged", ["em"], ["human"], line={"drill": True}),
    ]
    summary = summary_of(cases)
    assert summary["judged"] == 4
    assert summary["first_take_pass_rate"] == 0.5
    assert summary["after_retry_pass_rate"] == 0.75
    assert summary["takes"] == 8
    first, delivered = summary["words"]["first_takes"], summary["words"]["delivered"]
    assert (first["lines"], first["expected"], first["deletions"]) == (4, 20, 6)
    assert first["wer"] == 0.3
    # The accepted line counts where it is delivered, the drill nowhere.
    assert (delivered["lines"], delivered["expected"]) == (5, 25)
    assert (delivered["deletions"], delivered["substitutions"]) == (3, 0)


def test_the_rate_that_others_publish_stands_beside_ours() -> None:
    heard = "båten går klokka 09.30"
    totals = summary_of([Case("a", "Båten går klokka halv ti.", heard=[heard])])["words"]["delivered"]
    assert totals["wer"] == 0
    assert totals["plain_wer"] == round(jiwer.wer("båten går klokka halv ti", "båten går klokka 09 30"), 6) == 0.4
    assert (totals["plain_words"], totals["plain_errors"]) == (5, 2)


def test_the_word_error_rate_can_be_made_again_from_the_lines() -> None:
    data = make_report([Case(f"l{n}", TEXT, "flagged", [" ".join(TEXT.split()[:n])]) for n in range(1, 6)])
    totals = dict.fromkeys(("hits", "substitutions", "deletions", "insertions"), 0)
    for line in data["lines"]:
        for name in totals:
            totals[name] += line["takes"][0]["evidence"]["comparison"][name]
    delivered = data["summary"]["words"]["delivered"]
    assert {name: delivered[name] for name in totals} == totals
    assert delivered["wer"] == round((25 - totals["hits"]) / 25, 6)


def test_an_empty_game_has_no_rates() -> None:
    summary = summary_of([])
    assert summary["shippable"] is True
    assert summary["first_take_pass_rate"] is None
    assert summary["words"]["delivered"]["wer"] is None


def test_a_passed_line_stays_small_and_every_other_line_has_all_its_takes() -> None:
    lines = {line["id"]: line for line in make_report(ONE_OF_EACH)["lines"]}
    assert "takes" not in lines["a_passed"]
    flagged = lines["c_flagged"]["takes"]
    assert [take["key"] for take in flagged] == [key_of("c_flagged", 0), key_of("c_flagged", 1)]
    assert [take["delivered"] for take in flagged] == [False, True]
    assert [take["heard"] for take in flagged] == ["Båten går", "Båten går klokka"]
    assert flagged[0]["path"].startswith("../store/takes/")
    assert lines["g_missing"]["takes"][0]["path"] == ""
    assert lines["g_missing"]["path"] == ""
    assert lines["c_flagged"]["path"] == "../assets/nb/havn/c_flagged.ogg"


def test_new_changed_and_removed_come_from_the_last_delivery() -> None:
    data = make_report([Case("a", TEXT, mark="new"), Case("b", TEXT, mark="changed"), Case("c", TEXT)], removed=["d"])
    assert [line["mark"] for line in data["lines"]] == ["new", "changed", ""]
    assert [data["summary"][name] for name in ("new", "changed", "removed")] == [1, 1, 1]
    assert data["removed"] == ["d"]


def test_a_remark_is_said_once_with_its_lines() -> None:
    often, once = "the voice cannot follow 'sint' and speaks it neutrally", "the cue '(hoster)' was dropped"
    cases = [Case(f"l{n}", TEXT, line={"remarks": (often,) if n else (often, once)}) for n in range(3)]
    assert make_report(cases)["remarks"] == [{"text": often, "ids": ["l0", "l1", "l2"]}, {"text": once, "ids": ["l0"]}]


def test_voices_add_up() -> None:
    cases = [Case("a", TEXT), Case("b", TEXT), Case("c", TEXT, line={"voice": "ola"})]
    data = make_report(cases)
    assert [(voice["voice"], voice["lines"]) for voice in data["voices"]] == [("kari", 2), ("ola", 1)]
    assert sum(voice["duration_s"] for voice in data["voices"]) == pytest.approx(data["summary"]["duration_s"])


def test_equal_builds_give_equal_bytes() -> None:
    assert canonical_json(make_report(ONE_OF_EACH)) == canonical_json(make_report(ONE_OF_EACH))


def test_clips_that_stay_quieter_than_the_others_are_told_in_words_and_not_flagged() -> None:
    data = make_report(
        [
            Case("a", TEXT, gain_limited_db=3.6),
            Case("b", TEXT, gain_limited_db=2.0),
            Case("c", TEXT, gain_limited_db=0.9, line={"remarks": ("'(ler)' is not spoken",)}),
        ]
    )
    assert [(remark["ids"], remark["text"]) for remark in data["remarks"]] == [
        (
            ["a", "b"],
            "quieter than wanted by 2 dB or more: its peaks reach the ceiling before (delivery: ceiling_dbtp; in the "
            "manifest gain_limited_db says how much)",
        ),
        (["c"], "'(ler)' is not spoken"),
    ]
    assert {line["state"] for line in data["lines"]} == {"passed"}
