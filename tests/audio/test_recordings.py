"""Recordings come from outside: every usual format is read, everything else is an error that names the file."""

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replikk.audio import recordings
from replikk.audio.recordings import read_recording
from replikk.errors import AudioError

RATE_HZ = 44_100


def tone(seconds: float = 1.0, rate: int = RATE_HZ, hz: float = 440.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean((samples / 32768.0) ** 2)))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".aiff", ".caf", ".au"])
def test_formats_of_soundfile(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"take{suffix}"
    soundfile.write(path, tone(), RATE_HZ)
    recording = read_recording(path)
    assert recording.sample_rate_hz == RATE_HZ
    assert recording.samples.dtype == np.int16
    assert recording.duration_s == pytest.approx(1.0, abs=0.1)
    assert level(recording.samples) == pytest.approx(0.3535, rel=0.05)
    assert recording.remarks == ()


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".m4a", "aac"), (".m4a", "alac"), (".mp4", "aac"), (".aac", "aac"), (".wma", "wmav2"), (".webm", "libopus"),
     (".mka", "flac"), (".mov", "pcm_s24le"), (".3gp", "aac")],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2])
def test_formats_of_telephones_and_video_tools(
    tmp_path: Path, ffmpeg: str, suffix: str, codec: str, channels: int
) -> None:
    source, path = tmp_path / "source.wav", tmp_path / f"take{suffix}"
    soundfile.write(source, tone(rate=48_000), 48_000)
    make = [ffmpeg, "-v", "error", "-i", source, "-ac", str(channels), "-c:a", codec, "-strict", "-2", path]
    subprocess.run(make, check=True)
    recording = read_recording(path)
    assert recording.sample_rate_hz == 48_000
    assert recording.duration_s == pytest.approx(1.0, abs=0.15)
    # ffmpeg spreads a mono source over two channels 3 dB lower each.
    assert level(recording.samples) == pytest.approx(0.3535 if channels == 1 else 0.25, rel=0.08)


def test_the_suffix_may_be_in_capitals_and_the_path_in_norwegian(tmp_path: Path) -> None:
    path = tmp_path / "Åse – første opptak.WAV"
    soundfile.write(path, tone(), RATE_HZ)
    assert len(read_recording(path).samples) == RATE_HZ


@pytest.mark.parametrize(
    ("channels", "expected", "remark"),
    [
        ([1.0, 1.0], 1.0, ()),
        ([1.0, 0.0], 0.5, ()),
        ([0.9, -1.0], 1.0, ("only channel 2 of 2 was used",)),
        ([0.0, 0.0, 0.0, 0.0, 0.0, 1.0], 1.0, ("only channel 6 of 6 was used",)),
    ],
)
def test_downmix(tmp_path: Path, channels: list[float], expected: float, remark: tuple[str, ...]) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, tone()[:, None] * np.array(channels), RATE_HZ)
    recording = read_recording(path)
    assert level(recording.samples) == pytest.approx(0.3535 * expected, rel=0.01)
    assert recording.remarks == remark


def test_high_rates_are_converted(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, tone(rate=96_000), 96_000)
    recording = read_recording(path)
    assert (recording.sample_rate_hz, len(recording.samples)) == (48_000, 48_000)
    assert recording.remarks == ("converted from 96000 Hz to 48000 Hz",)


def test_float_files_beyond_full_scale_are_lowered_and_not_clipped(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, 6 * tone(), RATE_HZ, subtype="FLOAT")
    recording = read_recording(path)
    assert level(recording.samples) == pytest.approx(0.7071, rel=0.01)  # still a sine
    assert recording.remarks == ("levels above full scale were lowered",)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_numbers(tmp_path: Path, bad: float) -> None:
    samples = tone()
    samples[77] = bad
    path = tmp_path / "take.wav"
    soundfile.write(path, samples, RATE_HZ, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"take\.wav: contains values that are not numbers"):
        read_recording(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"This is not audio.", "cannot be read as audio"),
        ("text.m4a", b"This is not audio.", "cannot be read as audio"),
        ("headerless.raw", b"\1\2" * 500, "cannot be read as audio"),
        ("no suffix", b"\1\2" * 500, "cannot be read as audio"),
        ("header.wav", b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0", "cannot be read as audio"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message) as error:
        read_recording(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_playlist_dressed_up_as_a_recording_opens_nothing(tmp_path: Path) -> None:
    """ffmpeg would follow it, if it were allowed to guess the format."""
    soundfile.write(tmp_path / "secret.wav", tone(), RATE_HZ)
    for number, playlist in enumerate(
        [f"#EXTM3U\n#EXTINF:1,\n{tmp_path}/secret.wav\n", f"ffconcat version 1.0\nfile '{tmp_path}/secret.wav'\n"]
    ):
        path = tmp_path / f"{number}.m4a"
        path.write_text(playlist)
        with pytest.raises(AudioError, match="cannot be read as audio"):
            read_recording(path)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"gone\.wav: cannot be read"):
        read_recording(tmp_path / "gone.wav")
    with pytest.raises(AudioError, match="is not a file"):
        read_recording(tmp_path)


def test_limits_are_checked_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ffmpeg: str) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, tone(2.0), RATE_HZ)
    as_m4a = tmp_path / "take.m4a"
    subprocess.run([ffmpeg, "-v", "error", "-i", path, as_m4a], check=True)
    with monkeypatch.context() as patched:
        patched.setattr(recordings, "MAX_DURATION_S", 0.5)
        for recording in (path, as_m4a):
            with pytest.raises(AudioError, match="lasts longer than"):
                read_recording(recording)
    with monkeypatch.context() as patched:
        patched.setattr(recordings, "MAX_BYTES", 1000)
        with pytest.raises(AudioError, match="MB"):
            read_recording(path)


def test_a_header_that_announces_hours_is_refused(tmp_path: Path) -> None:
    """A FLAC of some bytes that claims 2^35 samples must not ask for their memory."""
    path = tmp_path / "take.flac"
    soundfile.write(path, tone(0.2), RATE_HZ)
    data = bytearray(path.read_bytes())
    packed = int.from_bytes(data[18:26], "big") | 1 << 35
    data[18:26] = packed.to_bytes(8, "big")
    path.write_bytes(data)
    with pytest.raises(AudioError, match="lasts longer than"):
        read_recording(path)


def test_channels_and_rates_have_limits(tmp_path: Path) -> None:
    many = tmp_path / "many.wav"
    soundfile.write(many, np.zeros((100, 24)), RATE_HZ)
    with pytest.raises(AudioError, match="24 channels"):
        read_recording(many)
    slow = tmp_path / "slow.wav"
    soundfile.write(slow, np.zeros(100), 4_000)
    with pytest.raises(AudioError, match="4000 Hz"):
        read_recording(slow)


@given(damage=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=20), keep=st.integers(0, 5000))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_are_read_or_refused_and_nothing_else(
    tmp_path: Path, damage: list[tuple[int, int]], keep: int
) -> None:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", 4000) + (tone(0.1) * 32767).astype("<i2").tobytes()[:4000]
    data = bytearray(b"RIFF" + struct.pack("<I", len(body)) + body)
    for at, value in damage:
        data[at] = value
    path = tmp_path / "take.wav"
    path.write_bytes(data[:keep])
    try:
        recording = read_recording(path)
    except AudioError as error:
        assert str(path) in str(error)
    else:
        assert recording.samples.dtype == np.int16 and len(recording.samples) > 0
