"""The training loop: steps, moving average, measurements, checkpoints.

A step is the gradient over ``accumulate`` batches, divided by the number of their targets together: the mean over all
predictions of the step, however they fall into batches or onto GPUs. Everything that decides the next step is in the
checkpoint or follows from the number of the step, so a run that was killed ends in the same weights, bit for bit on the
CPU, as one that was not.

What keeps a run from going wrong without a word: the parameters that will be trained are counted before the first step;
after it every factor B must have had a gradient; losses that are no number end the run; at every checkpoint the base
model's weights must be untouched.
"""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from replikk.corpus.tokens import TOKENS_PER_SECOND, TokenCorpus
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.errors import ReplikkError
from replikk.training.batches import EpochPlan, epoch_plan, in_order, sequences_of
from replikk.training.checkpoints import (
    Checkpoint,
    Place,
    checkpoint_path,
    random_states,
    restore_random,
    write_checkpoint,
)
from replikk.training.low_rank import LowRankAdapter, check_trainable
from replikk.training.metrics import Metrics
from replikk.training.packing import loss_sum, packed
from replikk.training.schedule import ema_decay, learning_rate
from replikk.training.settings import TrainingSettings
from replikk.training.workers import ALONE, Workers

log = logging.getLogger(__name__)

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
    stopping: bool = False
    """Somebody asked the run to end; it does after the step, with a checkpoint."""
    base_versions: dict[str, int] = field(default_factory=dict)
    """How often each base weight had been written to when training started."""


@dataclass(frozen=True)
class StepMeasures:
    """Of one step, over all GPUs."""

    loss: float
    """Nats per predicted token."""
    accuracy: float
    """Share of tokens that are the most likely one, given the right ones before them."""
    gradient_norm: float
    """Before clipping."""
    positions: int
    duration_s: float
    """Of the speech."""


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


def run_training(training: Training, after_step: Callable[[Training], object] = lambda _: None) -> None:
    """Train to the end of the last epoch, from wherever the run is. ``after_step`` is called after every step.

    Raises ReplikkError when the run was asked to stop (its checkpoint is written), or cannot go on.
    """
    settings, workers = training.settings, training.workers
    metrics = Metrics(training.run, training.place.step) if workers.is_first else None
    log.info(
        "training %s parameters on %.1f h of speech in %d utterances; %s",
        f"{training.parameters:,}", training.train.duration_s / 3600, len(training.train),
        f"going on after step {training.place.step}" if training.place.step else "from the start",
    )  # fmt: skip
    with _asked_to_stop(training):
        while training.place.epoch < settings.epochs:
            plan = _plan(training)
            before_s, positions, spoken_s = time.monotonic(), 0, 0.0
            while training.place.step_in_epoch < len(plan.steps):
                measures = train_step(training, plan)
                positions, spoken_s = positions + measures.positions, spoken_s + measures.duration_s
                step, last = training.place.step, training.place.step_in_epoch == len(plan.steps)
                if metrics is not None and (step % settings.log_every_steps == 0 or last):
                    elapsed_s = max(time.monotonic() - before_s, 1e-9)
                    metrics.add(
                        step,
                        epoch=training.place.epoch,
                        loss=measures.loss,
                        accuracy=measures.accuracy,
                        gradient_norm=measures.gradient_norm,
                        learning_rate=training.optimizer.param_groups[0]["lr"],
                        tokens_per_s=positions / elapsed_s,
                        hours_per_hour=spoken_s / elapsed_s,
                    )
                    before_s, positions, spoken_s = time.monotonic(), 0, 0.0
                epoch_due = last and (
                    (training.place.epoch + 1) % settings.save_every_epochs == 0
                    or training.place.epoch + 1 == settings.epochs
                )
                if last:
                    training.place = Place(step, training.place.epoch + 1, 0)
                if step % settings.save_every_steps == 0 or epoch_due or training.stopping:
                    _save(training, metrics, measures)
                    before_s = time.monotonic()
                after_step(training)
                if training.stopping:
                    raise ReplikkError(
                        f"{training.run}: stopped after step {step}, as asked; run again to go on from there"
                    )
                if last:
                    break


