"""One small game, really built once, and a copy of it under review for every test."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "workflow"))  # the games of the build's tests

from game_folder import Game
from review_site import Site, running
from stage_runner import Stages

ROWS = [
    {"id": "havn_001", "text": "Velkommen til den gamle havna.", "voice": "kari", "style": ""},
    {"id": "havn_002", "text": "Har du sett nøkkelen min?", "voice": "ola", "style": "stille"},
    {"id": "havn_003", "text": "A, B, C", "voice": "kari", "style": ""},  # a drill: a person must hear it
]


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    game = Game(tmp_path_factory.mktemp("built") / "game")
    game.write_sheet("havn.csv", ROWS)
    Stages(game).all()
    return game.root


@pytest.fixture(scope="session")
def copy_of_built(built):
    """A function that copies the built game into a folder and returns where it is."""
    return lambda folder: Path(shutil.copytree(built, folder / "game"))


@pytest.fixture
def root(copy_of_built, tmp_path) -> Path:
    """The folder of a game that was built."""
    return copy_of_built(tmp_path)


@pytest.fixture
def site(root) -> Site:
    with running(root) as site:
        yield site


@pytest.fixture
def page(site):
    return site.page()
