"""Mended Ogg files: reproducible bytes, our tags, valid for other decoders, damage noticed."""

import io
import struct
import subprocess

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.audio.ogg import (
    MAX_TAG_CHARACTERS,
    checksum,
    mend,
    read_pages,
    read_tags,
    serial_number,
    vendor_string,
)
from replikk.errors import AudioError

CODECS = ["VORBIS", "OPUS"]
TAGS = {"TITLE": "scene1_001", "ARTIST": "Kari", "DESCRIPTION": "Blåbærsyltetøy – «hei» 🎲", "SYNTHETIC_SPEECH": "yes"}


def encoded(codec: str, seconds: float = 2.0) -> bytes:
    rate = 24_000
    samples = 0.3 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.astype(np.float32), rate, format="OGG", subtype=codec)
    return buffer.getvalue()


def bitwise_crc(data: bytes) -> int:
    """Ogg's checksum as RFC 3533 describes it, one bit at a time."""
    register = 0
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ 0x04C11DB7 if register & 0x80000000 else register << 1) & 0xFFFFFFFF
    return register


@given(st.binary(max_size=300))
def test_checksum(data: bytes) -> None:
    assert checksum(data) == bitwise_crc(data)


@pytest.mark.parametrize("codec", CODECS)
def test_two_encodings_differ_and_mend_to_the_same_bytes(codec: str) -> None:
    first, second = encoded(codec), encoded(codec)
    assert first != second  # libsndfile draws a random serial: without mending a rebuild changes every file
    mended = mend(first, serial_from="key", tags=TAGS)
    assert mended == mend(second, serial_from="key", tags=TAGS)
    assert mended != mend(first, serial_from="other key", tags=TAGS)
    assert mended == mend(mended, serial_from="key", tags=TAGS)


@pytest.mark.parametrize("codec", CODECS)
def test_the_sound_is_untouched(codec: str) -> None:
    data = encoded(codec)
    mended = mend(data, serial_from="key", tags=TAGS)
    before, rate = soundfile.read(io.BytesIO(data))
    after, rate_after = soundfile.read(io.BytesIO(mended))
    assert rate == rate_after
    np.testing.assert_array_equal(before, after)
    assert [page.granule for page in read_pages(data)][-1] == [page.granule for page in read_pages(mended)][-1]


@pytest.mark.parametrize("codec", CODECS)
def test_tags_come_back_and_the_vendor_stays(codec: str) -> None:
    data = encoded(codec)
    mended = mend(data, serial_from="key", tags=TAGS)
    assert read_tags(mended) == TAGS
    assert vendor_string(mended) == vendor_string(data)


@pytest.mark.parametrize("codec", CODECS)
def test_pages_carry_our_serial_and_count_from_zero(codec: str) -> None:
    mended = mend(encoded(codec), serial_from="key", tags=TAGS)
    at, headers = 0, []
    while at < len(mended):
        headers.append(struct.unpack_from("<4sBBqIIIB", mended, at))
        segments = headers[-1][7]
        at += 27 + segments + sum(mended[at + 27 : at + 27 + segments])
    assert {header[4] for header in headers} == {serial_number("key")}
    assert [header[5] for header in headers] == list(range(len(headers)))
    assert headers[0][2] == 2 and headers[-1][2] & 4  # beginning and end of the stream


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("count", [0, 1, 40, 200])
def test_large_tags_run_over_several_pages_and_ffmpeg_agrees(codec: str, count: int, ffmpeg: str, tmp_path) -> None:
    """200 tags of 2,000 bytes are 400 kB: more than the 65 kB of one page."""
    tags = {f"TAG{number}": f"{number}: " + "å" * 1000 for number in range(count)}
    mended = mend(encoded(codec), serial_from="key", tags=tags)
    assert read_tags(mended) == tags
    path = tmp_path / "clip.ogg"
    path.write_bytes(mended)
    done = subprocess.run([ffmpeg, "-v", "error", "-i", path, "-f", "null", "-"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    # Ogg's tags belong to the stream; ffmpeg lists those of the file unless told otherwise.
    listed = subprocess.run(
        [ffmpeg, "-v", "error", "-i", path, "-map_metadata", "0:s:0", "-f", "ffmetadata", "-"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name, value in tags.items():
        assert f"{name}={value}" in listed.stdout


@pytest.mark.parametrize("length", range(500, 520))
def test_packets_whose_length_is_a_multiple_of_255(length: int) -> None:
    """Their lacing needs a closing zero. One of these comment packets has such a length."""
    tags = {"A": "x" * length}
    mended = mend(encoded("OPUS", 0.3), serial_from="key", tags=tags)
    assert read_tags(mended) == tags
    assert len(soundfile.read(io.BytesIO(mended))[0]) == 7200


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_]{1,8}", fullmatch=True),
        st.text(st.characters(), max_size=60),  # lone surrogates and control characters included
        max_size=4,
    )
)
@settings(deadline=None, max_examples=60)
def test_any_text_can_be_a_tag(tags: dict[str, str]) -> None:
    mended = mend(encoded("VORBIS", 0.1), serial_from="key", tags=tags)
    back = read_tags(mended)
    assert list(back) == list(tags)
    for value in back.values():
        assert "\0" not in value and "\n" not in value


def test_over_long_values_are_cut() -> None:
    back = read_tags(mend(encoded("VORBIS", 0.1), serial_from="key", tags={"T": "x" * 1_000_000}))
    assert len(back["T"]) == MAX_TAG_CHARACTERS and back["T"].endswith("…")


@pytest.mark.parametrize("name", ["", "A=B", "Å", "A\n"])
def test_names_that_ogg_cannot_hold(name: str) -> None:
    with pytest.raises(AudioError, match="tag name"):
        mend(encoded("VORBIS", 0.1), serial_from="key", tags={name: "x"})


@pytest.mark.parametrize("codec", CODECS)
def test_every_damaged_byte_is_noticed(codec: str) -> None:
    mended = mend(encoded(codec, 0.3), serial_from="key", tags=TAGS)
    for at in range(0, len(mended), 37):
        damaged = bytearray(mended)
        damaged[at] ^= 0x10
        with pytest.raises(AudioError):
            list(read_pages(bytes(damaged)))
    with pytest.raises(AudioError, match="ends inside"):
        list(read_pages(mended[:-1]))


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_other_bytes_are_an_error(data: bytes) -> None:
    for candidate in (data, b"OggS" + data):
        with pytest.raises(AudioError):
            mend(candidate, serial_from="key", tags={})
