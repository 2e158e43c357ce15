"""The gate, proven on voices with planted faults: the embedded voice reads, the embedded judge listens, and the whole
harness runs as on a real run: clips, readings, decision, page."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from faulty_readers import (
    FEW,
    PROMPT,
    VOICES,
    Candidate,
    Drop,
    Garbled,
    Listening,
    Silent,
    aloud,
    leak,
    merge,
    repeat,
    skip_a_phrase,
)

from replikk.errors import JudgeError, ReplikkError
from replikk.judges.compare import compare
from replikk.judges.leaks import SYSTEM_PROMPT
from replikk.judges.mini.judge import MiniJudge
from replikk.judges.records import Clip, Transcript
from replikk.training.gate import decide
from replikk.training.gate_intervals import GateLimits, paired_difference
from replikk.training.gate_scripts import SCRIPTS, first_texts
from replikk.training.harness import GateResult, hold_gate
from replikk.training.readings import heard
from replikk.training.trials import Reading, leaked_words, merged_words, missing_runs, trials_of

ALL = ("short", "middle", "long")
BASE = Candidate(dict.fromkeys(ALL, Drop(0.08)))
CANDIDATES = {
    "step_1000": BASE,
    "step_2000": Candidate({"long": Drop(0.08)}),
    "step_3000": Candidate({"long": merge}),
    "step_4000": Candidate({}),
    "step_4500": Candidate(dict.fromkeys(ALL, Drop(0.02))),
    "step_5000": Candidate({"middle": repeat}),
    "step_6000": Candidate({"short": leak}),
    "step_7000": Candidate(dict.fromkeys(("middle", "long"), Drop(0.2))),
    "step_8000": Candidate({"long": skip_a_phrase}),
    "step_8500": Candidate({}, with_direction=aloud),
    "step_9000": Candidate({}, with_direction=Garbled(0.3)),
}


def held(folder: Path, names: Sequence[str], scripts: Any, seeds: Sequence[int]) -> GateResult:
    """The gate on some of the candidates, as ``snakemake promote`` holds it on checkpoints."""
    readers = [("base", BASE), *((name, CANDIDATES[name]) for name in names)]
    return hold_gate(folder, readers, ["base"], "base", Listening(), VOICES, scripts=scripts, seeds=seeds)


NAMES = (
    "step_1000", "step_2000", "step_3000", "step_4000", "step_5000", "step_6000", "step_8000", "step_8500", "step_9000",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gate")


@pytest.fixture(scope="module")
def result(folder: Path) -> GateResult:
    return held(folder, NAMES, FEW, seeds=(11, 23))


@pytest.fixture(scope="module")
def readings(result: GateResult) -> dict[str, list[Reading]]:
    return {name: [one.reading for one in some] for name, some in result.heard.items()}


def check(result: GateResult) -> dict[str, set[tuple[str, str]]]:
    """The best one, in the middle of the run, is promoted; each other is refused for what was planted in it."""
    record = result.record
    assert record["promoted"] == "step_4000", record
    assert "makes" in record["why"] and "fewer than base" in record["why"]
    verdicts = {verdict["name"]: verdict for verdict in record["verdicts"]}
    codes = {name: {(one["tier"], one["code"]) for one in found["failings"]} for name, found in verdicts.items()}
    assert codes["step_4000"] == set()
    assert not verdicts["step_1000"]["is_better"]
    assert {("long", "skipped"), ("long", "dropped")} <= codes["step_2000"]
    assert ("long", "merged") in codes["step_3000"]
    assert ("middle", "repeats") in codes["step_5000"]
    assert ("short", "leak") in codes["step_6000"]
    assert ("long", "skipped") in codes["step_8000"]
    assert codes["step_8500"] >= {("directed", "leak")} and {tier for tier, _ in codes["step_8500"]} == {"directed"}
    assert codes["step_9000"] == {("directed", "word_errors")}
    return codes


def test_exactly_the_right_checkpoint_is_promoted(result: GateResult) -> None:
    check(result)


@pytest.mark.soak
def test_exactly_the_right_checkpoint_is_promoted_on_all_texts(tmp_path: Path) -> None:
    codes = check(held(tmp_path, list(CANDIDATES), SCRIPTS, (11, 23, 47)))
    assert {("middle", "word_errors"), ("long", "word_errors")} <= codes["step_7000"]
    assert not any(tier == "short" for tier, _ in codes["step_7000"])


def test_a_trial_run_decides_and_promotes_nothing(folder: Path, result: GateResult, tmp_path: Path) -> None:
    """Everything is known already: nobody reads again."""
    known = shutil.copytree(folder, tmp_path / "gate")
    readers = [("base", Silent(BASE)), ("step_4000", Silent(CANDIDATES["step_4000"]))]
    judge = MiniJudge({})
    trial = hold_gate(
        known, readers, ["base"], "base", judge, VOICES, scripts=FEW, seeds=(11, 23), is_trial_run=True
    )  # fmt: skip
    assert trial.record["promoted"] is None
    assert trial.record["why"] == "a trial run with 8 texts promotes nothing (would be promoted: step_4000)"
    assert trial.heard["step_4000"] == result.heard["step_4000"]


def test_against_a_released_adapter_the_bar_is_higher(readings: dict[str, list[Reading]]) -> None:
    """What was an improvement on the base model drops words in long texts when held against a good voice."""
    controls = {"base": readings["base"], "released": readings["step_4000"]}
    candidates = {name: found for name, found in readings.items() if name not in ("base", "step_4000")}
    decision = decide(candidates, controls, "released")
    assert decision.promoted is None
    failed = {verdict.name: verdict for verdict in decision.verdicts}["step_2000"].failings
    assert {("dropped", "released"), ("word_errors", "released")} <= {(one.code, one.control) for one in failed}


def test_nothing_is_promoted_that_is_only_as_good(readings: dict[str, list[Reading]]) -> None:
    decision = decide({"same": readings["step_4000"]}, {"released": readings["step_4000"]}, "released")
    assert decision.promoted is None
    assert decision.verdicts[0].passes
    assert decision.why == "1 of 1 pass, but none is better than released with confidence"


def test_the_same_readings_lead_to_the_same_decision(readings: dict[str, list[Reading]]) -> None:
    candidates = {name: found for name, found in readings.items() if name != "base"}
    one = decide(candidates, {"base": readings["base"]}, "base")
    shuffled = {name: random.Random(1).sample(some, len(some)) for name, some in candidates.items()}
    assert decide(shuffled, {"base": readings["base"]}, "base") == one


def reading(**values: object) -> Reading:
    plain = Reading("short", "en tekst", "kari", 11, 100, 0, 0, 0, 0, 0, 0, 0, 5.0)
    return replace(plain, **values)  # type: ignore[arg-type]


def all_tiers(count: int = 6, **values: object) -> list[Reading]:
    return [reading(tier=tier, text=f"{tier} {number}", **values) for tier in ALL for number in range(count)]


def told(count: int = 6, **values: object) -> list[Reading]:
    return [
        reading(tier="directed", text=f"short {number}", style="spent og glad", **values) for number in range(count)
    ]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"failure": "the voice process stopped", "word_errors": 3}, "failed"),
        ({"long_silences": 1}, "silence"),
        ({"duration_s": 7.0}, "duration"),
        ({"duration_s": 3.5}, "duration"),
        ({"repeated_words": 1}, "repeats"),
        ({"leaked_words": 2}, "leak"),
        ({"word_errors": 7}, "word_errors"),
    ],
)
@pytest.mark.parametrize("tier", ALL)
def test_one_bad_tier_is_enough(tier: str, changed: dict[str, object], code: str) -> None:
    control = all_tiers(word_errors=5)
    ours = [
        replace(one, **changed) if one.tier == tier else replace(one, word_errors=0)  # type: ignore[arg-type]
        for one in control
    ]
    decision = decide({"ours": ours}, {"base": control}, "base")
    assert decision.promoted is None
    assert (code, tier) in {(one.code, one.tier) for one in decision.verdicts[0].failings}


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"word_errors": 9}, "word_errors"), ({"leaked_words": 3}, "leak"), ({"repeated_words": 1}, "repeats")],
)
def test_better_without_directions_and_worse_with_them_is_no_step_forward(
    changed: dict[str, object], code: str
) -> None:
    control = all_tiers(word_errors=5) + told(word_errors=5)
    ours = [replace(one, **{"word_errors": 0, **(changed if one.style else {})}) for one in control]  # type: ignore[arg-type]
    decision = decide({"ours": ours}, {"base": control}, "base")
    assert decision.promoted is None
    assert [(one.tier, one.code) for one in decision.verdicts[0].failings] == [("directed", code)]
    assert decision.verdicts[0].wer["all"] == 0 and decision.verdicts[0].differences["base"]["all"].value == -0.05


def test_who_is_bad_with_directions_as_the_control_is_may_be_promoted() -> None:
    """Base models have been measured that fail nearly always there."""
    control = all_tiers(word_errors=5) + told(word_errors=60, leaked_words=4, missing_runs=3)
    ours = [one if one.style else replace(one, word_errors=0) for one in control]
    assert decide({"ours": ours}, {"base": control}, "base").promoted == "ours"


def test_some_texts_are_read_once_more_with_a_direction() -> None:
    trials = trials_of(["kari"], (11, 23), SCRIPTS)
    plain = {trial.text for trial in trials if not trial.style}
    directed = {trial.text: trial.style for trial in trials if trial.tier == "directed"}
    assert directed == {trial.text: trial.style for trial in trials if trial.style}
    assert plain > set(directed) and len(directed) == 7 and len(set(directed.values())) == 3
    assert len({trial.key for trial in trials}) == len(trials) == 2 * (20 + 7)
    assert not [trial for trial in trials_of(["kari"], (11,), first_texts(1)) if trial.style], "not in a trial run"


def test_words_dropped_in_long_texts_are_no_better_for_the_control_dropping_them_too() -> None:
    control = all_tiers(word_errors=8, missing_words=8)
    ours = [replace(one, missing_words=one.missing_words if one.tier == "long" else 0) for one in control]
    ours = [replace(one, word_errors=one.missing_words) for one in ours]
    decision = decide({"ours": ours}, {"base": control}, "base")
    assert decision.promoted is None and decision.verdicts[0].is_better
    assert [one.text for one in decision.verdicts[0].failings] == ["8.0 words in a hundred are dropped, 3 may be"]


def test_an_improvement_that_may_be_luck_promotes_nothing() -> None:
    control = all_tiers(word_errors=2)
    ours = [replace(one, word_errors=0 if number % 2 else 2) for number, one in enumerate(control)]
    assert decide({"ours": ours}, {"base": control}, "base").promoted == "ours"
    ours = [replace(one, word_errors=0 if number == 0 else 2) for number, one in enumerate(control)]
    decision = decide({"ours": ours}, {"base": control}, "base")
    assert decision.promoted is None and decision.verdicts[0].passes


def test_the_interval_covers_the_difference() -> None:
    draws = random.Random(0)
    pairs = [
        (reading(text=str(n), word_errors=draws.randrange(6)), reading(text=str(n), word_errors=draws.randrange(6)))
        for n in range(40)
    ]
    found = paired_difference(pairs, lambda one: one.word_errors, GateLimits())
    assert found.low < found.value < found.high
    wider = paired_difference(pairs[:8], lambda one: one.word_errors, GateLimits())
    assert wider.high - wider.low > found.high - found.low


@pytest.mark.parametrize("spoil", [lambda all_: all_[1:], lambda all_: [*all_, all_[0]], lambda _: []])
def test_who_has_not_read_everything_once_is_not_judged(spoil: Callable[[Sequence[Reading]], list[Reading]]) -> None:
    with pytest.raises(ReplikkError, match="have not read the same texts"):
        decide({"ours": spoil(all_tiers())}, {"base": all_tiers()}, "base")
    with pytest.raises(ReplikkError, match="all three are needed"):
        short = [one for one in all_tiers() if one.tier == "short"]
        decide({"ours": short}, {"base": short}, "base")


def test_a_judge_that_may_not_listen(tmp_path: Path) -> None:
    """But in a trial run, which promotes nothing, it may: it is told that the embedded voice speaks."""
    real, trials = replace(CANDIDATES["step_4000"], name="cosyvoice3"), trials_of(["kari"], (11,), FEW)[:1]  # type: ignore[arg-type]
    with pytest.raises(JudgeError, match="may not listen to engine cosyvoice3"):
        heard(tmp_path, "one", real, MiniJudge({}), VOICES, trials)
    assert not list(tmp_path.iterdir()), "it is told before anybody speaks"
    (one,) = heard(tmp_path, "one", real, MiniJudge({}), VOICES, trials, heard_as="espeak")
    assert one.reading.words == len(trials[0].text.split())


@pytest.mark.parametrize(
    ("script", "heard", "merged", "runs"),
    [
        ("Jeg vil ha is krem nå.", "jeg vil ha iskrem nå", 1, 0),
        ("Da gikk rundt huset.", "da girundt huset", 1, 0),
        ("Han så på himmelen og nikket.", "han så himmelen og nikket", 0, 0),
        ("Han så på himmelen og nikket.", "han nikket", 0, 1),
        ("Han så på himmelen.", "han så på himmelen", 0, 0),
    ],
)
def test_words_run_together_and_phrases_skipped(script: str, heard: str, merged: int, runs: int) -> None:
    comparison = compare(script, heard, locale="nb")
    assert (merged_words(comparison), missing_runs(comparison)) == (merged, runs)


@pytest.mark.parametrize(
    ("heard", "leaked"),
    [
        ("bokstav i sanda da gikk hun hjem", 3),
        ("da gikk hun hjem", 0),
        ("da gikk hun hjem jeg har funnet", 3),
        ("sanda da gikk hun hjem", 0),
    ],
)
def test_words_of_the_prompt(heard: str, leaked: int) -> None:
    assert leaked_words(heard, "Da gikk hun hjem.", PROMPT) == leaked


def test_the_instruction_is_a_prompt_too() -> None:
    heard = "you are a helpful assistant da gikk hun hjem"
    assert leaked_words(heard, "Da gikk hun hjem.", SYSTEM_PROMPT, PROMPT) == 5
    assert leaked_words("assistent kom og se da gikk hun hjem", "Da gikk hun hjem.", SYSTEM_PROMPT, PROMPT) == 3
    assert leaked_words("assistant kom", "Da gikk hun hjem.", SYSTEM_PROMPT, PROMPT) == 0, "no run across the two"


@dataclass
class English(Listening):
    """Hears English words too, as a large recogniser does and the embedded judge does not."""

    said: str = ""

    def transcribe(self, clips: Iterable[Clip]) -> Iterator[Transcript]:
        for transcript in super().transcribe(clips):
            yield replace(transcript, text=f"{self.said} {transcript.text}")


@pytest.mark.parametrize(("said", "leaked"), [("", 0), ("You are a helpful assistant.", 5)])
def test_who_speaks_the_instruction_leaks(said: str, leaked: int, tmp_path: Path) -> None:
    trial = trials_of(["kari"], (11,), FEW)[0]
    (one,) = heard(tmp_path, "one", Candidate({}), English(said=said), VOICES, [trial])
    assert one.reading.leaked_words == leaked


def test_texts_are_as_long_as_their_tier_says() -> None:
    for tier, (low, high) in {"short": (9, 16), "middle": (30, 48), "long": (85, 130)}.items():
        for text in SCRIPTS[tier]:  # type: ignore[index]
            assert low <= len(text.split()) <= high, text
