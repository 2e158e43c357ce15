"""Word times, mouth shapes and subtitles beside the clips: right, made once, mended, removed, and never in the way."""

import json

import jsonschema
import numpy as np
import pytest
import soundfile
from game_folder import PROJECT
from stage_runner import Stages

from replikk.commands.prune import prune
from replikk.files import sha256_file
from replikk.stages.damage import note_damage
from replikk.store import Store


@pytest.fixture
def built(small_game):
    small_game.configure(delivery={"mouth_cues": True})
    stages = Stages(small_game)
    stages.all()
    return stages


def files(game):
    """Bytes of everything below the assets that is no audio, by path."""
    root = game.build / "assets"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix != ".ogg"
    }


def times(game):
    return {path: path.stat().st_mtime_ns for path in (game.build / "assets").rglob("*") if path.is_file()}


def words_of(game, clip):
    return json.loads((game.build / "assets" / clip["word_times"]).read_bytes())


def forbid_listening_and_takes(monkeypatch):
    def refused(*_):
        raise AssertionError("audio was read, or listened to")

    monkeypatch.setattr(Store, "load_take", refused)
    monkeypatch.setattr("replikk.stages.clip_words._heard_words", refused)


# What they say ------------------------------------------------------------------------------------------------------


def test_every_clip_has_its_words_in_order_and_the_manifest_names_them(built):
    game = built.game
    manifest = game.manifest()
    jsonschema.validate(manifest, json.loads((PROJECT / "replikk/schemas/manifest.schema.json").read_bytes()))
    for clip in manifest["clips"]:
        content = words_of(game, clip)
        assert (content["id"], content["clip"]) == (clip["id"], clip["path"])
        assert [word["word"] for word in content["words"]] == clip["text"].split()
        at_s = [time for word in content["words"] for time in (word["start_s"], word["end_s"])]
        assert at_s == sorted(at_s)
        assert at_s[0] >= 0
        assert at_s[-1] <= clip["duration_s"]
        mouth = json.loads((game.build / "assets" / clip["mouth_cues"]).read_bytes())
        assert mouth["metadata"]["soundFile"] == f"{clip['id']}.ogg"
        assert mouth["mouthCues"][-1]["end"] == pytest.approx(clip["duration_s"], abs=0.01)
    assert [scene["subtitles"] for scene in manifest["scenes"]] == ["nb/havn/havn.vtt", "nb/skog/skog.vtt"]


@pytest.mark.parametrize("head_ms", [0, 250])
def test_times_are_those_of_the_delivered_clip(game, head_ms):
    """A pause at the start is put before the take, trimming cuts from it: words begin where the sound does."""
    pause = f"[pause={head_ms}/]" if head_ms else ""
    game.write_sheet("havn.csv", [{"id": "a", "text": f"{pause}Har du sett nøkkelen min?", "voice": "kari"}])
    Stages(game).all()
    clip = game.clips()["a"]
    samples, sample_rate_hz = soundfile.read(game.build / "assets" / clip["path"])
    loud = np.flatnonzero(np.abs(samples) > 0.03 * np.abs(samples).max()) / sample_rate_hz
    words = words_of(game, clip)["words"]
    assert words[0]["start_s"] == pytest.approx(loud[0], abs=0.03)
    assert words[-1]["end_s"] == pytest.approx(loud[-1], abs=0.06)
    assert words[0]["start_s"] >= head_ms / 1000 - 0.02


def test_subtitles_hold_the_scene_in_the_order_of_the_sheet(built):
    lines = files(built.game)["nb/havn/havn.vtt"].decode().splitlines()
    assert lines[0] == "WEBVTT"
    assert [line for line in lines if line.startswith("havn_")] == ["havn_001", "havn_002"]
    clip = built.game.clips()["havn_001"]
    start = next(line for line in lines[lines.index("havn_002") :] if "-->" in line).split(" ")[0]
    assert start == f"00:00:{clip['duration_s'] + 0.5:06.3f}"
    second_s = words_of(built.game, clip)["words"][1]["start_s"]
    assert f"<v Kari>Velkommen <00:00:{second_s:06.3f}>til" in "\n".join(lines)


def test_the_shown_words_are_timed_not_their_spoken_spelling(game):
    game.write_sheet("havn.csv", [{"id": "a", "text": "Klokka er 14.30 – kom nå, du & jeg!", "voice": "kari"}])
    Stages(game).all()
    shown = [word["word"] for word in words_of(game, game.clips()["a"])["words"]]
    assert shown[:4] == ["Klokka", "er", "14.30 –", "kom"]
    assert "&amp;" in files(game)["nb/havn/havn.vtt"].decode()


def test_a_recording_that_no_judge_hears_has_its_text_in_the_subtitles_and_no_word_times(small_game):
    small_game.write_sheet(
        "ute.csv", [{"id": "ute_1", "text": "Jeg er et menneske.", "voice": "kari", "status": "external"}]
    )
    recording = small_game.dialogue / "external" / "ute_1.wav"
    recording.parent.mkdir()
    soundfile.write(recording, 0.3 * np.sin(np.arange(24_000) * 0.05), 24_000)
    stages = Stages(small_game)
    stages.all()
    clip = small_game.clips()["ute_1"]
    assert "word_times" not in clip
    assert not (small_game.build / "assets/nb/ute/ute_1.words.json").exists()
    assert "<v Kari>Jeg er et menneske." in files(small_game)["nb/ute/ute.vtt"].decode()
    before = times(small_game)
    stages.package()
    assert times(small_game) == before
    assert note_damage(stages.config) == []


# Made once ----------------------------------------------------------------------------------------------------------


