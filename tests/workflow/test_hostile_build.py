"""Hostile sheets through the whole build: nothing leaves its folder, nothing runs in a browser or in Excel."""

import csv
import io
import json
import zipfile

import pytest

EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "</script><script>alert(1)</script>",
    "\u202eretni",
    "'\"`&amp;\\u2028",
]


def test_hostile_notes_directions_and_columns_stay_text(game):
    game.write_sheet(
        "a.csv",
        [
            {"id": f"a_{n}", "text": "A", "voice": "kari", "style": evil, "notes": evil, "portrett": evil}
            for n, evil in enumerate(EVIL)
        ],
    )
    game.make()
    page = (game.build / "report" / "index.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert page.count("<script>alert(1)") == 0
    table = (game.build / "report" / "report.csv").read_text(encoding="utf-8-sig")
    for row in csv.reader(io.StringIO(table), delimiter=";"):
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "@", "-"))
    kept = {clip["id"]: clip["extra"]["portrett"] for clip in game.manifest()["clips"]}
    assert kept == {f"a_{n}": evil for n, evil in enumerate(EVIL)}


def test_a_formula_in_a_csv_is_a_problem_and_never_reaches_the_report(game):
    game.write_sheet("a.csv", [{"id": "a_1", "text": "Hei.", "voice": "kari", "notes": "=HYPERLINK(1)"}])
    done = game.run()
    assert done.returncode == 1
    assert "a.csv:2 [a_1] notes: looks like a formula" in done.stdout


@pytest.mark.parametrize(
    "bad_id", ["../../outside", "/etc/passwd", "a/b", "a\\b", "..", "con", "nul.txt", "x" * 300, "a\x07b", "a b", "-rf"]
)
def test_an_id_that_is_no_safe_file_name_stops_the_build(game, bad_id):
    game.write_sheet("a.csv", [{"id": bad_id, "text": "Hei på deg.", "voice": "kari"}])
    done = game.run()
    assert done.returncode == 1
    assert "a.csv:2" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (game.build / "assets").exists()
    assert not list(game.root.parent.glob("outside*"))


@pytest.mark.parametrize("scene", ["../up", "a/b", "nul"])
def test_a_scene_that_is_no_safe_folder_name_stops_the_build(game, scene):
    game.write_sheet("a.csv", [{"id": "a_1", "text": "Hei på deg.", "voice": "kari", "scene": scene}])
    done = game.run()
    assert done.returncode == 1
    assert "[a_1] scene" in done.stdout


def test_yaml_tags_are_refused(small_game):
    voices = small_game.dialogue / "voices.yaml"
    voices.write_text("voices: !!python/object/apply:os.system ['touch pwned']\n", encoding="utf-8")
    done = small_game.run()
    assert done.returncode == 1
    assert "voices.yaml:1" in done.stdout
    assert not (small_game.root / "pwned").exists()


def test_a_zip_bomb_as_a_workbook_is_refused_at_once(small_game):
    with zipfile.ZipFile(small_game.dialogue / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<a>" + b" " * 300_000_000)
    done = small_game.run()
    assert done.returncode == 1
    assert "bomb.xlsx" in done.stdout


def test_a_cell_of_a_million_characters_is_a_problem_not_a_crash(small_game):
    small_game.write_sheet("stor.csv", [{"id": "stor_1", "text": "a" * 1_000_000, "voice": "kari"}])
    done = small_game.run()
    assert done.returncode == 1
    assert "stor.csv:2 [stor_1] text" in done.stdout
    assert len(done.stdout) < 10_000, "the cell itself is not printed"


def test_json_that_reaches_the_page_cannot_end_its_script(game):
    game.write_sheet("a.csv", [{"id": "a_1", "text": "Hei du.", "voice": "kari", "notes": "</script><b>x"}])
    game.make()
    page = (game.build / "report" / "index.html").read_text(encoding="utf-8")
    assert "</script><b>x" not in page
    assert json.loads((game.build / "report" / "report.json").read_bytes())["summary"]["lines"] == 1
