"""NST and NPSC from a small hub on this machine, laid out as the published ones, through real HTTP."""

from __future__ import annotations

import io
import json
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest
import soundfile
from corpus_project import CorpusProject
from planted import RATE_HZ, lines, spoken

sys.path.append(str(Path(__file__).parent.parent / "models"))  # the small hub

from small_hub import Repository, SmallHub, serve

from replikk.corpus.fetch import fetch_clips, list_source
from replikk.corpus.folder import CorpusFolder, remove_done_downloads
from replikk.corpus.hub_source import npsc_clips
from replikk.corpus.manifest import read_manifest
from replikk.corpus.settings import CorpusSettings, Source
from replikk.errors import ReplikkError

COMMIT = "0123456789" * 4
MEMBER = "Kari Nordmann, representant"
NST = Source("nst", "nst", "CC0-1.0", subset="test", shards=3)
NPSC = Source("npsc", "npsc", "CC0-1.0", shards=1)


def mp3(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE_HZ, format="MP3")
    return buffer.getvalue()


def nst_files() -> dict[str, bytes]:
    """Three archives of two clips; in the second one a clip is broken, and one has no row in the table."""
    files = {}
    clips = list(spoken(lines()[:6]))
    for number in range(3):
        rows, buffer = [], io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for place, (speaker, text, samples) in enumerate(clips[2 * number : 2 * number + 2]):
                data = b"no audio" if (number, place) == (1, 0) else mp3(samples)
                rows.append(
                    {"pid": f"s{number}", "file": f"u{place}.wav", "text": text, "Speaker_ID": speaker, "type": "IS"}
                )
                add(tar, f"s{number}_u{place}.mp3", data)
            add(tar, f"s{number}_silence.mp3", b"not in the table")
        stem = f"data/test/nst_no_test_close-{number + 1:04}-of-0003"
        files[f"{stem}.tar.gz"] = buffer.getvalue()
        files[f"{stem}.json"] = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    return files  # fmt: skip


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def npsc_files() -> dict[str, bytes]:
    rows = [
        {
            "sentence_id": number,
            "speaker_id": 10 + number % 2,
            "speaker_name": MEMBER,
            "sentence_text": text,
            "normsentence_text": "Noe annet.",
            "sentence_language_code": "nb-NO" if number else "nn-NO",
            "audio": {"bytes": mp3(samples), "path": f"{MEMBER}.mp3"},
        }
        for number, (_, text, samples) in enumerate(spoken(lines()[:3]))
    ]
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return {"16K_mp3_bokmaal/train/0000.parquet": buffer.getvalue()}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    repositories = {
        "datasets/NbAiLab/NST": Repository(COMMIT, nst_files()),
        "datasets/NbAiLab/NPSC": Repository(COMMIT, npsc_files()),
    }
    with serve(SmallHub(repositories)) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def fetch(folder: Path, source: Source, shard: int = 0) -> list:
    settings = CorpusSettings((source,))
    target, place = folder / "fetch" / f"{source.name}-{shard:05}.jsonl", CorpusFolder(folder)
    if not place.listing(source.name).exists():
        list_source(settings, source.name, place.listing(source.name))
    fetch_clips(settings, place, target.stem, place.listing(source.name), target)
    return list(read_manifest(target))


def test_nst_is_listed_at_one_commit_and_read_archive_by_archive(hub: SmallHub, tmp_path: Path) -> None:
    rows = [row for shard in range(3) for row in fetch(tmp_path, NST, shard)]
    listed = json.loads((tmp_path / "sources" / "nst.json").read_bytes())
    assert listed["revision"] == COMMIT and len(listed["files"]) == 3
    assert [row.origin for row in rows] == [f"s{number}_u{place}.mp3" for number in range(3) for place in range(2)]
    assert [row.text for row in rows] == lines()[:6] and {row.facts["type"] for row in rows} == {"IS"}
    assert [row.dropped for row in rows] == ["", "", "unreadable", "", "", ""]
    assert not list((tmp_path / "downloads").rglob("*.*"))  # raw files are deleted when their shard is made


def test_a_transfer_that_breaks_off_is_taken_up_again(hub: SmallHub, tmp_path: Path) -> None:
    archive = "data/test/nst_no_test_close-0001-of-0003.tar.gz"
    hub.faults.cut_after[archive] = 4000
    assert len(fetch(tmp_path, NST)) == 2
    assert len(hub.ranges(archive)) == 2  # asked for twice, used once


def test_what_is_not_what_the_hub_announced_is_not_used(hub: SmallHub, tmp_path: Path) -> None:
    archive = "data/test/nst_no_test_close-0001-of-0003.tar.gz"
    hub.faults.other_content[archive] = bytes(len(hub.repositories["datasets/NbAiLab/NST"].files[archive]))
    with pytest.raises(ReplikkError, match="not what the hub announced"):
        fetch(tmp_path, NST)
    hub.faults.other_content.clear()
    assert len(fetch(tmp_path, NST)) == 2


