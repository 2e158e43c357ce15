"""The engine as a whole on a small random model: requests in, takes out, and what keeps them from being made."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from cosyvoice3_small import make_small_model

from replikk.device_errors import lost_gpu_is_named
from replikk.dialogue.records import Segment, Voice
from replikk.engines.cosyvoice3 import speaking
from replikk.engines.cosyvoice3.device_errors import too_small_device_is_named
from replikk.engines.cosyvoice3.engine import CosyVoice3Engine
from replikk.engines.cosyvoice3.engine_settings import read_engine_settings, voice_setting_problems
from replikk.engines.cosyvoice3.flow import Flow
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.memory import Batches
from replikk.engines.cosyvoice3.networks import Networks
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import EngineError

REFERENCE = Path(__file__).parents[2] / "dialogue" / "references" / "kari.flac"
TRANSCRIPT = "Kom og se! Jeg har funnet en bokstav i sanda, og jeg tror den har ligget her i mange år."
KARI = Voice("kari", "Kari", {}, reference_audio=str(REFERENCE), reference_transcript=TRANSCRIPT)
LINES = ("Hei.", "Hvor er lykta mi?", "Jeg fant den gamle båten nede i havna i går kveld.", "Ja!")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_model(tmp_path_factory.mktemp("model"))


def engine(model: Path, cache: Path, **settings: object) -> CosyVoice3Engine:
    return CosyVoice3Engine({"precision": "float32", "device": "cpu", **settings}, model, None, 1.0, cache)


def request(text: str, style: str = "", voice: Voice = KARI, pause_ms: int = 0) -> TakeRequest:
    return TakeRequest(hashlib.sha256(text.encode()).hexdigest(), (Segment(text, pause_ms),), "nb", style, voice, 0)


def spoken(made: CosyVoice3Engine, *requests: TakeRequest) -> dict[str, Take]:
    takes = {}
    for result in made.synthesize(requests):
        assert isinstance(result, Take), result
        takes[result.key] = result
    return takes


def same(one: dict[str, Take], other: dict[str, Take]) -> bool:
    return all(np.array_equal(one[key].samples, other[key].samples) for key in other)


def test_every_request_becomes_a_take(model: Path, tmp_path: Path) -> None:
    requests = [request(line, "stille" if line.endswith("?") else "") for line in LINES]
    takes = spoken(engine(model, tmp_path), *requests)
    assert set(takes) == {r.key for r in requests}
    for take in takes.values():
        assert take.sample_rate_hz == 24_000 and take.samples.dtype == np.int16 and np.abs(take.samples).max() > 100


def test_a_take_is_the_same_alone_in_company_and_in_any_order(model: Path, tmp_path: Path) -> None:
    made = engine(model, tmp_path)
    requests = [request(line) for line in LINES]
    together = spoken(made, *requests)
    assert same(together, spoken(made, *requests[::-1]))
    for alone in requests:
        assert same(together, spoken(made, alone))


def test_direction_voice_settings_and_key_change_the_take(model: Path, tmp_path: Path) -> None:
    made, plain = engine(model, tmp_path), request(LINES[1])
    whispered = request(LINES[1], "si dette stille og ettertenksomt")
    slow = request(LINES[1], voice=Voice(**{**vars(KARI), "engine_settings": {"speed": 0.5}}))
    [first], [second], [third] = (list(spoken(made, r).values()) for r in (plain, whispered, slow))
    assert not np.array_equal(first.samples, second.samples)
    assert len(third.samples) == pytest.approx(2 * len(first.samples), rel=0.01)
    other = TakeRequest("0" * 64, plain.segments, "nb", "", KARI, 1)
    assert not np.array_equal(first.samples, spoken(made, other)["0" * 64].samples)


def test_pauses_of_the_sheet_are_silence_of_that_length(model: Path, tmp_path: Path) -> None:
    segments = (Segment("", 300), Segment("Hør her.", 700), Segment("Nå går vi.", 200))
    [take] = spoken(engine(model, tmp_path), TakeRequest("1" * 64, segments, "nb", "", KARI, 0)).values()
    silent = np.flatnonzero(take.samples == 0)
    runs = np.split(silent, np.flatnonzero(np.diff(silent) > 1) + 1)
    long_runs = [len(run) / 24_000 for run in runs if len(run) > 2400]
    assert long_runs == pytest.approx([0.3, 0.7, 0.2], abs=0.02)


def test_a_long_line_is_spoken_in_pieces(model: Path, tmp_path: Path) -> None:
    sentence = "Langt ute i havet ligger en liten øy der det bor noen som elsker å lese brev. "
    takes = spoken(engine(model, tmp_path), request(sentence * 5))
    assert len(next(iter(takes.values())).samples) > 24_000


def test_text_without_speech_is_a_failure_of_that_take_alone(model: Path, tmp_path: Path) -> None:
    results = list(engine(model, tmp_path).synthesize([request("…"), request(LINES[0])]))
    assert sorted(type(result).__name__ for result in results) == ["Take", "TakeFailure"]
    [failure] = [result for result in results if isinstance(result, TakeFailure)]
    assert "nothing that can be spoken" in failure.reason


def test_bf16_speaks_too(model: Path, tmp_path: Path) -> None:
    assert len(spoken(engine(model, tmp_path, precision="bf16"), request(LINES[2]))) == 1


def test_takes_come_one_by_one_so_that_a_kill_loses_what_is_in_flight(model: Path, tmp_path: Path) -> None:
    requests = [request(line) for line in LINES]
    all_of_them = spoken(engine(model, tmp_path), *requests)
    results = engine(model, tmp_path).synthesize(requests)
    first = next(results)
    results.close()  # type: ignore[attr-defined]
    assert isinstance(first, Take) and same(all_of_them, {first.key: first})


class Scarce:
    """Stands before a network's method and says at chosen calls that memory has run out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, network: type, method: str, refuses: Callable) -> None:
        self.calls, self.refused = 0, 0
        whole = getattr(network, method)

        def scarce(*arguments, **named):
            self.calls += 1
            if refuses(self.calls, *arguments[1:]):
                self.refused += 1
                raise torch.OutOfMemoryError("CUDA out of memory")
            return whole(*arguments, **named)

        monkeypatch.setattr(network, method, scarce)


