"""Speech for the tests of this room: the embedded voice itself, never a stand-in."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from replikk.dialogue.records import Segment, Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeRequest

Speak = Callable[..., list[NDArray[np.int16]]]
SPEECH_RATE_HZ = 22_050


@pytest.fixture(scope="session")
def speak() -> Speak:
    """Texts to takes: mono int16 at 22,050 Hz. Variant m3 speaks without echo, so that the end of a sound is known."""

    def speak_all(*texts: str, variant: str = "m3") -> list[NDArray[np.int16]]:
        voice = Voice("test", "Test", {"variant": variant})
        requests = [
            TakeRequest(hashlib.sha256(f"{n} {text}".encode()).hexdigest(), (Segment(text),), "nb", "", voice, 0)
            for n, text in enumerate(texts)
        ]
        takes = {take.key: take for take in EspeakEngine({}).synthesize(requests)}
        spoken = [takes[request.key] for request in requests]
        assert all(isinstance(take, Take) and take.sample_rate_hz == SPEECH_RATE_HZ for take in spoken)
        return [take.samples for take in spoken]

    return speak_all


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The ffmpeg of the wheel: a second implementation that must agree with ours."""
    import imageio_ffmpeg

    return imageio_ffmpeg.get_ffmpeg_exe()
