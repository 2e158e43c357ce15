"""The outside models behind their interfaces: small random ones of the published layouts where they can be made here,
and for Demucs and pyannote modules with the same signatures, which stand in for packages that are not installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from planted import RATE_HZ, lines, spoken

sys.path.append(str(Path(__file__).parent.parent / "judges"))  # its small recognisers

from whisper_small import make_small_ctc, make_small_whisper

from replikk.config import read_config
from replikk.corpus.demucs_separator import make_demucs
from replikk.corpus.readings import ReadingClip, nb_whisper_reader, wav2vec2_reader
from replikk.corpus.recognisers import recogniser_problems
from replikk.corpus.settings import CorpusSettings
from replikk.corpus.speakers import make_pyannote
from replikk.errors import ReplikkError


@pytest.fixture(scope="module")
def clips() -> list[ReadingClip]:
    return [ReadingClip(str(n), samples, RATE_HZ, text) for n, (_, text, samples) in enumerate(spoken(lines()[:3]))]


def test_nb_whisper_and_wav2vec2_read_the_clips(tmp_path: Path, clips: list[ReadingClip]) -> None:
    """What small random models read is nonsense, but the same as the judge nb-whisper hears, and each word has its
    confidence."""
    settings = CorpusSettings(
        (), device="cpu",
        transcriber_model=str(make_small_whisper(tmp_path / "whisper")),
        second_reader_model=str(make_small_ctc(tmp_path / "ctc")),
    )  # fmt: skip
    config = read_config({})
    assert recogniser_problems(config, settings) == []
    first = dict(nb_whisper_reader(config, settings)(clips))
    second = dict(wav2vec2_reader(config, settings)(clips))
    for clip in clips:
        assert 0 < len(first[clip.id].confidences) <= len(first[clip.id].text.split())  # marks alone are no words
        assert len(second[clip.id].confidences) == len(second[clip.id].text.split())
        assert all(0 <= value <= 1 for value in (*first[clip.id].confidences, *second[clip.id].confidences))
        assert second[clip.id].misfit is not None


def test_a_recogniser_that_is_missing_is_named_with_the_command_that_fetches_it() -> None:
    problems = recogniser_problems(read_config({"models_dir": "nowhere"}), CorpusSettings(()))
    assert len(problems) == 2
    assert "transcriber" in problems[0] and "second_reader" in problems[1]
    assert all("snakemake --cores 1 models" in problem for problem in problems)


def install(monkeypatch: pytest.MonkeyPatch, name: str, **content: Any) -> None:
    """A module of that name, its packages included, as if it were installed."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:count]), ModuleType(".".join(parts[:count])))
    for key, value in content.items():
        setattr(sys.modules[name], key, value)


def demucs_separator(heard: list[tuple[int, ...]]) -> Callable[..., Any]:
    class Separator:
        """As Demucs 4.1: resamples to 44.1 kHz itself and returns stems at that rate."""

        samplerate = 44_100

        def __init__(self, model: str, repo: Path | None, device: str, shifts: int) -> None:
            if model != "htdemucs":
                raise RuntimeError(f"{model} is neither a single pre-trained model or a bag of models.")
            assert shifts == 0

        def separate_tensor(self, wave: torch.Tensor, rate: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
            heard.append(tuple(wave.shape))
            high = torch.nn.functional.interpolate(wave[None], scale_factor=self.samplerate / rate, mode="linear")[0]
            return high, {"vocals": 0.5 * high, "other": 0.5 * high}

    return Separator


def test_demucs_gets_stereo_and_gives_back_as_many_samples(
    monkeypatch: pytest.MonkeyPatch, clips: list[ReadingClip]
) -> None:
    heard: list[tuple[int, ...]] = []
    install(monkeypatch, "demucs.api", Separator=demucs_separator(heard))
    samples = clips[0].samples
    speech = make_demucs("htdemucs", "cpu")(samples, RATE_HZ)
    assert heard == [(2, len(samples))]
    assert speech.shape == samples.shape and speech.dtype == np.int16
    assert np.corrcoef(speech, samples)[0, 1] > 0.98
    with pytest.raises(ReplikkError, match="cannot be loaded"):
        make_demucs("spleeter", "cpu")


def test_pyannote_counts_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken_s = {"SPEAKER_00": 3.0, "SPEAKER_01": 1.25}
    annotation = SimpleNamespace(
        labels=lambda: list(spoken_s),
        label_duration=spoken_s.__getitem__,
        get_overlap=lambda: [SimpleNamespace(duration=0.25), SimpleNamespace(duration=0.5)],
    )

    class Pipeline:
        @classmethod
        def from_pretrained(cls, checkpoint: str) -> Pipeline | None:
            return cls() if checkpoint.startswith("pyannote/") else None

        def to(self, device: torch.device) -> None: ...

        def __call__(self, file: dict[str, Any]) -> SimpleNamespace:
            assert file["waveform"].shape == (1, 32_000) and file["sample_rate"] == 16_000
            return SimpleNamespace(speaker_diarization=annotation)

    install(monkeypatch, "pyannote.audio", Pipeline=Pipeline)
    count = make_pyannote(CorpusSettings((), device="cpu"))
    assert count(np.zeros(32_000, np.int16), 16_000) == (1.25, 0.75)
    with pytest.raises(ReplikkError, match="agree to its terms on the hub"):
        make_pyannote(CorpusSettings((), device="cpu", speaker_model="elsewhere/model"))


def test_what_is_not_installed_is_said_with_its_environment() -> None:
    with pytest.raises(ReplikkError, match=r"envs/demucs\.yaml"):
        make_demucs("htdemucs", "cpu")
    with pytest.raises(ReplikkError, match=r"envs/pyannote\.yaml"):
        make_pyannote(CorpusSettings(()))
