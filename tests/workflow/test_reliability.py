"""Nothing finished is lost: damage, kills, full disks, two builds at once, and an engine that fails in every way."""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from game_folder import PROJECT

from replikk.dialogue.plan import read_plan
from replikk.engines.faulty import FaultyEngine
from replikk.engines.records import TakeRequest

WORDS = [
    "måne",
    "stein",
    "havn",
    "skog",
    "fisk",
    "båt",
    "lykt",
    "sand",
    "tårn",
    "bro",
    "elv",
    "sti",
    "hage",
    "port",
    "kiste",
    "kart",
]


def word(n):
    return WORDS[n % len(WORDS)]


def write_long_sheet(game, lines, name="lang.csv"):
    rows = [
        {
            "id": f"lang_{n:03}",
            "text": f"Nå går vi fra {word(n)} til {word(n * 7 + 3)}, forbi {word(n * 5 + n // 16)}.",
            "voice": "kari" if n % 2 else "ola",
        }
        for n in range(lines)
    ]
    game.write_sheet(name, rows)
    return rows


def take_files(game):
    """Modification time and content of every take; not of the halves that a kill leaves behind."""
    return {
        path.stem: (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in (game.build / "store" / "takes").glob("??/*.flac")
        if not path.name.startswith(".tmp-")
    }


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def zero(path):
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize("damage", [truncate, zero, lambda path: path.unlink()], ids=["truncated", "zeroed", "deleted"])
@pytest.mark.parametrize("kind", ["take", "asset", "word_times", "subtitles"])
def test_a_damaged_file_is_noticed_and_made_again(small_game, damage, kind):
    small_game.make()
    assets, takes = small_game.assets(), take_files(small_game)
    clip = small_game.clips()["havn_002"]
    assets_dir = small_game.build / "assets"
    damage(
        {
            "take": small_game.build / "store" / "takes" / clip["take"][:2] / f"{clip['take']}.flac",
            "asset": assets_dir / clip["path"],
            "word_times": assets_dir / clip["word_times"],
            "subtitles": assets_dir / small_game.manifest()["scenes"][0]["subtitles"],
        }[kind]
    )
    output = small_game.make()
    assert "was damaged or deleted; it is made again" in output
    assert small_game.assets() == assets
    mended = take_files(small_game)
    assert {key: sha for key, (_, sha) in mended.items()} == {key: sha for key, (_, sha) in takes.items()}
    made_again = [key for key in takes if mended[key][0] != takes[key][0]]
    assert made_again == ([clip["take"]] if kind == "take" else [])
    assert "Nothing to be done" in small_game.make()


def kill_tree(process):
    """SIGKILL the build's Snakemake and, half of the time, leave the job it started alive."""
    if random.random() < 0.5:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def kill_and_finish(game, kills, seed):
    """Kill builds at random moments; check after each that no finished take was damaged or made twice."""
    random.seed(seed)
    seen: dict[str, tuple[int, str]] = {}
    for _ in range(kills):
        process = subprocess.Popen(
            game.command(), cwd=game.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=random.uniform(0.8, 4.5))
        except subprocess.TimeoutExpired:
            kill_tree(process)
        now = take_files(game)
        assert {key: now[key] for key in seen} == seen
        seen = now
    game.make()
    finished = take_files(game)
    assert {key: finished[key] for key in seen} == seen
    assert not list(game.build.glob("assets/**/.tmp-*"))


def test_a_write_that_is_killed_leaves_nothing_that_looks_like_a_take(tmp_path):
    """Only a name tells a finished take from half of one."""
    code = (
        "import os, signal, sys; from pathlib import Path; from replikk.files import write_atomic\n"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomic(Path(sys.argv[1]), b'half')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.flac")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name[:5] for path in tmp_path.iterdir()] == [".tmp-"]
    assert list(tmp_path.glob("*.flac")) == []


def test_a_killed_build_is_finished_by_the_next_one(game):
    write_long_sheet(game, 60)
    kill_and_finish(game, kills=20, seed=1)
    killed = game.assets()
    game.forget_build()
    game.make()
    assert game.assets() == killed


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 7))
def test_killed_builds_many_times(game, seed):
    write_long_sheet(game, 300)
    kill_and_finish(game, kills=40, seed=seed)