def test_names_of_members_of_parliament_reach_no_artefact(hub: SmallHub, tmp_path: Path) -> None:
    rows = fetch(tmp_path, NPSC)
    assert [row.facts["language"] for row in rows] == ["nn-NO", "nb-NO", "nb-NO"]
    assert [row.text for row in rows] == lines()[:3] and len({row.speaker for row in rows}) == 2
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"Nordmann" not in content and b"Noe annet" not in content, path


def left_by_a_kill(folder: Path, shard: str) -> Path:
    """A raw file, as a run that was killed leaves it."""
    left = CorpusFolder(folder).downloads(shard) / "16K_mp3_bokmaal_train_0007.parquet.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(MEMBER.encode())
    return left


def test_nothing_raw_is_left_of_a_shard_that_is_made(hub: SmallHub, tmp_path: Path) -> None:
    """Nor what a killed run left there of files that belong to another shard since, because ``shards`` was changed."""
    left_by_a_kill(tmp_path, "npsc-00000")
    fetch(tmp_path, NPSC)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_file_of_another_commit_is_not_taken_for_this_one(hub: SmallHub, tmp_path: Path) -> None:
    """It was whole when the run was killed; since then the hub has another one of that name."""
    old = CorpusFolder(tmp_path).downloads("npsc-00000") / "16K_mp3_bokmaal_train_0000.parquet"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"of the commit before")
    assert [row.text for row in fetch(tmp_path, NPSC)] == lines()[:3]


def test_what_is_left_of_done_shards_goes_at_the_next_start_and_the_rest_waits(hub: SmallHub, tmp_path: Path) -> None:
    fetch(tmp_path, NPSC)
    done, waits = left_by_a_kill(tmp_path, "npsc-00000"), left_by_a_kill(tmp_path, "npsc-00001")
    remove_done_downloads(CorpusFolder(tmp_path), ["npsc-00000", "npsc-00001"])
    assert not done.parent.exists() and waits.is_file()  # its transfer goes on from there


def test_a_finished_corpus_leaves_no_downloads(tmp_path: Path) -> None:
    """Of sources and shards that are no longer in the settings neither; and the next start looks as well."""
    project = CorpusProject(tmp_path, [{"name": "own", "kind": "embedded", "clips": 3, "shards": 1}])
    left = left_by_a_kill(project.corpus, "npsc-00005")
    project.make()
    assert not left.parent.parent.exists()
    left = left_by_a_kill(project.corpus, "own-00000")
    assert "Nothing to be done" in project.make()
    assert not left.parent.parent.exists()


def sentences(audio: object) -> pyarrow.Table:
    """One row as NPSC has them."""
    columns = {"sentence_id": [1], "speaker_id": [7], "sentence_language_code": ["nb-NO"], "audio": [audio]}
    return pyarrow.table({**columns, "sentence_text": ["Hei på deg."]})


@pytest.mark.parametrize("audio", ["a.mp3", b"no audio", {"bytes": None, "path": "a.mp3"}, None])
def test_a_sentence_without_sound_is_dropped_and_told(audio: object, tmp_path: Path) -> None:
    parquet.write_table(sentences(audio), tmp_path / "0000.parquet")
    (clip,) = npsc_clips(tmp_path / "0000.parquet", "0000.parquet")
    assert clip.dropped == "unreadable" and clip.text == "Hei på deg."


def test_a_file_with_text_that_is_none_is_told(tmp_path: Path) -> None:
    """As a few wrong bytes in it make, which Parquet itself does not notice."""
    from pyarrow import compute

    broken = compute.cast(
        pyarrow.array([b"Hei p\xc6."], pyarrow.binary()), options=compute.CastOptions.unsafe(pyarrow.string())
    )
    table = sentences(b"no audio").set_column(4, "sentence_text", broken)
    parquet.write_table(table, tmp_path / "0000.parquet")
    with pytest.raises(ReplikkError, match="is no Parquet file, or a damaged one"):
        list(npsc_clips(tmp_path / "0000.parquet", "0000.parquet"))


def test_another_layout_is_told_and_so_is_a_hub_that_cannot_be_reached(
    hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repositories["datasets/NbAiLab/NPSC"].files.clear()
    with pytest.raises(ReplikkError, match="laid out anew"):
        fetch(tmp_path, NPSC)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ReplikkError, match="the connection to the hub failed") as raised:
        fetch(tmp_path, NST)
    assert "kind: folder" in str(raised.value) and "models_dir" not in str(raised.value)


def test_a_shard_that_cannot_be_fetched_ends_the_run_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    done = CorpusProject(tmp_path, [{"name": "nst", "kind": "nst", "subset": "test", "shards": 3}]).run()
    assert done.returncode != 0
    assert "the connection to the hub failed" in done.stdout and "Traceback" not in done.stdout
