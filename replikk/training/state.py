"""A training in memory: begun or restored, written down for a checkpoint, and watched over.

What keeps a run from going wrong without a word: the parameters that will be trained are counted before the first step;
after it every factor B must have had a gradient; at every checkpoint the base model's weights must be untouched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from replikk.corpus.tokens import TokenCorpus
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.errors import ReplikkError
from replikk.training.checkpoints import Checkpoint, Place, random_states, restore_random
from replikk.training.low_rank import LowRankAdapter, check_trainable
from replikk.training.settings import TrainingSettings
from replikk.training.workers import ALONE, Workers

_MOMENTS, _STEP = ("exp_avg", "exp_avg_sq"), "step"
"""AdamW's state by its own names. Checkpoints have it by factor, as they did when each was optimised by itself."""


@dataclass
class Training:
    """A run in memory. Made by ``start_training``."""

    settings: TrainingSettings
    run: Path
    record: dict[str, Any]
    """What the run depends on; written into every checkpoint."""
    model: LanguageModel
    adapter: LowRankAdapter
    optimizer: torch.optim.Optimizer
    ema: Tensor
    """Moving average of the adapter's values, laid out as they are."""
    train: TokenCorpus
    held_out: TokenCorpus | None
    workers: Workers
    place: Place
    parameters: int
    gradients: Tensor
    """float32 [parameters]: of the adapter's values, added up over the batches of a step."""
    asked_to_stop: bool = False
    """Somebody asked this process to end the run. That may be in the middle of anything, so only a step looks at it."""
    stopping: bool = False
    """All processes know that one was asked: the run ends after this step, with a checkpoint."""
    base_versions: dict[str, int] = field(default_factory=dict)
    """How often each base weight had been written to when training started."""


def start_training(
    settings: TrainingSettings,
    run: Path,
    record: dict[str, Any],
    model: LanguageModel,
    train: TokenCorpus,
    held_out: TokenCorpus | None = None,
    workers: Workers = ALONE,
    checkpoint: Checkpoint | None = None,
) -> Training:
    """Freezes the model, puts an adapter on it, and goes back to where ``checkpoint`` was.

    Raises ReplikkError unless exactly the adapter would be trained.
    """
    model.requires_grad_(False)
    adapter = LowRankAdapter(model, settings.rank, settings.alpha, settings.seed)
    optimizer = torch.optim.AdamW(
        [adapter.values],
        lr=settings.peak_learning_rate,
        weight_decay=settings.weight_decay,
        fused=model.device.type == "cuda",
    )
    ema = adapter.values.detach().clone()
    place = Place()
    if checkpoint is not None:
        place = checkpoint.place
        adapter.load(checkpoint.adapter)
        ema = adapter.vector_of(checkpoint.ema)
        moments = {moment: _moment(checkpoint, moment) for moment in (*_MOMENTS, _STEP)}
        steps = next(iter(moments.pop(_STEP).values()))  # the same of all factors
        optimizer.state[adapter.values] = {
            _STEP: steps if model.device.type == "cpu" else steps.to(model.device),
            **{moment: adapter.vector_of(parts) for moment, parts in moments.items()},
        }
        restore_random(checkpoint.random)
    else:
        torch.manual_seed(settings.seed)  # PyTorch seeds its generators with what the machine draws
    parameters = check_trainable(model, adapter, optimizer)
    gradients = adapter.values.grad = torch.zeros_like(adapter.values)
    training = Training(
        settings, run, record, model, adapter, optimizer, ema, train, held_out, workers, place, parameters, gradients
    )
    training.base_versions = {name: weight._version for name, weight in model.named_parameters()}
    return training


def checkpoint_of(training: Training) -> Checkpoint:
    """Everything that ``start_training`` goes on from; the tensors are the training's own, not copies."""
    adapter = training.adapter
    state = training.optimizer.state[adapter.values]
    moments = {f"{name}.{_STEP}": state[_STEP].clone() for name in adapter.factors} | {
        f"{name}.{moment}": part for moment in _MOMENTS for name, part in adapter.parts_of(state[moment]).items()
    }
    return Checkpoint(training.place, adapter.factors, adapter.parts_of(training.ema), moments, random_states())


def _moment(checkpoint: Checkpoint, moment: str) -> dict[str, Tensor]:
    """By the names of factors."""
    ending = f".{moment}"
    return {key.removesuffix(ending): value for key, value in checkpoint.moments.items() if key.endswith(ending)}


def check_gradients(training: Training) -> None:
    """After the first step. Raises ReplikkError where a part of the adapter is not reached by the loss."""
    idle = [
        name
        for name, gradient in training.adapter.parts_of(training.gradients).items()
        if name.endswith("lora_B") and not gradient.any()
    ]
    if idle:
        raise ReplikkError(
            f"{training.run}: {len(idle)} parts of the adapter had no gradient in the first step ({idle[0]}, …): the "
            "run would train them not at all; check the corpus and the base model"
        )


def check_base(training: Training) -> None:
    """Before a checkpoint. Raises ReplikkError where somebody wrote to the base model's weights."""
    touched = [
        name
        for name, weight in training.model.named_parameters()
        if weight.grad is not None or weight._version != training.base_versions[name]
    ]
    if touched:
        raise ReplikkError(
            f"{training.run}: {len(touched)} weights of the base model were changed during training ({touched[0]}, …); "
            "this checkpoint was not written"
        )
