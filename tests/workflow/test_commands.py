"""The command ``replikk`` beside the build."""

import json
import subprocess
import sys

import pytest
import soundfile


def replikk(game, *arguments, status=0):
    done = subprocess.run(
        [sys.executable, "-m", "replikk.cli", *map(str, arguments)], cwd=game.root, text=True, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


def judged(game, clip, text):
    """What ``replikk judge`` tells a person, and what it tells a program."""
    command = [sys.executable, "-m", "replikk.cli", "judge", str(clip), "--text", text]
    done = subprocess.run(command, cwd=game.root, text=True, timeout=120, capture_output=True, check=True)
    return done.stderr, json.loads(done.stdout)


def status_of(game):
    return json.loads(replikk(game, "status", "--json"))


def rewrite(game, old, new):
    sheet = game.dialogue / "havn.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.fixture
def built(small_game):
    small_game.make()
    return small_game


def test_before_the_first_build_everything_is_new(small_game):
    status = status_of(small_game)
    assert status["new"] == status["to_make"] == ["havn_001", "havn_002", "skog_001"]
    assert status["estimated_s"] is None
    assert not small_game.takes(), "asking builds nothing"


def test_after_a_build_nothing_is_left(built):
    status = status_of(built)
    assert status["unchanged"] == ["havn_001", "havn_002", "skog_001"]
    assert status["to_make"] == status["new"] == status["changed"] == []
    assert "nothing to be spoken" in replikk(built, "status")


def test_a_changed_line_is_to_be_made_and_a_reverted_one_is_cached(built):
    rewrite(built, "gamle", "nye")
    status = status_of(built)
    assert status["changed"] == status["to_make"] == ["havn_001"]
    assert status["estimated_s"] > 0
    built.make()
    rewrite(built, "nye", "gamle")
    status = status_of(built)
    assert status["changed"] == status["cached"] == ["havn_001"]
    assert status["to_make"] == []


def test_removed_and_cut_lines_are_counted(built):
    (built.dialogue / "skog.csv").unlink()
    built.write_sheet(
        "havn.csv",
        [
            {"id": "havn_001", "text": "Velkommen til den gamle havna.", "voice": "kari", "status": "cut"},
            {"id": "havn_002", "text": "Har du sett nøkkelen min?", "voice": "ola", "style": "stille"},
        ],
    )
    status = status_of(built)
    assert status["removed"] == ["havn_001", "skog_001"]
    assert status["cut"] == ["havn_001"]


def test_clips_of_a_renamed_sheet_move_and_are_not_spoken_again(built):
    (built.dialogue / "havn.csv").rename(built.dialogue / "brygga.csv")
    status = status_of(built)
    assert status["moved"] == ["havn_001", "havn_002"]
    assert len(status["unchanged"]) == 3 and status["to_make"] == status["removed"] == []
    assert "      2  to be moved to another folder  havn_001, havn_002" in replikk(built, "status")
    why = replikk(built, "status", "--why", "havn_001")
    assert "is unchanged" in why and "its clip moves: nb/havn/havn_001.ogg → nb/brygga/havn_001.ogg" in why
    built.make()
    assert built.clips()["havn_001"]["path"] == "nb/brygga/havn_001.ogg"
    assert status_of(built)["moved"] == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (
            lambda game: rewrite(game, "gamle", "nye"),
            "spoken: «Velkommen til den gamle havna.» → «Velkommen til den nye havna.»",
        ),
        (lambda game: rewrite(game, ";kari;", ";kari;trist"), 'style: "" → "trist"'),
        (
            lambda game: (game.voices["kari"]["espeak"].update(pitch=60), game.write_voices()),
            "voice.settings.pitch: 55 → 60",
        ),
        (lambda game: game.configure(seed=1), "seed: 0 → 1"),
    ],
    ids=["text", "style", "voice", "seed"],
)
def test_why_names_the_ingredient_of_the_key_that_changed(built, edit, expected):
    edit(built)
    assert expected in replikk(built, "status", "--why", "havn_001")


def test_why_knows_new_unchanged_cut_and_unknown_lines(built):
    assert "is unchanged" in replikk(built, "status", "--why", "havn_001")
    assert "did you mean 'havn_001'?" in replikk(built, "status", "--why", "havn_01", status=1)


