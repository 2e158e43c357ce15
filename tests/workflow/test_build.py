"""The main job, through real Snakemake: what changed is built, nothing else, and what is bad is flagged."""

import json
import os
import subprocess
import time

import jsonschema
import soundfile
from game_folder import PROJECT


def test_a_game_is_built_from_its_sheets(small_game):
    small_game.make()
    clips = small_game.clips()
    assert list(clips) == ["havn_001", "havn_002", "skog_001"]
    for clip in clips.values():
        assert clip["verdict"] == "passed"
        path = small_game.build / "assets" / clip["path"]
        samples, sample_rate_hz = soundfile.read(path)
        assert abs(len(samples) / sample_rate_hz - clip["duration_s"]) < 0.01
    assert clips["skog_001"]["path"] == "nb/skog/skog_001.ogg"
    assert (small_game.build / "report" / "index.html").exists()
    assert small_game.report()["summary"]["shippable"] is True


def test_the_manifest_is_as_published(small_game):
    small_game.make()
    schema = json.loads((PROJECT / "replikk/schemas/manifest.schema.json").read_bytes())
    jsonschema.validate(small_game.manifest(), schema)


def test_a_second_build_has_nothing_to_do(small_game):
    small_game.make()
    assert "Nothing to be done" in small_game.make()


def test_a_build_with_nothing_to_do_does_not_load_pandas(small_game):
    """Snakemake compares ``params:`` with it, a quarter of a second in every build: no rule of a build has any."""
    small_game.make()
    python, *rest = small_game.command()
    done = subprocess.run(
        [python, "-X", "importtime", *rest], cwd=small_game.root, text=True, capture_output=True, check=True
    )
    assert "Nothing to be done" in done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "snakemake.workflow" in loaded
    assert "pandas" not in loaded


def test_a_setting_that_changed_while_a_build_ran_is_not_lost(small_game):
    """``snakemake -n`` beside a running build writes the files that the rules depend on, older than what it makes."""
    small_game.make()
    small_game.configure(delivery={"target_lufs": -23})
    small_game.run("-n")
    changed = small_game.build / "plan" / "settings" / "package_assets.txt"
    os.utime(changed, (0, 0))
    small_game.make()
    assert small_game.manifest()["delivery"]["target_lufs"] == -23


def test_one_changed_word_makes_one_take_and_touches_one_clip(small_game):
    small_game.make()
    takes, times = small_game.takes(), small_game.modified_ns()
    small_game.write_sheet("skog.csv", [{"id": "skog_001", "text": "Her er det mørkt og varmt.", "voice": "kari"}])
    small_game.make()
    now = small_game.modified_ns()
    assert len(small_game.takes() - takes) == 1
    assert [path for path in now if now[path] != times[path]] == ["nb/skog/skog_001.ogg"]
    assert small_game.clips()["skog_001"]["spoken"] == "Her er det mørkt og varmt."


def test_going_back_to_the_old_text_makes_no_take_and_gives_the_old_bytes(small_game):
    small_game.make()
    before, takes = small_game.assets(), small_game.takes()
    sheet = small_game.dialogue / "skog.csv"
    old = sheet.read_bytes()
    sheet.write_bytes(old.replace(b"kaldt", b"varmt"))
    small_game.make()
    assert small_game.assets() != before
    changed = small_game.takes()
    sheet.write_bytes(old)
    small_game.make()
    assert small_game.assets() == before
    assert small_game.takes() == changed > takes


def test_renaming_moving_and_annotating_rows_makes_no_take(small_game):
    small_game.make()
    takes = small_game.takes()
    small_game.write_sheet(
        "havn.csv",
        [
            {"id": "havn_002", "text": "Har du sett nøkkelen min?", "voice": "ola", "style": "stille", "notes": "ny"},
            {"id": "havn_100", "text": "Velkommen til den gamle havna.", "voice": "kari", "style": "", "notes": ""},
        ],
    )
    small_game.make()
    assert small_game.takes() == takes
    assert set(small_game.clips()) == {"havn_002", "havn_100", "skog_001"}
    assert not (small_game.build / "assets/nb/havn/havn_001.ogg").exists()


def test_a_removed_scene_disappears_with_its_folder(small_game):
    small_game.make()
    (small_game.dialogue / "skog.csv").unlink()
    small_game.make()
    assert set(small_game.clips()) == {"havn_001", "havn_002"}
    assert not (small_game.build / "assets/nb/skog").exists()


def test_two_lines_that_say_the_same_share_a_take(game):
    same = {"text": "Ja, gjerne det.", "voice": "kari"}
    game.write_sheet("a.csv", [{"id": "a_1", **same}, {"id": "a_2", **same}])
    game.make()
    assert len(game.takes()) == 1
    assert len(game.clips()) == 2


