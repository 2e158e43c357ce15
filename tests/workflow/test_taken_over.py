"""What stages take over from the last build: the same rows as a clean build makes, and nothing that does not stand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from game_folder import Game
from stage_runner import Stages

from replikk.dialogue.plan import read_plan
from replikk.errors import ReplikkError, StoreError
from replikk.stages.manifest import read_clip_rows
from replikk.stages.select_takes import read_selection

ODD = 'Se her: "},{"bytes":1],"delivery":{'
"""A text that looks like the joints of a manifest; the marks are not spoken."""
ROWS = (
    ("a_1", "Båten kommer i morgen tidlig.", "kari"),
    ("a_2", "Nei!", "kari"),
    ("a_3", "Vi venter her til sola står opp.", "ola"),
    ("a_4", ODD, "ola"),
)


def write(game: Game, rows: Sequence[tuple[str, str, str]]) -> None:
    game.write_sheet("a.csv", [dict(zip(("id", "text", "voice"), row, strict=True)) for row in rows])


@pytest.fixture
def built(game: Game) -> Stages:
    write(game, ROWS)
    stages = Stages(game)
    stages.all()
    return stages


def outcome(game: Game) -> dict[str, bytes]:
    """Everything that an incremental build must have in common with a clean one."""
    files = [path for path in sorted((game.build / "assets").rglob("*")) if path.is_file()]
    files += [game.build / "selection.jsonl", game.build / "rounds" / "0" / "verdicts.jsonl"]
    return {path.relative_to(game.build).as_posix(): path.read_bytes() for path in files}


def lines_of_report(game: Game) -> list[dict]:
    return [{**line, "mark": ""} for line in game.report()["lines"]]


EDITS: dict[str, Sequence[tuple[str, str, str]]] = {
    "a word": (*ROWS[:2], ("a_3", "Vi venter her til måla er klar.", "ola"), ROWS[3]),
    "a voice": (("a_1", ROWS[0][1], "ola"), *ROWS[1:]),
    "an id": (("a_9", *ROWS[0][1:]), *ROWS[1:]),
    "the order": ROWS[::-1],
    "the only short line of its voice goes": (ROWS[0], *ROWS[2:]),
    "a short line comes to a voice that had none": (*ROWS, ("a_5", "Ja.", "ola")),
}


@pytest.mark.parametrize("edit", EDITS)
def test_after_an_edit_everything_is_as_in_a_clean_build(built: Stages, edit: str) -> None:
    game = built.game
    write(game, EDITS[edit])
    built.all()
    incremental, lines = outcome(game), lines_of_report(game)
    game.forget_build()
    built.all()
    assert outcome(game) == incremental
    assert lines_of_report(game) == lines


@pytest.mark.parametrize("name", ["judged-0.rows", "packed.rows", "reported.rows"])
@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"?")], ids=["gone", "bad"])
def test_a_memory_that_is_lost_is_made_again(built: Stages, name: str, harm) -> None:  # type: ignore[no-untyped-def]
    game, path = built.game, built.game.build / "store" / name
    before, lines, memory = outcome(game), lines_of_report(game), path.read_bytes()
    harm(path)
    built.all()
    assert (outcome(game), lines_of_report(game), path.read_bytes()) == (before, lines, memory)


def test_a_second_build_touches_no_asset(built: Stages) -> None:
    assets = [path for path in (built.game.build / "assets").rglob("*") if path.is_file()]
    before = {path: path.stat().st_mtime_ns for path in assets}
    built.all()
    assert {path: path.stat().st_mtime_ns for path in assets} == before


@pytest.mark.parametrize("suffix", [".ogg", ".words.json"])
def test_a_file_that_was_overwritten_is_not_taken_for_what_it_was(built: Stages, suffix: str) -> None:
    """Of the same size, and written since the last build."""
    path = next((built.game.build / "assets").rglob(f"a_1{suffix}"))
    before = path.read_bytes()
    path.write_bytes(b"x" * len(before))
    built.package()
    assert path.read_bytes() == before


def test_new_changed_and_removed_lines_are_told_once(built: Stages) -> None:
    game = built.game
    write(game, [("a_1", "Båten kommer i kveld.", "kari"), *ROWS[2:], ("a_6", "Takk skal du ha.", "kari")])
    built.all()
    changes = json.loads((game.build / "changes.json").read_bytes())
    assert changes == {"new": ["a_6"], "changed": ["a_1"], "removed": ["a_2"]}
    assert {line["id"]: line["mark"] for line in game.report()["lines"] if line["mark"]} == {
        "a_6": "new",
        "a_1": "changed",
    }
    built.all()
    assert json.loads((game.build / "changes.json").read_bytes()) == {"new": [], "changed": [], "removed": []}
    assert not any(line["mark"] for line in game.report()["lines"])


def test_a_lost_record_of_the_last_delivery_makes_every_clip_new(built: Stages) -> None:
    (built.game.build / "store" / "delivered.jsonl").unlink()
    built.package()
    assert json.loads((built.game.build / "changes.json").read_bytes())["new"] == [row[0] for row in ROWS]


# Files that are read row by row --------------------------------------------------------------------------------------


def test_the_rows_of_a_manifest_are_its_clips(built: Stages) -> None:
    path = built.game.build / "assets" / "manifest.json"
    rest, rows = read_clip_rows(path)
    whole = json.loads(path.read_bytes())
    assert [json.loads(row) for row in rows] == whole["clips"]
    assert {**rest, "clips": whole["clips"]} == whole
    assert ODD in [clip["text"] for clip in whole["clips"]]


def test_a_manifest_without_clips_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b'{"clips":[],"delivery":{"format":"wav"},"engine":{}}')
    assert read_clip_rows(path) == ({"clips": [], "delivery": {"format": "wav"}, "engine": {}}, [])


@pytest.mark.parametrize("data", [b"", b"{}", b'{"clips":[{"bytes":1}', b"[]", b'{"clips":[],"delivery":{'])
def test_a_manifest_that_was_damaged_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(data)
    with pytest.raises(ReplikkError, match=r"manifest\.json: is not JSON; delete"):
        read_clip_rows(path)


def test_a_selection_is_read_by_id(built: Stages) -> None:
    selection = read_selection(built.selection, read_plan(built.plan))
    assert list(selection) == [row[0] for row in ROWS] and len(selection) == len(ROWS)
    assert [selection[line_id]["id"] for line_id in selection] == list(selection)


@pytest.mark.parametrize("harm", [lambda rows: rows[1:], lambda rows: rows[::-1], lambda rows: [*rows, rows[0]]])
def test_a_selection_of_another_plan_is_refused(built: Stages, harm) -> None:  # type: ignore[no-untyped-def]
    built.selection.write_bytes(b"".join(harm(built.selection.read_bytes().splitlines(keepends=True))))
    with pytest.raises(StoreError, match=r"selection\.jsonl: was damaged"):
        read_selection(built.selection, read_plan(built.plan))
