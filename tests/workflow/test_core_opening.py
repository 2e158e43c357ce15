"""The start of a build: everything that a person wrote is checked before any audio is made, in one clear sentence."""

import datetime
import logging
import shutil
from pathlib import Path

import pytest
from game_folder import PROJECT
from stage_runner import Stages

import replikk
from replikk.commands.status import show_status
from replikk.config import read_config
from replikk.errors import ReplikkError
from replikk.stages.opening import open_build
from replikk.stages.running import EXIT_TOLD, stage_log

SCRIPTS = PROJECT / "scripts"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"thresholds": {"default": {"max_werr": 0.1}}}, "max_werr"),
        ({"delivery": {"target_luffs": -18}}, "target_luffs"),
        ({"judge": "minni"}, "minni"),
        ({"judges": {"mini": {"beam": 3}}}, "beam"),
        ({"engine": "espeek"}, "espeek"),
        ({"thresholds": {"default": {"max_wer": datetime.date(2024, 1, 1)}}}, "thresholds"),
        ({"placeholders": {1: {"skip": True}, "a": {"skip": True}}}, "placeholders"),
        ({"thresholds": {"default": {"max_wer": float("nan")}}}, "thresholds"),
    ],
)
def test_a_wrong_setting_stops_the_build_before_any_audio_is_made(small_game, settings, expected):
    with pytest.raises(ReplikkError, match=expected):
        open_build({**Stages(small_game).settings, **settings}, SCRIPTS)


def test_what_several_rooms_say_of_their_settings_is_told_at_once_by_builds_and_by_status(small_game):
    settings = {
        **Stages(small_game).settings,
        "thresholds": {"default": {"max_werr": 0.1}}, "delivery": {"target_luffs": -18}, "judge": "minni",
    }  # fmt: skip
    for ask in (lambda: open_build(settings, SCRIPTS), lambda: show_status(read_config(settings))):
        with pytest.raises(ReplikkError) as caught:
            ask()
        assert all(word in str(caught.value) for word in ("max_werr", "target_luffs", "minni"))


@pytest.mark.parametrize("there_is_a_folder", [False, True])
def test_a_build_without_dialogue_says_so_and_leaves_nothing(tmp_path, monkeypatch, there_is_a_folder):
    monkeypatch.chdir(tmp_path)
    if there_is_a_folder:
        (tmp_path / "dialogue").mkdir()
    said = "dialogue: holds no dialogue sheet" if there_is_a_folder else "dialogue: there is no such folder"
    with pytest.raises(ReplikkError, match=said):
        open_build({}, SCRIPTS)
    assert [path.name for path in tmp_path.rglob("*")] == (["dialogue"] if there_is_a_folder else [])


def test_a_section_on_the_command_line_says_the_same_as_in_the_file(small_game):
    """``--config 'delivery={mouth_cues: true}'``: Snakemake hands over everything inside the braces as text."""
    game = Stages(small_game).settings
    text = {
        "delivery": {"mouth_cues": "true", "target_lufs": "-20", "sample_rate_hz": "native"},
        "thresholds": {"default": {"max_wer": "0.1"}, "bands": {"1": {"max_misfit_nats": "1e1"}}},
    }
    meant = {
        "delivery": {"mouth_cues": True, "target_lufs": -20, "sample_rate_hz": "native"},
        "thresholds": {"default": {"max_wer": 0.1}, "bands": {"1": {"max_misfit_nats": 10.0}}},
    }
    assert read_config({**game, **text}) == read_config({**game, **meant})
    assert open_build({**game, **text}, SCRIPTS).fingerprints == open_build({**game, **meant}, SCRIPTS).fingerprints


