"""Folders of recordings: where texts and speakers come from, what is cut, what is told of broken files."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from planted import RATE_HZ, lines, spoken

from replikk.corpus.folder_source import folder_clips, list_folder
from replikk.corpus.long_recordings import stretches
from replikk.corpus.settings import Limits, Source
from replikk.errors import ReplikkError


def source(path: Path, **more: str) -> Source:
    return Source(name="own", kind="folder", licence="own", path=str(path), **more)  # type: ignore[arg-type]


def recording(path: Path, seconds: float = 1.5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.sin(np.arange(int(seconds * 16_000)) / 9), 16_000)


@pytest.mark.parametrize(
    "metadata",
    [
        "a|Hei på deg!\nb|Ha det.\n",
        "a|Hei på deg 1!|Hei på deg!\nb|Ha det.|Ha det.\n",
        "file_name,text\na.wav,Hei på deg!\nb.wav,Ha det.\n",
        "speaker;file_name;text\n;a.wav;Hei på deg!\n;b.wav;Ha det.\n",
        'text\tpath\n"Hei på deg!"\ta.wav\nHa det.\tb.wav\n',
    ],
)
def test_texts_from_metadata(tmp_path: Path, metadata: str) -> None:
    for name in ("a", "b"):
        recording(tmp_path / f"{name}.wav")
    (tmp_path / "metadata.csv").write_text(metadata, encoding="utf-8")
    assert [row["text"] for row in list_folder(source(tmp_path))] == ["Hei på deg!", "Ha det."]


@pytest.mark.parametrize(("table_form", "file_form"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_name_is_the_same_however_its_letters_are_put_together(
    tmp_path: Path, table_form: str, file_form: str
) -> None:
    """A table from one machine, recordings from a Mac."""
    name = "Åse/blåbær på øya.wav"
    recording(tmp_path / unicodedata.normalize(file_form, name))
    table = unicodedata.normalize(table_form, f"file_name,text,speaker\n{name},Blåbær på øya.,Åse\n")
    (tmp_path / "metadata.csv").write_text(table, encoding="utf-8")
    (row,) = list_folder(source(tmp_path))
    assert unicodedata.normalize("NFC", row["text"]) == "Blåbær på øya."
    assert unicodedata.normalize("NFC", row["speaker"]) == "Åse"


def test_rows_that_name_no_recording_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recording(tmp_path / "wavs" / "a.wav")
    (tmp_path / "metadata.csv").write_text("a|Hei på deg!\nb|Ha det.\nc|Takk.\n", encoding="utf-8")
    assert [row["text"] for row in list_folder(source(tmp_path))] == ["Hei på deg!"]
    assert "2 of its rows name no recording, the first 'b' (line 2); they are left out" in caplog.text


def test_a_name_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode("blåbær.wav".encode("latin-1"))).write_bytes(b"")
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(ReplikkError, match=r"bl.b.r\.wav: has a name that is not UTF-8; rename it"):
        list_folder(source(tmp_path))


def test_texts_beside_recordings_and_speakers_by_folder(tmp_path: Path) -> None:
    recording(tmp_path / "kari" / "1.wav")
    recording(tmp_path / "2.wav")
    (tmp_path / "kari" / "1.txt").write_text("  To\nlinjer. ", encoding="utf-8")
    rows = list_folder(source(tmp_path))
    assert rows == [
        {"path": "2.wav", "text": "", "speaker": ""},
        {"path": "kari/1.wav", "text": "To linjer.", "speaker": "kari"},
    ]
    assert {row["speaker"] for row in list_folder(source(tmp_path, speakers="one"))} == {""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,words,more,columns\n", "does not say which column is what"),
        (b"", "is empty"),
        (b"a|hei\nb\n", "metadata.csv:2: has 1 columns"),
        ("a|blåbær".encode("latin-1"), "is not UTF-8 text"),
    ],
)
def test_metadata_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "metadata.csv").write_bytes(content)
    with pytest.raises(ReplikkError, match=r"metadata\.csv") as raised:
        list_folder(source(tmp_path))
    assert message in str(raised.value)


def test_a_broken_file_is_dropped_with_its_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    recording(tmp_path / "good.wav")
    (tmp_path / "broken.flac").write_bytes(b"fLaC but not really")
    (tmp_path / "empty.wav").write_bytes(b"")
    here = source(tmp_path)
    clips = {clip.origin: clip for clip in folder_clips(here, list_folder(here), Limits())}
    assert clips["good.wav"].samples is not None and not clips["good.wav"].dropped
    for name in ("broken.flac", "empty.wav"):
        assert clips[name].dropped == "unreadable" and name in clips[name].why


def test_a_chapter_is_cut_at_its_pauses(tmp_path: Path) -> None:
    """No word is cut: every stretch begins and ends in silence, and together they are the chapter."""
    pause = np.zeros(RATE_HZ // 2, np.int16)
    chapter = np.concatenate([part for _, _, samples in spoken(lines()[:16]) for part in (samples, pause)])
    soundfile.write(tmp_path / "chapter.flac", chapter, RATE_HZ)
    parts = list(stretches(tmp_path / "chapter.flac", Limits(max_duration_s=12)))
    assert len(parts) > 4 and all(len(samples) <= 12 * RATE_HZ for _, samples, _ in parts)
    assert np.array_equal(np.concatenate([samples for _, samples, _ in parts]), chapter)
    for start_s, _, _ in parts[1:]:
        at = round(start_s * RATE_HZ)
        assert np.abs(chapter[at - 800 : at + 800]).max() < 300


def test_a_long_recording_with_a_text_is_not_cut(tmp_path: Path) -> None:
    recording(tmp_path / "long.wav", seconds=40)
    (tmp_path / "long.txt").write_text("Hele teksten.", encoding="utf-8")
    here = source(tmp_path)
    assert [clip.origin for clip in folder_clips(here, list_folder(here), Limits())] == ["long.wav"]
    (tmp_path / "long.txt").unlink()
    assert len(list(folder_clips(here, list_folder(here), Limits()))) > 2
