"""WAV clips: exact samples, readable tags, equal bytes."""

import io
import wave

import numpy as np
import pytest
import soundfile

from replikk.audio.wav import encode_wav

TAGS = {"TITLE": "scene1_001", "ARTIST": "Kari", "ENGINE": "espeak", "SYNTHETIC_SPEECH": "ja, «maskin»"}


@pytest.mark.parametrize("count", [0, 1, 2, 4999])
@pytest.mark.parametrize("tags", [{}, TAGS])
def test_samples_and_rate_come_back(count: int, tags: dict[str, str]) -> None:
    samples = np.random.default_rng(0).integers(-32768, 32767, count).astype(np.int16)
    data = encode_wav(samples, 22_050, tags)
    assert data == encode_wav(samples, 22_050, tags)
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        assert file.readframes(count) == samples.tobytes()
    decoded, _ = soundfile.read(io.BytesIO(data), dtype="int16")
    np.testing.assert_array_equal(decoded, samples)


def test_tags_are_seen_by_another_reader() -> None:
    with soundfile.SoundFile(io.BytesIO(encode_wav(np.zeros(9, np.int16), 22_050, TAGS))) as file:
        metadata = file.copy_metadata()
    assert metadata["title"] == "scene1_001"
    assert metadata["artist"] == "Kari"
    assert metadata["comment"] == "ENGINE=espeak; SYNTHETIC_SPEECH=ja, «maskin»"
