"""Speakers: their hashes, splits that never share one, and who is counted by the interface to pyannote."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import RATE_HZ, lines, second_speaker, spoken

from replikk.corpus import speakers
from replikk.corpus.audio_shards import new_shard
from replikk.corpus.folder import CorpusFolder
from replikk.corpus.manifest import Utterance, read_manifest, write_manifest
from replikk.corpus.measures import measure_clip
from replikk.corpus.settings import CorpusSettings, Limits
from replikk.corpus.speaker_names import corpus_salt, speaker_hash
from replikk.corpus.splitting import held_out_speakers

seconds_of = st.dictionaries(st.text("abcdef", min_size=1, max_size=4), st.floats(0.1, 1e5), max_size=30)


@given(seconds_of, st.floats(0, 0.5))
def test_some_are_held_out_and_most_of_the_time_is_left(seconds: dict[str, float], share: float) -> None:
    held = held_out_speakers(seconds, share)
    total = sum(seconds.values())
    assert held <= set(seconds)
    assert sum(seconds[name] for name in held) <= total / 2 * (1 + 1e-9)


def test_the_share_is_reached_with_many_speakers_and_nobody_is_held_out_alone() -> None:
    many = {f"{number:03}": 60.0 + number for number in range(200)}
    held = held_out_speakers(many, 0.05)
    assert 0.05 <= sum(many[name] for name in held) / sum(many.values()) < 0.07
    assert held_out_speakers({"one": 3600.0}, 0.1) == set()
    assert held_out_speakers(many, 0) == set()


def test_names_are_hashed_with_a_salt_that_only_the_owner_reads(tmp_path: Path) -> None:
    salt = corpus_salt(tmp_path, "")
    assert corpus_salt(tmp_path, "") == salt and len(salt) == 32
    assert stat.S_IMODE((tmp_path / "salt").stat().st_mode) == 0o600
    assert speaker_hash(salt, "npsc", "12") != speaker_hash("another", "npsc", "12")
    assert speaker_hash(salt, "npsc", "12") != speaker_hash(salt, "nst", "12")


def test_the_cheap_test_tells_one_voice_from_two() -> None:
    """Of 16 clips each: a woman and a man at once, in turn, and one of them alone."""
    clips = list(spoken(lines()[:18]))
    found = {"together": 0, "in turn": 0, "one": 0}
    for (_, _, one), (_, _, other) in zip(clips[:16], clips[2:], strict=True):
        for name, samples in (
            ("together", second_speaker(one, other, True)),
            ("in turn", second_speaker(one, other, False)),
            ("one", one),
        ):
            found[name] += bool(speakers.cheap_suspicion(measure_clip(samples, RATE_HZ).values, Limits()))
    assert found["one"] == 0 and found["in turn"] == 16 and found["together"] >= 12


def test_only_clips_in_doubt_go_to_pyannote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in of pyannote's interface: seconds of a second person, seconds of two at once. It knows the answer by
    the length of a clip; what is tested is who is asked, and what the answer does."""
    asked: list[int] = []

    def count(samples: np.ndarray, sample_rate_hz: int) -> tuple[float, float]:
        asked.append(len(samples))
        return (2.0, 0.0) if len(samples) > 2 * sample_rate_hz else (0.0, 0.1)

    monkeypatch.setattr(speakers, "make_pyannote", lambda settings: count)
    folder = CorpusFolder(tmp_path)
    rows = []
    with new_shard(folder.tar("fetch", "a-00000")) as writer:
        for name, seconds, spread in (("calm", 3, 2.0), ("doubt", 3, 8.0), ("lively", 1, 8.0)):
            row = Utterance(
                id=name, source="a", origin=name, speaker="s", text="", licence="own", tar="fetch/a-00000.tar",
                measures={"pitch_spread_semitones": spread, "pitch_jumps": 0.0},
            )  # fmt: skip
            samples = np.arange(seconds * 16_000, dtype=np.int16)
            rows.append(Utterance(**{**row.__dict__, "member": writer.add(row, samples, 16_000)}))
    write_manifest(tmp_path / "in.jsonl", rows)
    settings = CorpusSettings((), speaker_check="pyannote")
    speakers.check_speakers(settings, folder, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert asked == [48_000, 16_000]
    fates = {row.id: row.dropped for row in read_manifest(tmp_path / "out.jsonl")}
    assert fates == {"calm": "", "doubt": "second_speaker", "lively": ""}
    # A limit decides who is asked, so with another one what was noted before does not hold.
    for limit in ("max_pitch_spread_semitones", "max_pitch_jumps"):
        asked.clear()
        changed = CorpusSettings((), speaker_check="pyannote", limits=Limits(**{limit: 0.09}))
        speakers.check_speakers(changed, folder, tmp_path / "in.jsonl", tmp_path / "out.jsonl")
        assert asked, limit
