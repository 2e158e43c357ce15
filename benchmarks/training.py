"""How fast a LoRA is trained at the published size, on whatever device is here, beside the floor.

    python benchmarks/training.py                                          the defaults of config.yaml, on a GPU
    python benchmarks/training.py --tokens-per-batch 6000                  a larger card
    python benchmarks/training.py --tokens-per-batch 500 --accumulate 1 --steps 1 --precision float32     on a CPU

Weights are random (``cosyvoice3_random``) and so are the tokens: how long a step takes does not depend on what they
are. All else is the trainer's own: batches, packing, loss, gradients, clipping, AdamW, moving average. Nothing is
written but a corpus of random tokens in a temporary folder; saving a checkpoint is measured by itself.

The floor is computed from operations and bytes, and from what this device was just measured to do. Operations: a base
weight is met by each position twice (forward, and the gradient of its input; it has no gradient of its own), a weight
of the adapter three times; attention costs two products forward and four backward over the lower triangle. Bytes: the
weights are read twice a batch, what is kept for the backward pass is written and read once, the optimiser's state is
read and written once a step. Nothing can overlap better than the larger of the two, and no program reaches it.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from cosyvoice3_floor import DeviceSpeed, layer_weights, measure_device
from cosyvoice3_random import PUBLISHED, SMALL, language_model_state
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

from replikk.corpus.tokens import MadeWith, TokenCorpus, TokenisedUtterance, read_token_corpus, write_token_shard
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.networks import choose_device, device_name
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes
from replikk.training.batches import EpochPlan, epoch_plan, lengths_of, sequences_of
from replikk.training.checkpoints import write_checkpoint
from replikk.training.packing import loss_sum, packed
from replikk.training.settings import TrainingSettings, read_training_settings
from replikk.training.state import Training, checkpoint_of, start_training
from replikk.training.trainer import autocast, train_step

GIB = 2**30
TEXT_IDS_PER_SECOND = 8
"""Of a transcript, about what Norwegian takes."""
INSTRUCTION_IDS = 7
"""'You are a helpful assistant.' and the mark that ends it."""
CORPUS_HOURS = 458
"""NST close-talk and NPSC after filtering, as the published Norwegian adapter had them."""
REFERENCE_S_PER_STEP, REFERENCE_SPEECH_S = 8.6, 384.0
"""That adapter's training, on one RTX 3090."""


@dataclass(frozen=True)
class Floor:
    """The least that the measured steps can take."""

    operations: float
    bytes: float
    seconds: float
    held_bytes: float
    """Memory: weights, adapter with its optimiser, and what the backward pass of the largest batch needs."""