def test_nothing_is_read_or_written_again_for_lines_that_did_not_change(built, monkeypatch):
    before = times(built.game)
    forbid_listening_and_takes(monkeypatch)
    monkeypatch.setattr("replikk.stages.word_files.spoken_words", None)
    built.package()
    assert times(built.game) == before


def test_one_changed_line_touches_its_own_files_and_its_scene(built):
    before = times(built.game)
    built.game.write_sheet("skog.csv", [{"id": "skog_001", "text": "Her er det mørkt og varmt.", "voice": "kari"}])
    built.all()
    touched = {path.name for path, ns in times(built.game).items() if before[path] != ns}
    assert touched == {"skog_001.ogg", "skog_001.words.json", "skog_001.mouth.json", "skog.vtt", "manifest.json"}


def test_switches_change_no_audio_and_need_none(built, monkeypatch):
    game = built.game
    both, clips = files(game), {path: ns for path, ns in times(game).items() if path.suffix == ".ogg"}
    forbid_listening_and_takes(monkeypatch)
    for switches, kept in [
        ({"word_times": False}, set()),
        ({}, {".words.json", ".vtt"}),
        ({"word_times": False, "mouth_cues": True}, {".mouth.json"}),
        ({"mouth_cues": True}, {".words.json", ".vtt", ".mouth.json"}),
    ]:
        game.configure(delivery=switches)
        built.open()
        built.package()
        found = {path: data for path, data in files(game).items() if path != "manifest.json"}
        assert {path[path.index(".") :] for path in found} == kept
        assert found == {path: both[path] for path in found}
    assert files(game) == both
    assert {path: path.stat().st_mtime_ns for path in clips} == clips


def test_other_loudness_encodes_clips_again_and_leaves_word_times_untouched(built, monkeypatch):
    game = built.game
    before = times(game)
    game.configure(delivery={"mouth_cues": True, "target_lufs": -23})
    built.open()
    monkeypatch.setattr("replikk.stages.clip_words._heard_words", None)
    built.package()
    touched = {path.suffix for path, ns in times(game).items() if before[path] != ns}
    assert touched == {".ogg"} | {".json"}  # the clips and the manifest
    assert {path for path, ns in times(game).items() if path.suffix == ".json" and before[path] != ns} == {
        game.build / "assets/manifest.json"
    }


def test_several_workers_write_the_same_bytes(game):
    rows = [{"id": f"a{n}", "text": f"Vi så {n} båter i havna.", "voice": "kari"} for n in range(6)]
    game.write_sheet("a.csv", rows)
    stages = Stages(game)
    stages.all()
    before = files(game)
    (game.build / "store/words.journal").unlink()
    for path in (game.build / "assets").rglob("*.words.json"):
        path.unlink()
    stages.package(workers=2)
    assert files(game) == before


# Mended and removed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("harm", [lambda p: p.unlink(), lambda p: p.write_bytes(b"{}")], ids=["deleted", "overwritten"])
@pytest.mark.parametrize("name", ["havn_001.words.json", "havn_001.mouth.json", "havn.vtt"])
def test_a_damaged_file_is_noticed_and_made_again_from_the_store(built, monkeypatch, name, harm):
    path = built.game.build / "assets/nb/havn" / name
    before, clip = files(built.game), sha256_file(built.game.build / "assets/nb/havn/havn_001.ogg")
    harm(path)
    assert note_damage(built.config) == [str(path)]
    forbid_listening_and_takes(monkeypatch)
    built.package()
    assert files(built.game) == before
    assert sha256_file(built.game.build / "assets/nb/havn/havn_001.ogg") == clip
    assert note_damage(built.config) == []


@pytest.mark.parametrize("lost", ["words", "evidence", "transcripts-*", "*"])
def test_files_whose_sources_the_store_has_lost_are_made_again_all_the_same(built, lost):
    before = files(built.game)
    for journal in (built.game.build / "store").glob("words.journal"):
        journal.unlink()
    for journal in (built.game.build / "store").glob(f"{lost}.journal"):
        journal.unlink()
    for path in (built.game.build / "assets").rglob("*.words.json"):
        path.unlink()
    built.package()
    assert files(built.game) == before


def test_files_go_with_their_line_and_those_of_other_people_stay(built):
    game = built.game
    scene = game.build / "assets/nb/skog"
    others = [scene / "skog_001.ogg.import", scene / "teaser.vtt", game.build / "assets/credits.vtt", scene / "a.json"]
    for path in others:
        path.write_text("mine")
    (game.dialogue / "skog.csv").unlink()
    built.all()
    assert set(scene.iterdir()) == {path for path in others if path.parent == scene}
    assert all(path.exists() for path in others)
    assert [scene["scene"] for scene in game.manifest()["scenes"]] == ["havn"]


def test_half_a_file_of_a_killed_build_is_not_shipped(built):
    """Files are written beside their place under another name; a kill -9 at that moment leaves it there."""
    assets = built.game.build / "assets"
    halves = [
        assets / ".tmp-a_b1c2d3.json",
        *(assets / f"nb/havn/.tmp-ph2xcemo{end}" for end in (".json", ".vtt", ".part")),
    ]
    for path in halves:
        path.write_text("{")
    mine = assets / "nb/havn/.tmp-notes.json"
    mine.write_text("mine")
    built.package()
    assert not any(path.exists() for path in halves)
    assert mine.exists()


def test_prune_forgets_the_words_of_takes_that_are_gone(built):
    game = built.game
    assert len(Store(game.build).journal("words")) == 3
    (game.dialogue / "skog.csv").unlink()
    built.all()
    prune(built.config, remove=True)
    assert len(Store(game.build).journal("words")) == 2
