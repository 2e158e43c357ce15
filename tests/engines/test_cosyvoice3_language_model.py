"""The language model: against reference vectors, and its three uses against each other."""

from __future__ import annotations

import pytest
import torch
from cosyvoice3_language_models import SMALL, golden_job, golden_model, random_model, random_prefix, random_state
from golden_cases import GoldenCase, golden_cases, read_case
from torch import Tensor

from replikk.engines.cosyvoice3.exact_rows import ROW_COUNTS, rows_agree, step_rows
from replikk.engines.cosyvoice3.key_value_cache import POSITIONS_STEP, KeyValueCache
from replikk.engines.cosyvoice3.language_model import LanguageModel, published_keys
from replikk.errors import EngineError

pytestmark = pytest.mark.usefixtures("one_thread")

LOG_PROB_TOLERANCE = 3e-4  # of the golden vectors' README, at a scale of 36


def assert_log_probs(found: Tensor, case: GoldenCase) -> None:
    """Compares rows with the reference's; where only some ids were kept, these with each other."""
    expected = case.tensors["out.logp"]
    ids = case.facts.get("logp_ids")
    if ids:
        found, expected = (rows[:, ids] - rows[:, ids].mean(dim=1, keepdim=True) for rows in (found, expected))
    assert (found - expected).abs().max() < LOG_PROB_TOLERANCE


@golden_cases("llm", "greedy_*")
def test_golden_prefix_embeddings(name: str) -> None:
    case = read_case("llm", name)
    model = golden_model(case)
    embeddings = model.embed(golden_job(case, model.sizes).prefix)
    assert torch.equal(embeddings, case.tensors["mid.prefill_embeds"][0])


@pytest.mark.parametrize("way", ["whole sequence", "by line", "by line, packed", "masked", "masked, packed"])
@golden_cases("llm", "greedy_*")
def test_golden_log_probs(name: str, way: str) -> None:
    """Teacher-forced: the reference's tokens go in, its log-probabilities must come out."""
    case = read_case("llm", name)
    model = golden_model(case)
    if "packed" in way:
        model.pack()
    prefix = golden_job(case, model.sizes).prefix
    embeddings = model.embed([*prefix, ("speech", case.facts["tokens"])])
    steps = case.facts["steps_scored"]
    start = len(embeddings) - len(case.facts["tokens"]) - 1
    with torch.no_grad():
        if way == "whole sequence":
            rows = model.log_probs(model.hidden(embeddings[None]))[0, start:]
        else:
            rows = one_by_one(model, embeddings, start, masked="masked" in way)
    assert_log_probs(rows[:steps][case.facts["logp_rows"]], case)


def one_by_one(model: LanguageModel, embeddings: Tensor, start: int, masked: bool) -> Tensor:
    """Log-probabilities of the positions from ``start`` on, in a slot between two that hold other things."""
    cache = KeyValueCache(model.sizes, 3, len(embeddings), model.dtype, model.device)
    model.prefill(embeddings[None, :start], torch.tensor([1]), cache)
    model.prefill(torch.randn(2, 5, model.sizes.hidden), torch.tensor([0, 2]), cache)
    rows = []
    for position in range(start, len(embeddings)):
        others = torch.randn(2, model.sizes.hidden)
        states = torch.stack((others[0], embeddings[position], others[1]))
        hidden = model.step(states, torch.tensor([5, position, 7]), cache, cache.capacity if masked else None)
        rows.append(model.log_probs(hidden)[1])
    return torch.stack(rows)


@torch.no_grad()
def test_padding_on_the_right_is_never_seen() -> None:
    model = random_model()
    short, long = (torch.randn(1, length, SMALL.hidden) for length in (9, 30))
    padded = torch.cat((short, torch.full((1, 21, SMALL.hidden), 1e3)), dim=1)
    together = model.hidden(torch.cat((padded, long)))
    assert torch.allclose(together[0, :9], model.hidden(short)[0], atol=1e-5)
    assert torch.allclose(together[1], model.hidden(long)[0], atol=1e-5)


@torch.no_grad()
def test_lines_prefilled_together_and_padded_continue_like_lines_alone() -> None:
    model = random_model()
    lines = [torch.randn(length, SMALL.hidden) for length in (3, 20, 11)]
    cache = KeyValueCache(SMALL, 3, 32, torch.float32, model.device)
    padded = torch.nn.utils.rnn.pad_sequence([line[:-1] for line in lines], batch_first=True, padding_value=7.0)
    model.prefill(padded, torch.tensor([2, 0, 1]), cache)
    last = torch.stack([lines[number][-1] for number in (1, 2, 0)])  # in the order of the slots
    positions = torch.tensor([19, 10, 2])
    for extent in (None, cache.capacity):
        together = model.step(last, positions, cache, extent)
        for slot, number in enumerate((1, 2, 0)):
            assert torch.allclose(together[slot], model.hidden(lines[number][None])[0, -1], atol=1e-5)


