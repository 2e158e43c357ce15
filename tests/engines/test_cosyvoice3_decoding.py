"""Decoding of many lines: reference tokens, independence of neighbours, limits, interruption."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from cosyvoice3_language_models import SMALL, golden_job, golden_model, random_model, random_prefix, random_state
from golden_cases import golden_cases, names_of_cases, read_case
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from replikk.engines.cosyvoice3 import decode_slots
from replikk.engines.cosyvoice3.decode_slots import DecodeSlots
from replikk.engines.cosyvoice3.decoding import DecodedLine, DecodeJob, DecodeSettings, decode, decode_job
from replikk.engines.cosyvoice3.key_value_cache import KeyValueCache
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.sampling import SamplingSettings
from replikk.engines.cosyvoice3.silent_tokens import LONGEST_RUN, SILENT_IDS, without_long_silences
from replikk.errors import EngineError

pytestmark = pytest.mark.usefixtures("one_thread")

GREEDY = SamplingSettings(greedy=True)
SAMPLED = DecodeSettings()


def lively_model() -> LanguageModel:
    """Ends lines by itself, at very different lengths."""
    state = random_state(SMALL, seed=4, scale=0.15)
    state["llm_decoder.weight"][SMALL.end_id] = state["llm_decoder.weight"][0]
    model = LanguageModel(SMALL)
    model.load_state(state)
    return model


def random_jobs(count: int, seed: int = 0, most: int = 40) -> list[DecodeJob]:
    choice = random.Random(seed)
    return [
        DecodeJob(
            f"line {number}",
            choice.getrandbits(64),
            random_prefix(SMALL, choice.getrandbits(32), choice.randint(1, 30), choice.randint(0, 40)),
            choice.randint(0, 5),
            choice.randint(5, most),
        )
        for number in range(count)
    ]


def tokens_of(lines: Iterator[DecodedLine]) -> dict[str, tuple[list[int], bool]]:
    return {line.key: (line.tokens, line.finished_by_itself) for line in lines}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("slots", [1, 3, 16])
@golden_cases("llm", "greedy_*")
def test_golden_greedy_tokens(name: str, slots: int, packed: bool) -> None:
    """Alone, and among all other cases that have the same weights, in fewer slots than lines and in more."""
    case = read_case("llm", name)
    model = golden_model(case)
    if packed:
        model.pack()
    others = [read_case("llm", other) for other in names_of_cases("llm", "greedy_*") if other != name and slots > 1]
    cases = [case, *(other for other in others if not other.group("override") and not case.group("override"))]
    jobs = {case.name: golden_job(case, model.sizes) for case in cases}
    found = tokens_of(decode(model, reversed(jobs.values()), DecodeSettings(GREEDY, "faithful"), slots))
    assert found.keys() == jobs.keys()
    for case in cases:
        expected = case.facts["tokens"]
        ended = case.facts["finished_by_itself"] and len(expected) < jobs[case.name].max_tokens
        assert found[case.name] == (expected, ended), case.name


@golden_cases("frontend", "frontend")
def test_golden_silent_token_filter(name: str) -> None:
    cases = read_case("frontend", name).facts.get("silent_token_filter", [])
    for case in cases:
        assert without_long_silences(case["raw"]) == case["kept"]


@given(st.lists(st.sampled_from([1, 2, 28, 7, 8])))
def test_only_silences_are_shortened(tokens: list[int]) -> None:
    kept = without_long_silences(tokens)
    assert [token for token in kept if token not in SILENT_IDS] == [
        token for token in tokens if token not in SILENT_IDS
    ]
    assert without_long_silences(kept) == kept
    runs = "".join("s" if token in SILENT_IDS else " " for token in kept).split()
    assert all(len(run) <= LONGEST_RUN for run in runs)


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_is_the_same_alone_in_any_batch_in_any_order(packed: bool) -> None:
    model = lively_model()
    if packed:
        model.pack()
    jobs = random_jobs(24)
    alone = {job.key: value for job in jobs for value in tokens_of(decode(model, [job], SAMPLED, 1)).values()}
    assert len({len(tokens) for tokens, _ in alone.values()}) > 5
    assert {ended for _, ended in alone.values()} == {True, False}
    for slots in (1, 2, 3, 8, 13, 40):
        random.Random(slots).shuffle(jobs)
        assert tokens_of(decode(model, jobs, SAMPLED, slots)) == alone
    assert tokens_of(decode(model, jobs, DecodeSettings(check_every=5), 8)) == alone


def heard(
    model: LanguageModel, jobs: Sequence[DecodeJob], slots: int, monkeypatch: pytest.MonkeyPatch
) -> dict[Any, bytes]:
    """The bits of all log-probabilities that tokens were chosen from; random numbers tell line and step."""
    rows: dict[Any, bytes] = {}
    real = decode_slots.choose

    def listen(log_probs: Tensor, recent: Tensor, uniforms: Tensor, sampling: SamplingSettings) -> Tensor:
        for row, numbers in zip(log_probs, uniforms.tolist(), strict=True):
            rows.setdefault(tuple(numbers), row.numpy().tobytes())
        return real(log_probs, recent, uniforms, sampling)

    with monkeypatch.context() as patch:
        patch.setattr(decode_slots, "choose", listen)
        for _ in decode(model, jobs, SAMPLED, slots):
            pass
    return rows


@pytest.mark.parametrize("packed", [False, True])
def test_not_a_bit_of_a_lines_probabilities_depends_on_its_neighbours(
    packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal tokens could be luck; equal bits are not."""
    model = random_model(scale=0.2)
    if packed:
        model.pack()
    jobs = random_jobs(10, seed=8, most=20)
    alone: dict[Any, bytes] = {}
    for job in jobs:
        alone |= heard(model, [job], 1, monkeypatch)
    for slots in (2, 5, 8, 10):
        together = heard(model, jobs[::-1], slots, monkeypatch)
        common = alone.keys() & together.keys()
        assert len(common) > 100
        assert all(alone[step] == together[step] for step in common)


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 12), slots=st.integers(1, 20), check_every=st.integers(1, 9), seed=st.integers(0, 2**32))
def test_every_job_is_answered_once_within_its_limits(count: int, slots: int, check_every: int, seed: int) -> None:
    jobs = random_jobs(count, seed, most=12)
    lines = list(decode(lively_model(), jobs, DecodeSettings(check_every=check_every), slots))
    assert sorted(line.key for line in lines) == sorted(job.key for job in jobs)
    limits = {job.key: (job.min_tokens, job.max_tokens) for job in jobs}
    for line in lines:
        least, most = limits[line.key]
        assert least <= len(line.tokens) <= most
        assert all(0 <= token < SMALL.speech_vocabulary for token in line.tokens)
        assert line.finished_by_itself or len(line.tokens) == most


