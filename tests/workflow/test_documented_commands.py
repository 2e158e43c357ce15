"""What README and docs tell a user to type is understood as it is meant: `--resources gpu=1 train` is not."""

import re
import shlex

import pytest
from game_folder import PROJECT
from snakemake.cli import parse_args

from replikk.cli import _parser

TARGETS = {"calibrate", "corpus", "judge", "models", "promote", "train"}
PAGES = [PROJECT / "README.md", PROJECT / "dialogue" / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]


def commands(program: str) -> list[str]:
    """Lines of code that begin with a program's name, without what is said about them."""
    found = []
    for page in PAGES:
        for line in page.read_text(encoding="utf-8").splitlines():
            if re.match(rf"(?: {{4}})?{program} ", line):
                found.append(re.split(r"\s{2,}", line.strip())[0])
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("command", commands("snakemake"))
def test_snakemake_understands_what_the_docs_tell(command, monkeypatch):
    monkeypatch.chdir(PROJECT)
    _, options = parse_args(shlex.split(command)[1:])
    assert set(options.targets) <= TARGETS
    assert not (set(shlex.split(command)) & TARGETS) - set(options.targets)


@pytest.mark.parametrize("command", commands("replikk"))
def test_replikk_understands_what_the_docs_tell(command):
    _parser().parse_args(shlex.split(command)[1:])
