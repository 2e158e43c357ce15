"""What stages share: manifests, shards that are whole or not there, jobs that go on where they were killed; and the
separator and the fingerprints, which need no recogniser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted import RATE_HZ, far_microphone, lines, noise, spoken

from replikk.corpus import separation
from replikk.corpus.audio_shards import ShardReader, new_shard
from replikk.corpus.duplicates import Candidate, duplicates
from replikk.corpus.filters import filter_clips
from replikk.corpus.folder import CorpusFolder
from replikk.corpus.manifest import Reading, Utterance, read_manifest, resumable_rows, write_manifest
from replikk.corpus.measures import fingerprint_distance, measure_clip
from replikk.corpus.readings import ReadingClip, ctc_words, embedded_second_reader, embedded_transcriber
from replikk.corpus.settings import CorpusSettings, Limits, Source
from replikk.errors import ReplikkError


def utterance(name: str, **more: object) -> Utterance:
    row = Utterance(id=name, source="own", origin=name, speaker="s", text="Hei.", licence="own")
    return replace(row, **more)  # type: ignore[arg-type]


def test_a_row_is_read_as_it_was_written(tmp_path: Path) -> None:
    row = utterance("1", first=Reading("hei", (0.5,)), second=Reading("hei", (0.25,), 0.125), measures={"snr_db": 1.5})
    dropped = utterance("2").drop("noisy", "very")
    write_manifest(tmp_path / "rows.jsonl", [row, dropped])
    assert list(read_manifest(tmp_path / "rows.jsonl")) == [row, dropped]


def test_equal_clips_make_equal_shards_and_a_broken_off_one_is_not_there(tmp_path: Path) -> None:
    samples = np.arange(4000, dtype=np.int16)
    for name in ("one", "two"):
        with new_shard(tmp_path / f"{name}.tar") as writer:
            assert writer.add(utterance("1"), samples, 16_000) == "1.flac"
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with pytest.raises(KeyboardInterrupt), new_shard(tmp_path / "three.tar") as writer:
        writer.add(utterance("1"), samples, 16_000)
        raise KeyboardInterrupt
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.tar", "two.tar"]


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    with new_shard(tmp_path / "one.tar") as writer:
        writer.add(utterance("1"), np.random.default_rng(0).integers(-99, 99, 4000).astype(np.int16), 16_000)
    data = bytearray((tmp_path / "one.tar").read_bytes())
    data[1200:1300] = bytes(100)
    (tmp_path / "one.tar").write_bytes(data)
    with ShardReader(tmp_path) as shards, pytest.raises(ReplikkError, match=r"one\.tar.*delete"):
        shards.read(utterance("1", tar="one.tar", member="1.flac"))
    with ShardReader(tmp_path) as shards, pytest.raises(ReplikkError, match=r"has no 2\.flac"):
        shards.read(utterance("2", tar="one.tar", member="2.flac"))


def test_a_killed_job_goes_on_after_the_last_whole_row(tmp_path: Path) -> None:
    rows = [utterance(str(number)) for number in range(6)]
    worked: list[str] = []

    def work(todo: Iterable[Utterance], most: int = 99) -> Iterator[Utterance]:
        for row in todo:
            if len(worked) == most:
                raise KeyboardInterrupt
            worked.append(row.id)
            yield replace(row, first=Reading(f"read {row.id}", ()))

    result = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        resumable_rows(rows, lambda todo: work(todo, 4), result=result, depends_on="model a")
    with result.with_suffix(".notes").open("ab") as notes:
        notes.write(b'{"of": "4", "half')  # the kill came while a row was being written
    done = resumable_rows(rows, work, result=result, depends_on="model a")
    assert worked == ["0", "1", "2", "3", "4", "5"] and [row.id for row in done] == [row.id for row in rows]
    worked.clear()
    resumable_rows([*rows, utterance("new")], work, result=result, depends_on="model a")
    assert worked == ["new"]
    worked.clear()
    changed = [replace(rows[0], duration_s=9.0), *rows[1:]]
    resumable_rows(changed, work, result=result, depends_on="model a")
    assert worked == ["0"]  # another recording under the same name
    worked.clear()
    resumable_rows(rows, work, result=result, depends_on="model b")
    assert len(worked) == 6  # another model's notes are worth nothing


def test_ctc_words_are_as_sure_as_their_letters() -> None:
    letters = {0: "_", 1: " ", 2: "h", 3: "e", 4: "i"}
    path = [2, 2, 0, 3, 4, 1, 0, 4, 0, 4]
    sure = [0.5, 0.9, 0.9, 0.8, 0.7, 0.9, 0.9, 0.4, 0.9, 0.6]
    scores = np.full((len(path), 5), 1e-6)
    scores[np.arange(len(path)), path] = sure
    text, confidences = ctc_words(np.log(scores), letters, blank=0)
    assert text == "hei ii" and confidences == (pytest.approx(0.8), pytest.approx(0.5))


def test_embedded_readers_are_not_helped_by_the_text() -> None:
    (_, text, samples), (_, other, _) = spoken(lines()[:2])
    for reader in (embedded_transcriber, embedded_second_reader):
        told, misled = (next(reader([ReadingClip("1", samples, RATE_HZ, given)]))[1] for given in (text, other))
        assert told.text == misled.text
    assert told.misfit is not None and misled.misfit is not None
    assert told.misfit < 0.3 < 1 < misled.misfit


def test_noise_is_taken_out_and_clean_clips_stay_to_the_bit(tmp_path: Path) -> None:
    draws = np.random.default_rng(3)
    folder = CorpusFolder(tmp_path)
    rows, clips = [], {}
    with new_shard(folder.tar("fetch", "own-00000")) as writer:
        for number, (_, text, samples) in enumerate(spoken(lines()[:4])):
            kind = "clean" if number % 2 else "noisy"
            samples = samples if kind == "clean" else noise(samples, draws)
            row = utterance(f"{kind}{number}", text=text, measures=measure_clip(samples, RATE_HZ).values)
            rows.append(replace(row, tar="fetch/own-00000.tar", member=writer.add(row, samples, RATE_HZ)))
            clips[row.id] = samples
    write_manifest(tmp_path / "in.jsonl", rows)
    settings = CorpusSettings((), separator="embedded")
    separation.separate_clips(settings, folder, "own-00000", tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    before = {row.id: row for row in rows}
    with ShardReader(tmp_path) as shards:
        for row in read_manifest(tmp_path / "out.jsonl"):
            samples, _ = shards.read(row)
            assert row.separated == row.id.startswith("noisy")
            assert np.array_equal(samples, clips[row.id]) != row.separated
            assert np.array_equal(shards.read(before[row.id])[0], clips[row.id])  # the original is still there
            if row.separated:
                assert row.measures["pause_level_db"] < before[row.id].measures["pause_level_db"] - 5


def test_a_separator_must_keep_length_and_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separation, "subtract_background", lambda samples, rate: samples[:-1])
    folder = CorpusFolder(tmp_path)
    samples = np.random.default_rng(0).integers(-9000, 9000, 32_000).astype(np.int16)
    with new_shard(folder.tar("fetch", "own-00000")) as writer:
        member = writer.add(utterance("1"), samples, 16_000)
    row = utterance("1", tar="fetch/own-00000.tar", member=member, measures=measure_clip(samples, 16_000).values)
    write_manifest(tmp_path / "in.jsonl", [row])
    settings = CorpusSettings((), separator="embedded")
    with pytest.raises(ReplikkError, match="must keep length and type"):
        separation.separate_clips(settings, folder, "own-00000", tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert not folder.tar("separate", "own-00000").exists()


def test_dnsmos_drops_what_sounds_bad(tmp_path: Path) -> None:
    """Real DNSMOS, on a clip and on the same clip in noise that the other limits let pass here."""
    pytest.importorskip("speechmos", reason="pip install --no-deps speechmos brings the weights of DNSMOS")
    draws = np.random.default_rng(3)
    folder = CorpusFolder(tmp_path)
    (_, text, samples), *_ = spoken(lines()[:1])
    rows = []
    with new_shard(folder.tar("fetch", "own-00000")) as writer:
        for name, heard in (("clean", samples), ("noisy", noise(samples, draws))):
            read = Reading(text, (0.9,) * len(text.split()), 0.0)
            row = utterance(
                name, text=text, measures=measure_clip(heard, RATE_HZ).values, duration_s=3.0, first=read, second=read,
                tar="fetch/own-00000.tar",
            )  # fmt: skip
            rows.append(replace(row, member=writer.add(row, heard, RATE_HZ)))
    write_manifest(tmp_path / "in.jsonl", rows)
    limits = Limits(min_snr_db=0, max_pause_level_db=0, min_naturalness_mos=2.0)
    settings = CorpusSettings((Source("own", "folder", "own"),), naturalness="dnsmos", limits=limits)
    filter_clips(settings, folder, "own-00000", tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    clean, noisy = read_manifest(tmp_path / "out.jsonl")
    assert clean.measures["naturalness_mos"] > noisy.measures["naturalness_mos"] + 0.5
    assert (clean.dropped, noisy.dropped) == ("", "unnatural")


def test_two_microphones_are_one_utterance_and_two_people_are_two() -> None:
    draws = np.random.default_rng(5)
    texts = [line for line in lines()[:4] for _ in range(4)]  # each sentence by each of the four voices
    candidates = []
    for number, (speaker, text, samples) in enumerate(spoken(texts)):
        for microphone, heard in (("near", samples), ("far", far_microphone(samples, draws))):
            measured = measure_clip(heard, RATE_HZ)
            row = utterance(
                f"{number:02} {microphone}", speaker=speaker, text=text, measures=measured.values,
                fingerprint=measured.fingerprint, duration_s=len(heard) / RATE_HZ,
            )  # fmt: skip
            candidates.append(Candidate(row, (text,), "own-00000"))
    found = duplicates(candidates, Limits().max_duplicate_distance)
    assert found == {f"{number:02} far": f"{number:02} near" for number in range(16)}


@pytest.mark.parametrize(
    ("near", "far", "has_text", "is_one"),
    [
        ("taubanen stanset brått halvveis", "taubanen stanset brott halveis", False, True),
        ("gruveskjakten raste ned", "gruvesjakten raste ned", False, True),
        ("taubanen stanset brått halvveis", "taubanen stanset brott halveis", True, False),
        ("taubanen stanset brått halvveis", "taubanen gikk brått videre", False, False),
    ],
)
def test_where_no_text_was_given_readings_may_differ_in_a_letter(
    near: str, far: str, has_text: bool, is_one: bool
) -> None:
    """The same sound here, so that what was read decides."""
    sound = {"fingerprint": "0f" * 32, "measures": {"speech_s": 2.0, "pause_level_db": -30.0, "snr_db": 30.0}}
    candidates = [
        Candidate(utterance(name, text=read, duration_s=2.0, **sound), (read.replace(" ", ""),), "own-00000", has_text)
        for name, read in (("1 near", near), ("2 far", far))
    ]
    assert duplicates(candidates, 0.34) == ({"2 far": "1 near"} if is_one else {})


def test_a_clip_without_speech_has_no_fingerprint() -> None:
    assert measure_clip(np.zeros(200, np.int16), 16_000).fingerprint == ""
    assert fingerprint_distance("", "") == 1.0
