"""Target calibrate: from what people decided, and from a folder of labelled clips; it proposes and changes nothing."""

from __future__ import annotations

import shutil

import pytest
import soundfile
import yaml
from stage_runner import Stages

from replikk.dialogue.plan import read_plan
from replikk.errors import ReplikkError
from replikk.files import read_json
from replikk.stages.calibrate import calibrate_verdict
from replikk.store import Store

WORDS = ("lykta", "kartet", "båten", "nøkkelen", "sekken", "boka", "steinen", "porten")


def many_lines(game):
    texts = [f"Kan du hente {word} {place}?" for word in WORDS for place in ("på loftet", "i havna", "ved elva")]
    rows = [{"id": f"a_{number:03}", "text": text, "voice": "kari"} for number, text in enumerate(texts)]
    game.write_sheet("a.csv", rows)
    stages = Stages(game)
    stages.all()
    return stages


def run(stages: Stages, folder):
    calibrate_verdict(stages.config, stages.plan, folder)
    return {one["band"]: one for one in read_json(folder / "calibration.json")}


def test_from_the_games_own_decisions(game, tmp_path):
    stages = many_lines(game)
    chosen = game.selection()
    decided = [{"id": f"a_{n:03}", "take_key": chosen[f"a_{n:03}"]["take"], "decision": "retake"} for n in range(2)]
    game.write_decisions(decided)
    before = (game.root / "config.yaml").read_bytes() if (game.root / "config.yaml").exists() else b""
    found = run(stages, tmp_path / "out")["4-7"]
    assert (found["now"]["misses"]["hits"], found["now"]["misses"]["total"]) == (2, 2)
    assert found["now"]["false_alarms"]["total"] == 22
    assert (tmp_path / "out" / "calibration.svg").read_text().startswith("<svg")
    assert before == ((game.root / "config.yaml").read_bytes() if before else b"")


def test_the_target_builds_nothing_and_leaves_the_settings_alone(small_game):
    small_game.make()
    takes, clips, settings = (
        small_game.takes(),
        small_game.modified_ns(),
        (small_game.root / "config.yaml").read_bytes(),
    )
    told = small_game.make("--", "calibrate")
    assert "Calibration: 3 clips, 3 good and 0 bad" in told
    written = {path.name for path in (small_game.build / "calibration").iterdir()}
    assert written == {"calibration.json", "calibration.md", "calibration.svg", "thresholds.yaml"}
    assert (small_game.takes(), small_game.modified_ns()) == (takes, clips)
    assert (small_game.root / "config.yaml").read_bytes() == settings


def test_from_a_folder_of_labelled_clips(game, tmp_path):
    stages = many_lines(game)
    folder = tmp_path / "labelled"
    folder.mkdir()
    store, rows = Store(game.build), ["clip,label,id,script"]
    for planned in read_plan(stages.plan).lines:
        samples, rate = store.load_take(planned.takes[0])
        soundfile.write(folder / f"{planned.line.id}.wav", samples, rate)
        soundfile.write(folder / f"{planned.line.id}_bad.wav", samples[: len(samples) // 2], rate)
        rows += [
            f"{planned.line.id}.wav,good,{planned.line.id},", f"{planned.line.id}_bad.wav,dårlig,,{planned.line.spoken}"
        ]  # fmt: skip
    (folder / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    game.configure(calibrate={"clips": str(folder), "false_alarms": 0.05})
    found = run(stages, tmp_path / "out")["4-7"]
    assert (found["now"]["misses"]["hits"], found["now"]["misses"]["total"]) == (0, 24)
    assert found["proposed"]["false_alarms"]["hits"] <= 2
    yaml.safe_load((tmp_path / "out" / "thresholds.yaml").read_text(encoding="utf-8"))


def test_every_mistake_in_the_labels_is_told_at_once(game, tmp_path):
    stages = many_lines(game)
    folder = tmp_path / "labelled"
    folder.mkdir()
    shutil.copy(__file__, folder / "a.wav")
    (folder / "labels.csv").write_text("clip,label,id\na.wav,fine,a_000\n../b.wav,good,a_000\na.wav,bad,x\n")
    game.configure(calibrate={"clips": str(folder)})
    with pytest.raises(ReplikkError) as caught:
        run(stages, tmp_path / "out")
    for part in ("write good or bad", "is no file in this folder", "names no line of this game"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"clip": "x"}, "calibrate.clip: is not known"), ({"false_alarms": 2}, "a share such as 0.02")],
)
def test_unknown_settings(game, tmp_path, settings, said):
    game.write_sheet("a.csv", [{"id": "a_1", "text": "Hei på deg, du.", "voice": "kari"}])
    game.configure(calibrate=settings)
    stages = Stages(game)
    stages.open()
    with pytest.raises(ReplikkError, match=said):
        run(stages, tmp_path / "out")


def test_nothing_to_learn_from(game, tmp_path):
    game.write_sheet("a.csv", [{"id": "a_1", "text": "Hei på deg, du.", "voice": "kari"}])
    stages = Stages(game)
    stages.open()
    with pytest.raises(ReplikkError, match="nothing to learn from"):
        run(stages, tmp_path / "out")