def test_silence_before_the_first_word_is_added_to_the_clip_and_asked_of_no_voice(game):
    text = "Jeg vet ikke hva jeg skal si om det."
    rows = [("plain", text), ("waits", "{w=0.7}" + text), ("waits_twice", "{w=0.4}{w=0.6}" + text)]
    game.write_sheet("pauses.csv", [{"id": name, "text": said, "voice": "kari"} for name, said in rows])
    game.make()
    clips = game.clips()
    assert len(game.takes()) == 1
    assert {clip["verdict"] for clip in clips.values()} == {"passed"}
    plain_s = clips["plain"]["duration_s"]
    for name, pause_s in (("waits", 0.7), ("waits_twice", 1.0)):
        samples, sample_rate_hz = soundfile.read(game.build / "assets" / clips[name]["path"])
        assert abs(samples[: int(pause_s * 0.95 * sample_rate_hz)]).max() < 0.003  # -50 dBFS: codecs are not silent
        assert 0.9 * pause_s < clips[name]["duration_s"] - plain_s < pause_s + 0.05


def test_a_touched_sheet_changes_nothing(small_game):
    small_game.make()
    os.utime(small_game.dialogue / "havn.csv")
    assert "Nothing to be done" in small_game.make()


def test_bad_sheets_stop_the_build_at_once_with_every_problem(game):
    game.write_sheet(
        "havn.csv",
        [
            {"id": "havn_001", "text": "Hei på deg.", "voice": "karri"},
            {"id": "HAVN_001", "text": "Hei igjen.", "voice": "kari"},
            {"id": "havn_003", "text": "Hei, {player_name}!", "voice": "kari"},
            {"id": "havn_004", "text": "", "voice": "kari"},
        ],
    )
    start_s = time.monotonic()
    done = game.run()
    assert done.returncode == 1
    assert time.monotonic() - start_s < 30  # no audio, no model: the limit is only for a hang
    for expected in (
        "havn.csv:2 [havn_001] voice",
        "kari",
        "havn.csv:3 [HAVN_001] id",
        "havn.csv:4 [havn_003] text",
        "player_name",
        "havn.csv:5 [havn_004] text",
    ):
        assert expected in done.stdout
    assert "Traceback" not in done.stdout
    assert not game.takes()


def test_a_game_whose_rows_are_all_cut_is_not_said_to_have_none(game):
    game.write_sheet("cut.csv", [{"id": "a_1", "text": "Hei!", "voice": "kari", "status": "cut"}])
    done = game.run()
    assert done.returncode == 1
    assert "holds rows that are cut or skipped, and no others; take the status from one of them" in done.stdout


def test_another_game_in_another_place_is_built_with_the_same_checkout(small_game, tmp_path):
    build = tmp_path / "elsewhere" / "out"
    small_game.dialogue.rename(tmp_path / "my_game")
    done = small_game.run("--config", f"dialogue_dir={tmp_path / 'my_game'}", f"build_dir={build}")
    assert done.returncode == 0, done.stdout
    assert (build / "assets" / "nb" / "havn" / "havn_001.ogg").exists()


def test_several_cores_give_the_same_bytes(small_game):
    small_game.make()
    one = small_game.assets()
    small_game.forget_build()
    small_game.configure(shards=2)
    small_game.make(cores=2)
    assert small_game.assets() == one


def test_a_drill_goes_to_a_person_once_and_stays_accepted(game):
    game.write_sheet(
        "skole.csv",
        [{"id": "skole_a", "text": "A", "voice": "kari"}, {"id": "skole_tell", "text": "en, to, tre", "voice": "ola"}],
    )
    game.make()
    assert {clip["verdict"] for clip in game.clips().values()} == {"flagged"}
    assert all(len(record["takes"]) == 1 for record in game.selection().values()), "a human verdict is not retried"
    takes = game.takes()
    game.write_decisions(
        [{"id": i, "take_key": clip["take"], "decision": "accept"} for i, clip in game.clips().items()]
    )
    game.make()
    assert {clip["verdict"] for clip in game.clips().values()} == {"accepted"}
    assert game.takes() == takes
    assert game.report()["summary"]["shippable"] is True


def test_the_release_switch_fails_the_build_but_leaves_the_report(game):
    game.write_sheet("skole.csv", [{"id": "skole_a", "text": "A", "voice": "kari"}])
    game.configure(strict=True)
    done = game.run()
    assert done.returncode == 1
    assert "skole_a" in done.stdout
    assert game.report()["summary"]["blocking"] == ["skole_a"]
    game.write_decisions([{"id": "skole_a", "take_key": game.clips()["skole_a"]["take"], "decision": "accept"}])
    game.make()


def test_a_retake_makes_another_take(small_game):
    small_game.make()
    old = small_game.clips()["havn_001"]
    small_game.write_decisions([{"id": "havn_001", "take_key": old["take"], "decision": "retake"}])
    small_game.make()
    new = small_game.clips()["havn_001"]
    assert new["take"] != old["take"]
    assert new["sha256"] != old["sha256"]
    assert old["take"] in small_game.takes(), "the old take stays in the store"


def test_a_locked_line_that_changed_keeps_its_take_and_is_listed_first(small_game):
    small_game.make()
    old = small_game.clips()["skog_001"]
    small_game.write_decisions([{"id": "skog_001", "take_key": old["take"], "decision": "lock"}])
    sheet = small_game.dialogue / "skog.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("kaldt", "varmt"), encoding="utf-8")
    small_game.make()
    now = small_game.clips()["skog_001"]
    assert now["take"] == old["take"]
    assert now["verdict"] == "locked_stale"
    assert small_game.report()["summary"]["blocking"][0] == "skog_001"