@pytest.mark.parametrize(
    "module", ["stages/judge_takes.py", "stages/judged_lines.py", "stages/voice_doubts.py", "dialogue/styles.py"]
)
def test_verdicts_of_other_code_do_not_stand(small_game, tmp_path, monkeypatch, module):
    """Whatever decides about a verdict, or reads what was remembered of it, is in the fingerprint of its rule."""
    code = tmp_path / "replikk"
    shutil.copytree(Path(replikk.__file__).parent, code, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(replikk, "__file__", str(code / "__init__.py"))
    before = open_build(Stages(small_game).settings, SCRIPTS).fingerprints
    with (code / module).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    after = open_build(Stages(small_game).settings, SCRIPTS).fingerprints
    assert after["judge_takes"] != before["judge_takes"]
    assert after["synthesize_takes"] == before["synthesize_takes"]


def test_a_setting_that_contains_itself_stops_the_build(small_game):
    endless: list = []
    endless.append(endless)
    with pytest.raises(ReplikkError, match="placeholders"):
        open_build({**Stages(small_game).settings, "placeholders": {"a": {"values": endless}}}, SCRIPTS)


@pytest.mark.parametrize("where", ["build_{round}", "dialogue", "dialogue/build"])
def test_a_build_folder_that_cannot_work_is_refused(small_game, where):
    with pytest.raises(ReplikkError, match="build_dir"):
        open_build({**Stages(small_game).settings, "build_dir": str(small_game.root / where)}, SCRIPTS)


def test_a_tuned_setting_changes_the_file_that_its_rules_depend_on_and_no_other(small_game):
    """Snakemake's memory of parameters is beside the build, not in it; a copied build must notice changes too."""
    settings = Stages(small_game).settings
    build = open_build(settings, SCRIPTS)
    before = {rule: Path(path).stat().st_mtime_ns for rule, path in build.settings.items()}
    open_build({**settings, "delivery": {"target_lufs": -20}}, SCRIPTS)
    changed = [rule for rule, path in build.settings.items() if Path(path).stat().st_mtime_ns != before[rule]]
    assert changed == ["package_assets"]


def test_the_report_is_made_again_when_the_form_of_the_decisions_changes(small_game):
    settings = Stages(small_game).settings
    before = open_build(settings, SCRIPTS).fingerprints
    (small_game.dialogue / "decisions.csv").write_text("id;take_key;decision\n")
    now = open_build(settings, SCRIPTS).fingerprints
    assert [rule for rule in now if now[rule] != before[rule]] == ["report_quality"]


def test_a_file_that_cannot_be_read_is_named_without_a_traceback(small_game, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("replikk.dialogue.plan._content", refuse)
    with pytest.raises(ReplikkError, match="Permission denied"):
        open_build(Stages(small_game).settings, SCRIPTS)


def test_a_stage_that_meets_an_unreadable_file_ends_with_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as end, stage_log(str(tmp_path / "a.log")):
        (tmp_path / "gone" / "away").read_bytes()
    assert end.value.code == EXIT_TOLD
    log = (tmp_path / "a.log").read_text()
    assert "gone/away" in log
    assert "Traceback" not in log + capsys.readouterr().err


def test_a_log_on_a_full_disk_does_not_hide_the_message(capsys):
    with pytest.raises(SystemExit), stage_log("/dev/full"):
        logging.getLogger("replikk.x").info("working")
        raise ReplikkError("the disk is full")
    output = capsys.readouterr().err
    assert "the disk is full" in output
    assert "Traceback" not in output


def test_an_empty_cell_is_one_problem_and_not_two(small_game):
    (small_game.dialogue / "tom.csv").write_text("id;text;voice\ntom_1;;kari\ntom_2;Hei;\ntom_3;...;kari\n", "utf-8")
    with pytest.raises(ReplikkError) as caught:
        open_build(Stages(small_game).settings, SCRIPTS)
    said = [line.split("] ", 1)[1] for line in str(caught.value).splitlines() if "tom.csv" in line]
    assert said == [
        "text: is empty; write the text, or set status to cut",
        "voice: is empty; write who speaks",
        "text: holds nothing that can be spoken; write words, or give the row the status cut",
    ]
