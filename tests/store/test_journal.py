"""The journal: what was appended is there, whatever happens to the file."""

import hashlib
import multiprocessing
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replikk.errors import StoreError
from replikk.journal import Journal


def key_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_record_is_found_by_another_process_that_opens_the_journal(tmp_path):
    Journal(tmp_path / "j").append(key_of("a"), {"samples": 3})
    assert Journal(tmp_path / "j").get(key_of("a")) == {"samples": 3}


def test_the_last_record_of_a_key_wins(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.append(key_of("a"), 1)
    journal.append(key_of("a"), 2)
    assert Journal(tmp_path / "j").get(key_of("a")) == 2


def test_a_forgotten_record_is_gone(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.append(key_of("a"), 1)
    journal.forget(key_of("a"))
    assert key_of("a") not in journal
    assert key_of("a") not in Journal(tmp_path / "j")


def test_a_journal_can_be_refreshed_with_what_others_appended(tmp_path):
    reader = Journal(tmp_path / "j")
    assert key_of("a") not in reader
    Journal(tmp_path / "j").append(key_of("a"), 1)
    assert key_of("a") not in reader
    reader.refresh()
    assert reader.get(key_of("a")) == 1


@given(cut=st.integers(min_value=1, max_value=60), after=st.integers(0, 5))
def test_a_line_that_a_kill_cut_short_loses_itself_only(tmp_path_factory, cut, after):
    path = tmp_path_factory.mktemp("journal") / "j"
    journal = Journal(path)
    journal.append(key_of("whole"), "whole")
    journal.append(key_of("cut"), "cut")
    os.truncate(path, path.stat().st_size - cut)
    late = Journal(path)
    for number in range(after):
        late.append(key_of(f"late {number}"), number)
    read = Journal(path)
    assert read.get(key_of("whole")) == "whole"
    assert [read.get(key_of(f"late {number}")) for number in range(after)] == list(range(after))


@given(position=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_damaged_byte_never_gives_a_wrong_record(tmp_path_factory, position, value):
    path = tmp_path_factory.mktemp("journal") / "j"
    records = {key_of(str(n)): {"number": n} for n in range(20)}
    journal = Journal(path)
    for key, record in records.items():
        journal.append(key, record)
    data = bytearray(path.read_bytes())
    data[position % len(data)] = value
    path.write_bytes(data)
    damaged = Journal(path)
    wrong = [key for key in records if damaged.get(key) not in (records[key], None)]
    lost = [key for key in records if damaged.get(key) is None]
    assert wrong == []
    assert len(lost) <= 2  # a newline that became something else joins two lines


def append_many(path, name):
    journal = Journal(path)
    for number in range(200):
        journal.append(key_of(f"{name} {number}"), {"name": name, "padding": "x" * 300})


def test_processes_that_append_at_the_same_time_do_not_mix_their_lines(tmp_path):
    processes = [multiprocessing.Process(target=append_many, args=(tmp_path / "j", name)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    journal = Journal(tmp_path / "j")
    assert len([key for key in journal if journal.get(key) is not None]) == 600


def test_keep_compacts_to_the_records_that_are_still_needed(tmp_path):
    journal = Journal(tmp_path / "j")
    for name in "abc":
        for _ in range(5):
            journal.append(key_of(name), name)
    journal.keep({key_of("b")})
    assert list(Journal(tmp_path / "j")) == [key_of("b")]
    assert len((tmp_path / "j").read_bytes().splitlines()) == 1


def test_a_key_that_is_no_hash_is_refused(tmp_path):
    with pytest.raises(StoreError, match="is not a key"):
        Journal(tmp_path / "j").append("../../etc/passwd", 1)


def test_a_full_disk_says_so_and_says_what_to_do():
    with pytest.raises(StoreError, match=r"/dev/full: cannot be written .*; make room"):
        Journal(Path("/dev/full")).append(key_of("a"), 1)


# The newest records, without reading the rest ------------------------------------------------------------------------


def test_recent_finds_the_newest_records_and_no_damaged_or_forgotten_one(tmp_path):
    path = tmp_path / "j"
    writer = Journal(path)
    for number in range(20):
        writer.append(key_of(str(number)), {"n": number})
    writer.append(key_of("19"), {"n": "again"})
    writer.forget(key_of("18"))
    reader = Journal(path)
    assert reader.recent(key_of("17")) == {"n": 17}
    assert reader.recent(key_of("19")) == {"n": "again"}
    assert reader.recent(key_of("18")) is None
    assert reader.recent(key_of("never")) is None
    path.write_bytes(path.read_bytes().replace(b'{"n":16}', b'{"n":61}'))
    assert Journal(path).recent(key_of("16")) is None
    assert Journal(tmp_path / "none").recent(key_of("a")) is None


def test_recent_does_not_find_what_is_old_until_all_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("replikk.journal._RECENT_BYTES", 300)  # two records and a part of the third last
    path = tmp_path / "j"
    writer = Journal(path)
    for number in range(9):
        writer.append(key_of(str(number)), number)
    reader = Journal(path)
    found = [reader.recent(key_of(str(number))) for number in range(9)]
    assert found == [None] * 6 + [6, 7, 8]
    assert reader.get(key_of("0")) == 0
    assert [reader.recent(key_of(str(number))) for number in range(9)] == list(range(9))


def test_recent_knows_what_this_process_appended(tmp_path):
    journal = Journal(tmp_path / "j")
    assert journal.recent(key_of("a")) is None
    journal.append(key_of("a"), 1)
    assert journal.recent(key_of("a")) == 1