def test_a_line_locked_in_the_sheet_keeps_the_take_it_had(game):
    row = {"id": "a_1", "text": "Velkommen hjem igjen.", "voice": "kari", "status": "locked"}
    game.write_sheet("a.csv", [row])
    game.make()
    take = game.clips()["a_1"]["take"]
    game.write_sheet("a.csv", [{**row, "text": "Velkommen hit igjen."}])
    game.make()
    assert game.clips()["a_1"]["take"] == take
    assert game.clips()["a_1"]["verdict"] == "locked_stale"


def test_locking_a_line_in_the_sheet_leaves_nothing_to_do_for_the_next_build(game):
    game.write_sheet("a.csv", [{"id": "a_1", "text": "Velkommen hjem igjen.", "voice": "kari", "status": "locked"}])
    game.make()
    assert game.clips()["a_1"]["verdict"] == "locked"
    assert "Nothing to be done" in game.make()


def test_a_stale_locked_take_that_is_gone_stops_the_build_with_one_sentence(small_game):
    small_game.make()
    take = small_game.clips()["skog_001"]["take"]
    small_game.write_decisions([{"id": "skog_001", "take_key": take, "decision": "lock"}])
    sheet = small_game.dialogue / "skog.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("kaldt", "varmt"), encoding="utf-8")
    small_game.forget_build()
    done = small_game.run()
    assert done.returncode == 1
    assert f"decisions.csv:2 [skog_001] decision: the locked take {take[:12]} of line skog_001" in done.stdout


def test_a_human_recording_is_packaged_and_said_to_be_one(small_game):
    small_game.make()
    recording = small_game.dialogue / "external" / "nb" / "skog_001.wav"
    recording.parent.mkdir(parents=True)
    samples, sample_rate_hz = soundfile.read(small_game.build / "assets" / small_game.clips()["havn_001"]["path"])
    soundfile.write(recording, samples, sample_rate_hz)
    row = {"id": "skog_001", "text": "Her er det mørkt og kaldt.", "voice": "kari", "status": "external"}
    small_game.write_sheet("skog.csv", [row])
    small_game.make()
    clip = small_game.clips()["skog_001"]
    assert clip["synthetic"] is False
    assert clip["verdict"] == "passed"


def test_rows_in_are_clips_out_and_named_exceptions(game):
    game.configure(placeholders={"name": {"values": ["Nora", "Emil"]}, "secret": {"skip": True}})
    game.write_sheet(
        "a.csv",
        [
            {"id": "a_1", "text": "Hei, {name}!", "voice": "kari", "status": ""},
            {"id": "a_2", "text": "Dette er kuttet.", "voice": "kari", "status": "cut"},
            {"id": "a_3", "text": "Koden er {secret}.", "voice": "kari", "status": ""},
        ],
    )
    game.make()
    manifest = game.manifest()
    assert manifest["rows"] == 3
    assert [clip["id"] for clip in manifest["clips"]] == ["a_1__nora", "a_1__emil"]
    assert [exception["id"] for exception in manifest["exceptions"]] == ["a_2", "a_3"]


def test_a_tuned_threshold_judges_again_without_speaking_or_listening_again(small_game):
    small_game.make()
    takes = small_game.takes()
    journals = list((small_game.build / "store").glob("transcripts-*.journal"))
    heard = [journal.read_bytes() for journal in journals]
    small_game.configure(thresholds={"default": {"max_wer": 0.0}})
    small_game.make()
    assert small_game.takes() == takes
    assert [journal.read_bytes() for journal in journals] == heard


def test_placeholders_may_be_filled_in_beside_the_sheets_and_the_settings_win(game):
    (game.dialogue / "placeholders.yaml").write_text("name: {values: [Nora, Emil]}\nsted: {substitute: havna}\n")
    game.configure(placeholders={"name": {"substitute": "venn"}})
    game.write_sheet("a.csv", [{"id": "a_1", "text": "Hei, {name}, velkommen til {sted}.", "voice": "kari"}])
    game.make()
    assert {clip["id"]: clip["spoken"] for clip in game.clips().values()} == {"a_1": "Hei, venn, velkommen til havna."}


def test_a_broken_voices_file_is_the_one_thing_to_mend(small_game):
    (small_game.dialogue / "voices.yaml").write_text("voices:\n\tkari: {}\n")
    done = small_game.run()
    assert done.returncode == 1
    assert "1 problem in the dialogue files" in done.stdout
    assert "voices.yaml:2" in done.stdout


def test_switches_may_be_given_on_the_command_line(game):
    game.write_sheet("skole.csv", [{"id": "skole_a", "text": "A", "voice": "kari"}])
    done = game.run("--config", "strict=true")
    assert done.returncode == 1
    assert "1 line waits for a person: skole_a" in done.stdout
    assert json.loads((game.build / "release.json").read_bytes()) == {"blocking": ["skole_a"], "shippable": False}
