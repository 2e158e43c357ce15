"""What a build says on the screen: its own lines, every error, and at the end where the report is."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from game_folder import PROJECT, Game

from replikk.screen import BuildScreen
from replikk.stages.check_release import standing

OF_SNAKEMAKE = ("jobid:", "localrule", "Select jobs", "Job stats", "Finished jobid", "steps (")


def whole_log(game: Game) -> str:
    return max((game.root / ".snakemake" / "log").iterdir(), key=lambda path: path.stat().st_mtime).read_text()


def test_a_good_build_is_told_in_a_few_lines_that_end_with_the_report(small_game):
    lines = small_game.make().splitlines()
    assert not [line for line in lines if any(word in line for word in OF_SNAKEMAKE)]
    assert len(lines) < 12
    assert lines[-2:] == ["can be shipped: no line waits for a person (3 in all)", "report: build/report/index.html"]


def test_a_build_with_flagged_lines_ends_with_what_to_do_next(game):
    game.write_sheet("skole.csv", [{"id": f"skole_{name}", "text": name, "voice": "kari"} for name in "AB"])
    assert game.make().splitlines()[-3:] == [
        "cannot be shipped yet: 2 lines wait for a person: skole_A, skole_B",
        "listen and decide: replikk review",
        "report: build/report/index.html",
    ]
    output = game.make("--config", "build_dir=et annet bygg")
    assert "listen and decide: replikk review --build-dir 'et annet bygg'" in output


def test_a_build_with_nothing_to_do_says_where_it_stands(game):
    game.write_sheet("skole.csv", [{"id": "skole_A", "text": "A", "voice": "kari"}])
    game.make()
    *_, nothing, stands, report = game.make().splitlines()
    assert nothing.startswith("Nothing to be done")
    assert stands == "cannot be shipped yet: 1 line waits for a person: skole_A"
    assert report == "report: build/report/index.html"


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"shippable": false}'])
def test_where_a_build_stands_is_left_out_when_no_build_has_said_it(tmp_path, content):
    path = tmp_path / "release.json"
    if content is not None:
        path.write_bytes(content)
    assert standing(path) == ""
    path.write_bytes(b'{"blocking": [], "shippable": true}')
    assert standing(path).startswith("can be shipped: no line waits for a person\nreport: ")


def test_the_log_file_has_what_the_screen_leaves_out_and_options_bring_it_back(small_game):
    small_game.make()
    assert all(word in whole_log(small_game) for word in OF_SNAKEMAKE)
    (small_game.build / "report" / "index.html").unlink()
    assert "rule report_quality:" in small_game.make("--dry-run")
    assert "localrule report_quality:" in small_game.make("--printshellcmds")


def test_a_job_that_says_why_it_failed_says_it_once_and_last(game):
    game.write_sheet("skole.csv", [{"id": "skole_a", "text": "A", "voice": "kari"}])
    game.configure(strict=True)
    done = game.run()
    assert done.returncode == 1
    *_, why, report, log = done.stdout.splitlines()
    assert why.startswith("cannot be shipped yet, and strict is true, so this build fails: 1 line waits for a person")
    assert report == "report: build/report/index.html"
    assert Path(log.removeprefix("Complete log(s): ")).is_file()
    assert done.stdout.count(why) == 1
    assert all(word not in done.stdout for word in ("RuleException", "Error in rule", "Shutting down"))
    assert "Error in rule check_release" in whole_log(game)


def test_a_job_that_breaks_is_shown_with_its_command(small_game, tmp_path, monkeypatch):
    """Python itself ends in that job, before anything could be told."""
    small_game.make()
    (small_game.build / "report" / "index.html").unlink()
    breaks = "import os, sys\nif any(part.endswith('report_quality.py') for part in sys.orig_argv):\n    os._exit(1)\n"
    (tmp_path / "sitecustomize.py").write_text(breaks)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    output = small_game.run().stdout
    assert "Error in rule report_quality" in output
    assert '"$REPLIKK_SCRIPTS"/report_quality.py' in output
    assert "Exiting because a job execution failed" in output
    assert "Complete log(s): " in output


TWO_JOBS = """
from snakemake.logging import logger
from replikk.screen import quieten

SCREEN = quieten(logger.handlers)

onstart:
    SCREEN.jobs_speak_here = True

rule all:
    input: "told", "slow"

rule told:
    output: "told"
    shell: "echo there is no room on the disk >&2; exit 3"

rule slow:
    output: "slow"
    shell: "sleep 2; echo all is well >&2; touch {output}"
