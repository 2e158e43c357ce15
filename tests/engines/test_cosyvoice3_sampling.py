"""Repetition-aware sampling: against reference vectors, against a plain loop, and its random numbers."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from golden_cases import golden_cases, read_case
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from replikk.engines.cosyvoice3.sampling import (
    NO_TOKEN,
    SamplingSettings,
    choose,
    inverse_cdf,
    is_repeated,
    mask_stop_ids,
    nucleus,
    redraw_probabilities,
    signed_seed,
    uniforms_of_step,
)

pytestmark = pytest.mark.usefixtures("one_thread")

PUBLISHED = SamplingSettings()


def window(tokens: list[int], length: int = PUBLISHED.window) -> Tensor:
    last = tokens[-length:]
    return torch.tensor([[NO_TOKEN] * (length - len(last)) + last])


@golden_cases("sampling", "*", having="cases")
def test_golden_sampling(name: str) -> None:
    """Candidates, redraw and, with the reference's own way of drawing, its very tokens."""
    golden = read_case("sampling", name)
    facts = golden.facts
    settings = SamplingSettings(facts["top_p"], facts["top_k"], facts["win_size"], facts["tau_r"])
    assert facts["cases"]
    for case in facts["cases"]:
        prefix = f"{case['case']}."
        log_probs = golden.tensors[prefix + "logp"][None]
        ids, probabilities = nucleus(log_probs.softmax(dim=-1), settings)
        count = int((probabilities > 0).sum())
        assert count == case["n_candidates"]
        assert torch.equal(ids[0, :count], golden.tensors[prefix + "cand_ids"])
        assert (probabilities[0, :count] - golden.tensors[prefix + "cand_prob"]).abs().max() < 1e-6
        assert probabilities[0].sum().item() == pytest.approx(case["cum"], abs=1e-6)
        recent = window(golden.tensors[prefix + "hist"].tolist(), settings.window)
        for draw in case["draws"]:
            torch.manual_seed(draw["seed"])
            token = ids[0, probabilities[0, :count].multinomial(1, replacement=True)]
            assert token.item() == draw["first_draw"]
            assert is_repeated(token, recent, settings).item() == draw["redraw"]
            if draw["redraw"]:
                token = redraw_probabilities(log_probs, token)[0].multinomial(1, replacement=True)
            assert token.item() == draw["token"]
        if case.get("redraw_zeroed"):  # one redraw of the case was kept: of the token that is zero in it
            expected = golden.tensors[prefix + "redraw_prob_head"]  # in the order of the undisturbed probabilities
            order = log_probs[0].softmax(dim=-1).sort(descending=True, stable=True).indices[: len(expected)]
            removed = [token for token in case["redraw_zeroed"] if expected[order == token].tolist() == [0.0]]
            assert len(removed) == 1
            found = redraw_probabilities(log_probs, torch.tensor(removed))[0, order]
            assert (found - expected).abs().max() < 1e-6


def plain_nucleus(probabilities: list[float], settings: SamplingSettings) -> list[int]:
    """The rule as it is written down: from the top, while less than top_p is taken and fewer than top_k."""
    taken, total = [], torch.tensor(0.0)
    for token in sorted(range(len(probabilities)), key=lambda token: (-probabilities[token], token)):
        if total >= settings.top_p or len(taken) >= settings.top_k:
            break
        taken.append(token)
        total = total + torch.tensor(probabilities[token])
    return taken


@given(
    weights=st.lists(st.integers(0, 6), min_size=1, max_size=60).filter(any),
    top_p=st.sampled_from([0.1, 0.5, 0.8, 1.0]),
    top_k=st.integers(1, 30),
)
@example(weights=[1, 4, 4, 5, 5, 6], top_p=0.8, top_k=5)  # a sum that is 0.8 or just less, by the order of adding
def test_the_nucleus_is_that_of_a_plain_loop_also_with_ties(weights: list[int], top_p: float, top_k: int) -> None:
    probabilities = torch.tensor([weights], dtype=torch.float32) / sum(weights)
    settings = SamplingSettings(top_p, top_k)
    ids, values = nucleus(probabilities, settings)
    plain = [token for token in plain_nucleus(probabilities[0].tolist(), settings) if weights[token]]
    assert ids[0, : len(plain)].tolist() == plain
    assert torch.equal(values[0, : len(plain)], probabilities[0, plain])
    assert not values[0, len(plain) :].any()


def test_the_random_numbers_are_those_of_splitmix64() -> None:
    """Known answers: the first two outputs of SplitMix64 started at 0."""
    found = uniforms_of_step(torch.tensor([0]), torch.tensor([0]))[0].tolist()
    assert found == [(output >> 11) * 2.0**-53 for output in (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4)]


def test_the_numbers_of_one_seed_are_not_those_of_another_one_step_later() -> None:
    """Seeds one SplitMix64 step apart would share all their numbers if the seed were not mixed first."""
    seeds = torch.tensor([0, signed_seed(0x9E3779B97F4A7C15)])
    first, second = uniforms_of_step(seeds, torch.tensor([0, 0]))
    assert first[1] != second[0]


@given(seed=st.integers(-(2**63), 2**64 - 1), step=st.integers(0, 10_000), slots=st.integers(1, 9), data=st.data())
def test_random_numbers_depend_on_seed_and_step_alone(seed: int, step: int, slots: int, data: st.DataObject) -> None:
    slot = data.draw(st.integers(0, slots - 1))
    seeds, steps = torch.randint(1 << 62, (slots,)), torch.randint(10_000, (slots,))
    seeds[slot], steps[slot] = signed_seed(seed), step
    found = uniforms_of_step(seeds, steps)
    alone = uniforms_of_step(torch.tensor([signed_seed(seed)]), torch.tensor([step]))
    assert torch.equal(found[slot], alone[0])
    assert ((found >= 0) & (found < 1)).all()