def test_the_faithful_rule_lets_a_line_end_too_early_and_the_fixed_rule_does_not() -> None:
    state = random_state(SMALL)
    state["llm_decoder.weight"][SMALL.end_id] = 40 * state["llm_decoder.weight"][0]  # by far the best or the worst
    model = LanguageModel(SMALL)
    model.load_state(state)
    jobs = [DecodeJob(job.key, job.seed, job.prefix, 9, 12) for job in random_jobs(20)]
    lengths = {
        rule: [len(tokens) for tokens, _ in tokens_of(decode(model, jobs, DecodeSettings(stop_rule=rule), 8)).values()]
        for rule in ("fixed", "faithful")
    }
    assert min(lengths["fixed"]) == 9
    assert min(lengths["faithful"]) == 0


def test_another_seed_is_another_reading() -> None:
    model, job = random_model(), random_jobs(1)[0]
    readings = [
        tuple(line.tokens)
        for seed in range(5)
        for line in decode(model, [DecodeJob("a", seed, job.prefix, 20, 20)], SAMPLED, 1)
    ]
    assert len(set(readings)) == 5


def test_the_published_layout_and_limits() -> None:
    job = decode_job("a", 1, SMALL, [1, 2], [3, 4, 5], [6])
    assert [token for _, ids in job.prefix for token in ids] == [SMALL.start_id, 1, 2, 3, 4, 5, SMALL.task_id, 6]
    assert (job.min_tokens, job.max_tokens) == (6, 60)


def test_a_long_line_outgrows_the_cache_and_is_the_same() -> None:
    model = random_model()
    long = DecodeJob("long", 5, random_prefix(SMALL, 1, text=200, speech=40), 60, 60)
    jobs = [*random_jobs(3), long, *random_jobs(3, seed=2)]
    assert tokens_of(decode(model, jobs, SAMPLED, 4))["long"] == tokens_of(decode(model, [long], SAMPLED, 1))["long"]


def test_no_jobs_and_lines_without_tokens() -> None:
    model = random_model()
    assert list(decode(model, [], SAMPLED, 4)) == []
    empty = DecodeJob("empty", 1, random_prefix(SMALL, 1), 0, 0)
    assert list(decode(model, [empty], SAMPLED, 4)) == [DecodedLine("empty", [], False)]
    assert tokens_of(decode(model, [empty, *random_jobs(2), empty], SAMPLED, 1)).keys() == {"empty", "line 0", "line 1"}


def test_jobs_are_taken_when_there_is_a_slot_for_them() -> None:
    taken = 0

    def source() -> Iterator[DecodeJob]:
        nonlocal taken
        for job in random_jobs(30, most=10):
            taken += 1
            yield job

    for given_out, _ in enumerate(decode(random_model(), source(), SAMPLED, 4)):
        assert taken <= given_out + 1 + 4 + 3  # lines that end at the same step are given out one by one
    assert taken == 30


