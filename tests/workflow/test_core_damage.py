"""Files of the build folder that were damaged or deleted by hand, one at a time: mended, or one clear sentence."""

import json
import subprocess

import pytest
from game_folder import PROJECT
from stage_runner import Stages

from replikk.commands.prune import prune
from replikk.dialogue.plan import open_plan, read_plan
from replikk.errors import ReplikkError, StoreError
from replikk.stages.damage import delivered_path, note_damage
from replikk.store import Store


@pytest.fixture
def built(small_game):
    stages = Stages(small_game)
    stages.all()
    return stages


def drop_last_line(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))


# Manifests of rounds and shards that this build does not have any more ---------------------------------------------


@pytest.mark.parametrize("leftover", ["0/takes.7.jsonl", "5/takes.0.jsonl"], ids=["shard", "round"])
def test_takes_that_only_an_earlier_number_of_shards_or_rounds_wanted_are_not_missed(built, leftover):
    path = built.game.build / "rounds" / leftover
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"key": "ab" * 32, "bytes": 1, "sha256": "cd" * 32}) + "\n")
    assert note_damage(built.config) == []


def test_takes_of_leftover_manifests_are_pruned(built):
    store = Store(built.game.build)
    key = "ab" * 32
    record = store.take_record(next(iter(built.game.takes())))
    path = store.take_path(key)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"not needed")
    leftover = built.game.build / "rounds/0/takes.7.jsonl"
    leftover.write_text(json.dumps({"key": key, **record}) + "\n")
    assert prune(built.config).takes == (path,)


def test_half_written_folders_are_pruned_with_all_that_is_in_them(built):
    """A checkpoint, or a release with its two gigabytes, that a kill left half written."""
    half = built.game.build / "training" / "lora" / "released" / ".tmp-half"
    (half / "adapter").mkdir(parents=True)
    (half / "adapter" / "adapter_model.safetensors").write_bytes(b"x" * 1000)
    (half / ".tmp-card.part").write_bytes(b"x" * 10)
    found = prune(built.config)
    assert found.leftovers == (half,) and found.size_bytes == 1010
    prune(built.config, remove=True)
    assert not half.exists() and prune(built.config).leftovers == ()


# Damaged manifests -------------------------------------------------------------------------------------------------


def test_a_garbled_manifest_of_takes_is_dropped_so_that_it_is_made_again(built):
    manifest = built.round(0, "takes.0.jsonl")
    manifest.write_bytes(b"\0" * 100)
    assert note_damage(built.config) == [str(manifest)]
    assert not manifest.exists()


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"{")], ids=["gone", "cut"])
def test_lost_memory_of_what_was_delivered_is_made_again(built, harm):
    path = delivered_path(built.game.build)
    harm(path)
    assert note_damage(built.config) == [str(path)]  # noted in an input of package_assets, which writes it anew
    built.package()
    assert note_damage(built.config) == []


def test_a_manifest_of_takes_that_lacks_some_stops_the_build_and_removes_no_asset(built):
    assets = built.game.assets()
    drop_last_line(built.round(0, "takes.0.jsonl"))
    with pytest.raises(StoreError, match=r"rounds.*delete that folder"):
        for number in range(3):
            if number:
                built.speak(number)
            built.judge(number)
        built.select()
    assert built.game.assets() == assets


def test_verdicts_that_lack_some_stop_the_build(built):
    drop_last_line(built.round(0, "verdicts.jsonl"))
    with pytest.raises(StoreError, match=r"rounds.*\[.*\].*delete that folder"):
        built.select()


@pytest.mark.parametrize("stage", ["package", "report"])
def test_a_selection_that_lacks_lines_stops_the_build(built, stage):
    drop_last_line(built.selection)
    with pytest.raises(StoreError, match=r"selection.jsonl.*delete"):
        getattr(built, stage)()


@pytest.mark.parametrize("name", ["changes.json", "assets/manifest.json"])
def test_garbled_facts_for_the_report_are_named(built, name):
    (built.game.build / name).write_bytes(b"{")
    with pytest.raises(ReplikkError, match=rf"{name}.*delete"):
        built.report()


def test_a_plan_that_lacks_lines_stops_the_build(built):
    drop_last_line(built.plan)
    with pytest.raises(ReplikkError, match=r"lines.jsonl.*delete"):
        read_plan(built.plan)


