"""What a build says on the screen: its own lines, every error, and at the end where the report is."""

import subprocess
import sys
from pathlib import Path

from game_folder import Game

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


def test_the_log_file_has_what_the_screen_leaves_out_and_options_bring_it_back(small_game):
    small_game.make()
    assert all(word in whole_log(small_game) for word in OF_SNAKEMAKE)
    (small_game.build / "report" / "index.html").unlink()
    assert "rule report_quality:" in small_game.make("--dry-run")
    assert "localrule report_quality:" in small_game.make("--printshellcmds")


def test_a_failed_job_is_shown_with_its_log_and_the_place_of_the_whole_log(game):
    game.write_sheet("skole.csv", [{"id": "skole_a", "text": "A", "voice": "kari"}])
    game.configure(strict=True)
    output = game.run().stdout
    assert "Error in rule check_release" in output
    assert "Logfile build/logs/check_release.log" in output
    assert "report: build/report/index.html" in output
    log = next(line for line in output.splitlines() if line.startswith("Complete log(s): "))
    assert Path(log.removeprefix("Complete log(s): ")).is_file()


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


def test_a_game_needs_no_settings_of_its_own_and_its_folder_may_have_any_name(small_game):
    small_game.root = small_game.root.rename(small_game.root.with_name("på øya"))
    small_game.build = small_game.root / "build"
    (small_game.root / "config.yaml").unlink()
    assert small_game.make().splitlines()[-1] == "report: build/report/index.html"
    assert len(small_game.clips()) == 3
    status = [sys.executable, "-m", "replikk.cli", "status"]
    asked = subprocess.run(status, cwd=small_game.root, capture_output=True, text=True, check=False)
    assert "nothing to be spoken" in asked.stdout, asked.stderr