"""


def test_a_build_that_went_on_after_a_failed_job_does_not_end_as_if_all_were_well(tmp_path):
    """What the job said stands somewhere above then, between what others had to say."""
    (tmp_path / "Snakefile").write_text(TWO_JOBS)
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2"], cwd=tmp_path, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False, env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    said = done.stdout.splitlines()
    assert done.returncode == 1
    assert said.index("there is no room on the disk") < said.index("all is well")
    assert said[-1] == "At least one job did not complete successfully."
    assert "RuleException" not in done.stdout


COMMAND = "python3 -P scripts/judge_takes.py --round 0"


def of_snakemake(message: str, event: str = "", level: int = logging.ERROR, **extra: object) -> logging.LogRecord:
    record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    record.__dict__.update(extra, **({"event": event} if event else {}))
    return record


def failed(status: str, command: str = COMMAND) -> list[logging.LogRecord]:
    """What Snakemake says of one failed job, in its order."""
    return [
        of_snakemake(f"RuleException:\nCalledProcessError:\nCommand 'set -e; {command}' returned {status}.", "error"),
        of_snakemake("Error in rule judge_takes, jobid: 3", "job_error", shellcmd=command),
    ]


END = of_snakemake("WorkflowError:\nAt least one job did not complete successfully.", "error")
STARTED, FINISHED = (of_snakemake("another job", event, logging.INFO) for event in ("job_started", "job_finished"))
TOLD, CRASHED, KILLED = "non-zero exit status 3", "non-zero exit status 1", "died with <Signals.SIGKILL: 9>"
INTERRUPTED = "non-zero exit status 130"


@pytest.mark.parametrize(
    ("records", "shown"),
    [
        ([*failed(TOLD), END], []),
        ([*failed(INTERRUPTED), END], []),
        ([*failed(CRASHED), END], [0, 1, 2]),
        ([*failed(KILLED), END], [0, 1, 2]),
        ([*failed(TOLD), *failed(CRASHED, "another"), END], [2, 3, 4]),
        ([STARTED, FINISHED, *failed(TOLD), END], []),
        ([*failed(TOLD), STARTED, END], [3]),
        ([*failed(TOLD), FINISHED, END], [3]),
        ([END], [0]),
        ([of_snakemake("something else")], [0]),
    ],
)
def test_only_what_a_job_has_told_itself_is_left_out(records: list[logging.LogRecord], shown: list[int]) -> None:
    screen = BuildScreen()
    screen.jobs_speak_here = True
    assert [number for number, record in enumerate(records) if screen.filter(record)] == shown
    elsewhere = BuildScreen()
    errors = [record for record in records if record.levelno == logging.ERROR]
    assert all(elsewhere.filter(record) for record in errors), "jobs on other machines say nothing here"


def test_what_a_user_can_mend_is_told_without_places_in_the_workflow(small_game):
    small_game.configure(strit=True)
    done = small_game.run()
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == ["Stopped:", "config.yaml: strit: is not a setting; did you mean 'strict'?"]
    assert "Snakefile" not in done.stdout


def test_a_renamed_scene_is_not_told_file_by_file(game):
    rows = [{"id": f"a_{number}", "text": f"Her er nummer {number}.", "voice": "kari"} for number in range(5)]
    game.write_sheet("havn.csv", rows)
    game.make()
    (game.dialogue / "havn.csv").rename(game.dialogue / "brygge.csv")
    [told] = [line for line in game.make().splitlines() if "removed" in line]
    assert told.startswith("build/assets: 11 files removed that nothing needs: nb/havn/a_0.ogg, ")
    assert told.endswith(" and 5 more")


def test_a_folder_of_clips_that_was_deleted_is_not_told_file_by_file(game):
    rows = [{"id": f"a_{number}", "text": f"Her er nummer {number}.", "voice": "kari"} for number in range(5)]
    game.write_sheet("havn.csv", rows)
    game.make()
    shutil.rmtree(game.build / "assets" / "nb" / "havn")
    lines = game.make().splitlines()
    assert sum("was damaged or deleted" in line for line in lines) == 6
    assert "… and 5 more; they are all named in build/store/repairs.jsonl" in lines
    assert len(list((game.build / "assets" / "nb" / "havn").glob("*.ogg"))) == 5


def test_one_file_is_not_called_files(small_game):
    small_game.make()
    (small_game.build / "assets" / "nb" / "havn" / "old.ogg").write_bytes(b"of a line that is gone")
    rows = [{"id": "havn_001", "text": "Velkommen til den nye havna.", "voice": "kari", "style": ""}]
    small_game.write_sheet("havn.csv", rows)
    output = small_game.make()
    assert "build/assets: 3 files removed" in output
    (small_game.build / "assets" / "nb" / "havn" / "old.ogg").write_bytes(b"of a line that is gone")
    small_game.write_sheet("havn.csv", [rows[0] | {"text": "Velkommen til havna."}])
    assert "build/assets: 1 file removed that nothing needs: nb/havn/old.ogg" in small_game.make()


def test_a_game_needs_no_settings_of_its_own_and_its_folder_may_have_any_name(small_game):
    small_game.root = small_game.root.rename(small_game.root.with_name("på øya"))
    small_game.build = small_game.root / "build"
    (small_game.root / "config.yaml").unlink()
    assert small_game.make().splitlines()[-1] == "report: build/report/index.html"
    assert len(small_game.clips()) == 3
    status = [sys.executable, "-m", "replikk.cli", "status"]
    asked = subprocess.run(status, cwd=small_game.root, capture_output=True, text=True, check=False)
    assert "nothing to be spoken" in asked.stdout, asked.stderr