def test_random_numbers_are_uniform_and_unrelated() -> None:
    """Over steps of one seed, and over neighbouring seeds at one step."""
    count = 20_000
    numbers = torch.arange(count)
    for drawn in (
        uniforms_of_step(torch.zeros(count, dtype=torch.int64), numbers),
        uniforms_of_step(numbers, numbers * 0),
    ):
        counts = torch.histc(drawn.flatten().float(), bins=100, min=0, max=1)
        chi_square = ((counts - 2 * count / 100) ** 2 / (2 * count / 100)).sum().item()
        assert chi_square < 99 + 6 * math.sqrt(2 * 99)  # six standard deviations
        pairs = torch.stack((drawn[:-1, 0], drawn[1:, 0], drawn[:-1, 1]))
        assert (torch.corrcoef(pairs) - torch.eye(3)).abs().max() < 6 / math.sqrt(count)
        assert drawn.unique().numel() == 2 * count


@given(
    weights=st.lists(st.sampled_from([0.0, 1e-30, 1e-9, 0.1, 1.0]), min_size=1, max_size=20).filter(any),
    uniform=st.floats(0, 1, exclude_max=True),
)
def test_an_index_without_weight_is_never_drawn(weights: list[float], uniform: float) -> None:
    for drawn in (uniform, 1 - 2.0**-53):
        index = inverse_cdf(torch.tensor([weights]), torch.tensor([[drawn]], dtype=torch.float64)).item()
        assert weights[int(index)] > 0


def choices(
    log_probs: Tensor, recent: Tensor, settings: SamplingSettings = PUBLISHED, count: int = 20_000
) -> Counter[int]:
    """Tokens of many lines in the same situation."""
    uniforms = uniforms_of_step(torch.arange(count), torch.full((count,), 3))
    tokens = choose(log_probs.expand(count, -1), recent.expand(count, -1), uniforms, settings)
    return Counter(tokens.tolist())


def test_draws_follow_the_probabilities_of_the_nucleus() -> None:
    probabilities = torch.tensor([[0.05, 0.4, 0.3, 0.15, 0.1]])
    counts = choices(probabilities.log(), window([]))
    assert counts.keys() == {1, 2, 3}  # 0.4 + 0.3 is less than 0.8, so the third is included
    for token, share in ((1, 0.4 / 0.85), (2, 0.3 / 0.85), (3, 0.15 / 0.85)):
        assert counts[token] / 20_000 == pytest.approx(share, abs=0.02)


def test_a_repeated_token_is_drawn_again_from_everything_else() -> None:
    """0.9 * nucleus draws of token 1 go to the four others in proportion; stop ids and the tail included."""
    probabilities = torch.tensor([[0.04, 0.9, 0.03, 0.02, 0.01]])
    counts = choices(probabilities.log(), window([1]))
    assert 1 not in counts
    for token in (0, 2, 3, 4):
        assert counts[token] / 20_000 == pytest.approx(probabilities[0, token].item() / 0.1, abs=0.02)


@pytest.mark.parametrize(
    ("tokens", "repeated"),
    [([], False), ([1], True), ([1] + [2] * 9, True), ([1] + [2] * 10, False), ([0, 2, 3], False)],
)
def test_a_repetition_counts_within_the_window_only(tokens: list[int], repeated: bool) -> None:
    assert is_repeated(torch.tensor([1]), window(tokens), PUBLISHED).item() == repeated


def test_the_second_draw_is_not_checked_again() -> None:
    counts = choices(torch.tensor([[0.9, 0.06, 0.04]]).log(), window([0, 1, 2]))
    assert counts.keys() == {1, 2}


def test_greedy_takes_the_best_and_the_first_of_equals() -> None:
    log_probs = torch.tensor([[0.1, 0.3, 0.3, 0.2]]).log()
    assert choices(log_probs, window([1]), SamplingSettings(greedy=True), 5) == {1: 5}


@pytest.mark.parametrize(("rule", "allowed"), [("fixed", {0, 1, 2}), ("faithful", {0, 1, 2, 4, 5})])
def test_stop_ids_before_the_least_length(rule: str, allowed: set[int]) -> None:
    """The published code rules out id 3 alone, which is start and not end in CosyVoice 3."""
    log_probs = torch.full((2, 6), 1 / 6).log()
    masked = mask_stop_ids(log_probs, torch.tensor([True, False]), 3, rule)  # type: ignore[arg-type]
    assert set(masked[0].isfinite().nonzero().flatten().tolist()) == allowed
    assert torch.equal(masked[1], log_probs[1])


def test_a_choice_does_not_depend_on_the_other_slots() -> None:
    log_probs = torch.randn(16, 6761).mul(4).log_softmax(dim=-1)
    recent = log_probs.topk(10).indices
    uniforms = uniforms_of_step(torch.arange(16), torch.arange(16))
    together = choose(log_probs, recent, uniforms, PUBLISHED)
    for slots in (1, 2, 5):
        parts = [
            choose(rows, last, drawn, PUBLISHED)
            for rows, last, drawn in zip(
                log_probs.split(slots), recent.split(slots), uniforms.split(slots), strict=True
            )
        ]
        assert torch.equal(torch.cat(parts), together)
