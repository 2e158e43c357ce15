"""A build with the judge nb-whisper, on a small random model in the hub's format.

What it hears is noise, so every line is flagged; that it listens once, keeps what it knows, and says at the start what
is missing is the subject here.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from game_folder import PROJECT
from stage_runner import Stages

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
sys.path.insert(0, str(PROJECT / "tests" / "judges"))

from whisper_small import make_small_ctc, make_small_whisper  # noqa: E402

from replikk.errors import ReplikkError  # noqa: E402
from replikk.judges import judge_of  # noqa: E402
from replikk.judges.nb_whisper import judge as judge_module  # noqa: E402
from replikk.stages.bench import open_bench, read_evidence  # noqa: E402
from replikk.stages.transcribe_takes import transcripts  # noqa: E402
from replikk.store import Store  # noqa: E402

LINES = [
    {"id": "havn_001", "text": "Velkommen til den gamle havna.", "voice": "kari"},
    {"id": "havn_002", "text": "Ja!", "voice": "kari"},
]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    torch.set_num_threads(1)
    make_small_ctc(tmp_path / "models" / "ctc")
    make_small_whisper(tmp_path / "models" / "whisper")
    return tmp_path / "models"


def set_up(game, models: Path) -> Stages:  # type: ignore[no-untyped-def]
    game.write_sheet("havn.csv", LINES)
    settings = {"model": str(models / "whisper"), "second_ear": str(models / "ctc"), "device": "cpu"}
    game.configure(judge="nb-whisper", judges={"nb-whisper": settings}, max_rounds=1)
    return Stages(game)


def test_it_listens_once_and_its_evidence_is_kept(game, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    stages = set_up(game, models)
    stages.all()
    bench = open_bench(stages.config, stages_plan(stages))
    for planned in bench.plan.lines:
        record = bench.heard.get(planned.takes[0])
        assert record is not None and record["margin"] is None
        evidence = read_evidence(bench, planned, planned.takes[0])
        assert evidence is not None and evidence.hearing is not None and evidence.comparison is not None
        assert evidence.hearing.second_ear_margin == record["hearing"]["second_ear_margin"] > 0
        assert evidence.hearing.no_speech is not None

    def never(*_: object) -> None:
        raise AssertionError("what was heard is known")

    monkeypatch.setattr(judge_module.NbWhisperJudge, "transcribe", never)
    shutil.rmtree(game.build / "rounds")
    stages.all()


def test_other_weights_listen_anew(game, models: Path) -> None:  # type: ignore[no-untyped-def]
    stages = set_up(game, models)
    stages.all()
    before = transcripts(Store(game.build), judge_of(stages.config))
    make_small_whisper(models / "whisper", seed=5)
    os.utime(models / "whisper" / "model.safetensors", ns=(1, 1))
    after = transcripts(Store(game.build), judge_of(stages.config))
    (line, _) = stages_plan(stages).lines
    assert before.get(line.takes[0]) is not None and after.get(line.takes[0]) is None


@pytest.mark.parametrize("model", ["own", "published"])
def test_a_model_that_is_not_here_stops_the_build_before_anything_is_spoken(game, tmp_path: Path, model: str) -> None:  # type: ignore[no-untyped-def]
    game.write_sheet("havn.csv", LINES)
    own = str(tmp_path / "nowhere" / "whisper")
    game.configure(judge="nb-whisper", judges={"nb-whisper": {"model": own if model == "own" else "small"}})
    expected = "nowhere/whisper: there is no such folder" if model == "own" else "nb-whisper-small-verbatim"
    with pytest.raises(ReplikkError, match=expected) as caught:
        Stages(game).open()
    assert "snakemake" in str(caught.value)


def stages_plan(stages: Stages):  # type: ignore[no-untyped-def]
    from replikk.dialogue.plan import read_plan

    return read_plan(stages.plan)