def test_out_of_memory_while_decoding_goes_on_with_fewer_lines(model: Path, tmp_path: Path, monkeypatch) -> None:
    requests = [request(line) for line in LINES]
    plenty = spoken(engine(model, tmp_path), *requests)
    scarce = Scarce(monkeypatch, LanguageModel, "step", lambda call, *_: call in (3, 30))
    assert same(plenty, spoken(engine(model, tmp_path), *requests))
    assert scarce.refused == 2


def test_out_of_memory_in_the_flow_goes_on_with_fewer_frames(model: Path, tmp_path: Path, monkeypatch) -> None:
    requests = [request(line) for line in LINES]
    plenty = spoken(engine(model, tmp_path), *requests)
    monkeypatch.setattr(speaking, "plan_batches", lambda *_: Batches(8, 100_000))
    monkeypatch.setattr(speaking, "ENOUGH_ON_CPU", 100_000)  # all lines in one batch
    scarce = Scarce(monkeypatch, Flow, "mels", lambda _, tokens, *__: len(tokens) > 1)
    made = spoken(engine(model, tmp_path), *requests)
    assert scarce.refused > 0
    for key, take in plenty.items():  # other batches round differently, by far less than can be heard
        assert np.abs(take.samples.astype(int) - made[key].samples).max() <= 8


def test_a_line_that_fits_in_no_memory_ends_the_build_with_one_sentence(
    model: Path, tmp_path: Path, monkeypatch
) -> None:
    Scarce(monkeypatch, LanguageModel, "step", lambda *_: True)
    with pytest.raises(EngineError, match="does not fit into memory; close other programs"):
        list(engine(model, tmp_path).synthesize([request(LINES[0])]))


@pytest.mark.parametrize(("precision", "remedy"), [("float32", "write precision: bf16"), ("bf16", "close other")])
def test_networks_that_do_not_fit_are_one_sentence(
    model: Path, tmp_path: Path, monkeypatch, precision: str, remedy: str
) -> None:
    Scarce(monkeypatch, Flow, "load_state", lambda *_: True)
    with pytest.raises(EngineError, match="the networks do not fit into the memory of cpu") as caught:
        list(engine(model, tmp_path, precision=precision).synthesize([request(LINES[0])]))
    assert remedy in str(caught.value) and "\n" not in str(caught.value)
    assert ("bf16;" in str(caught.value)) == (precision == "float32")


