"""A gate that is killed, with SIGKILL and in a process of its own, loses no take that was finished: it goes on with
what was not spoken, hears what was not heard, and ends as one that was never killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import mortal_gate
import pytest
from mortal_gate import READERS, TEXTS, hold

from replikk.training.harness import GateResult

ALL = TEXTS * len(READERS)


def hold_and_kill(folder: Path, death: str, after: int) -> list[str]:
    """Hold the gate until it has killed itself; what it had taken over by then."""
    diary = folder.parent / f"{death}-{after}.txt"
    done = subprocess.run(
        [sys.executable, mortal_gate.__file__, str(folder), str(diary), death, str(after)], check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL
    assert not (folder / "index.html").exists()
    return diary.read_text(encoding="utf-8").splitlines()


def hold_to_the_end(folder: Path, judge_version: str = "") -> tuple[GateResult, list[str]]:
    diary: list[str] = []
    result = hold(folder, lambda what, of: diary.append(f"{what} {of}"), judge_version)
    return result, diary


def of(what: str, diary: list[str]) -> list[str]:
    return [line for line in diary if line.startswith(what)]


def waiting(folder: Path) -> list[Path]:
    """Takes that nobody has heard yet."""
    return sorted((folder / "unheard").rglob("*.flac"))


@pytest.fixture(scope="module")
def never_killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GateResult]:
    folder = tmp_path_factory.mktemp("whole") / "gate"
    result, diary = hold_to_the_end(folder)
    assert len(of("speaking", diary)) == len(of("hearing", diary)) == ALL
    return folder, result


@pytest.mark.parametrize(
    ("death", "after"),
    [
        ("speaking", 1),
        ("speaking", TEXTS - 1),
        ("speaking", TEXTS + 2),  # of the second reader
        ("hearing", 1),
        ("hearing", TEXTS - 1),
        ("hearing", TEXTS + 2),
    ],
)
def test_nothing_that_was_finished_is_lost(
    tmp_path: Path, never_killed: tuple[Path, GateResult], death: str, after: int
) -> None:
    folder = tmp_path / "gate"
    before = hold_and_kill(folder, death, after)
    result, rest = hold_to_the_end(folder)
    for what in ("speaking", "hearing"):
        assert not set(of(what, before)) & set(of(what, rest)), "once is enough"
        assert len(of(what, before)) + len(of(what, rest)) == ALL
    whole, expected = never_killed
    assert result == expected
    for one in (clip for some in expected.heard.values() for clip in some):
        assert (folder / one.clip).read_bytes() == (whole / one.clip).read_bytes(), "the same sound is judged and kept"
    assert not (folder / "unheard").exists(), "and only once"


def test_killed_again_and_again_it_comes_to_its_end(tmp_path: Path, never_killed: tuple[Path, GateResult]) -> None:
    folder = tmp_path / "gate"
    deaths = (("speaking", 2), ("speaking", 3), ("hearing", 2), ("speaking", 4), ("hearing", 1))
    lines = [line for death, after in deaths for line in hold_and_kill(folder, death, after)]
    result, rest = hold_to_the_end(folder)
    assert sorted(lines + rest) == sorted({*lines, *rest}), "nothing is done twice"
    assert len(lines + rest) == 2 * ALL
    assert result == never_killed[1]


def test_another_judge_hears_what_was_spoken_for_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "gate"
    hold_and_kill(folder, "hearing", 1)
    _, rest = hold_to_the_end(folder, "another")
    assert len(of("speaking", rest)) == ALL - TEXTS, "base need not speak again"
    assert len(of("hearing", rest)) == ALL


def test_a_take_that_the_disk_has_damaged_is_spoken_again(
    tmp_path: Path, never_killed: tuple[Path, GateResult]
) -> None:
    folder = tmp_path / "gate"
    hold_and_kill(folder, "speaking", 3)
    damaged, *_ = waiting(folder)
    damaged.write_bytes(damaged.read_bytes()[:-100])
    result, rest = hold_to_the_end(folder)
    assert len(of("speaking", rest)) == ALL - 3 + 1
    assert result == never_killed[1]


def test_takes_of_one_reader_at_a_time_wait_on_the_disk(tmp_path: Path) -> None:
    folder, seen = tmp_path / "gate", set()

    def look(what: str, _of: str) -> None:
        seen.add((what, len(waiting(folder)), len({path.parent for path in waiting(folder)})))

    hold(folder, look)
    assert max(count for _, count, _ in seen) == TEXTS and max(readers for _, _, readers in seen) == 1
    assert waiting(folder) == []


def test_takes_of_somebody_who_reads_no_more_do_not_stay(tmp_path: Path) -> None:
    """A control from outside that was taken out of the settings after a kill."""
    folder = tmp_path / "gate"
    hold_and_kill(folder, "speaking", 2)
    (folder / "unheard" / "base").rename(folder / "unheard" / "cosyvoice2")
    hold_to_the_end(folder)
    assert not (folder / "unheard").exists()