def random_corpus(
    folder: Path, seconds: tuple[float, float], utterances: int, sizes: LanguageModelSizes
) -> TokenCorpus:
    """Utterances of random tokens, of lengths spread evenly."""
    draws = np.random.default_rng(0)
    end = sizes.text_vocabulary - 1

    def made(number: int) -> TokenisedUtterance:
        spoken = int(25 * draws.uniform(*seconds))
        text = draws.integers(0, end, max(1, spoken * TEXT_IDS_PER_SECOND // 25)).tolist()
        instruction = [*draws.integers(0, end, INSTRUCTION_IDS - 1).tolist(), end]
        speech = draws.integers(0, sizes.speech_vocabulary, spoken).tolist()
        return TokenisedUtterance(f"u{number}", "nobody", "", "", instruction, text, speech)

    made_with = MadeWith("0" * 64, "0" * 64, 1, sizes.speech_vocabulary, end)
    write_token_shard(folder, "random", made_with, (made(number) for number in range(utterances)))
    return read_token_corpus(folder)


def floor_of(training: Training, batches: Sequence[list[int]], steps: int, speed: DeviceSpeed) -> Floor:
    """Of ``batches`` in ``steps`` optimiser steps."""
    sizes, lengths = training.model.sizes, lengths_of(training.train)
    width = 2 if training.settings.precision == "bf16" else 4
    weights, head, adapter = layer_weights(sizes), sizes.speech_head * sizes.hidden, training.parameters
    positions = float(sum(lengths[batch].sum() for batch in batches))
    targets = float(sum(np.diff(training.train.speech_starts)[batch].sum() + len(batch) for batch in batches))
    queries, keys = sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim
    # Nothing before the first layer is trained, so its queries to values pass no gradient on.
    first = 2 * sizes.hidden * (queries + 2 * keys + 3 * training.settings.rank)
    products = positions * (4 * weights + 6 * adapter - first) + 4 * head * targets
    operations = products + attention_operations(sizes, lengths, batches)
    # Kept for the backward pass, a position and layer: what each projection reads and queries to values, gate and up in
    # the precision of the products, and the stream before both norms in float32.
    kept = width * (2 * sizes.hidden + 2 * queries + 2 * keys + 3 * sizes.intermediate) + 4 * 2 * sizes.hidden
    state_bytes = 4 * adapter * (4 + 4)  # read factor, gradient, two moments; write factor, two moments, average
    traffic = 2 * len(batches) * (weights + head) * width + 2 * positions * sizes.layers * kept + steps * state_bytes
    most = float(max(lengths[batch].sum() for batch in batches))
    held = 5.0 * 4 * adapter + sum(weight.numel() * weight.element_size() for weight in training.model.parameters())
    held += most * (sizes.layers * kept + 2 * 4 * sizes.speech_head)  # and the logits with their gradient
    return Floor(operations, traffic, max(operations / speed.matmul_flops, traffic / speed.bytes_per_second), held)


def attention_operations(sizes: LanguageModelSizes, lengths: NDArray[np.int64], batches: Sequence[list[int]]) -> float:
    """Of queries by keys and of weights by values, forward once and backward twice, over the lower triangle."""
    triangles = float(sum((lengths[batch] ** 2).sum() for batch in batches)) / 2
    return 3 * 2 * 2 * sizes.layers * sizes.heads * sizes.head_dim * triangles


def peak_bytes(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def begin(settings: TrainingSettings, sizes: LanguageModelSizes, device: torch.device, corpus: TokenCorpus) -> Training:
    dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
    model = LanguageModel(sizes, dtype, device)
    model.load_state(language_model_state(sizes))
    return start_training(settings, Path("unused"), {}, model, corpus)


def timed_steps(
    training: Training, plan: EpochPlan, steps: int, device: torch.device
) -> tuple[float, float, float, float]:
    """Seconds by the clock and of the CPU, positions, and seconds of speech, of ``steps`` steps."""
    synchronise(device)
    clock, cpu, positions, speech_s = time.perf_counter(), time.process_time(), 0.0, 0.0
    for _ in range(steps):
        measures = train_step(training, plan)
        positions, speech_s = positions + measures.positions, speech_s + measures.duration_s
    synchronise(device)
    return time.perf_counter() - clock, time.process_time() - cpu, positions, speech_s


class Kernels(TorchDispatchMode):
    """Counts operations that compute something; a view of a tensor starts no kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += not any(
            argument.alias_info and not argument.alias_info.is_write for argument in func._schema.returns
        )
        return func(*args, **(kwargs or {}))


def kernels_of_batch(training: Training, plan: EpochPlan) -> int:
    """Forward and backward of one batch; a step's own (optimiser, average) come on top."""
    numbers = plan.steps[0][0]
    batch = packed(sequences_of(training.train, numbers, plan.draws, training.model.sizes), training.model.device)
    with Kernels() as counted, autocast(training.settings, training.model.device):
        loss_sum(training.model, batch)[0].backward()
    return counted.count


def main() -> None:
    defaults = TrainingSettings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", choices=("auto", "cuda", "cpu"))
    parser.add_argument("--sizes", default="published", choices=("published", "small"))
    parser.add_argument("--precision", default=defaults.precision, choices=("bf16", "float32"))
    parser.add_argument("--tokens-per-batch", type=int, default=defaults.tokens_per_batch)
    parser.add_argument("--accumulate", type=int, default=defaults.accumulate)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=3, help="steps that are not measured")
    parser.add_argument("--seconds", type=float, nargs=2, default=(3.0, 15.0), help="shortest and longest utterance")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    sizes = (PUBLISHED if arguments.sizes == "published" else SMALL).language_model
    settings = read_training_settings(
        {
            "precision": arguments.precision,
            "tokens_per_batch": arguments.tokens_per_batch,
            "accumulate": arguments.accumulate,
        }
    )
    threads = torch.get_num_threads()
    dtype = torch.bfloat16 if settings.precision == "bf16" else torch.float32
    speed = measure_device(device, dtype, threads)
    all_steps = arguments.warm_up + arguments.steps
    each = 25 * sum(arguments.seconds) / 2 * 1.4  # positions of an utterance, about
    utterances = int(1.3 * all_steps * settings.accumulate * settings.tokens_per_batch / each) + 2 * settings.accumulate
    with tempfile.TemporaryDirectory() as folder:
        corpus = random_corpus(Path(folder), tuple(arguments.seconds), utterances, sizes)
        training = begin(settings, sizes, device, corpus)
        plan = epoch_plan(
            corpus, 0, settings.tokens_per_batch, settings.accumulate, settings.seed, settings.interleave
        )  # fmt: skip
        if len(plan.steps) < all_steps:
            raise SystemExit(f"only {len(plan.steps)} steps of {all_steps}; ask for fewer")
        timed_steps(training, plan, arguments.warm_up, device)
        wall_s, cpu_s, positions, speech_s = timed_steps(training, plan, arguments.steps, device)
        peak = peak_bytes(device)
        kernels = kernels_of_batch(training, plan)
        saving = time.perf_counter()
        saved = write_checkpoint(Path(folder), checkpoint_of(training), {}, settings.rank, settings.alpha, {})
        saving = time.perf_counter() - saving
        saved_bytes = sum(path.stat().st_size for path in saved.rglob("*") if path.is_file())
    measured = plan.steps[arguments.warm_up : all_steps]
    floor = floor_of(training, [batch for step in measured for batch in step], len(measured), speed)
    busy_s = wall_s if device.type == "cuda" else cpu_s / threads
    steps, on_device = len(measured), device.type == "cuda"
    epoch_h, least_h = (CORPUS_HOURS * seconds / speech_s for seconds in (busy_s, floor.seconds))
    published_h = CORPUS_HOURS * REFERENCE_S_PER_STEP / REFERENCE_SPEECH_S
    rows = (
        ("device", f"{device_name(device)}, torch {torch.__version__}, {threads} threads"),
        ("it does", f"{speed.matmul_flops / 1e12:.3g} TFLOP/s {settings.precision}, "
         f"{speed.bytes_per_second / 1e9:.3g} GB/s"),
        ("measured", f"{steps} steps of {settings.accumulate} batches of up to {settings.tokens_per_batch} positions"),
        ("parameters trained", f"{training.parameters:,}"),
        ("a step", f"{busy_s / steps:.2f} s{'' if on_device else ' of CPU a thread'}, "
         f"{wall_s / steps:.2f} s by the clock"),
        ("its floor", f"{floor.seconds / steps:.2f} s: {floor.operations / steps / 1e12:.2f} TFLOP, "
         f"{floor.bytes / steps / 1e9:.1f} GB; measured is {busy_s / floor.seconds:.1f} times as long"),
        ("kernels a batch", f"{kernels:,}"),
        ("tokens a second", f"{positions / busy_s:.0f}"),
        ("hours of speech an hour", f"{speech_s / busy_s:.1f}"),
        (f"an epoch of {CORPUS_HOURS} h", f"{epoch_h:.2f} h, floor {least_h:.2f} h, published run {published_h:.1f} h"),
        ("peak memory", f"{peak / GIB:.2f} GiB {'on the device' if on_device else 'of the process'}, "
         f"{floor.held_bytes / GIB:.2f} GiB have to be held"),
        ("a checkpoint", f"{saving:.2f} s, {saved_bytes / 1e6:.0f} MB"),
    )  # fmt: skip
    for name, value in rows:
        print(f"{name:<26}{value}")


if __name__ == "__main__":
    main()
