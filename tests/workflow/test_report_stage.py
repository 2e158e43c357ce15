"""Rule report_quality: what it takes from the store, what it remembers, and that it says the same twice."""

from __future__ import annotations

import pytest
from stage_runner import Stages

from replikk.store import Store

REPORT = ("index.html", "report.json", "report.csv", "history.jsonl")


@pytest.fixture
def stages(game):
    game.write_sheet(
        "havn.csv",
        [
            {"id": "havn_001", "text": "Velkommen til den gamle havna.", "voice": "kari"},
            {"id": "havn_002", "text": "Har du sett nøkkelen min i dag?", "voice": "ola"},
        ],
    )
    game.configure(engine="faulty", engines={"faulty": {"faults": {"drop_words": 1.0}}})
    stages = Stages(game)
    stages.all()
    return stages


def files(stages) -> dict[str, bytes]:
    return {name: (stages.game.build / "report" / name).read_bytes() for name in REPORT}


def test_takes_to_be_heard_have_outline_words_and_stretches(stages):
    for line in stages.game.report()["lines"]:
        assert line["state"] == "flagged"
        for take in line["takes"]:
            assert len(take["outline"]) > 50
            assert [word[1] for word in take["words"] if word[1]] == [
                step[1] for step in take["evidence"]["comparison"]["alignment"] if step[1]
            ]
            starts = [word[3] for word in take["words"]]
            assert starts == sorted(starts)
            assert take["stretches"] and take["stretches"][0]["label"].startswith(("missing", "wrong", "another"))


def test_the_same_build_is_told_in_the_same_bytes(stages):
    before = files(stages)
    stages.report()
    assert files(stages) == before
    waveforms = stages.game.build / "store" / "waveforms.journal"
    waveforms.unlink()
    stages.report()
    assert files(stages) == before
    assert waveforms.exists()


def test_waveforms_are_drawn_once(stages, monkeypatch):
    from replikk.report import waveforms

    def refuse(*_arguments):
        raise AssertionError("a take was drawn again")

    monkeypatch.setattr(waveforms, "outline", refuse)
    stages.report()


def test_a_take_that_is_gone_from_the_store_has_no_outline_and_harms_nothing(stages):
    (stages.game.build / "store" / "waveforms.journal").unlink()
    key = stages.game.report()["lines"][0]["takes"][0]["key"]
    Store(stages.game.build).forget_take(key)
    stages.report()
    assert stages.game.report()["lines"][0]["takes"][0]["outline"] == ""


def test_history_grows_with_builds_that_make_something_and_with_no_others(stages):
    history = stages.game.build / "report" / "history.jsonl"
    assert history.read_bytes().count(b"\n") == 1
    stages.all()
    assert history.read_bytes().count(b"\n") == 1
    stages.game.write_sheet("skog.csv", [{"id": "skog_001", "text": "Her er det mørkt.", "voice": "kari"}])
    stages.all()
    assert history.read_bytes().count(b"\n") == 2


def test_the_report_names_the_recording_that_a_voice_copies(stages, monkeypatch):
    """Relative to the page, wherever the dialogue lies; the embedded engine copies nobody and names none."""
    assert [voice["reference"] for voice in stages.game.report()["voices"]] == ["", ""]
    from dataclasses import replace

    from replikk.stages import report_quality

    read = report_quality.read_plan

    def with_reference(path):
        plan = read(path)
        audio = str(stages.game.dialogue / "voices" / "kari.wav")
        kari = replace(plan.voices["kari"], reference_audio=audio, reference_transcript="Kom og se!")
        return replace(plan, voices={**plan.voices, "kari": kari})

    monkeypatch.setattr(report_quality, "read_plan", with_reference)
    stages.report()
    kari = stages.game.report()["voices"][0]
    assert kari["reference"] == "../../dialogue/voices/kari.wav"
    assert kari["reference_transcript"] == "Kom og se!"


def test_the_report_of_the_workflow_links_to_the_page(small_game):
    small_game.make()
    small_game.make("--report", "workflow.html")
    assert 'href=\\"build/report/index.html\\"' in (small_game.root / "workflow.html").read_text(encoding="utf-8")
