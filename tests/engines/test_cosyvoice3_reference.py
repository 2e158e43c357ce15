"""References: what is wrong with a recording, all of it at once; features made once and kept by content.

The recordings are real speech of the embedded voice, spoilt in one way each.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from cosyvoice3_small import write_onnx_models
from numpy.typing import NDArray

from replikk.dialogue.records import Segment, Voice
from replikk.engines import make_engine
from replikk.engines.cosyvoice3 import features, onnx_models
from replikk.engines.cosyvoice3.onnx_models import ReferenceModels, open_reference_models
from replikk.engines.cosyvoice3.reference import ReferenceSource, ReferenceStore, compute_features
from replikk.engines.cosyvoice3.reference_audio import examine_reference, read_reference
from replikk.engines.records import Take, TakeRequest
from replikk.errors import EngineError

Signal = NDArray[np.float32]

TRANSCRIPT = "Hei, jeg heter Kari, og jeg bor på en øy langt ute i havet. Der er det fint om sommeren."
RATE = 24_000


@pytest.fixture(scope="session")
def speech() -> Signal:
    """About 7 s of speech at 24 kHz [samples], with 0.4 s of silence at the end."""
    request = TakeRequest("5" * 64, (Segment(TRANSCRIPT),), "nb", "", Voice("kari", "Kari", {"variant": "f2"}), 0)
    [take] = make_engine("espeak", {}).synthesize([request])
    assert isinstance(take, Take)
    samples = torch.from_numpy(take.samples.astype(np.float32) / 32768)
    spoken = features.resample(samples, take.sample_rate_hz, RATE).numpy()
    noise = np.random.default_rng(1).normal(0, 1e-4, len(spoken) + RATE * 4 // 10)  # a quiet room
    return (np.concatenate([spoken, np.zeros(RATE * 4 // 10)]) + noise).astype(np.float32)


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    write_onnx_models(folder)
    return folder


@pytest.fixture(scope="session")
def models(models_folder: Path) -> ReferenceModels:
    return open_reference_models(
        models_folder / onnx_models.SPEECH_TOKENIZER_FILE, models_folder / onnx_models.SPEAKER_FILE
    )


def written(path: Path, signal: Signal, rate: int = RATE) -> Path:
    soundfile.write(path, signal, rate, subtype="FLOAT")
    return path


def resampled(signal: Signal, rate: int) -> Signal:
    return features.resample(torch.from_numpy(signal), RATE, rate).numpy()


def test_a_good_recording_is_taken_as_it_is(tmp_path: Path, speech: Signal) -> None:
    audio = read_reference(written(tmp_path / "kari.wav", speech), TRANSCRIPT)
    assert audio.sample_rate_hz == RATE and audio.remarks == ()
    assert np.array_equal(audio.samples, speech)


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
def test_rates_from_16_khz_are_taken(tmp_path: Path, speech: Signal, rate: int) -> None:
    audio, problems = examine_reference(written(tmp_path / "kari.wav", resampled(speech, rate), rate), TRANSCRIPT)
    assert problems == () and audio is not None
    assert any("dull" in remark for remark in audio.remarks) == (rate < RATE)


def quiet_second_half(signal: Signal) -> Signal:
    gain = np.where(np.arange(len(signal)) < len(signal) // 2, 1.0, 10 ** (-18 / 20))
    return (signal * gain).astype(np.float32)


def two_channels(signal: Signal) -> Signal:
    return np.stack([signal, np.roll(signal, 200)], axis=1)  # two microphones, 8 ms apart


CLEAN_END = slice(None, -RATE * 4 // 10)

SPOILT: list[tuple[str, Callable[[Signal], Signal], str]] = [
    ("two_seconds", lambda s: s[-2 * RATE :], "lasts 2.0 s, which is too short"),
    ("sixty_seconds", lambda s: np.concatenate([np.resize(s, 60 * RATE - len(s)), s]), "lasts 60.0 s, which is too"),
    ("stereo", two_channels, "is stereo and its channels differ"),
    ("one_sided", lambda s: np.stack([s * 0, s], axis=1), "is stereo with one channel empty; export the right channel"),
    ("surround", lambda s: np.stack([s] * 6, axis=1), "holds 6 channels"),
    ("silent", lambda s: s * 0, "is silent"),
    ("far_away", lambda s: s * 0.002, "is almost silent"),
    ("clipped", lambda s: np.clip(s, -0.25, 0.25), "is clipped"),
    ("clipped_below", lambda s: np.clip(s, -0.2, 1.0), "is clipped"),
    ("cut_off", lambda s: s[CLEAN_END][: -RATE // 10], "does not end in silence"),
    ("two_levels", quiet_second_half, "has two levels"),
    ("not_finite", lambda s: np.where(np.arange(len(s)) == 9, np.nan, s).astype(np.float32), "not numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil", "message"), SPOILT, ids=[name for name, _, _ in SPOILT])
def test_each_fault_is_one_sentence_with_its_remedy(
    tmp_path: Path, speech: Signal, name: str, spoil: Callable[[Signal], Signal], message: str
) -> None:
    path = written(tmp_path / f"{name}.wav", spoil(speech))
    audio, problems = examine_reference(path, TRANSCRIPT)
    assert audio is None
    [problem] = [problem for problem in problems if "transcript is too" not in problem]  # that follows from the length
    assert problem.startswith(f"{path}: ") and message in problem and "; " in problem


def test_8_khz_is_refused(tmp_path: Path, speech: Signal) -> None:
    _, [problem] = examine_reference(written(tmp_path / "kari.wav", resampled(speech, 8_000), 8_000), TRANSCRIPT)
    assert "has 8000 Hz, which is telephone quality; record again" in problem


def test_equal_channels_are_mixed_down_with_a_remark(tmp_path: Path, speech: Signal) -> None:
    audio = read_reference(written(tmp_path / "kari.wav", np.stack([speech, speech], axis=1)), TRANSCRIPT)
    assert np.array_equal(audio.samples, speech)
    assert any("two equal channels" in remark for remark in audio.remarks)


@pytest.mark.parametrize("gain", [0.05, 0.3, 1.5])
def test_level_alone_is_no_fault(tmp_path: Path, speech: Signal, gain: float) -> None:
    assert examine_reference(written(tmp_path / "kari.wav", speech * gain), TRANSCRIPT)[1] == ()


def limited(signal: Signal, ceiling: float) -> Signal:
    """A look-ahead limiter, as on a studio's desk: every peak at the ceiling, none cut flat."""
    window = RATE // 100
    around = np.lib.stride_tricks.sliding_window_view(np.pad(np.abs(signal), window - 1), window).max(axis=1)
    gain = np.minimum(1.0, ceiling / np.maximum(around, 1e-9))
    smooth = np.convolve(gain, np.ones(window) / window, mode="valid")
    return (signal * smooth[: len(signal)]).astype(np.float32)