def test_prune_shows_what_nothing_needs_and_deletes_it_only_when_told(built):
    rewrite(built, "gamle", "nye")
    built.make()
    before = built.takes()
    assert "1 takes, 1 clips" in replikk(built, "prune")
    assert built.takes() == before
    replikk(built, "prune", "--delete")
    assert len(before - built.takes()) == 1
    assert replikk(built, "prune") == "the store holds nothing that could go\n"
    assert "Nothing to be done" in built.make()
    assert {clip["take"] for clip in built.clips().values()} <= built.takes()


def test_prune_keeps_what_a_decision_names(built):
    old = built.clips()["havn_001"]["take"]
    built.write_decisions([{"id": "havn_001", "take_key": old, "decision": "accept"}])
    rewrite(built, "gamle", "nye")
    built.make()
    replikk(built, "prune", "--delete")
    assert old in built.takes()


def test_status_why_of_a_row_with_a_placeholder_answers_for_each_of_its_lines(small_game):
    (small_game.dialogue / "placeholders.yaml").write_text("navn: {values: [Nora, Emil]}\n", encoding="utf-8")
    small_game.write_sheet("skog.csv", [{"id": "skog_001", "text": "Hei, {navn}.", "voice": "kari"}])
    told = replikk(small_game, "status", "--why", "skog_001").splitlines()
    assert [line.split()[0] for line in told] == ["[skog_001__nora]", "[skog_001__emil]"]


def test_a_line_that_somebody_has_decided_on_since_is_not_told_as_flagged(game):
    game.write_sheet("skole.csv", [{"id": name, "text": name, "voice": "kari"} for name in ("M", "S")])
    game.make()
    assert status_of(game)["flagged"] == ["M", "S"]
    game.write_decisions([{"id": "M", "take_key": game.clips()["M"]["take"], "decision": "accept"}])
    assert status_of(game)["flagged"] == ["S"]


def test_say_speaks_a_text_without_a_sheet(small_game):
    output = replikk(small_game, "say", "Klokka er 14.30.", "--voice", "kari", "--out", "x.ogg")
    assert "klokka" in output.lower()
    assert "fjorten tretti" in output
    assert soundfile.info(small_game.root / "x.ogg").duration > 0.8
    small_game.write_voices(characters={"Trinse": "kari"})
    assert "Hei" in replikk(small_game, "say", "Hei du.", "--voice", "trinse", "--out", "y.ogg")
    assert "did you mean 'kari'" in replikk(small_game, "say", "Hei", "--voice", "karri", "--out", "y.ogg", status=1)
    assert not small_game.takes(), "a line that is only tried leaves nothing in the store"


def test_say_names_the_nearest_voice(small_game):
    assert "kari" in replikk(small_game, "say", "Hei.", "--voice", "karri", "--out", "x.ogg", status=1)


def test_judge_hears_a_clip_of_the_build_and_tells_a_wrong_text_from_the_right_one(built):
    clip = built.build / "assets" / built.clips()["havn_001"]["path"]
    told, right = judged(built, clip, "Velkommen til den gamle havna.")
    assert right["verdict"]["outcome"] == "pass"
    assert told == "pass: heard «velkommen til den gamle havna»\n"
    told, wrong = judged(built, clip, "Velkommen til den nye byen.")
    assert wrong["verdict"]["outcome"] == "retry"
    assert wrong["verdict"]["reasons"]
    assert told.startswith("retry: heard «velkommen til den gamle havna»\n  ")
    assert "«havna» instead of «byen»" in told


def test_judge_forgives_the_spelling_of_the_games_names_and_of_its_lexicon_as_the_build_does(game):
    game.write_voices(cast_names=["Bjarnhild"])
    (game.dialogue / "lexicon.tsv").write_text("written\tspoken\nTroldheim\tTrollheim\n", encoding="utf-8")
    game.write_sheet("havn.csv", [{"id": "a", "text": "Bjarnhild bor i Troldheim.", "voice": "kari"}])
    game.make()
    _, found = judged(game, game.build / "assets" / game.clips()["a"]["path"], "Bjarnhild bor i Troldheim.")
    assert found["verdict"]["outcome"] == "pass", found["verdict"]
    assert found["evidence"]["respelt_words"] == 1


def test_the_embedded_judge_refuses_audio_of_unknown_origin(built):
    clip = built.build / "assets" / built.clips()["havn_001"]["path"]
    samples, sample_rate_hz = soundfile.read(clip)
    soundfile.write(built.root / "other.wav", samples, sample_rate_hz)
    assert "which engine made it" in replikk(built, "judge", "other.wav", "--text", "Hei.", status=1)