@pytest.mark.parametrize("said", ["CUDA error: unspecified launch failure\nadvice", "CUDA driver error: device lost"])
def test_a_gpu_that_disappears_is_one_sentence(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """Even the question about its free memory fails then."""

    def gone(*_: object) -> Batches:
        raise RuntimeError(said)

    monkeypatch.setattr(speaking, "plan_batches", gone)
    with pytest.raises(RuntimeError):  # a CPU is never lost: whatever that was, it is not called so
        list(engine(model, tmp_path).synthesize([request(LINES[0])]))
    monkeypatch.setattr(Networks, "device", torch.device("cuda"))
    with pytest.raises(EngineError) as caught:
        list(engine(model, tmp_path).synthesize([request(LINES[0])]))
    message = str(caught.value)
    assert message.startswith(f"cuda: the GPU stopped answering ({said.splitlines()[0]})")
    assert "finished takes are kept" in message and "nvidia-smi" in message and "\n" not in message


def test_a_gpu_that_is_too_small_is_told_what_to_do() -> None:
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of …")
    with pytest.raises(EngineError) as caught, too_small_device_is_named(torch.device("cuda"), "float32"):
        raise error
    message = str(caught.value)
    assert "do not fit into the memory of cuda (CUDA out of memory)" in message
    for remedy in ("close other programs that use the GPU", "precision: bf16", "device: cpu"):
        assert remedy in message
    with pytest.raises(EngineError, match="stopped answering"), too_small_device_is_named(torch.device("cuda"), "bf16"):
        raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable")
    with pytest.raises(torch.OutOfMemoryError), lost_gpu_is_named(torch.device("cuda"), "takes are kept"):
        raise error


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precision": "int8"}, "precision is 'int8'; write bf16 or float32"),
        ({"stop_rule": True}, "stop_rule is True; write fixed or faithful"),
        ({"max_memory_gb": 1}, "max_memory_gb is 1; write a number of gigabytes from 3"),
        ({"devise": "cpu"}, "it has no setting 'devise'; did you mean 'device'?"),
    ],
)
def test_settings_of_the_engine(settings: dict, message: str) -> None:
    with pytest.raises(EngineError) as caught:
        read_engine_settings(settings)
    assert str(caught.value) == f"config.yaml: engines.cosyvoice3: {message}"


def test_all_wrong_settings_are_told_at_once() -> None:
    with pytest.raises(EngineError) as caught:
        read_engine_settings({"precision": 1, "device": "tpu", "x": 1})
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        ({}, []),
        ({"speed": 1.2}, []),
        ({"speed": 3}, ["speed: is 3; write 0.5 (slow) to 2 (fast), 1 is the voice's own"]),
        ({"speed": float("nan")}, ["speed: is nan; write 0.5 (slow) to 2 (fast), 1 is the voice's own"]),
        ({"pitch": 1}, ["pitch: is not a setting of this engine; remove it (speed is the only one)"]),
    ],
)
def test_settings_of_a_voice(settings: dict, problems: list[str]) -> None:
    assert voice_setting_problems(settings) == problems


def test_a_voice_without_a_reference_is_told_to_have_one(model: Path, tmp_path: Path) -> None:
    [problem] = engine(model, tmp_path).check_voice(Voice("ola", "Ola", {}))
    assert problem.startswith("reference: is missing")
    assert engine(model, tmp_path).check_voice(KARI) == []


def test_the_fingerprint_names_what_changes_the_sound_and_nothing_else(model: Path, tmp_path: Path) -> None:
    def fingerprint(**settings: object) -> str:
        return engine(model, tmp_path, **settings).fingerprint()

    plain = fingerprint()
    assert fingerprint(max_memory_gb=24) == plain and fingerprint(device="auto") == plain
    assert fingerprint(precision="bf16") != plain and fingerprint(stop_rule="faithful") != plain
    moved = shutil.copytree(model, tmp_path / "moved")
    assert engine(moved, tmp_path).fingerprint() == plain
    other = make_small_model(tmp_path / "other", seed=1)
    assert engine(other, tmp_path).fingerprint() != plain


def test_the_fingerprint_needs_no_pytorch(model: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from replikk.engines.cosyvoice3.engine import CosyVoice3Engine as E\n"
        f"E({{}}, Path({str(model)!r}), None, 1.0, Path({str(tmp_path)!r})).fingerprint()\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("llm.pt", lambda path: path.unlink(), "lacks llm.pt"),
        ("flow.pt", lambda path: path.write_bytes(path.read_bytes()[:5000]), "flow.pt"),
        ("hift.pt", lambda path: shutil.copy(path.parent / "flow.pt", path), "hift.pt"),
        ("campplus.onnx", lambda path: path.unlink(), "lacks campplus.onnx"),
        ("campplus.onnx", lambda path: path.write_bytes(b"nothing"), "campplus.onnx"),
    ],
)
def test_a_wrong_file_is_named(model: Path, tmp_path: Path, name: str, damage, message: str) -> None:
    broken = shutil.copytree(model, tmp_path / "model")
    damage(broken / name)
    with pytest.raises(EngineError, match=message):
        list(engine(broken, tmp_path / "cache").synthesize([request(LINES[0])]))


def test_cuda_that_is_not_there_is_one_sentence(model: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(EngineError, match="device is cuda, but PyTorch sees no GPU"):
        list(engine(model, tmp_path, device="cuda").synthesize([request(LINES[0])]))
