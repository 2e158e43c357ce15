"""A small game with planted faults, and the page of its report."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

for room in ("workflow", "review", "report"):  # the games, the server and the made-up reports of other rooms
    sys.path.append(str(Path(__file__).parent.parent / room))

from game_folder import Game  # noqa: E402
from page_pilot import Pilot  # noqa: E402
from stage_runner import Stages  # noqa: E402

ROWS = [
    {"id": "havn_001", "text": "Velkommen til den gamle havna.", "voice": "kari", "style": "varmt"},
    {"id": "havn_002", "text": "Har du sett nøkkelen min i dag?", "voice": "ola", "style": ""},
    {"id": "havn_003", "text": "Nei, men båten ligger ved brygga.", "voice": "kari", "style": ""},
    {"id": "havn_004", "text": "A, B, C", "voice": "kari", "style": ""},  # a drill: a person must hear it
    {"id": "skog_001", "text": "Her er det mørkt og kaldt om natta.", "voice": "ola", "style": "", "scene": "skog"},
]
FAULTS = {"faults": {"drop_words": 1.0}, "only_reading": [0, 1, 2]}
"""Every take of a first build leaves words out; from the second retake on the voice is well again."""


@pytest.fixture
def pilot(chromium) -> Iterator[Pilot]:
    """Opens pages; at the end, none of them may have complained."""
    pilot = Pilot(chromium)
    yield pilot
    pilot.close()
    assert pilot.complaints == []


@pytest.fixture(scope="session")
def built_faulty(tmp_path_factory) -> Path:
    """A game in which three lines leave words out in every take, one passes, and one is a drill."""
    game = Game(tmp_path_factory.mktemp("faulty") / "game")
    game.write_sheet("havn.csv", ROWS)
    game.configure(engine="faulty", engines={"faulty": FAULTS})
    Stages(game).all()
    return game.root


@pytest.fixture
def game(built_faulty, tmp_path) -> Game:
    """A copy of the built game, to decide on and to build again."""
    root = Path(shutil.copytree(built_faulty, tmp_path / "game"))
    game = Game.__new__(Game)
    game.root, game.dialogue, game.build = root, root / "dialogue", root / "build"
    game.settings = {"engine": "faulty", "engines": {"faulty": FAULTS}}
    return game


@pytest.fixture
def desk(pilot, game):
    """The page of the built game, opened from the disk."""
    return pilot.open(game.build / "report" / "index.html")
