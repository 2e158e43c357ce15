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

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


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
    ema: dict[str, Tensor]
    train: TokenCorpus
    held_out: TokenCorpus | None
    workers: Workers
    place: Place
    parameters: int
    gradients: Tensor
    """float32 [parameters]: the gradients of all factors end to end, which are views of it."""
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
        adapter.parameters.values(),
        lr=settings.peak_learning_rate,
        weight_decay=settings.weight_decay,
        fused=model.device.type == "cuda",
    )
    ema = {name: parameter.detach().clone() for name, parameter in adapter.parameters.items()}
    place = Place()
    if checkpoint is not None:
        place = checkpoint.place
        adapter.load(checkpoint.adapter)
        ema = {name: checkpoint.ema[name].to(model.device) for name in adapter.parameters}
        for name, parameter in adapter.parameters.items():
            moments = {moment: checkpoint.moments[f"{name}.{moment}"] for moment in _MOMENTS}
            on_host = moments.pop("step") if model.device.type == "cpu" else moments.pop("step").to(model.device)
            optimizer.state[parameter] = {"step": on_host, **{k: v.to(model.device) for k, v in moments.items()}}
        restore_random(checkpoint.random)
    else:
        torch.manual_seed(settings.seed)  # PyTorch seeds its generators with what the machine draws
    parameters = check_trainable(model, adapter, optimizer)
    gradients = torch.zeros(parameters, device=model.device)
    factors = list(adapter.parameters.values())
    for factor, part in zip(factors, gradients.split([factor.numel() for factor in factors]), strict=True):
        factor.grad = part.view_as(factor)
    training = Training(
        settings, run, record, model, adapter, optimizer, ema, train, held_out, workers, place, parameters, gradients
    )
    training.base_versions = {name: weight._version for name, weight in model.named_parameters()}
    return training


def checkpoint_of(training: Training) -> Checkpoint:
    """Everything that ``start_training`` goes on from; the tensors are the training's own, not copies."""
    factors = training.adapter.parameters
    moments = {
        f"{name}.{moment}": training.optimizer.state[factor][moment]
        for name, factor in factors.items()
        for moment in _MOMENTS
    }
    return Checkpoint(training.place, dict(factors), training.ema, moments, random_states())


def check_gradients(training: Training) -> None:
    """After the first step. Raises ReplikkError where a part of the adapter is not reached by the loss."""
    idle = [
        name
        for name, factor in training.adapter.parameters.items()
        if name.endswith("lora_B") and not factor.grad.any()  # type: ignore[union-attr]
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
