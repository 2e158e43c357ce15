"""Games for the tests of the build."""

from pathlib import Path

import pytest
from game_folder import Game


@pytest.fixture
def game(tmp_path: Path) -> Game:
    """An empty game; a test writes its sheets."""
    return Game(tmp_path / "game")


@pytest.fixture
def small_game(game: Game) -> Game:
    """Three lines in two scenes."""
    game.write_sheet(
        "havn.csv",
        [
            {"id": "havn_001", "text": "Velkommen til den gamle havna.", "voice": "kari", "style": ""},
            {"id": "havn_002", "text": "Har du sett nøkkelen min?", "voice": "ola", "style": "stille"},
        ],
    )
    game.write_sheet("skog.csv", [{"id": "skog_001", "text": "Her er det mørkt og kaldt.", "voice": "kari"}])
    return game
