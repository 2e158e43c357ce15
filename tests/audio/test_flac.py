"""The store's format gives back exactly what went in, or an error: never other samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from replikk.audio.flac import decode_flac, encode_flac
from replikk.errors import AudioError

RATES_HZ = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 37_800, 44_100, 48_000]


@given(
    samples=arrays(np.int16, st.integers(1, 3000), elements=st.integers(-32768, 32767)), rate=st.sampled_from(RATES_HZ)
)
@settings(deadline=None, max_examples=60)
def test_round_trip(samples: np.ndarray, rate: int) -> None:
    data = encode_flac(samples, rate)
    decoded, decoded_rate = decode_flac(data)
    assert decoded.dtype == np.int16
    np.testing.assert_array_equal(decoded, samples)
    assert decoded_rate == rate
    assert encode_flac(samples, rate) == data


@pytest.fixture(scope="module")
def take(speak) -> np.ndarray:
    return speak("Det var en gang en fugl.")[0]


@pytest.mark.parametrize("keep", [0, 3, 4, 41, 42, 100, 0.5, -1])
def test_cut_short(take: np.ndarray, keep: float) -> None:
    data = encode_flac(take, 22_050)
    with pytest.raises(AudioError, match="damaged"):
        decode_flac(data[: int(len(data) * keep)] if isinstance(keep, float) else data[:keep])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_zeroed(take: np.ndarray, share: float) -> None:
    data = bytearray(encode_flac(take, 22_050))
    start = int(len(data) * share)
    data[start : start + 512] = bytes(len(data[start : start + 512]))
    with pytest.raises(AudioError, match="damaged"):
        decode_flac(bytes(data))


def test_no_flipped_bit_ever_gives_other_samples(take: np.ndarray) -> None:
    """Every bit of the header, and bits all over the audio: an error, or (padding, vendor name) the same samples."""
    take = take[:6000]
    data = encode_flac(take, 22_050)
    rng = np.random.default_rng(0)
    header = [(at, bit) for at in range(60) for bit in range(8)]
    audio = [(int(at), int(rng.integers(8))) for at in rng.integers(60, len(data), 300)]
    noticed = 0
    for at, bit in header + audio:
        damaged = bytearray(data)
        damaged[at] ^= 1 << bit
        try:
            samples, rate = decode_flac(bytes(damaged))
        except AudioError:
            noticed += 1
            continue
        assert rate == 22_050, f"byte {at} bit {bit}"
        np.testing.assert_array_equal(samples, take, err_msg=f"byte {at} bit {bit}")
    assert noticed > 300


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_an_error(data: bytes) -> None:
    for candidate in (data, b"fLaC" + data, b"fLaC\0\0\0\x22" + data):
        with pytest.raises(AudioError):
            decode_flac(candidate)


def test_errors_name_the_file(tmp_path) -> None:
    missing = tmp_path / "take.flac"
    with pytest.raises(AudioError, match=r"take\.flac: cannot be read .*delete it"):
        decode_flac(missing)
    missing.write_bytes(b"nothing")
    with pytest.raises(AudioError, match=r"take\.flac: is damaged"):
        decode_flac(missing)


def test_reads_a_path(tmp_path, take: np.ndarray) -> None:
    path = tmp_path / "take.flac"
    path.write_bytes(encode_flac(take, 22_050))
    np.testing.assert_array_equal(decode_flac(path)[0], take)


@pytest.mark.parametrize("samples", [np.zeros(0, np.int16), np.zeros(9, np.float32), np.zeros((9, 2), np.int16)])
def test_only_mono_int16(samples: np.ndarray) -> None:
    with pytest.raises(AudioError, match="int16"):
        encode_flac(samples, 22_050)
