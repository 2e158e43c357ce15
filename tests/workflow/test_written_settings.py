"""What is wrong with a setting is told of the place where the user wrote it."""

from pathlib import Path

import pytest
from game_folder import Game

from replikk import cli
from replikk.config import load_config
from replikk.errors import ReplikkError
from replikk.written_settings import Place, keep_places, kept_places, name_places

PROJECT = Path(__file__).parents[2]
PLACES = [
    Place("config.yaml", {"judge": "mini", "thresholds": {"cer": 0.1}, "delivery": {"format": "wav"}}),
    Place("norsk.yaml", {"judge": "nb-whisper", "judges": {"nb-whisper": {"device": "cuda"}}, "delivery": {"x": 1}}),
    Place("--config", {"seed": "x", "placeholders": {"mc": 1}}),
]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("config.yaml: seed: is 'x'", "--config: seed: is 'x'"),
        ("config.yaml: judge: is x", "norsk.yaml: judge: is x"),
        ("config.yaml: judges.nb-whisper.device: is cuda", "norsk.yaml: judges.nb-whisper.device: is cuda"),
        ("config.yaml: judges.nb-whisper.model: is x", "norsk.yaml: judges.nb-whisper.model: is x"),
        ("check the url (config.yaml: judges.nb-whisper)", "check the url (norsk.yaml: judges.nb-whisper)"),
        ("config.yaml: thresholds: there is no 'x' here", "config.yaml: thresholds: there is no 'x' here"),
        ("config.yaml placeholders.mc: is wrong", "--config placeholders.mc: is wrong"),
        ("config.yaml: delivery.format: is x", "config.yaml: delivery.format: is x"),
        ("config.yaml: delivery: is odd", "config.yaml or norsk.yaml: delivery: is odd"),
        ("config.yaml: shards: is odd", "config.yaml: shards: is odd"),
        ("a.csv:2 text: say so in config.yaml or placeholders.yaml", None),
    ],
)
def test_the_topmost_place_that_has_the_setting_is_named(said: str, told: str | None) -> None:
    assert name_places(said, PLACES) == (told or said)


def test_jobs_know_the_places_too(tmp_path) -> None:
    keep_places(tmp_path, PLACES)
    assert kept_places(tmp_path / "config.json") == PLACES
    assert kept_places(tmp_path / "elsewhere" / "config.json") == []


@pytest.mark.parametrize("target", ["models", "corpus", "train"])
def test_jobs_of_other_targets_do_not_take_the_places_of_the_last_build(small_game: Game, target: str) -> None:
    mini = (PROJECT / "config" / "mini.yaml").read_bytes()
    for name in ("first.yaml", "second.yaml"):
        (small_game.root / name).write_bytes(mini)
    small_game.run("--configfile", "first.yaml", "-n", "corpus")
    output = small_game.run("--configfile", "second.yaml", "-n", target).stdout
    kept = kept_places(small_game.root / "build" / "mini" / "plan" / "config.json")
    assert [place.name for place in kept] == ["config.yaml", "second.yaml", "--config"], output


def test_places_hold_what_settings_may_hold(tmp_path) -> None:
    """``--config 'placeholders={0: to}'``: YAML makes a number of the name."""
    keep_places(tmp_path, [Place("--config", {"placeholders": {0: "to"}})])
    assert kept_places(tmp_path / "config.json") == [Place("--config", {"placeholders": {"0": "to"}})]


def test_a_build_names_the_file_and_the_option_that_a_setting_came_from(small_game: Game) -> None:
    (small_game.root / "mine.yaml").write_text("max_rounds: mange\nthresholds: {bands: {lang: {}}}\n", encoding="utf-8")
    output = small_game.run("--configfile", "mine.yaml", "--config", "seed=ja").stdout
    assert "mine.yaml: max_rounds: is 'mange'" in output
    assert "--config: seed: is 'ja'" in output
    assert "config.yaml:" not in output
    (small_game.root / "mine.yaml").write_text("thresholds: {bands: {lang: {}}}\n", encoding="utf-8")
    assert "mine.yaml: thresholds.bands: there is no band 'lang'" in small_game.run("--configfile", "mine.yaml").stdout


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("engine: norsk\n", "mine.yaml: engine: there is no engine 'norsk'"),
        ("judge: whisper\n", "mine.yaml: judge: there is no judge 'whisper'"),
        ("engines: {espeak: {speed: 2}}\n", "mine.yaml: engines.espeak: has no setting 'speed'"),
        ("engines: {espeak: {timeout_s: lenge}}\n", "mine.yaml: engines.espeak.timeout_s: must be a number of seconds"),
        ("judges: {mini: {model: large}}\n", "mine.yaml: judges.mini: has no setting 'model'"),
    ],
)
def test_engines_and_judges_say_which_setting_names_them(small_game: Game, written: str, told: str) -> None:
    (small_game.root / "mine.yaml").write_text(written, encoding="utf-8")
    assert told in small_game.run("--configfile", "mine.yaml").stdout


def test_a_command_names_its_own_file(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("seed: ja\n", encoding="utf-8")
    assert cli.main(["status", "--config", "mine.yaml"]) == 1
    assert "mine.yaml: seed: is 'ja'" in capsys.readouterr().err


@pytest.mark.parametrize("written", ["- a\n- b\n", "strict\n", "3\n"])
def test_a_settings_file_without_names_is_told(tmp_path: Path, written: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(written, encoding="utf-8")
    with pytest.raises(ReplikkError, match=r"config\.yaml: holds no settings by name; write 'name: value'"):
        load_config(path)
