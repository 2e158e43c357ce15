"""``snakemake promote`` as a person runs it: training, checkpoints that read, a judge, a decision, and builds after it.

The voice is a small random model, and so is the judge. What they say and hear is noise, so nothing is promoted, which
is the right outcome; ``test_training_gate.py`` proves the gate on voices that speak.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from speaker_small import speaker_model
from speech_server import SpeechServer, spoken_wavs
from whisper_small import make_small_ctc, make_small_whisper

from replikk.corpus.small_model import make_small_model
from replikk.locks import job_lock
from replikk.training.gate_scripts import LONG, MIDDLE, SHORT

PROJECT = Path(__file__).parents[2]
OUTSIDE = "cosyvoice2"
READERS = ["base", OUTSIDE, "step_0000002/adapter", "step_0000002/ema_adapter"]
READINGS = 3  # a trial run: one text of each length, one voice, one seed
VOICE = {
    "cosyvoice3": {},
    "reference": {
        "audio": "kari.flac",
        "transcript": "Kom og se! Jeg har funnet en bokstav i sanda, og jeg tror den har ligget her i mange år.",
    },
    "rights": {"who": "nobody", "licence": "own", "evidence": "made by the embedded voice"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[SpeechServer]:
    running = SpeechServer(spoken_wavs([SHORT[0], MIDDLE[0], LONG[0], "Hei, hører du meg?"]))
    yield running
    running.close()


@pytest.fixture(scope="module")
def project(
    model_folder: Path, corpora: dict[str, Path], server: SpeechServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A project with a voice, a corpus and one sheet, a system from outside, and a speaker model."""
    folder = tmp_path_factory.mktemp("project")
    dialogue = folder / "dialogue"
    dialogue.mkdir()
    shutil.copy(PROJECT / "dialogue" / "references" / "kari.flac", dialogue)
    (dialogue / "voices.yaml").write_text(yaml.safe_dump({"voices": {"kari": VOICE}}), encoding="utf-8")
    (dialogue / "havn.csv").write_text("id;text;voice\nhavn_001;Ja, det vil jeg.;kari\n", encoding="utf-8")
    make_small_whisper(folder / "whisper")
    make_small_ctc(folder / "ctc")
    speaker_model(folder / "speaker.onnx")
    models = {"base": str(model_folder), "base_licence": "Apache-2.0", "adapter": "none"}
    configure(folder, models, corpora["f2"], server.url)
    return folder


def configure(folder: Path, models: dict[str, object], corpus: Path | None = None, server: str = "") -> None:
    path = folder / "config.yaml"
    settings = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    settings |= {
        "engine": "cosyvoice3",
        "engines": {"cosyvoice3": {"precision": "float32", "device": "cpu"}},
        "judge": "nb-whisper",
        "judges": {
            "nb-whisper": {"model": str(folder / "whisper"), "second_ear": str(folder / "ctc"), "device": "cpu"}
        },
        "max_rounds": 1,
        "models": {**settings.get("models", {}), **models},
    }
    if corpus is not None:
        settings["training"] = {
            "corpus": str(corpus), "precision": "float32", "device": "cpu", "tokens_per_batch": 250, "accumulate": 2,
            "rank": 4, "epochs": 1, "peak_learning_rate": 1e-3, "warm_up_steps": 3, "gate_texts": 1,
            "outside_controls": {OUTSIDE: {"url": server, "model": "CosyVoice2-0.5B"}},
        }  # fmt: skip
        settings["evidence"] = {"speaker_model": str(folder / "speaker.onnx")}
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")


def command(*targets: str) -> list[str]:
    return [
        sys.executable, "-m", "snakemake", *targets, "-s", str(PROJECT / "Snakefile"), "--cores", "1", "--resources",
        "gpu=1", "--nolock",
    ]  # fmt: skip


def snakemake(folder: Path, *targets: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(*targets), cwd=folder, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=400,
    )  # fmt: skip


def kept(gate: Path, name: str) -> list[str]:
    path = gate / "readings" / f"{name.replace('/', '.')}.journal"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def unheard(gate: Path, name: str) -> list[Path]:
    return list((gate / "unheard" / name.replace("/", ".")).glob("*.flac"))


