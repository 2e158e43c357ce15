"""The page's own client (``review.js``), run by node against the real server and compared with the build's reader."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import replikk.report
from replikk.dialogue.decisions import Decision, in_force
from replikk.review.rows import read_rows, tidy

NODE = shutil.which("node")
SCRIPT = Path(replikk.report.__file__).parent / "templates" / "review.js"
pytestmark = pytest.mark.skipif(NODE is None, reason="needs node; the tests of the page in a browser cover it too")
KEY = "0123456789abcdef" * 4


def client(*arguments: str, given: object = None) -> str:
    command = [NODE, str(Path(__file__).parent / "review_client.js"), str(SCRIPT), *arguments]
    done = subprocess.run(
        command, input=json.dumps(given), capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_client_and_the_server_agree_in_good_times_and_bad(site, page):
    takes = [part for line_id in ("havn_001", "havn_002") for part in (line_id, site.take_of(line_id))]
    assert client(page.site, page.cookie, *takes) == "6 cases"
    rows, problems = read_rows(site.decisions.read_bytes(), "")
    assert rows and not problems


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).map(tidy)
rows = st.builds(
    Decision,
    line_id=st.sampled_from(["a", "A", "b"]),
    take_key=st.sampled_from([KEY, KEY[:12], "f" * 64]),
    decision=st.sampled_from(["accept", "retake", "lock", "note", "withdraw"]),
    who=texts,
    when=st.just("2026-05-17T12:00:00+02:00"),
    why=texts,
    style=texts,
    respelling=texts,
)


def fields(decision: Decision) -> dict:
    return {name: value for name, value in vars(decision).items() if name != "row"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows, min_size=1, max_size=6), st.sampled_from([",", ";", "\t"]))
def test_what_the_page_exports_is_read_as_it_was_decided(decisions, separator):
    form = {"separator": separator, "columns": ["id", "take_key", "decision", "", "who", "when", "why"]}
    exported = client("csv", given={"rows": [fields(each) for each in decisions], "form": form})
    found, problems = read_rows(exported.encode(), "")
    assert problems == []
    assert [replace(each, row=0) for each in found] == decisions


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows, max_size=8))
def test_page_and_build_agree_on_what_holds(decisions):
    numbered = [replace(each, row=number) for number, each in enumerate(decisions)]
    judged = json.loads(client("holds", given=[{**fields(each), "row": each.row} for each in numbered]))
    assert [row["row"] for row in judged if row["holds"]] == [each.row for each in in_force(numbered)]