@pytest.mark.parametrize("ceiling", [0.1, 0.3])
def test_a_limiter_is_no_clipping(tmp_path: Path, speech: Signal, ceiling: float) -> None:
    assert np.abs(limited(speech, ceiling)).max() < 1.05 * ceiling
    assert examine_reference(written(tmp_path / "kari.wav", limited(speech, ceiling)), TRANSCRIPT)[1] == ()


def test_an_offset_is_no_sound(tmp_path: Path, speech: Signal) -> None:
    _, [problem] = examine_reference(written(tmp_path / "kari.wav", speech * 0 + 0.1), TRANSCRIPT)
    assert "is silent" in problem


def test_noise_and_long_silence_are_remarked_on(tmp_path: Path, speech: Signal) -> None:
    noise = np.random.default_rng(0).normal(0, 0.012, len(speech)).astype(np.float32)
    late = np.concatenate([np.zeros(2 * RATE, dtype=np.float32), speech])
    noisy, _ = examine_reference(written(tmp_path / "noisy.wav", speech[:] + noise), TRANSCRIPT)
    padded, _ = examine_reference(written(tmp_path / "late.wav", late), TRANSCRIPT)
    assert noisy is None or any("noise" in remark for remark in noisy.remarks)
    assert padded is not None and any("2.0 s of silence" in remark for remark in padded.remarks)


@pytest.mark.parametrize(
    ("transcript", "message"),
    [
        ("", "has no transcript"),
        (" – ", "has no transcript"),
        ("Hei.", "the transcript is too short"),
        (TRANSCRIPT * 3, "the transcript is too long"),
        (TRANSCRIPT.replace("Kari", "Kari 2"), "holds digits"),
        (TRANSCRIPT.replace("Kari", "[Kari]"), "holds markup"),
        (TRANSCRIPT + "<|endofprompt|>", "holds markup"),
    ],
)
def test_a_transcript_must_fit(tmp_path: Path, speech: Signal, transcript: str, message: str) -> None:
    path = written(tmp_path / "kari.wav", speech)
    _, [problem] = examine_reference(path, transcript)
    assert problem.startswith(f"{path}: ") and message in problem and "; write" in problem


