"""One build at a time; and a job that was killed leaves nothing behind that others wait for."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest
from game_folder import PROJECT
from stage_runner import Stages

from replikk.commands.prune import prune
from replikk.errors import StoreError
from replikk.locks import hold_build_lock, job_lock


def is_free(path):
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_the_build_lock_is_held_until_the_process_ends_although_nobody_keeps_it(tmp_path):
    """Snakemake throws away what its ``onstart`` section makes."""
    program = (
        "import gc, sys, time\n"
        "from pathlib import Path\n"
        "from replikk.locks import hold_build_lock\n"
        "def onstart():\n"
        "    lock = hold_build_lock(Path(sys.argv[1]))\n"
        "onstart(); gc.collect(); print('ready', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "ready\n"
            with pytest.raises(StoreError, match=f"another build is running .process {holder.pid}."):
                hold_build_lock(tmp_path)
        finally:
            holder.kill()
    hold_build_lock(tmp_path).close()


ENDLESS_PACKAGING = """
import sys, time
from pathlib import Path
from replikk.config import read_config
from replikk.stages import package_assets, placed_clips

def encode(order, settings, store):
    print("encoding", flush=True)
    time.sleep(600)

placed_clips.encode = encode
build = Path(sys.argv[2])
config = read_config({"dialogue_dir": sys.argv[1], "build_dir": sys.argv[2]})
package_assets.package_assets(
    config, build / "plan/lines.jsonl", build / "selection.jsonl", build / "assets/manifest.json",
    build / "changes.json", workers=2,
)
"""


def test_workers_of_a_killed_packaging_job_do_not_keep_its_lock(small_game):
    row = {"text": "Hei på deg.", "voice": "kari"}
    small_game.write_sheet("mer.csv", [{"id": f"mer_{n}", **row} for n in range(4)])
    stages = Stages(small_game)
    stages.open()
    stages.speak(0)
    stages.listen(0)
    for number in range(3):
        if number:
            stages.speak(number)
        stages.judge(number)
    stages.select()
    command = [sys.executable, "-c", ENDLESS_PACKAGING, str(small_game.dialogue), str(small_game.build)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True) as job:
        try:
            assert job.stdout.readline().startswith("encoding")
            job.kill()  # the job alone, as the kernel does when memory runs out
            job.wait()
            lock = small_game.build / "store" / "locks" / "package.lock"
            deadline_s = time.monotonic() + 10
            while not is_free(lock) and time.monotonic() < deadline_s:
                time.sleep(0.05)
            assert is_free(lock)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)


def test_prune_waits_for_a_job_that_outlived_its_build(small_game, monkeypatch):
    Stages(small_game).all()
    taken = []
    real = job_lock

    def noting(build_dir, name):
        taken.append(name)
        return real(build_dir, name)

    monkeypatch.setattr("replikk.commands.prune.job_lock", noting)
    prune(Stages(small_game).config, remove=True)
    assert {"synthesize-0", "transcribe-0", "judge", "package"} <= set(taken)
