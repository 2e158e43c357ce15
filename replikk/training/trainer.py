"""The training loop: steps, moving average, measurements, checkpoints.

A step is the gradient over ``accumulate`` batches, divided by the number of their targets together: the mean over all
predictions of the step, however they fall into batches or onto GPUs. Everything that decides the next step is in the
checkpoint or follows from the number of the step, so a run that was killed ends in the same weights, bit for bit on the
CPU, as one that was not.

What keeps a run from going wrong without a word is in ``state.py``; beside that, a loss that is no number ends the run.
"""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from replikk.corpus.tokens import TOKENS_PER_SECOND, TokenCorpus
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.errors import ReplikkError
from replikk.training.batches import EpochPlan, epoch_plan, in_order, sequences_of
from replikk.training.checkpoints import Place, checkpoint_path, write_checkpoint
from replikk.training.metrics import Metrics
from replikk.training.packing import loss_sum, packed
from replikk.training.schedule import ema_decay, learning_rate
from replikk.training.settings import TrainingSettings
from replikk.training.state import Training, check_base, check_gradients, checkpoint_of
from replikk.training.workers import ALONE, Workers

log = logging.getLogger(__name__)


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
    closing = contextlib.nullcontext() if metrics is None else contextlib.closing(metrics)
    with _asked_to_stop(training), closing:
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
                    saving_s = time.monotonic()
                    _save(training, metrics, measures)
                    before_s += time.monotonic() - saving_s  # a speed is that of training
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
    measured = torch.zeros(2, dtype=torch.float64, device=model.device)
    counted = [0.0, 0.0, 0.0]  # targets, positions, seconds: known here, so that no batch waits for the device
    for numbers in mine:
        batch = packed(sequences_of(training.train, numbers, plan.draws, model.sizes), model.device)
        with autocast(settings, model.device):
            loss, right = loss_sum(model, batch)
        loss.backward()
        measured += torch.stack([loss.detach().double(), right.double()])
        counted[0] += len(batch.targets)
        counted[1] += len(batch.ids)
        counted[2] += sum(len(training.train.speech_of(number)) for number in numbers) / TOKENS_PER_SECOND
    sums = torch.cat([measured, measured.new_tensor([*counted, float(training.asked_to_stop)])])
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
        check_gradients(training)
    rate = learning_rate(step, settings.peak_learning_rate, settings.warm_up_steps)
    for group in training.optimizer.param_groups:
        group["lr"] = rate
    training.optimizer.step()
    with torch.no_grad():
        kept = ema_decay(step, settings.ema_decay)
        training.ema.lerp_(training.adapter.values, 1 - kept)
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
    check_base(training)
    notes: dict[str, Any] = {"loss": measures.loss, "accuracy": measures.accuracy}
    # Hours of held-out speech take minutes, and who asks a run to end kills it after half a minute.
    measured = training.held_out is not None and not training.stopping
    if training.held_out is not None and measured:
        loss, accuracy = teacher_forced(training.settings, training.model, training.held_out, workers)
        notes |= {"held_out_loss": loss, "held_out_accuracy": accuracy}
    if metrics is not None:
        notes |= {
            "learning_rate": training.optimizer.param_groups[0]["lr"],
            "trained_parameters": training.parameters,
        }
        if measured:
            metrics.add(place.step, held_out_loss=notes["held_out_loss"], held_out_accuracy=notes["held_out_accuracy"])
        adapter = training.adapter
        write_checkpoint(training.run, checkpoint_of(training), training.record, adapter.rank, adapter.alpha, notes)
        log.info(
            "%s: loss %.3f, %.1f %% of the tokens right", checkpoint_path(training.run, place.step).name,
            measures.loss, 100 * measures.accuracy,
        )  # fmt: skip
    workers.wait()


@contextlib.contextmanager
def _asked_to_stop(training: Training) -> Iterator[None]:
    """SIGTERM, as a cluster or Snakemake sends it, ends the run after the step in progress, or the one after it: what
    comes while a step is summed up is for the next."""

    def note(_signal: int, _frame: object) -> None:
        training.asked_to_stop = True

    try:
        before = signal.signal(signal.SIGTERM, note)
    except ValueError:  # not in the main thread: whoever runs us there stops us another way
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