def test_all_problems_come_at_once(tmp_path: Path, speech: Signal) -> None:
    spoilt = np.clip(quiet_second_half(resampled(speech[CLEAN_END], 8_000)), -0.1, 0.1)
    path = written(tmp_path / "kari.wav", np.stack([spoilt, spoilt * 0], axis=1), 8_000)
    with pytest.raises(EngineError) as raised:
        read_reference(path, "Hei 2.")
    lines = str(raised.value).splitlines()
    for part in ("digits", "8000 Hz", "one channel empty", "clipped", "transcript is too short"):
        assert any(part in line for line in lines), part
    assert all(line.startswith(f"{path}: ") for line in lines)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.wav", None, "there is no such recording"),
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"this is no sound" * 100, "cannot be read as audio"),
        ("cut.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "cannot be read as audio"),
        ("headerless.raw", b"\0" * 5000, "cannot be read as audio"),
    ],
)
def test_files_that_are_no_recordings(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    _, [problem] = examine_reference(tmp_path / name, TRANSCRIPT)
    assert name in problem and message in problem


def test_tokens_and_mel_stand_for_the_same_time(tmp_path: Path, speech: Signal, models: ReferenceModels) -> None:
    audio = read_reference(written(tmp_path / "kari.wav", resampled(speech, 44_100), 44_100), TRANSCRIPT)
    tokens, mel, speaker = compute_features(audio, models)
    assert tokens.dtype == torch.int32 and abs(len(tokens) - 25 * audio.duration_s) <= 2
    assert mel.shape == (2 * len(tokens), 80) and speaker.shape == (192,)
    samples = torch.from_numpy(audio.samples)
    whole = features.mel_spectrogram(features.resample(samples, 44_100, 24_000))
    assert torch.equal(mel, whole[: len(mel)])


def unopenable() -> ReferenceModels:
    raise AssertionError("kept features need no model")


@pytest.fixture
def source(tmp_path: Path, speech: Signal) -> ReferenceSource:
    return ReferenceSource(written(tmp_path / "kari.wav", speech), TRANSCRIPT)


def test_features_are_made_once_for_a_recording(
    tmp_path: Path, source: ReferenceSource, models: ReferenceModels
) -> None:
    made = ReferenceStore(tmp_path / "kept", ("a", "b"), lambda: models).features_of(source)
    renamed = ReferenceSource(source.audio.rename(tmp_path / "astrid.wav"), TRANSCRIPT.replace(",", ""))
    kept = ReferenceStore(tmp_path / "kept", ("a", "b"), unopenable).features_of(renamed)
    assert torch.equal(made.speech_tokens, kept.speech_tokens) and torch.equal(made.mel, kept.mel)
    assert torch.equal(made.speaker, kept.speaker)
    assert kept.transcript == renamed.transcript
    assert [path.suffix for path in (tmp_path / "kept").iterdir()] == [".safetensors"]


def test_other_models_or_another_recording_never_find_old_features(
    tmp_path: Path, source: ReferenceSource, speech: Signal, models: ReferenceModels
) -> None:
    kept = tmp_path / "kept"
    ReferenceStore(kept, ("a", "b"), lambda: models).features_of(source)
    ReferenceStore(kept, ("a", "c"), lambda: models).features_of(source)
    louder = ReferenceSource(written(tmp_path / "kari.wav", speech * 1.1), TRANSCRIPT)
    ReferenceStore(kept, ("a", "b"), lambda: models).features_of(louder)
    assert len(list(kept.iterdir())) == 3


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "one bit": lambda data: data[:-1000] + bytes([data[-1000] ^ 1]) + data[-999:],
    "other file": lambda data: b"not a tensor file at all" * 50,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_features_are_made_again(
    tmp_path: Path, source: ReferenceSource, models: ReferenceModels, damage: str
) -> None:
    store = ReferenceStore(tmp_path / "kept", ("a", "b"), lambda: models)
    first = store.features_of(source)
    [path] = (tmp_path / "kept").iterdir()
    whole = path.read_bytes()
    path.write_bytes(DAMAGE[damage](whole))
    again = store.features_of(source)
    assert torch.equal(first.mel, again.mel) and path.read_bytes() == whole


def test_a_bad_recording_is_refused_although_its_features_are_kept(
    tmp_path: Path, source: ReferenceSource, models: ReferenceModels
) -> None:
    store = ReferenceStore(tmp_path / "kept", ("a", "b"), lambda: models)
    store.features_of(source)
    with pytest.raises(EngineError, match="transcript is too short"):
        store.features_of(ReferenceSource(source.audio, "Hei."))
    with pytest.raises(EngineError, match=r"gone\.wav: cannot be read"):
        store.features_of(ReferenceSource(tmp_path / "gone.wav", TRANSCRIPT))


def spoilt_models(folder: Path, models_folder: Path, name: str, content: bytes | None) -> tuple[Path, Path]:
    shutil.copytree(models_folder, folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    return folder / onnx_models.SPEECH_TOKENIZER_FILE, folder / onnx_models.SPEAKER_FILE


@pytest.mark.parametrize("name", [onnx_models.SPEECH_TOKENIZER_FILE, onnx_models.SPEAKER_FILE])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is missing; fetch it with  snakemake models"),
        (b"", "cannot be opened as an ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\n", "cannot be opened as an ONNX model"),
        (b"half", "cannot be opened as an ONNX model"),
    ],
)
def test_damaged_models_are_named(
    tmp_path: Path, models_folder: Path, name: str, content: bytes | None, message: str
) -> None:
    if content == b"half":
        whole = (models_folder / name).read_bytes()
        content = whole[: len(whole) // 2]
    paths = spoilt_models(tmp_path / "onnx", models_folder, name, content)
    with pytest.raises(EngineError, match=rf"{name}: {message}"):
        open_reference_models(*paths)


def test_models_under_each_others_name_are_told_apart(tmp_path: Path, models_folder: Path) -> None:
    tokenizer, speaker = (models_folder / name for name in ("speech_tokenizer_v3.onnx", "campplus.onnx"))
    with pytest.raises(EngineError, match=r"campplus\.onnx: is another model"):
        open_reference_models(speaker, speaker)
    with pytest.raises(EngineError, match=r"speech_tokenizer_v3\.onnx: is another model .*wanted is .*80\]"):
        open_reference_models(tokenizer, tokenizer)


def write_tokenizer_model(path: Path, scale: float, stride: int = 4) -> None:
    """A model with the inputs of a speech tokenizer that says ``scale`` times the loudness, every ``stride`` frames."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    values = {"filters": np.full((1, 128, stride), scale / 128 / stride, dtype=np.float32), "nought": np.float32(0)}
    nodes = [
        helper.make_node("Conv", ["feats", "filters"], ["codes"], kernel_shape=[stride], strides=[stride]),
        helper.make_node("Abs", ["codes"], ["positive"]),
        helper.make_node("Cast", ["length"], ["unused"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["unused", "nought"], ["nothing"]),
        helper.make_node("Add", ["positive", "nothing"], ["out"]),
    ]
    inputs = [
        helper.make_tensor_value_info("feats", TensorProto.FLOAT, [1, 128, "T"]),
        helper.make_tensor_value_info("length", TensorProto.INT32, [1]),
    ]
    outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 1, "N"])]
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "wrong", inputs, outputs, constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


@pytest.mark.parametrize(
    ("scale", "stride", "message"),
    [(0.5, 4, "no whole numbers"), (0.0, 8, "another model"), (1e8, 4, "possible|no whole numbers")],
)
def test_a_model_with_the_right_inputs_and_wrong_results_is_found_out(
    tmp_path: Path, models_folder: Path, source: ReferenceSource, scale: float, stride: int, message: str
) -> None:
    write_tokenizer_model(tmp_path / "tokens.onnx", scale, stride)
    wrong = open_reference_models(tmp_path / "tokens.onnx", models_folder / onnx_models.SPEAKER_FILE)
    with pytest.raises(EngineError, match=rf"tokens\.onnx: .*({message})"):
        ReferenceStore(tmp_path / "kept", ("a", "b"), lambda: wrong).features_of(source)
    assert not (tmp_path / "kept").exists()


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    models_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EngineError, match=r"onnxruntime: .*pip install 'replikk\[gpu\]'"):
        open_reference_models(models_folder / "speech_tokenizer_v3.onnx", models_folder / "campplus.onnx")
