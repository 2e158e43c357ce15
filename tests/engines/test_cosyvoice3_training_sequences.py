"""Training sequences, loss and accuracy, and the interleaved order, against reference vectors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import pytest
import torch
from cosyvoice3_language_models import SMALL, golden_facts, golden_model, random_model
from golden_cases import GoldenCase, golden_cases, names_of_cases, read_case
from hypothesis import given
from hypothesis import strategies as st
from test_cosyvoice3_language_model import assert_log_probs
from torch import Tensor

from replikk.engines.cosyvoice3.bistream import speak_while_reading
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.training_sequences import (
    IGNORED,
    PADDING_VALUE,
    TrainingSample,
    TrainingSequence,
    is_interleaved,
    loss_and_accuracy,
    training_batch,
    training_sequence,
)
from replikk.errors import EngineError

pytestmark = pytest.mark.usefixtures("one_thread")

WITH_LOSS = names_of_cases("llm", "train_*", having="loss")
"""The project's own copy has no whole head, so no loss."""


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
def test_golden_training_sequences(name: str) -> None:
    case = read_case("llm", name)
    model = golden_model(case)
    embeddings, targets, lengths = training_batch(model, sequences_of(case, model))
    assert torch.equal(embeddings, case.tensors["mid.lm_input"])
    assert torch.equal(targets, case.tensors["mid.lm_target"])
    assert torch.equal(lengths, case.tensors["mid.lm_input_len"].long())


@pytest.mark.parametrize("padded", [True, False])
@golden_cases("llm", "train_*")
def test_golden_training_hidden(name: str, padded: bool) -> None:
    case = read_case("llm", name)
    model = golden_model(case)
    sequences = sequences_of(case, model)
    batches = [sequences] if padded else [[sequence] for sequence in sequences]
    row = 0
    for batch in batches:
        embeddings, _, lengths = training_batch(model, batch)
        for hidden, length in zip(model.hidden(embeddings), lengths, strict=True):
            assert (hidden[:length] - case.tensors["mid.hidden"][row, :length]).abs().max() < 2e-4
            row += 1
    assert row == len(case.tensors["mid.hidden"])


@pytest.mark.parametrize("name", WITH_LOSS)
def test_golden_training_loss_and_gradients(name: str) -> None:
    case = read_case("llm", name)
    model = golden_model(case)
    embeddings, targets, _ = training_batch(model, sequences_of(case, model))
    loss, accuracy = loss_and_accuracy(model.head(model.hidden(embeddings)), targets)
    loss.backward()
    assert loss.item() == pytest.approx(case.facts["loss"], rel=1e-5)
    assert accuracy.item() == pytest.approx(case.facts["acc"], abs=1e-6)
    gradients = {}
    for key, parameter, rows in model.published_parts():
        assert parameter.grad is not None, key
        gradients[key] = parameter.grad[rows]
    for key, norm in case.facts["grad_norms"].items():
        assert gradients[key].norm().item() == pytest.approx(norm, rel=1e-3), key
    for key, expected in case.group("grad").items():
        name_of_weight, _, span = key.partition("[")
        gradient = gradients[name_of_weight]
        if span:
            first, last = map(int, span.rstrip("]").split(":"))
            gradient = gradient[first:last]
        assert (gradient - expected).abs().max() < 1e-3 * expected.abs().max(), key


@golden_cases("llm", "bistream_*")
def test_golden_bistream(name: str) -> None:
    case = read_case("llm", name)
    model, tokens = golden_model(case), case.group("in")
    vocabulary, scored = model.sizes.speech_vocabulary, list[Tensor]()

    def best(log_probs: Tensor, said: Sequence[int], may_not_end: bool) -> int:
        scored.append(log_probs)
        return int(log_probs[:vocabulary].argmax())

    spoken = speak_while_reading(
        model,
        tokens["prompt_text"][0].tolist(),
        tokens["prompt_speech_token"][0].tolist(),
        [piece.tolist() for piece in tokens["text"][0].split(case.facts["pieces"])],
        int(str(golden_facts()["endofprompt_id_here"])),
        best,
    )
    expected = case.facts["tokens"]
    assert list(islice(spoken, len(expected))) == expected
    rows = case.facts.get("logp_rows", range(0, 3 * len(case.tensors["out.logp"]), 3))
    found = torch.stack([scored[row] for row in rows])
    found[:, vocabulary] = -torch.inf  # as the reference saved them
    ids = case.facts.get("logp_ids")
    if ids:  # the one infinite entry would make every mean infinite
        case.facts["logp_ids"] = [token for token in ids if token != vocabulary]
    else:
        assert case.tensors["out.logp"][:, vocabulary].isneginf().all()
        case.tensors["out.logp"][:, vocabulary] = found[:, vocabulary] = 0.0
    assert_log_probs(found, case)


