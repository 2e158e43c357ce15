"""The command itself, in a process of its own: what it prints, and how it ends."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from review_site import Page

COMMAND = [sys.executable, "-m", "replikk.cli", "review", "--no-open"]


@pytest.fixture
def started(root):
    """The running command and the address that it printed."""
    (root / "config.yaml").write_text("{}\n")
    process = subprocess.Popen(
        [*COMMAND, "--who", "Kari"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with contextlib.ExitStack() as ending:
        ending.callback(process.kill)
        printed = process.stdout.readline() + process.stdout.readline()
        yield process, printed, re.search(r"http://127\.0\.0\.1:(\d+)(/\?token=[\w-]{43})\n", printed)
    process.communicate()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_serves_and_ends_cleanly(started, stop):
    process, printed, address = started
    assert "build/report/index.html: 3 lines; decisions go to dialogue/decisions.csv" in printed
    page = Page(int(address[1]))
    page.cookie = page.get(address[2]).headers["Set-Cookie"].partition(";")[0]
    assert page.state()["who"] == "Kari"
    assert page.get("/report/index.html").status == 200
    process.send_signal(stop)
    out, error = process.communicate(timeout=20)
    assert "Traceback" not in error
    if stop == signal.SIGINT:
        assert process.returncode == 0 and "review has ended" in out


def test_it_is_not_to_be_reached_from_outside_of_this_machine(started):
    port = int(started[2][1])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", port), timeout=5):
        pass  # on all addresses of this machine it would answer here


def failing(root: Path, *more: str) -> str:
    (root / "config.yaml").write_text("{}\n")
    done = subprocess.run([*COMMAND, *more], cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    return done.stderr


def test_without_a_report_it_says_what_to_do(tmp_path):
    (tmp_path / "dialogue").mkdir()
    assert failing(tmp_path) == "build/report/index.html: there is no report yet; build first: snakemake\n"


def test_without_a_game_it_says_so(tmp_path):
    assert failing(tmp_path).startswith("dialogue: there is no such folder")


def test_a_port_that_is_taken_is_named(root):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert failing(root, "--port", str(port)).startswith(f"port {port}: cannot be used (")
    assert failing(root, "--port", "99999").startswith("port 99999: cannot be used")
