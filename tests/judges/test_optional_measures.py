"""DNSMOS and speaker models: the real ones where they are installed, and nothing at all where they are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from speaker_small import speaker_model

from replikk.errors import ReplikkError
from replikk.judges import naturalness, speaker_models
from replikk.judges.thresholds import Thresholds
from replikk.judges.voice_reasons import voice_reasons
from replikk.judges.voice_traits import VoiceTraits
from replikk.stages.voice_traits import check_evidence_settings

BAND = Thresholds().for_words(6)


def test_without_the_packages_nothing_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(naturalness, "find_spec", lambda name: None)
    monkeypatch.setattr(speaker_models, "find_spec", lambda name: None)
    assert naturalness.weights_path() is None
    assert naturalness.naturalness(np.zeros(16_000, np.float32)) is None
    assert speaker_models.fingerprint(str(tmp_path / "model.onnx")) == ""


def test_limits() -> None:
    traits = VoiceTraits(-20, 2.0, 150.0, None, naturalness_mos=1.4, speaker_similarity=0.1)
    assert [reason.code for reason in voice_reasons(None, traits, BAND)] == ["unlike_reference"]
    strict = replace(BAND, min_naturalness_mos=2.0)
    assert [reason.code for reason in voice_reasons(None, traits, strict)] == ["unlike_reference", "unnatural"]
    assert list(voice_reasons(None, VoiceTraits(-20, 2.0, 150.0, None), BAND)) == []


def test_mistakes_in_the_settings_are_told_at_once() -> None:
    with pytest.raises(ReplikkError) as caught:
        check_evidence_settings({"naturalness": "utmos", "speaker_model": 3, "speed": "fast"})
    assert [part in str(caught.value) for part in ("none or dnsmos", "write text", "evidence.speed")] == [True] * 3


def test_dnsmos_prefers_clean_speech() -> None:
    pytest.importorskip("onnxruntime")
    if naturalness.weights_path() is None:
        pytest.skip("speechmos is not installed")
    from replikk.audio.resample import resample
    from replikk.judges.mini.hearing import Order, Studio

    (clip,) = Studio({"f2": {"variant": "f2"}}).speak([Order("Hvor er den lille gule nøkkelen til lykten?", "f2")])
    wave = resample((clip / np.float32(32768)).astype(np.float32), 22_050, 16_000)
    hiss = np.random.default_rng(1).normal(0, 0.03, len(wave)).astype(np.float32)
    clean, noisy = naturalness.naturalness(wave), naturalness.naturalness(wave + hiss)
    assert clean is not None and noisy is not None
    assert 1 <= noisy.overall < clean.overall <= 5
    assert clean.background - noisy.background > 1
    assert naturalness.naturalness(np.tile(wave, 3)) is not None  # longer than one window


def test_a_speaker_is_more_like_itself(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    speaker_model(tmp_path / "model.onnx")
    from replikk.judges.mini.hearing import Order, Studio

    studio = Studio({"low": {"variant": "m7", "pitch": 20}, "high": {"variant": "f5", "pitch": 80}})
    texts = ("Hvor er den lille gule nøkkelen til lykten?", "Vi må hjem før det blir helt mørkt ute.")
    clips = studio.speak([Order(text, voice) for voice in ("low", "high") for text in texts])
    model = speaker_models.SpeakerModel(str(tmp_path / "model.onnx"))
    low, low_again, high, _ = (model.embed(clip, 22_050) for clip in clips)
    assert low is not None and low_again is not None and high is not None
    assert speaker_models.similarity(low, low) == pytest.approx(1, abs=1e-3)
    assert speaker_models.similarity(low, low_again) > speaker_models.similarity(low, high)
    assert model.embed(clips[0][:100], 22_050) is None
    assert capfd.readouterr() == ("", ""), "thousands of takes must not fill the screen"
    assert speaker_models.fingerprint(str(tmp_path / "model.onnx")).startswith("speaker 2 ")


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("sherpa_onnx")
    with pytest.raises(ReplikkError, match="there is no file"):
        speaker_models.fingerprint(str(tmp_path / "missing.onnx"))