def promote_and_kill(project: Path, when: Callable[[], bool]) -> None:
    """``snakemake promote``, killed with everything it started as soon as ``when`` is true."""
    process = subprocess.Popen(
        command("promote"), cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 300
    while not when() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def gate(project: Path) -> Path:
    """Killed when the first reader had spoken and nobody had heard it, killed again when the first candidate had read,
    and run again."""
    gate = project / "build" / "training" / "lora" / "gate"
    promote_and_kill(project, lambda: len(unheard(gate, OUTSIDE)) == READINGS)
    spoken = {path: path.read_bytes() for path in unheard(gate, OUTSIDE)}
    assert len(spoken) == READINGS and not kept(gate, OUTSIDE)
    promote_and_kill(project, lambda: len(kept(gate, READERS[2])) >= READINGS)
    before = {name: kept(gate, name) for name in READERS[:3]}
    assert [len(lines) for lines in before.values()] == [READINGS] * 3
    assert not (gate / "decision.json").exists() and not (gate / "index.html").exists()
    done = snakemake(project, "promote")
    assert done.returncode == 0, done.stdout
    assert {name: kept(gate, name) for name in READERS[:3]} == before, "what was heard is not heard again"
    assert not (gate / "unheard").exists()
    return gate


def test_it_reads_judges_and_decides(gate: Path) -> None:
    decision = json.loads((gate / "decision.json").read_bytes())
    assert sorted(decision["rates"]) == READERS
    assert [verdict["name"] for verdict in decision["verdicts"]] == READERS[2:]
    assert decision["incumbent"] == "base" and decision["judge"].startswith("nb-whisper ")
    assert decision["rates"]["base"]["long"]["value"] > 0.5, "noise has no words"
    for name in READERS:
        assert len(kept(gate, name)) == READINGS
        assert len(list((gate / "clips" / name.replace("/", ".")).glob("*.ogg"))) == READINGS


def test_a_system_from_outside_reads_the_same_once(gate: Path, server: SpeechServer) -> None:
    """Killed twice and run again, it was asked once for each text, and once whether it speaks; it has no part in the
    why."""
    asked = sorted(question["input"] for _, _, question in server.asked)
    assert asked == sorted(["Hei, hører du meg?", SHORT[0], MIDDLE[0], LONG[0]])
    assert all(question["ref_text"] == VOICE["reference"]["transcript"] for _, _, question in server.asked)
    decision = json.loads((gate / "decision.json").read_bytes())
    assert set(decision["outside"]) == {OUTSIDE} and decision["controls"] == ["base"]
    assert all(set(verdict["outside"]) == {OUTSIDE} for verdict in decision["verdicts"])
    assert f"clips/{OUTSIDE}/" in (gate / "index.html").read_text(encoding="utf-8")
    assert (gate.parent / "board" / f"gate-{OUTSIDE}").is_dir()


def test_likeness_is_measured_of_everybody(gate: Path) -> None:
    decision = json.loads((gate / "decision.json").read_bytes())
    assert decision["speaker_model"].startswith("speaker 2 ")
    assert {name: set(rates) for name, rates in decision["likeness"].items()} == {
        name: {"short", "middle", "long", "all"} for name in READERS
    }
    assert 'class="likeness"' in (gate / "index.html").read_text(encoding="utf-8")


def test_what_the_gate_cannot_be_held_with_is_told_before_training(gate: Path, project: Path) -> None:
    for change, said in (
        (
            'training={"outside_controls": {"cosyvoice2": {"url": "x", "model": "m"}}}',
            "outside_controls.cosyvoice2.url: is",
        ),
        ("evidence={speaker_model: nowhere.onnx}", "evidence.speaker_model: there is no file 'nowhere.onnx'"),
        ("engine=espeak", "engine: is espeak; checkpoints are heard as builds speak them"),
        ("judge=whisper", "there is no judge 'whisper'"),
        ("dialogue_dir=nowhere", "nowhere/voices.yaml: there is no such file"),
    ):
        refused = snakemake(project, "promote", "--config", "build_dir=other", change)
        assert refused.returncode != 0 and said in refused.stdout, refused.stdout
        assert "Traceback" not in refused.stdout
        assert not (project / "other" / "training").exists()


def test_nothing_is_promoted_and_the_page_says_why(gate: Path) -> None:
    decision = json.loads((gate / "decision.json").read_bytes())
    assert decision["promoted"] is None
    assert decision["why"].startswith("a trial run with 3 texts promotes nothing")
    assert not (gate.parent / "released").exists()
    assert decision["why"] in (gate / "index.html").read_text(encoding="utf-8")
    assert (gate.parent / "board" / "gate-raw").is_dir() and (gate.parent / "board" / "training").is_dir()


@pytest.mark.parametrize("who", ["gate-raw", "gate-averaged", "gate-base", f"gate-{OUTSIDE}"])
def test_everybody_can_be_heard_on_the_board(gate: Path, who: str) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = reader.EventAccumulator(str(gate.parent / "board" / who)).Reload()
    assert sorted(board.Tags()["audio"]) == ["gate/long", "gate/middle", "gate/short"]


def test_a_gate_that_is_still_held_is_waited_for(gate: Path, project: Path) -> None:
    """As when Snakemake was killed and its job lives on: two of them would speak everything twice."""
    with job_lock(project / "build", "gate-lora"):
        process = subprocess.Popen(
            command("promote", "--forcerun", "promote_checkpoint"), cwd=project, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdout is not None
        said = next(line for line in process.stdout if "is still running" in line)
        assert said.startswith("gate-lora: a job of an earlier build") and process.poll() is None
    rest, _ = process.communicate(timeout=300)
    assert process.returncode == 0, rest


def test_a_second_run_has_nothing_to_do(gate: Path, project: Path) -> None:
    assert "Nothing to be done" in snakemake(project, "promote", "-n").stdout


def test_checkpoints_of_another_base_model_are_not_heard(gate: Path, project: Path) -> None:
    """One of the same sizes, which would take the adapters, and speak."""
    make_small_model(project / "other_base", seed=7)
    refused = snakemake(project, "promote", "--config", f"models={{base: {project / 'other_base'}}}")
    assert refused.returncode != 0
    assert "was trained on another base model than" in refused.stdout and "Traceback" not in refused.stdout


def test_a_build_refuses_a_checkpoint_that_was_not_promoted(gate: Path, project: Path) -> None:
    checkpoint = gate.parent / "checkpoints" / "step_0000002" / "adapter"
    configure(project, {"adapter": str(checkpoint), "adapter_licence": "own"})
    refused = snakemake(project, "all")
    assert refused.returncode != 0
    assert "is a checkpoint, and no gate has promoted it; run snakemake promote" in refused.stdout
    assert not (project / "build" / "assets").exists()
    configure(project, {"unpromoted_adapter": True})
    built = snakemake(project, "all")
    assert built.returncode == 0, built.stdout
    manifest = json.loads((project / "build" / "assets" / "manifest.json").read_bytes())
    assert [clip["id"] for clip in manifest["clips"]] == ["havn_001"]