@pytest.mark.parametrize(
    ("drawn", "text", "speech", "interleaved"),
    [(0.1, 10, 31, True), (0.1, 10, 30, False), (0.5, 10, 60, False), (0.9, 10, 60, False), (0.49, 1, 4, True)],
)
def test_a_sample_is_interleaved_if_drawn_below_a_half_and_there_is_speech_enough(
    drawn: float, text: int, speech: int, interleaved: bool
) -> None:
    assert is_interleaved(TrainingSample([1], [2] * text, [3] * speech), drawn) == interleaved


@given(instruction=st.integers(0, 4), text=st.integers(1, 23), more=st.integers(1, 40), interleaved=st.booleans())
def test_a_sequence_holds_every_token_once_and_predicts_every_speech_token(
    instruction: int, text: int, more: int, interleaved: bool
) -> None:
    sample = TrainingSample(range(instruction), range(100, 100 + text), [n % 200 for n in range(3 * text + more)])
    sequence = training_sequence(sample, SMALL, interleaved)
    read = {
        kind: [token for part, ids in sequence.parts if part == kind for token in ids] for kind in ("text", "speech")
    }
    assert read["text"] == [*sample.instruction, *sample.text]
    assert [token for token in read["speech"] if token < SMALL.speech_vocabulary] == list(sample.speech)
    assert sum(len(ids) for _, ids in sequence.parts) == len(sequence.targets)
    predicted = [token for token in sequence.targets if token not in (IGNORED, SMALL.fill_id)]
    assert predicted == [*sample.speech, SMALL.end_id]
    assert sequence.targets.count(SMALL.fill_id) == (text // 5 if interleaved else 0)


def test_padding_counts_neither_for_loss_nor_for_accuracy() -> None:
    model = random_model()
    samples = [TrainingSample([1, 2], [3], [4, 5, 6]), TrainingSample([1], [2, 3, 4], [9] * 40)]
    sequences = [training_sequence(sample, SMALL, False) for sample in samples]
    embeddings, targets, lengths = training_batch(model, sequences)
    assert (embeddings[0, lengths[0] :] == PADDING_VALUE).all()
    logits = model.head(model.hidden(embeddings)).detach()
    loss, accuracy = loss_and_accuracy(logits, targets)
    disturbed = torch.where((targets == IGNORED)[..., None], torch.randn_like(logits) * 9, logits)
    assert loss_and_accuracy(disturbed, targets) == (loss, accuracy)
    right = torch.nn.functional.one_hot(targets.clamp(min=0), SMALL.speech_head) * 50.0
    assert loss_and_accuracy(right, targets)[1] == 1.0


def test_a_stop_id_between_text_and_text_is_an_error() -> None:
    stop = SMALL.end_id
    with pytest.raises(EngineError, match=f"stop id {stop}"):
        list(speak_while_reading(random_model(), [1, 7], [], [[1, 2, 3]], 7, lambda *_: stop))


def test_a_prompt_without_its_end_mark_is_an_error() -> None:
    with pytest.raises(EngineError, match="endofprompt"):
        list(speak_while_reading(random_model(), [1, 2], [], [[1, 2, 3]], 7, lambda *_: 1))


def test_reading_ends_with_the_end_id() -> None:
    """Without reference speech: 15 tokens before any text, then one fill, then the end."""

    def choose(_: Tensor, said: Sequence[int], may_not_end: bool) -> int:
        return 5 if may_not_end or len(said) < 20 else SMALL.end_id

    assert list(speak_while_reading(random_model(), [1, 7], [], [[1, 2, 3]], 7, choose)) == [5] * 19
