"""Packed batches: against the reference vectors, and utterances that do not see each other."""

from __future__ import annotations

import pytest
import torch
from cosyvoice3_language_models import SMALL, golden_model, random_model
from golden_cases import GoldenCase, golden_cases, names_of_cases, read_case
from hypothesis import given, settings
from hypothesis import strategies as st

from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.training_sequences import (
    TrainingSample,
    TrainingSequence,
    is_interleaved,
    loss_and_accuracy,
    training_batch,
    training_sequence,
)
from replikk.training.low_rank import LowRankAdapter
from replikk.training.packing import hidden_states, loss_sum, packed

WITH_LOSS = names_of_cases("llm", "train_*", having="loss")
"""The project's own copy has no whole head, so no loss; REPLIKK_GOLDEN names a folder that has."""


def sequences_of(case: GoldenCase, model: LanguageModel) -> list[TrainingSequence]:
    tokens = case.group("in")
    sequences = []
    for row, drawn in enumerate(case.facts["random_values"]):
        parts = (
            tokens[f"{kind}_token"][row, : tokens[f"{kind}_token_len"][row]] for kind in ("instruct", "text", "speech")
        )
        sample = TrainingSample(*(part.tolist() for part in parts))
        sequences.append(training_sequence(sample, model.sizes, is_interleaved(sample, drawn)))
    return sequences


@golden_cases("llm", "train_*")
def test_golden_hidden_states(name: str) -> None:
    case = read_case("llm", name)
    model = golden_model(case)
    sequences = sequences_of(case, model)
    hidden = hidden_states(model, packed(sequences)).split([len(sequence.targets) for sequence in sequences])
    for row, found in enumerate(hidden):
        assert (found - case.tensors["mid.hidden"][row, : len(found)]).abs().max() < 2e-4


@pytest.mark.parametrize("name", WITH_LOSS)
def test_golden_loss_and_gradients(name: str) -> None:
    case = read_case("llm", name)
    model = golden_model(case)
    batch = packed(sequences_of(case, model))
    loss, right = loss_sum(model, batch)
    (loss / len(batch.targets)).backward()
    assert loss.item() / len(batch.targets) == pytest.approx(case.facts["loss"], rel=1e-5)
    assert right.item() / len(batch.targets) == pytest.approx(case.facts["acc"], abs=1e-6)
    gradients = {key: parameter.grad[rows] for key, parameter, rows in model.published_parts()}
    for key, norm in case.facts["grad_norms"].items():
        assert gradients[key].norm().item() == pytest.approx(norm, rel=1e-3), key


@pytest.mark.parametrize("name", WITH_LOSS)
def test_golden_gradients_reach_the_adapter(name: str) -> None:
    """An untrained adapter changes nothing, so the gradient of B follows from the reference's of the weight W:
    dB = scale * dW @ A.T."""
    case = read_case("llm", name)
    model = golden_model(case).requires_grad_(False)
    adapter = LowRankAdapter(model, rank=4, alpha=8, seed=0)
    batch = packed(sequences_of(case, model))
    loss, _ = loss_sum(model, batch)
    (loss / len(batch.targets)).backward()
    checked, gradients = 0, adapter.parts_of(adapter.values.grad)
    for key, expected in case.group("grad").items():
        module = key.removesuffix(".weight")
        if f"{module}.lora_A" not in adapter.factors:
            continue
        found = gradients[f"{module}.lora_B"]
        wanted = adapter.scale * expected @ adapter.factors[f"{module}.lora_A"].T
        assert (found - wanted).abs().max() < 1e-3 * wanted.abs().max(), key
        checked += 1
    assert checked
    assert all(parameter.grad is None for parameter in model.parameters())


ids = st.integers(0, 150)
samples = st.builds(
    TrainingSample,
    st.lists(ids, min_size=1, max_size=4),
    st.lists(ids, min_size=1, max_size=12),
    st.lists(ids, min_size=1, max_size=60),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(samples, st.floats(0, 1, exclude_max=True)), min_size=1, max_size=5))
def test_a_packed_batch_is_what_a_padded_one_is(drawn: list[tuple[TrainingSample, float]]) -> None:
    model = random_model(SMALL)
    sequences = [training_sequence(sample, SMALL, is_interleaved(sample, draw)) for sample, draw in drawn]
    batch = packed(sequences)
    loss, right = loss_sum(model, batch)
    embeddings, targets, _ = training_batch(model, sequences)
    wanted, accuracy = loss_and_accuracy(model.head(model.hidden(embeddings)), targets)
    assert loss.item() / len(batch.targets) == pytest.approx(wanted.item(), rel=1e-4)
    assert right.item() / len(batch.targets) == pytest.approx(accuracy.item(), abs=1e-6)


def test_utterances_do_not_see_their_neighbours() -> None:
    """Another neighbour, before or after, changes nothing, not even in the last bit of a long batch's sums."""
    model = random_model(SMALL)
    mine = TrainingSample([1, 2], [3, 4, 5], list(range(40)))
    others = [TrainingSample([1], list(range(n)), list(range(9 * n))) for n in (1, 4, 9)]
    alone = hidden_states(model, packed([training_sequence(mine, SMALL, False)]))
    for before, after in ((others[:1], others[1:]), (others, []), ([], others)):
        sequences = [training_sequence(sample, SMALL, False) for sample in (*before, mine, *after)]
        start = sum(len(sequence.targets) for sequence in sequences[: len(before)])
        among = hidden_states(model, packed(sequences))[start : start + len(alone)]
        assert torch.allclose(among, alone, atol=2e-5)
    changed = [training_sequence(sample, SMALL, False) for sample in (mine, TrainingSample([9], [9], [9] * 30))]
    one = hidden_states(model, packed([changed[0], training_sequence(others[1], SMALL, False)]))[: len(alone)]
    other = hidden_states(model, packed(changed))[: len(alone)]
    assert torch.allclose(one, other, atol=2e-5)