class Small(LanguageModel):
    """A device whose memory is used up by the n-th step from now."""

    steps_left = 10**9

    def step(self, embeddings: Tensor, positions: Tensor, cache: KeyValueCache, extent: int | None = None) -> Tensor:
        self.steps_left -= 1
        if self.steps_left < 0:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().step(embeddings, positions, cache, extent)


@pytest.mark.parametrize("steps", [0, 1, 7, 15, 20])
def test_out_of_memory_loses_no_line_and_changes_none(steps: int) -> None:
    model = Small(SMALL)
    model.load_state(random_state(SMALL))
    jobs = random_jobs(15, most=20)
    expected = tokens_of(decode(model, jobs, SAMPLED, 8))
    model.steps_left = steps
    found: dict[str, tuple[list[int], bool]] = {}
    source, unfinished = iter(jobs), list[DecodeJob]()
    with pytest.raises(torch.OutOfMemoryError):
        for line in decode(model, source, SAMPLED, 8, unfinished):
            found[line.key] = (line.tokens, line.finished_by_itself)
    assert unfinished
    assert not found.keys() & {job.key for job in unfinished}
    model.steps_left = 10**9
    for line in decode(model, [*unfinished, *source], SAMPLED, 4):
        assert line.key not in found
        found[line.key] = (line.tokens, line.finished_by_itself)
    assert found == expected


def test_stopping_early_hands_back_what_was_not_given_out() -> None:
    jobs, unfinished = random_jobs(12, most=10), list[DecodeJob]()
    source = iter(jobs)
    lines = decode(random_model(), source, SAMPLED, 5, unfinished)
    given_out = {next(lines).key for _ in range(3)}
    lines.close()
    rest = [job.key for job in (*unfinished, *source)]
    assert sorted([*rest, *given_out]) == sorted(job.key for job in jobs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prefix": (("text", (300,)), ("speech", (1,)))}, "a: text id 300 is outside the model's 0 to 299"),
        ({"prefix": (("speech", (-1,)),)}, "a: speech id -1 is outside"),
        ({"prefix": (("speech", (1,)), ("text", (1,)))}, "a: what the line starts with does not end in a speech id"),
        ({"prefix": ()}, "a: what the line starts with"),
        ({"min_tokens": 5, "max_tokens": 4}, "a: at least 5 and at most 4"),
    ],
)
def test_jobs_that_cannot_be_decoded_are_named(changes: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {"key": "a", "seed": 1, "prefix": (("speech", (1,)),), "min_tokens": 0, "max_tokens": 4}
    with pytest.raises(EngineError, match=message):
        list(decode(random_model(), [DecodeJob(**(fields | changes))], SAMPLED, 2))


def test_numbers_that_are_not_finite_are_an_error_of_that_line() -> None:
    state = random_state(SMALL)
    state["speech_embedding.weight"][7] = torch.nan
    model = LanguageModel(SMALL)
    model.load_state(state)
    bad = DecodeJob("bad", 1, (("speech", (SMALL.start_id, SMALL.task_id, 7)),), 3, 9)
    with pytest.raises(EngineError, match="bad: the language model gave numbers that are not finite after 0 tokens"):
        list(decode(model, [bad], SAMPLED, 2))


@torch.inference_mode()
def test_a_masked_step_never_waits_for_the_host() -> None:
    """On the meta device tensors have shapes and no numbers, so whatever the host would read cannot be read."""
    model = LanguageModel(SMALL, device="meta")
    model.load_state(random_state(SMALL))
    slots = DecodeSlots(model, 3, 40, 2, SamplingSettings(), "fixed")
    for _ in range(3):
        slots.step(slots.cache.capacity)
    with pytest.raises((NotImplementedError, RuntimeError), match="meta"):
        slots.step(None)  # line by line: for the CPU only


@torch.inference_mode()
def test_a_step_leaves_every_tensor_where_it_was() -> None:
    """A CUDA graph holds addresses."""
    slots = DecodeSlots(random_model(), 3, 40, 2, SamplingSettings(), "fixed")
    slots.fill([0, 2], [random_prefix(SMALL, 1), random_prefix(SMALL, 2, 12)], [5, 6], [3, 0])
    slots.release(2)

    def places() -> list[int]:
        return [tensor.data_ptr() for tensor in (*slots.tensors(), *slots.cache.keys, *slots.cache.values)]

    before = places()
    slots.step(slots.cache.capacity)
    assert places() == before


@torch.inference_mode()
def test_masked_steps_say_the_same_as_steps_line_by_line() -> None:
    """The way of CUDA and that of the CPU differ in the last bits only."""
    histories = []
    for masked in (False, True):
        slots = DecodeSlots(random_model(), 3, 60, 20, SamplingSettings(), "fixed")
        slots.fill([1, 2], [random_prefix(SMALL, 1), random_prefix(SMALL, 2, 12)], [5, 6], [3, 0])
        for _ in range(20):
            slots.step(slots.cache.capacity if masked else None)
        histories.append(slots.history[:, 1:])
    assert torch.equal(*histories)