def test_an_empty_plan_stops_the_build(built):
    built.plan.write_bytes(b"")
    with pytest.raises(ReplikkError, match=r"lines.jsonl.*delete"):
        read_plan(built.plan)


@pytest.mark.parametrize("harm", [drop_last_line, lambda path: path.write_bytes(b"")], ids=["cut", "emptied"])
def test_a_remembered_plan_that_was_damaged_is_made_again(built, harm):
    known = open_plan(built.config)
    harm(known.path)
    again = open_plan(built.config)
    assert again.digest == known.digest
    assert len(read_plan(again.path).lines) == 3


# The store's own files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [None, b"", b"\0\0\0\0", b"garbage\n" * 20])
def test_any_journal_of_the_store_may_be_lost(small_game, content):
    row = {"id": "skole_a", "text": "A", "voice": "kari"}  # a flagged line: the report shows its evidence
    small_game.write_sheet("skole.csv", [row])
    stages = Stages(small_game)
    stages.all()
    build = small_game.build
    names = ("report/report.json", "selection.jsonl", "assets/manifest.json")
    before = {name: (build / name).read_bytes() for name in names}
    changes = (build / "changes.json").read_bytes()
    takes = {path: path.stat().st_mtime_ns for path in (build / "store/takes").glob("??/*.flac")}
    journals = sorted((build / "store").glob("*.journal"))
    assert len(journals) >= 5
    for journal in journals:
        journal.unlink() if content is None else journal.write_bytes(content)
        stages.package()
        (build / "changes.json").write_bytes(changes)  # nothing is new when a game is packaged twice
        stages.report()
        assert {name: (build / name).read_bytes() for name in names} == before, journal.name
    for number in range(3):
        stages.judge(number)
    stages.select()
    assert (build / "selection.jsonl").read_bytes() == before["selection.jsonl"]
    assert {path: path.stat().st_mtime_ns for path in takes} == takes, "a take was made again"


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"synthesize": 3}', b"null"])
def test_damaged_notes_on_speed_harm_nothing(built, content):
    from replikk.commands.status import show_status

    speed = built.game.build / "store/speed.json"
    speed.write_bytes(content)
    built.game.write_sheet("ny.csv", [{"id": "ny_1", "text": "Helt ny.", "voice": "ola"}])
    assert "not known" in show_status(built.config)
    speed.write_bytes(content)
    Store(built.game.build).note_speed("package", 10, 1.0)
    assert json.loads(speed.read_bytes())["package"]["characters"] == 10


# Finished work and the disk ----------------------------------------------------------------------------------------


def test_an_encoded_clip_that_was_damaged_in_the_store_is_encoded_again(built):
    assets = built.game.assets()
    clip = next((built.game.build / "store/clips").glob("??/*"))
    clip.write_bytes(bytes(clip.stat().st_size))
    for asset in (built.game.build / "assets").rglob("*.ogg"):
        asset.unlink()
    built.package()
    assert built.game.assets() == assets


def test_a_clip_that_the_store_lost_is_made_again_when_its_asset_is_lost_too(built):
    assets = {path: path.read_bytes() for path in (built.game.build / "assets").rglob("*.ogg")}
    for clip in (built.game.build / "store/clips").glob("??/*"):
        clip.unlink()
    built.package()  # every asset is in place: nothing is missed
    lost = next(iter(assets))
    lost.unlink()
    built.package()
    assert {path: path.read_bytes() for path in assets} == assets


# The plan ----------------------------------------------------------------------------------------------------------


def test_a_plan_is_written_in_one_step_and_one_that_was_removed_is_missed(built, tmp_path):
    known = built.game.build / "plan" / "known"
    (remembered,) = known.iterdir()
    target = tmp_path / "a folder" / "lines.jsonl"
    target.parent.mkdir()

    def copy(digest):
        script = PROJECT / "scripts" / "plan_lines.sh"
        return subprocess.run(["sh", script, known, f"{digest}.jsonl", target], capture_output=True, text=True)

    assert copy(remembered.name.split(".")[1]).returncode == 0
    assert target.read_bytes() == remembered.read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["lines.jsonl"]
    missing = copy("0" * 32)
    assert missing.returncode == 1
    assert "was removed while the build was starting; run again" in missing.stderr