def test_a_second_build_at_the_same_time_stops_with_a_clear_message(game):
    write_long_sheet(game, 200)
    first = subprocess.Popen(game.command(), cwd=game.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 60
    while not list((game.build / "store").glob("takes/??/*.flac")) and time.monotonic() < deadline:
        time.sleep(0.05)
    second = game.run()
    output, _ = first.communicate(timeout=300)
    assert first.returncode == 0, output
    assert second.returncode == 1, second.stdout
    assert "another build is running" in second.stdout
    assert len(game.clips()) == 200


def test_ctrl_c_ends_a_build_with_one_sentence_and_no_account_of_the_command(game):
    write_long_sheet(game, 200)
    build = subprocess.Popen(
        game.command(), cwd=game.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not list((game.build / "store").glob("takes/??/*.flac")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(build.pid, signal.SIGINT)  # as a terminal does: to Snakemake and to its job
    output, _ = build.communicate(timeout=60)
    assert build.returncode == 1
    assert output.count("interrupted; finished takes are kept") == 1
    assert all(word not in output for word in ("RuleException", "Error in rule", "set -e", "WorkflowError")), output
    game.make()
    assert len(game.clips()) == 200


def test_ctrl_c_while_sheets_are_read_ends_with_one_sentence(small_game):
    waits = small_game.dialogue / "placeholders.yaml"  # a pipe: who reads it waits for what is never written
    os.mkfifo(waits)
    build = subprocess.Popen(
        small_game.command(), cwd=small_game.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    handle, deadline = None, time.monotonic() + 60
    while handle is None and time.monotonic() < deadline:
        time.sleep(0.02)
        with contextlib.suppress(OSError):  # nobody reads it yet
            handle = os.open(waits, os.O_WRONLY | os.O_NONBLOCK)
    os.killpg(build.pid, signal.SIGINT)
    output, _ = build.communicate(timeout=60)
    os.close(handle)
    assert build.returncode == 130, output
    assert output.splitlines()[-1] == "interrupted while the sheets were read; nothing was begun"
    assert "Traceback" not in output and "KeyboardInterrupt" not in output
    assert not small_game.build.exists()


def test_a_read_only_build_folder_stops_with_a_clear_message(small_game):
    if os.geteuid() == 0:
        blocked = small_game.build
        blocked.write_text("a file where the folder should be")  # root may write everywhere
    else:
        small_game.build.mkdir()
        small_game.build.chmod(0o500)
    done = small_game.run()
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert str(small_game.build.name) in done.stdout
    assert "cannot be" in done.stdout


def faulty(game, max_rounds=3, **faults):
    game.configure(engine="faulty", engines={"faulty": {"faults": faults, "timeout_s": 2}}, max_rounds=max_rounds)


@pytest.mark.parametrize("fault", ["drop_words", "stop_early", "repeat", "noise", "crash", "nothing", "wrong_line"])
def test_a_fault_in_the_first_reading_is_heard_and_regenerated(game, fault):
    """Every line goes wrong at first and well later: all must end regenerated, none passed at first."""
    rows = write_long_sheet(game, 8)
    game.configure(engine="faulty", engines={"faulty": {"faults": {fault: 1.0}, "only_reading": [0], "timeout_s": 2}})
    game.make()
    states = {line_id: record["state"] for line_id, record in game.selection().items()}
    assert states == {row["id"]: "regenerated" for row in rows}


def test_an_engine_that_hangs_costs_its_time_limit_and_no_more(game):
    rows = write_long_sheet(game, 2)
    game.configure(engine="faulty", engines={"faulty": {"faults": {"hang": 1.0}, "only_reading": [0], "timeout_s": 1}})
    game.make()
    assert {record["state"] for record in game.selection().values()} == {"regenerated"}
    assert len(game.clips()) == len(rows)


def test_lines_that_never_come_out_right_are_flagged_with_every_take(game):
    rows = write_long_sheet(game, 4)
    faulty(game, stop_early=1.0)
    game.make()
    report = game.report()
    assert sorted(report["summary"]["blocking"]) == sorted(row["id"] for row in rows)
    assert report["summary"]["shippable"] is False
    for record in game.selection().values():
        assert record["state"] == "flagged"
        assert len(record["takes"]) == 3
        assert all(take["reasons"] for take in record["takes"])


def test_a_line_that_cannot_be_spoken_at_all_is_a_named_exception(game):
    write_long_sheet(game, 2)
    faulty(game, max_rounds=2, crash=1.0)
    game.make()
    assert game.manifest()["clips"] == []
    assert [exception["reason"] for exception in game.manifest()["exceptions"]] == ["no take could be made"] * 2
    assert game.report()["summary"]["shippable"] is False


def test_a_mixture_of_faults_ships_nothing_bad_unflagged(game):
    write_long_sheet(game, 40)
    faulty(game, drop_words=0.15, stop_early=0.15, repeat=0.1, noise=0.1, crash=0.1, nothing=0.05, wrong_line=0.1)
    game.make()
    engine = FaultyEngine(game.settings["engines"]["faulty"])
    plan = read_plan(game.build / "plan" / "lines.jsonl")
    selection = game.selection()
    states = [selection[planned.line.id]["state"] for planned in plan.lines]
    shipped_bad = [
        planned.line.id
        for planned in plan.lines
        if selection[planned.line.id]["state"] in ("passed", "regenerated")
        and engine.fault_of(request_for(planned, selection[planned.line.id]["take"], plan))
    ]
    assert len(states) == 40
    assert shipped_bad == []
    assert states.count("regenerated") >= 10


def request_for(planned, take, plan):
    """The request that made a take, as far as the faulty engine's draw depends on it."""
    line = planned.line
    return TakeRequest(take, line.segments, line.locale, line.style, plan.voices[line.voice], planned.takes.index(take))


@pytest.mark.parametrize(
    ("raised", "status", "told"),
    [
        ("OSError(errno.ENOSPC, 'No space left on device', 'x.flac')", 3, "x.flac: cannot be used (No space left"),
        ("PermissionError(errno.EACCES, 'Permission denied', 'x.flac')", 3, "x.flac: cannot be used (Permission"),
        ("FileNotFoundError(errno.ENOENT, 'No such file', 'x.flac')", 3, "x.flac: cannot be used (No such file"),
        ("FileExistsError(errno.EEXIST, 'File exists', 'assets')", 3, "assets: cannot be used (File exists"),
        ("OSError(errno.ENOTCONN, 'not connected', 'x.flac')", 3, "x.flac: cannot be used (not connected"),  # a share
        ("OSError(errno.EBADF, 'Bad file descriptor')", 1, "a fault of replikk"),
        ("OSError('not a gzipped file')", 1, "a fault of replikk"),
        ("ChildProcessError(errno.ECHILD, 'No child processes')", 1, "a fault of replikk"),
    ],
)
def test_a_fault_of_ours_keeps_its_traceback_on_screen_and_in_the_log(tmp_path, raised, status, told):
    program = tmp_path / "stage.py"
    program.write_text(
        "import errno, sys\n"
        "from replikk.stages.running import stage_log\n"
        "with stage_log(sys.argv[1]):\n"
        f"    raise {raised}\n"
    )
    log = tmp_path / "stage.log"
    done = subprocess.run([sys.executable, program, log], capture_output=True, text=True, check=False)
    assert done.returncode == status
    for output in (done.stderr, log.read_text(encoding="utf-8")):
        assert told in output
        assert ("Traceback" in output) == (status == 1)


def test_an_interrupt_inside_the_audio_library_is_not_lost_and_leaves_a_whole_file(tmp_path):
    """libsndfile calls back into Python, and an exception that is raised there goes nowhere."""
    program = tmp_path / "stage.py"
    program.write_text(
        "import io, signal, sys, time\n"
        "import numpy, soundfile\n"
        "from replikk.stages.running import end_between_callbacks, stage_log\n"
        "class File(io.BytesIO):\n"
        "    def write(self, data):\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "        return super().write(data)\n"
        "file, samples = File(), numpy.arange(20000, dtype='int16')\n"
        "end_between_callbacks()\n"
        "with stage_log(sys.argv[1]):\n"
        "    try:\n"
        "        soundfile.write(file, samples, 24000, format='FLAC')\n"
        "        time.sleep(5)\n"
        "    finally:\n"
        "        assert (soundfile.read(io.BytesIO(file.getvalue()), dtype='int16')[0] == samples).all()\n"
        "        print('whole')\n"
        "print('went on')\n"
    )
    done = subprocess.run(
        [sys.executable, program, tmp_path / "log"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "whole\ninterrupted; finished takes are kept\n")
