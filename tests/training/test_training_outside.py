"""Outside controls: another system, behind a real server on this machine, reads to the gate as a yardstick."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from faulty_readers import VOICES, Candidate, Drop, Listening, Silent
from speech_server import SpeechServer, spoken_wavs

from replikk import server_requests
from replikk.engines import Engine
from replikk.engines.speech_api.engine import SpeechApiEngine
from replikk.errors import EngineError
from replikk.judges import Judge
from replikk.judges.records import Clip, Transcript
from replikk.training.gate_scripts import LONG, MIDDLE, SHORT, directed_texts
from replikk.training.harness import GateResult, Outside, hold_gate

FEW: dict[Any, tuple[str, ...]] = {"short": SHORT[:3], "middle": MIDDLE[:2], "long": LONG[:1]}
TEXTS = [*(text for texts in FEW.values() for text in texts), *directed_texts(FEW)]
"""Some are read once more, with a direction."""
NAME = "cosyvoice2"
ALL = ("short", "middle", "long")
READERS: dict[str, Candidate] = {
    "base": Candidate(dict.fromkeys(ALL, Drop(0.1))),
    "step_0001000/adapter": Candidate(dict.fromkeys(ALL, Drop(0.15))),
    "step_0002000/adapter": Candidate({}),
}


class Server(SpeechServer):
    """As the gate uses it."""

    def outside(self, **settings: Any) -> dict[str, Outside]:
        engine = SpeechApiEngine(
            {"url": self.url, "model": "CosyVoice2-0.5B", **settings}, f"training.outside_controls.{NAME}"
        )
        # The embedded judge listens to the embedded voice only, and that is what this server speaks with.
        engine.name = "espeak"
        return {NAME: Outside(engine, VOICES)}


@pytest.fixture(scope="module")
def sounds() -> dict[str, bytes]:
    return spoken_wavs([*TEXTS, "Hei, hører du meg?"])


@pytest.fixture
def server(sounds: dict[str, bytes]) -> Iterator[Server]:
    running = Server(sounds)
    yield running
    running.close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_requests.time, "sleep", lambda _: None)


def hold(
    folder: Path, outside: dict[str, Outside] | None, silent: bool = False, judge: Judge | None = None
) -> GateResult:
    def readers() -> Iterator[tuple[str, Engine]]:
        for name, candidate in READERS.items():
            yield name, Silent(candidate) if silent else candidate  # type: ignore[misc]

    return hold_gate(
        folder, readers(), ["base"], "base", judge or Listening(), VOICES, scripts=FEW, seeds=(11,), outside=outside
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GateResult]:
    """The gate without anybody from outside."""
    folder = tmp_path_factory.mktemp("alone")
    return folder, hold(folder, None)


@pytest.fixture
def gate(alone: tuple[Path, GateResult], tmp_path: Path) -> Path:
    """A gate at which everybody but the one from outside has read."""
    return shutil.copytree(alone[0], tmp_path / "gate")


def test_it_is_shown_and_decides_nothing(gate: Path, alone: tuple[Path, GateResult], server: Server) -> None:
    result = hold(gate, server.outside(), silent=True)
    before, after = alone[1].record, result.record
    assert after["promoted"] == before["promoted"] == "step_0002000/adapter"
    assert after["why"] == before["why"] and after["controls"] == ["base"] and after["incumbent"] == "base"
    own = [{**verdict, "outside": {}} for verdict in after["verdicts"]]
    assert own == before["verdicts"], "nobody is judged otherwise"
    assert list(after["rates"]) == ["base", NAME, *list(READERS)[1:]]
    beside = after["verdicts"][0]["outside"][NAME]
    assert set(beside) == {*ALL, "all"} and beside["all"]["low"] > 0.03, "words are dropped"
    assert after["outside"][NAME]["all"]["high"] < 0, "it drops no words, and base a tenth"
    assert len(server.asked) == 1 + len(TEXTS)  # one to try it out
    assert sorted(one.reading.text for one in result.heard[NAME]) == sorted(TEXTS)
    assert len(list((gate / "clips" / NAME).glob("*.ogg"))) == len(TEXTS)


def test_the_page_shows_it(gate: Path, server: Server) -> None:
    hold(gate, server.outside(), silent=True)
    page = BeautifulSoup((gate / "index.html").read_bytes(), "html.parser")
    rows = {row.th.get_text(strip=True): row for row in page.select("section > .scroll > table > tbody > tr")}
    assert rows[NAME]["class"] == ["outside"] and rows[NAME].select_one(".badge").get_text() == "outside"
    assert len(rows[NAME].select("td small")) == 5, "an interval for each length, all together, with directions"
    assert rows[NAME].select("td")[-1].get_text() != "–"
    for plot in page.select("figure.plot"):
        assert plot.select_one("g.control.outside title").get_text().startswith(f"{NAME}: ")
        assert len(plot.select("g.control")) == 2
    assert f"and {NAME} from outside" in " ".join(page.header.get_text().split())
    assert all(f"Beside {NAME}, from outside" in one.get_text() for one in page.select(".candidate .why"))
    assert f"clips/{NAME}/" in str(page.select("#same ~ details, details.candidate .rows"))


def test_a_better_or_worse_stranger_changes_nothing(
    gate: Path, alone: tuple[Path, GateResult], server: Server, sounds: dict[str, bytes]
) -> None:
    """One that says something else everywhere, and one that can speak nothing of it."""
    server.answers = lambda number: (200, {}, sounds[TEXTS[0]]) if number > 1 else None
    wrong = hold(gate, server.outside(), silent=True)
    assert wrong.record["rates"][NAME]["long"]["value"] > 0.5
    server.answers = lambda number: (422, {}, b"too long") if number > len(TEXTS) + 2 else None
    silent = hold(gate, server.outside(model="other"), silent=True)
    assert {one.reading.failure for one in silent.heard[NAME]} == {"the server answers 422 (too long)"}
    for result in (wrong, silent):
        assert result.record["promoted"] == alone[1].record["promoted"]
        assert [one["failings"] for one in result.record["verdicts"]] == [
            one["failings"] for one in alone[1].record["verdicts"]
        ]


def test_a_server_that_is_not_there_is_told_before_anybody_reads(tmp_path: Path, server: Server) -> None:
    server.close()
    with pytest.raises(EngineError, match=r"cannot be reached .*training.outside_controls.cosyvoice2"):
        hold(tmp_path / "gate", server.outside())
    assert not (tmp_path / "gate" / "readings").exists()


def test_a_server_that_goes_away_loses_nothing(gate: Path, server: Server) -> None:
    server.answers = lambda number: (503, {}, b"gone") if number > 4 else None
    with pytest.raises(EngineError, match="answers 503"):
        hold(gate, server.outside(workers=1), silent=True)
    assert len(list((gate / "unheard" / NAME).iterdir())) == 3, "what was spoken before it went is kept"
    server.answers = lambda _: None
    server.asked.clear()
    hold(gate, server.outside(), silent=True)
    assert len(server.asked) == 1 + len(TEXTS) - 3
    assert len(list((gate / "clips" / NAME).iterdir())) == len(TEXTS)


class Stopping(Listening):
    """Hears two takes, and is killed."""

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        yield from islice(super().transcribe(clips), 2)
        raise KeyboardInterrupt


def test_what_it_has_spoken_is_heard_without_it(gate: Path, server: Server) -> None:
    """The gate was killed while the judge listened, and the server is gone when it is held again."""
    with pytest.raises(KeyboardInterrupt):
        hold(gate, server.outside(), silent=True, judge=Stopping())
    server.close()
    result = hold(gate, server.outside(), silent=True)
    assert len(result.heard[NAME]) == len(TEXTS) and not any(one.reading.failure for one in result.heard[NAME])


def test_what_it_has_read_is_kept_and_the_server_not_needed_again(gate: Path, server: Server) -> None:
    first = hold(gate, server.outside(), silent=True)
    server.close()
    assert hold(gate, server.outside(), silent=True).record == first.record
