"""Likeness to the reference at the gate: a candidate that speaks with another voice is refused, and nobody is promoted
for it. The speaker model is a real one in ONNX, made small by the tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from faulty_readers import PROMPT, Candidate, Drop, Listening, Silent
from speaker_small import speaker_model
from speech_server import spoken_wavs

from replikk.dialogue.records import Voice
from replikk.engines.records import Take, TakeFailure, TakeRequest
from replikk.errors import ReplikkError
from replikk.judges.reference_likeness import ReferenceLikeness
from replikk.training.gate import decide
from replikk.training.gate_scripts import LONG, MIDDLE, SHORT
from replikk.training.harness import GateResult, hold_gate
from replikk.training.trials import Reading

FEW: dict[Any, tuple[str, ...]] = {"short": SHORT[:4], "middle": MIDDLE[:2], "long": LONG[:1]}
ALL = ("short", "middle", "long")


@dataclass(frozen=True)
class AnotherVoice(Candidate):
    """Speaks every word, but some voices as if they were others."""

    variants: Mapping[str, str] = field(default_factory=dict)

    def fingerprint(self) -> str:
        return f"{super().fingerprint()} {sorted(self.variants.items())}"

    def synthesize(self, requests: Iterable[TakeRequest], workers: int = 1) -> Iterator[Take | TakeFailure]:
        def spoken_by_others() -> Iterator[TakeRequest]:
            for request in requests:
                variant = self.variants.get(request.voice.name)
                settings = {**request.voice.engine_settings, **({"variant": variant} if variant else {})}
                yield replace(request, voice=replace(request.voice, engine_settings=settings))

        yield from super().synthesize(spoken_by_others(), workers)


BASE = Candidate(dict.fromkeys(ALL, Drop(0.1)))
CANDIDATES: dict[str, Candidate] = {
    "step_0001000/adapter": AnotherVoice({}, variants={"kari": "m3"}),
    "step_0002000/adapter": Candidate(dict.fromkeys(ALL, Drop(0.02))),
}


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Voice]:
    """Two voices, and recordings of them."""
    folder = tmp_path_factory.mktemp("voices")
    found = {}
    for name, variant in (("kari", "f2"), ("ola", "m7")):
        (folder / f"{name}.wav").write_bytes(spoken_wavs([PROMPT], variant)[PROMPT])
        found[name] = Voice(
            name, name, {"variant": variant, "word_gap": 2},
            reference_audio=str(folder / f"{name}.wav"), reference_transcript=PROMPT,
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "speaker.onnx"
    speaker_model(path)
    return path


def hold(folder: Path, voices: dict[str, Voice], measure: ReferenceLikeness | None, silent: bool) -> GateResult:
    readers = {"base": BASE, **CANDIDATES}
    return hold_gate(
        folder, ((name, Silent(one) if silent else one) for name, one in readers.items()), ["base"], "base",
        Listening(), voices, scripts=FEW, seeds=(11,), likeness=measure,
    )  # fmt: skip


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory, voices: dict[str, Voice]) -> tuple[Path, GateResult]:
    """A gate without the measure."""
    folder = tmp_path_factory.mktemp("gate")
    return folder, hold(folder, voices, None, silent=False)


@pytest.fixture(scope="module")
def measured(
    without: tuple[Path, GateResult], voices: dict[str, Voice], model: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, GateResult]:
    """The same gate held again when the measure is at hand: nobody reads again."""
    folder = shutil.copytree(without[0], tmp_path_factory.mktemp("again") / "gate")
    return folder, hold(folder, voices, ReferenceLikeness(str(model)), silent=True)


def test_without_the_measure_nothing_is_said_of_voices(without: tuple[Path, GateResult]) -> None:
    folder, result = without
    assert result.record["promoted"] == "step_0001000/adapter", "it makes the fewest word errors"
    assert result.record["speaker_model"] == "" and not any(result.record["likeness"].values())
    assert all(verdict["likeness"] == {} for verdict in result.record["verdicts"])
    assert "Likeness" not in (folder / "index.html").read_text(encoding="utf-8")
    assert not (folder / "likeness").exists()


def test_who_speaks_with_another_voice_is_refused_and_who_does_not_is_promoted(
    measured: tuple[Path, GateResult],
) -> None:
    record = measured[1].record
    assert record["promoted"] == "step_0002000/adapter"
    lost, good = record["verdicts"]
    assert {(one["code"], one["tier"]) for one in lost["failings"]} == {("voice", tier) for tier in ALL}
    assert all("the voice 'kari' is lost: 0." in one["text"] for one in lost["failings"]), "and not ola"
    assert not good["failings"]
    assert good["likeness"]["base"]["all"]["low"] > -0.05
    assert lost["likeness"]["base"]["all"]["high"] < -0.1
    assert record["likeness"]["base"]["short"]["low"] > 0.8
    assert record["speaker_model"].startswith("speaker 2 ")


def test_it_is_measured_once(measured: tuple[Path, GateResult], voices: dict[str, Voice], model: Path) -> None:
    folder, first = measured
    kept = {path.name: path.read_bytes() for path in (folder / "likeness").iterdir()}
    assert len(kept) == 3
    assert hold(folder, voices, ReferenceLikeness(str(model)), silent=True).record == first.record
    assert {path.name: path.read_bytes() for path in (folder / "likeness").iterdir()} == kept


def test_it_is_on_the_page(measured: tuple[Path, GateResult]) -> None:
    page = BeautifulSoup((measured[0] / "index.html").read_bytes(), "html.parser")
    rows = page.select("table.likeness tbody tr")
    assert [len(row.select("td")) for row in rows] == [4, 4, 4]
    for row in rows:
        assert all(" to " in cell.get_text() for cell in row.select("td")), "with its interval"
    lost = page.select_one("#step-0001000-adapter .reasons")
    assert lost is not None and "the voice 'kari' is lost" in lost.get_text()
    assert "likeness 0." in page.select_one(".clip .about").get_text()  # type: ignore[union-attr]
    assert "likeness promotes nobody" in page.select_one(".rules").get_text()  # type: ignore[union-attr]


def test_a_voice_without_a_recording_is_not_measured(voices: dict[str, Voice], model: Path) -> None:
    import numpy as np

    bare = replace(voices["kari"], reference_audio="")
    assert ReferenceLikeness(str(model)).of(bare, np.ones(30_000, np.int16), 22_050) is None


def test_a_model_that_is_none_is_told_before_anybody_reads(tmp_path: Path) -> None:
    pytest.importorskip("sherpa_onnx")
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ReplikkError, match="cannot read it"):
        ReferenceLikeness(str(tmp_path / "model.onnx"))


# --- the rule by itself


def readings(likeness: float | None, word_errors: int, voice: str = "kari") -> list[Reading]:
    """Of four texts each length; how like they are wavers by a hundredth."""
    return [
        Reading(
            tier, f"{tier} {number}", voice, 11, 100, word_errors, 0, 0, 0, 0, 0, 0, 5.0,  # type: ignore[arg-type]
            likeness=None if likeness is None else likeness + 0.01 * (number % 2),
        )
        for tier in ALL for number in range(4)
    ]  # fmt: skip


def codes(ours: list[Reading], **controls: list[Reading]) -> tuple[str | None, set[str]]:
    decision = decide({"ours": ours}, controls, next(iter(controls)))
    return decision.promoted, {failing.code for failing in decision.verdicts[0].failings}


def test_more_likeness_promotes_nobody() -> None:
    assert codes(readings(0.95, 5), base=readings(0.6, 5)) == (None, set())
    assert codes(readings(0.95, 9), base=readings(0.6, 5)) == (None, {"word_errors"})


@pytest.mark.parametrize(("likeness", "lost"), [(0.69, False), (0.61, False), (0.59, True), (0.1, True)])
def test_less_likeness_is_borne_within_the_margin(likeness: float, lost: bool) -> None:
    promoted, found = codes(readings(likeness, 0), base=readings(0.7, 5))
    assert (promoted, found) == ((None, {"voice"}) if lost else ("ours", set()))


def test_it_must_be_less_than_with_every_control() -> None:
    """The released adapter is less like the reference than the base model, and is good."""
    promoted, found = codes(readings(0.55, 0), released=readings(0.6, 5), base=readings(0.8, 5))
    assert (promoted, found) == ("ours", set())
    promoted, found = codes(readings(0.45, 0), released=readings(0.6, 5), base=readings(0.8, 5))
    assert (promoted, found) == (None, {"voice"})


def test_one_voice_of_many_may_not_be_lost() -> None:
    names = ("anna", "berit", "clara", "dagny")
    control = [one for name in names for one in readings(0.7, 5, name)]
    ours = [one for name in names for one in readings(0.45 if name == "clara" else 0.7, 0, name)]
    decision = decide({"ours": ours}, {"base": control}, "base")
    assert decision.promoted is None
    assert {(one.code, one.tier) for one in decision.verdicts[0].failings} == {("voice", tier) for tier in ALL}
    assert all("'clara'" in one.text for one in decision.verdicts[0].failings)
    assert decision.verdicts[0].likeness["base"]["all"].value > -0.1, "the mean of all voices would not have told"


def test_a_drop_that_may_be_chance_refuses_nobody() -> None:
    """One text in four is much less alike, the others as before: the interval reaches above the margin."""
    control = readings(0.7, 5)
    ours = [replace(one, word_errors=0, likeness=0.7 if number % 4 else 0.1) for number, one in enumerate(control)]
    assert codes(ours, base=control) == ("ours", set())


def test_what_was_not_measured_is_not_compared() -> None:
    assert codes(readings(None, 0), base=readings(0.7, 5)) == ("ours", set())
    assert codes(readings(0.2, 0), base=readings(None, 5)) == ("ours", set())
