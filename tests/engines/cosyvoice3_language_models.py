"""Language models for tests: that of the golden vectors, and random ones of any size."""

from __future__ import annotations

import re
from functools import cache

import torch
from golden_cases import GoldenCase, read_case
from torch import Tensor

from replikk.engines.cosyvoice3.decoding import DecodeJob, decode_job
from replikk.engines.cosyvoice3.language_model import LanguageModel, Part, published_keys, row_counts
from replikk.engines.cosyvoice3.projection import Projection
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes, language_model_sizes

SMALL = LanguageModelSizes(
    hidden=48,
    layers=2,
    heads=6,
    kv_heads=2,
    head_dim=16,  # 6 heads of 16 are wider than the 48 channels that they read
    intermediate=80,
    text_vocabulary=300,
    speech_head=400,
    rope_theta=1e6,
    rms_eps=1e-6,
)


@cache
def _golden_weights() -> GoldenCase:
    return read_case("llm", "model")


def golden_facts() -> dict[str, object]:
    """Hyper-parameters of the golden language model."""
    return _golden_weights().facts


def golden_model(case: GoldenCase, dtype: torch.dtype = torch.float32) -> LanguageModel:
    """The language model of the golden vectors with the rows that the case replaces."""
    weights = _golden_weights()
    state = {name: tensor.clone() for name, tensor in weights.tensors.items()}
    for name, value in case.group("override").items():
        key, first, last = re.fullmatch(r"([^\[]+)(?:\[(\d+)(?::(\d+))?\])?", name).groups()  # type: ignore[union-attr]
        if first is None:
            state[key] = value
        else:
            state[key][int(first) : int(last or int(first) + 1)] = value
    model = LanguageModel(language_model_sizes(state, weights.facts["qwen2"]), dtype)
    model.load_state(state)
    return model


def golden_job(case: GoldenCase, sizes: LanguageModelSizes, seed: int = 0) -> DecodeJob:
    """The job of a greedy case, cut after as many steps as were recorded."""
    tokens = case.group("in")
    job = decode_job(
        case.name,
        seed,
        sizes,
        tokens["prompt_text"][0].tolist(),
        tokens["text"][0].tolist(),
        tokens["prompt_speech_token"][0].tolist(),
        case.facts["min_ratio"],
        case.facts["max_ratio"],
    )
    most = min(job.max_tokens, case.facts["steps_scored"])
    return DecodeJob(job.key, job.seed, job.prefix, min(job.min_tokens, most), most)


def random_state(sizes: LanguageModelSizes, seed: int = 0, scale: float = 0.3) -> dict[str, Tensor]:
    """Random weights under their published keys; large enough that every part matters for what is said.

    The head's rows of stop ids are zero, which makes them unlikely: half of the ids of so small a model are stop ids.
    """
    generator = torch.Generator().manual_seed(seed)
    state = {}
    skeleton = LanguageModel(sizes)
    for name, keys in published_keys(sizes).items():
        module, _, leaf = name.rpartition(".")
        owner = skeleton.get_submodule(module)
        whole = owner.shape if isinstance(owner, Projection) and leaf == "weight" else tuple(getattr(owner, leaf).shape)
        for key, rows in zip(keys, row_counts(sizes, name, whole[0]), strict=True):
            noise = torch.randn((rows, *whole[1:]), generator=generator) * scale
            state[key] = 1 + 0.1 * noise if leaf.endswith("norm") else noise
    state["llm_decoder.weight"][sizes.speech_vocabulary :] = 0.0
    return state


def random_model(
    sizes: LanguageModelSizes = SMALL, seed: int = 0, scale: float = 0.3, dtype: torch.dtype = torch.float32
) -> LanguageModel:
    """A model with random weights."""
    model = LanguageModel(sizes, dtype)
    model.load_state(random_state(sizes, seed, scale))
    return model


def random_prefix(sizes: LanguageModelSizes, seed: int, text: int = 6, speech: int = 4) -> tuple[Part, ...]:
    """The start of a line in the published layout, with random ids."""
    generator = torch.Generator().manual_seed(seed)
    return (
        ("speech", (sizes.start_id,)),
        ("text", tuple(torch.randint(sizes.text_vocabulary, (text,), generator=generator).tolist())),
        ("speech", (sizes.task_id, *torch.randint(sizes.speech_vocabulary, (speech,), generator=generator).tolist())),
    )
