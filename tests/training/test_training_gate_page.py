"""The gate's page: whole without a network, safe with any text, readable on a phone; and the sound it plays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
from bs4 import BeautifulSoup

from replikk.dialogue.records import Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.judges.mini.judge import MiniJudge
from replikk.training.gate_scripts import LONG, MIDDLE, SHORT
from replikk.training.harness import GateResult, hold_gate
from replikk.training.readings import Heard, heard
from replikk.training.trials import trials_of

HOSTILE = "<script>alert(1)</script> & \"quote' <b>"
VOICES = {"kari": Voice("kari", "Kari", {"variant": "f2"}, reference_transcript="Kom og se!")}
FEW: dict[Any, tuple[str, ...]] = {"short": SHORT[:1], "middle": MIDDLE[:1], "long": LONG[:1]}
CANDIDATES = ("step_0001000/adapter", "step_0001000/ema_adapter", "step_0002000/adapter", "step_0002000/ema_adapter")


class Speaking(EspeakEngine):
    """The embedded voice; counts what it speaks, and stops after ``left`` takes as if it was killed."""

    def __init__(self, left: int = 1000) -> None:
        super().__init__({})
        self.left, self.spoken = left, 0

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        for take in super().synthesize(requests, workers):
            if not self.left:
                raise KeyboardInterrupt
            self.left, self.spoken = self.left - 1, self.spoken + 1
            yield take


def hold(folder: Path, last: Speaking) -> GateResult:
    readers = [*((name, Speaking()) for name in ("base", *CANDIDATES[:-1])), (CANDIDATES[-1], last)]
    return hold_gate(folder, readers, ["base"], "base", MiniJudge({}), VOICES, scripts=FEW, seeds=(11,))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gate")


@pytest.fixture(scope="module")
def result(folder: Path) -> GateResult:
    """A gate that was killed while its last candidate spoke, and then held again."""
    with pytest.raises(KeyboardInterrupt):
        hold(folder, Speaking(left=2))
    rest = Speaking()
    found = hold(folder, rest)
    assert rest.spoken == 1, "two of three takes were kept"
    return found


@pytest.fixture(scope="module")
def page(folder: Path, result: GateResult) -> BeautifulSoup:
    return BeautifulSoup((folder / "index.html").read_bytes(), "html.parser")


def test_it_tells_the_decision_and_each_candidate(page: BeautifulSoup, result: GateResult) -> None:
    assert page.h1.get_text(strip=True) == "Nothing is promoted"
    assert f"{result.record['why']}." in page.header.get_text()
    rows = [row.th.get_text(strip=True) for row in page.select("section > .scroll > table > tbody > tr")]
    assert rows[0] == "base"
    assert [row.replace("\u202f", "") for row in rows[1:]] == [
        "step 1000, raw", "step 1000, averaged", "step 2000, raw", "step 2000, averaged",
    ]  # fmt: skip
    assert {badge.get_text() for badge in page.select(".candidate .badge")} == {"no better"}
    links = {link["href"] for link in page.select("a[href]")}
    assert links and all(page.find(id=link.removeprefix("#")) for link in links)


def test_curves_have_every_candidate_with_its_interval(page: BeautifulSoup) -> None:
    plots = page.select("figure.plot")
    assert len(plots) == 4  # three lengths, and all together
    for plot in plots:
        assert [len(plot.select(f"g.{kind} a")) for kind in ("raw", "averaged")] == [2, 2]
        assert len(plot.select("g.raw line.reach")) == 2 and len(plot.select("g.raw line.way")) == 1
        assert plot.select_one("g.control title").get_text().startswith("base: ")


def test_every_clip_is_a_small_file_beside_it(page: BeautifulSoup, folder: Path, result: GateResult) -> None:
    sources = {audio["src"] for audio in page.select("audio")}
    kept = {one.clip for some in result.heard.values() for one in some}
    assert sources == kept
    assert {str(path.relative_to(folder)) for path in folder.rglob("*.ogg")} == kept
    for some in result.heard.values():
        for one in some:
            info = soundfile.info(folder / one.clip)
            assert info.duration == pytest.approx(one.reading.duration_s, abs=0.01)
            assert (folder / one.clip).stat().st_size < 8000 * info.duration + 6000


def test_it_loads_nothing_but_its_clips(folder: Path, result: GateResult) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//|<script|<link|<img|url\(|@import", text)
    policy = BeautifulSoup(text, "html.parser").find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_any_text_is_shown_as_text(result: GateResult, tmp_path: Path) -> None:
    from replikk.training.gate_page import render_gate_page

    def spoiled(one: Heard) -> Heard:
        return replace(one, reading=replace(one.reading, voice=HOSTILE, heard=HOSTILE, failure=HOSTILE), clip="")

    record = {**result.record, "why": HOSTILE, "voices": [HOSTILE], "judge": HOSTILE}
    some = {name: [spoiled(one) for one in readings] for name, readings in result.heard.items()}
    page = BeautifulSoup(render_gate_page(record, some), "html.parser")
    assert not page.find_all(["script", "b"], string=re.compile("alert"))
    assert page.header.get_text().count(HOSTILE) == 1
    assert HOSTILE in page.select_one(".diff").get_text()


def test_it_fits_a_phone_and_plays(folder: Path, result: GateResult, chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    try:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto((folder / "index.html").as_uri())
        page.click("figure.plot g.averaged a")
        opened = page.eval_on_selector("details[open]", "one => one.querySelector('.why').id")
        assert page.url.endswith(f"#{opened}"), "choosing a point opens what is said about it"
        page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        lengths = page.evaluate(
            """() => Promise.all([...document.querySelectorAll('audio')].slice(0, 3).map(
                audio => new Promise((yes, no) => {
                    audio.onloadedmetadata = () => yes(audio.duration);
                    audio.onerror = () => no(audio.error.message);
                    audio.preload = 'metadata';
                    audio.load() })))"""
        )
    finally:
        context.close()
    assert all(length > 1 for length in lengths)
    assert said == []


# --- what is kept


def test_readings_are_kept_until_something_changes(tmp_path: Path) -> None:
    engine, judge, wanted = Speaking(), MiniJudge({}), trials_of(["kari"], (11,), FEW)
    first = heard(tmp_path, "one", engine, judge, VOICES, wanted)
    assert engine.spoken == len(first) == 3
    assert heard(tmp_path, "one", engine, judge, VOICES, wanted) == first
    assert engine.spoken == 3
    other = {"kari": Voice("kari", "Kari", {"variant": "f3"})}
    second = heard(tmp_path, "one", engine, judge, other, wanted)
    assert engine.spoken == 6
    assert not {one.clip for one in first} & {one.clip for one in second}
    assert len(list(tmp_path.rglob("*.ogg"))) == 3, "the sound of the other voice went with its readings"


def test_a_reading_without_its_sound_is_made_again(tmp_path: Path) -> None:
    engine, judge, wanted = Speaking(), MiniJudge({}), trials_of(["kari"], (11,), FEW)
    first = heard(tmp_path, "one", engine, judge, VOICES, wanted)
    (tmp_path / first[1].clip).unlink()
    assert heard(tmp_path, "one", engine, judge, VOICES, wanted) == first
    assert engine.spoken == 4
