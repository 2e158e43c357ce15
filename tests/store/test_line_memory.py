"""The memory of lines: what was made of the same bytes on the same basis, or nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.line_memory import LineMemory


def remember(path: Path, basis: str, **made: bytes) -> None:
    memory = LineMemory(path, basis)
    for source, value in made.items():
        memory.keep(source.encode(), value)
    memory.save()


def test_what_was_kept_is_found_by_the_next_build(tmp_path: Path) -> None:
    remember(tmp_path / "m", "basis", a=b"{}", b=b'{"x":1}\t[2]')
    memory = LineMemory(tmp_path / "m", "basis")
    assert memory.find(b"a") == b"{}"
    assert memory.find(b"b") == b'{"x":1}\t[2]'
    assert memory.find(b"c") is None


def test_another_basis_remembers_nothing(tmp_path: Path) -> None:
    remember(tmp_path / "m", "basis", a=b"{}")
    assert LineMemory(tmp_path / "m", "basis 2").find(b"a") is None


def test_what_a_build_did_not_use_is_forgotten(tmp_path: Path) -> None:
    remember(tmp_path / "m", "basis", old=b"1", kept=b"2")
    memory = LineMemory(tmp_path / "m", "basis")
    assert memory.find(b"kept") == b"2"
    memory.keep(b"new", b"3")
    memory.save()
    after = LineMemory(tmp_path / "m", "basis")
    assert [after.find(source) for source in (b"old", b"kept", b"new")] == [None, b"2", b"3"]


def test_a_build_in_which_nothing_changed_writes_nothing(tmp_path: Path) -> None:
    remember(tmp_path / "m", "basis", a=b"1", b=b"2")
    before = (tmp_path / "m").stat().st_mtime_ns
    memory = LineMemory(tmp_path / "m", "basis")
    memory.find(b"b"), memory.find(b"a")
    memory.save()
    assert (tmp_path / "m").stat().st_mtime_ns == before


def test_an_empty_memory_is_a_file_too(tmp_path: Path) -> None:
    remember(tmp_path / "m", "basis")
    assert (tmp_path / "m").exists()
    assert LineMemory(tmp_path / "m", "basis").find(b"") is None


@pytest.mark.parametrize("place", [0, 5, 12, 30, 90, -1])
def test_one_wrong_byte_and_nothing_is_believed(tmp_path: Path, place: int) -> None:
    path = tmp_path / "m"
    remember(path, "basis", a=b'{"outcome":"pass"}', b=b"2")
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    memory = LineMemory(path, "basis")
    assert memory.find(b"a") is None and memory.find(b"b") is None


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.binary(), st.binary().filter(lambda made: b"\n" not in made)), st.integers(0, 400))
def test_a_file_that_was_cut_short_gives_nothing_or_everything(made: dict[bytes, bytes], length: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        memory = LineMemory(path, "basis")
        for source, value in made.items():
            memory.keep(source, value)
        memory.save()
        whole = path.read_bytes()
        path.write_bytes(whole[:length])
        found = [LineMemory(path, "basis").find(source) for source in made]
        assert found == (list(made.values()) if length >= len(whole) else [None] * len(made))