def train_step(training: Training, plan: EpochPlan) -> StepMeasures:
    """The next step of the epoch; ``plan`` is the epoch's. Raises ReplikkError where the loss is no number."""
    settings, model, workers = training.settings, training.model, training.workers
    place, step = training.place, training.place.step + 1
    gradients = training.gradients.zero_()
    mine = plan.steps[place.step_in_epoch][workers.rank :: workers.count]
    sums = torch.zeros(6, dtype=torch.float64, device=model.device)
    for numbers in mine:
        batch = packed(sequences_of(training.train, numbers, plan.draws, model.sizes), model.device)
        with autocast(settings, model.device):
            loss, right = loss_sum(model, batch)
        loss.backward()
        spoken = sum(len(training.train.speech_of(number)) for number in numbers) / TOKENS_PER_SECOND
        sums += torch.stack(
            [loss.detach().double(), right.double(), *sums.new_tensor([len(batch.targets), len(batch.ids), spoken, 0])]
        )
    sums[5] = float(training.stopping)
    workers.sum(gradients)
    workers.sum(sums)
    loss_total, right_total, targets, positions, spoken_s, stop = sums.tolist()
    gradients /= targets
    norm = torch.linalg.vector_norm(gradients).item()
    if not math.isfinite(loss_total) or not math.isfinite(norm):
        raise ReplikkError(
            f"{training.run}: the loss of step {step} is no number; checkpoints are kept. Lower "
            "training.peak_learning_rate, or write precision: float32, and begin a new run"
        )
    gradients *= min(1.0, settings.clip_norm / max(norm, 1e-12))
    if place.step == 0:
        _check_gradients(training)
    rate = learning_rate(step, settings.peak_learning_rate, settings.warm_up_steps)
    for group in training.optimizer.param_groups:
        group["lr"] = rate
    training.optimizer.step()
    with torch.no_grad():
        kept = ema_decay(step, settings.ema_decay)
        torch._foreach_lerp_(list(training.ema.values()), list(training.adapter.parameters.values()), 1 - kept)
    training.place = Place(step, place.epoch, place.step_in_epoch + 1)
    training.stopping = stop > 0
    return StepMeasures(loss_total / targets, right_total / targets, norm, int(positions), spoken_s)


@torch.no_grad()
def teacher_forced(
    settings: TrainingSettings, model: LanguageModel, corpus: TokenCorpus, workers: Workers = ALONE
) -> tuple[float, float]:
    """Loss and accuracy over a corpus, every utterance in one stream."""
    plan = in_order(corpus, settings.tokens_per_batch)
    sums = torch.zeros(3, dtype=torch.float64, device=model.device)
    for numbers in [batch for step in plan.steps for batch in step][workers.rank :: workers.count]:
        batch = packed(sequences_of(corpus, numbers, plan.draws, model.sizes), model.device)
        with autocast(settings, model.device):
            loss, right = loss_sum(model, batch)
        sums += torch.stack([loss.double(), right.double(), sums.new_tensor(len(batch.targets))])
    workers.sum(sums)
    loss_total, right_total, targets = sums.tolist()
    return loss_total / targets, right_total / targets


def autocast(settings: TrainingSettings, device: torch.device) -> torch.autocast:
    """Matrix products in bfloat16, where the settings say so."""
    return torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16")


def _plan(training: Training) -> EpochPlan:
    settings = training.settings
    return epoch_plan(
        training.train, training.place.epoch, settings.tokens_per_batch, settings.accumulate, settings.seed,
        settings.interleave,
    )  # fmt: skip


def _save(training: Training, metrics: Metrics | None, measures: StepMeasures) -> None:
    place, workers = training.place, training.workers
    _check_base(training)
    notes: dict[str, Any] = {"loss": measures.loss, "accuracy": measures.accuracy}
    if training.held_out is not None:
        loss, accuracy = teacher_forced(training.settings, training.model, training.held_out, workers)
        notes |= {"held_out_loss": loss, "held_out_accuracy": accuracy}
    if metrics is not None:
        notes |= {
            "learning_rate": training.optimizer.param_groups[0]["lr"],
            "trained_parameters": training.parameters,
        }
        if training.held_out is not None:
            metrics.add(place.step, held_out_loss=notes["held_out_loss"], held_out_accuracy=notes["held_out_accuracy"])
        factors = training.adapter.parameters
        moments = {
            f"{name}.{moment}": training.optimizer.state[factor][moment]
            for name, factor in factors.items()
            for moment in _MOMENTS
        }
        checkpoint = Checkpoint(place, dict(factors), training.ema, moments, random_states())
        adapter = training.adapter
        write_checkpoint(training.run, checkpoint, training.record, adapter.rank, adapter.alpha, notes)
        log.info(
            "%s: loss %.3f, %.1f %% of the tokens right", checkpoint_path(training.run, place.step).name,
            measures.loss, 100 * measures.accuracy,
        )  # fmt: skip
    workers.wait()


def _check_gradients(training: Training) -> None:
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


def _check_base(training: Training) -> None:
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


@contextlib.contextmanager
def _asked_to_stop(training: Training) -> Iterator[None]:
    """SIGTERM, as a cluster or Snakemake sends it, ends the run after the step in progress."""

    def note(_signal: int, _frame: object) -> None:
        training.stopping = True

    try:
        before = signal.signal(signal.SIGTERM, note)
    except ValueError:  # not in the main thread: whoever runs us there stops us another way
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