@torch.no_grad()
def test_a_slot_that_is_used_again_knows_nothing_of_the_line_before() -> None:
    model = random_model()
    line = torch.randn(6, SMALL.hidden)
    results = []
    for earlier in (1, 40):
        cache = KeyValueCache(SMALL, 2, 64, torch.float32, model.device)
        model.prefill(torch.randn(1, earlier, SMALL.hidden) * 9, torch.tensor([1]), cache)
        model.prefill(line[None, :-1], torch.tensor([1]), cache)
        for extent in (None, 64):
            states = torch.stack((line[0], line[-1]))
            results.append(model.step(states, torch.tensor([0, 5]), cache, extent)[1])
    assert torch.equal(results[0], results[2])
    assert torch.equal(results[1], results[3])


@torch.no_grad()
def test_growing_keeps_what_is_cached() -> None:
    model = random_model()
    line = torch.randn(POSITIONS_STEP + 3, SMALL.hidden)
    cache = KeyValueCache(SMALL, 1, 1, torch.float32, model.device)
    for position, row in enumerate(line):
        assert cache.grow(position + 1) == (position == POSITIONS_STEP)
        hidden = model.step(row[None], torch.tensor([position]), cache)
    assert cache.capacity == 2 * POSITIONS_STEP
    assert torch.allclose(hidden[0], model.hidden(line[None])[0, -1], atol=1e-4)


@torch.no_grad()
def test_packed_weights_compute_the_same_and_are_not_kept_twice() -> None:
    model = random_model()
    embeddings = torch.randn(2, 7, SMALL.hidden)
    before = model.log_probs(model.hidden(embeddings))
    parameters = sum(1 for _ in model.parameters())
    model.pack()
    assert torch.allclose(model.log_probs(model.hidden(embeddings)), before, atol=1e-4)
    if model.head.packed is not None:  # a processor for which oneDNN has no kernels keeps plain weights
        assert sum(1 for _ in model.parameters()) < parameters


@pytest.mark.parametrize("packed", [False, True])
@torch.no_grad()
def test_rows_of_the_chosen_step_sizes_agree_bit_for_bit(packed: bool) -> None:
    """What ``exact_rows`` finds with one layer holds for the whole model."""
    model = random_model(scale=0.2)
    if packed:
        model.pack()
    states, positions = torch.randn(64, SMALL.hidden), torch.randint(0, 60, (64,))
    past = torch.randn(64, 60, SMALL.hidden)

    def log_probs(chosen: Tensor) -> Tensor:
        cache = KeyValueCache(SMALL, len(chosen), 61, torch.float32, model.device)
        for slot, line in enumerate(chosen):
            model.prefill(past[line : line + 1], torch.tensor([slot]), cache)
        return model.log_probs(model.step(states[chosen], positions[chosen], cache))

    assert step_rows(model, 1, 64) <= 8
    everything = log_probs(torch.arange(64)) if rows_agree(model, 64) else None
    for rows in [rows for rows in ROW_COUNTS[:-1] if rows_agree(model, rows)]:
        for start in range(0, 64 - rows + 1, 24):
            chosen = (torch.arange(rows) * 7 + start) % 64
            reference = torch.cat([log_probs(torch.arange(8) + 8 * (line // 8))[line % 8][None] for line in chosen])
            assert torch.equal(log_probs(chosen), reference)
            assert everything is None or torch.equal(everything[chosen], reference)


@torch.no_grad()
def test_bfloat16_weights_keep_most_choices() -> None:
    """Embeddings, norms and head stay float32; the rest is rounded to 8 bits."""
    exact, rounded = random_model(), random_model(dtype=torch.bfloat16)
    prefix = random_prefix(SMALL, 3, text=10, speech=200)
    found, expected = (model.log_probs(model.hidden(model.embed(prefix)[None]))[0] for model in (rounded, exact))
    assert found.dtype == torch.float32
    assert (found.argmax(dim=-1) == expected.argmax(dim=-1)).float().mean() > 0.9
    assert (found - expected).abs().mean() < 0.05 * expected.std()


def test_published_parts_give_back_what_was_loaded() -> None:
    state = random_state(SMALL)
    model = LanguageModel(SMALL)
    model.load_state(state)
    found = {key: parameter[rows] for key, parameter, rows in model.published_parts()}
    assert found.keys() == state.keys()
    assert all(torch.equal(found[key], state[key]) for key in state)


def test_every_weight_matters() -> None:
    """A part that is loaded and never used would be found here."""
    state = random_state(SMALL)
    prefix = random_prefix(SMALL, 1)

    @torch.no_grad()
    def log_probs(weights: dict[str, Tensor]) -> Tensor:
        model = LanguageModel(SMALL)
        model.load_state(weights)
        return model.log_probs(model.hidden(model.embed(prefix)[None]))[0, -1]

    reference = log_probs(state)
    for key, tensor in state.items():
        assert not torch.allclose(log_probs(state | {key: tensor * 1.5}), reference, atol=1e-4), key


def test_missing_and_misshapen_weights_are_named() -> None:
    state = random_state(SMALL)
    model = LanguageModel(SMALL)
    with pytest.raises(EngineError, match=r"speech_embedding\.weight: these weights are missing"):
        model.load_state({key: value for key, value in state.items() if key != "speech_embedding.weight"})
    with pytest.raises(EngineError, match=r"llm_decoder\.weight: the weights are \[399, 48\]"):
        model.load_state(state | {"llm_decoder.weight": state["llm_decoder.weight"][:-1]})


def test_the_text_head_is_not_needed() -> None:
    assert not any("lm_head" in key for keys in published_keys(SMALL).values() for key in keys)
