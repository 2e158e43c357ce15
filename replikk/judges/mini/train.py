"""Training of the embedded judge (torch only here): shards of the embedded voice in, fp16 weights out.

One thread and seeds make a training bit-reproducible on one machine with one version of torch; two threads are slower,
too. Convolutions run in bfloat16 (three times faster on processors with matrix units), the loss in float32. Other
processes make the shards ahead; a checkpoint after every few shards lets a stopped training go on. Dimensions:
batch, channels, time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from replikk.files import write_atomic
from replikk.judges.mini.features import MEL_BINS
from replikk.judges.mini.network import STRIDE
from replikk.judges.mini.text import BLANK, SYMBOLS
from replikk.judges.mini.training import TrainingSettings
from replikk.judges.mini.training_data import Shard, read_shard, shard_path, write_shard

_log = logging.getLogger(__name__)

_DEVELOPMENT_SHARD = 99_999
"""Text and voices of its own, to watch the character error rate while training."""
_POLL_S = 0.5


class Recogniser(nn.Module):
    """The network of ``network.py`` with batch normalisation."""

    def __init__(self, settings: TrainingSettings) -> None:
        super().__init__()
        channels, kernel = settings.channels, settings.kernel
        self.first = nn.Conv1d(
            MEL_BINS, channels, settings.first_kernel, STRIDE, settings.first_kernel // 2, bias=False
        )
        self.first_norm = nn.BatchNorm1d(channels)
        self.blocks = nn.ModuleList(
            nn.Conv1d(channels, channels, kernel, padding=d * (kernel // 2), dilation=d, bias=False)
            for d in settings.dilations
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels) for _ in settings.dilations)
        self.last = nn.Conv1d(channels, len(SYMBOLS), 1)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """[batch, bins, frames], [batch, 1, time] -> scores [batch, symbols, time]."""
        hidden = functional.relu(self.first_norm(self.first(features))) * mask
        for convolution, norm in zip(self.blocks, self.norms, strict=True):
            # The mask keeps the padding of a batch at zero: a clip sounds as it does alone.
            hidden = hidden + functional.relu(norm(convolution(hidden))) * mask
        scores: Tensor = self.last(hidden)
        return scores


@dataclass(frozen=True)
class Batch:
    features: Tensor  # [batch, bins, frames]
    mask: Tensor  # [batch, 1, time]
    times: Tensor  # [batch] output frames
    targets: Tensor  # [symbols of all clips]
    target_counts: Tensor  # [batch]


def batches(shard: Shard, settings: TrainingSettings, random: np.random.Generator | None) -> Iterator[Batch]:
    """The shard's clips in batches of like length, shuffled and slightly masked when ``random`` is given."""
    frame_ends = np.cumsum(shard.frame_counts)
    target_ends = np.cumsum(shard.target_counts)
    jitter = random.uniform(0.9, 1.1, len(frame_ends)) if random else 1.0
    order = np.argsort(shard.frame_counts * jitter, kind="stable")
    groups = [order[start : start + settings.batch_clips] for start in range(0, len(order), settings.batch_clips)]
    if random:
        groups = [groups[number] for number in random.permutation(len(groups))]
    for group in groups:
        counts = shard.frame_counts[group]
        times = -(-counts // STRIDE)
        features = np.zeros((len(group), counts.max(), MEL_BINS), np.float32)
        for row, (end, count) in enumerate(zip(frame_ends[group], counts, strict=True)):
            clip = shard.features[end - count : end].astype(np.float32)
            features[row, :count] = _mask_band(clip, random) if random else clip
        targets = [shard.targets[target_ends[c] - shard.target_counts[c] : target_ends[c]] for c in group]
        mask = (np.arange(times.max()) < times[:, None]).astype(np.float32)[:, None]
        yield Batch(
            torch.from_numpy(features.transpose(0, 2, 1).copy()),
            torch.from_numpy(mask),
            torch.from_numpy(times.astype(np.int64)),
            torch.from_numpy(np.concatenate(targets).astype(np.int64)),
            torch.from_numpy(shard.target_counts[group].astype(np.int64)),
        )


def _mask_band(clip: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A random level, and for every third clip a hidden frequency band: the network must not lean on either."""
    clip = clip + np.float32(random.uniform(-0.4, 0.2)) * (clip > 0.3)  # 0.25 is one neper of power: -14 to +7 dB
    if random.random() < 0.33:
        start, width = random.integers(0, MEL_BINS), random.integers(1, 7)
        clip[:, start : start + width] = 0
    return np.maximum(clip, 0)


def _learning_rate(settings: TrainingSettings, progress: float) -> float:
    if progress < settings.warm_up:
        return settings.peak_learning_rate * (0.02 + 0.98 * progress / settings.warm_up)
    rest = (progress - settings.warm_up) / (1 - settings.warm_up)
    return settings.peak_learning_rate * (0.001 + 0.999 * 0.5 * (1 + math.cos(math.pi * rest)))


def _scores(model: Recogniser, batch: Batch, settings: TrainingSettings) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bfloat16"):
        scores = model(batch.features, batch.mask)
    return scores.float().log_softmax(1).permute(2, 0, 1)  # [time, batch, symbols]


def character_error_rate(model: Recogniser, shard: Shard, settings: TrainingSettings) -> float:
    """Greedy, over all clips of a shard."""
    from jiwer import process_characters

    heard, wanted = [], []
    model.eval()
    with torch.no_grad():
        for batch in batches(shard, settings, None):
            best = _scores(model, batch, settings).argmax(2).T.numpy()  # [batch, time]
            targets = np.split(batch.targets.numpy(), np.cumsum(batch.target_counts.numpy())[:-1])
            for row, count, target in zip(best, batch.times.tolist(), targets, strict=True):
                path = row[:count]
                kept = path[np.flatnonzero(np.diff(path, prepend=-1))]
                heard.append("".join(SYMBOLS[s] for s in kept if s != BLANK))
                wanted.append("".join(SYMBOLS[s] for s in target))
    model.train()
    return float(process_characters(wanted, heard).cer)


def _start_generators(settings: TrainingSettings, folder: Path, count: int) -> list[subprocess.Popen[bytes]]:
    """Programs of their own that make the shards ahead: a fork of a process with torch in it is not safe."""
    needed = [_DEVELOPMENT_SHARD, *range(settings.shards)]
    command = [sys.executable, "-m", "replikk.judges.mini.training_data"]
    fixed = [str(settings.seed), str(settings.clips_per_shard), str(folder)]
    return [subprocess.Popen([*command, *fixed, *map(str, needed[n::count])]) for n in range(count)]


def train(settings: TrainingSettings, work: Path, generators: int = 1) -> Recogniser:
    """Train from the seed; shards and checkpoints live in ``work``, and are used again when they fit."""
    torch.set_num_threads(1)
    torch.manual_seed(settings.seed)
    torch.use_deterministic_algorithms(True)
    name = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode()).hexdigest()[:12]
    data = work / f"shards-{settings.seed}-{settings.clips_per_shard}"
    helpers = _start_generators(settings, data, generators)

    def shard(index: int) -> Shard:
        path = shard_path(data, index)
        while not path.exists():
            if all(helper.poll() is not None for helper in helpers):
                write_shard(settings.seed, index, settings.clips_per_shard, data)  # raises what stopped the helper
                break
            time.sleep(_POLL_S)
        return read_shard(path)

    model = Recogniser(settings)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=settings.weight_decay, betas=(0.9, 0.98))
    checkpoint = work / f"checkpoint-{name}.pt"
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        done = state["done"]
    development = shard(_DEVELOPMENT_SHARD)
    total = settings.shards * settings.passes
    started = time.monotonic()
    for step in range(done, total):
        repeat, position = divmod(step, settings.shards)
        random = np.random.default_rng([settings.seed, step])
        # The first pass follows the generators; later ones go through the shards in an order of their own.
        order = np.random.default_rng([settings.seed, 7, repeat]).permutation(settings.shards)
        index = int(order[position]) if repeat else position
        losses = []
        todo = list(batches(shard(index), settings, random))
        for number, batch in enumerate(todo):
            rate = _learning_rate(settings, (step + number / len(todo)) / total)
            for group in optimiser.param_groups:
                group["lr"] = rate
            loss = functional.ctc_loss(
                _scores(model, batch, settings), batch.targets, batch.times, batch.target_counts, BLANK,
                zero_infinity=True,
            )  # fmt: skip
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            losses.append(loss.item())
        last = step + 1 == total
        note = ""
        if last or step % 5 == 4:
            note = f", greedy CER {character_error_rate(model, development, settings):.4f}"
            temporary = checkpoint.with_suffix(".tmp")
            torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "done": step + 1}, temporary)
            temporary.replace(checkpoint)
        _log.info(
            "shard %d of %d: loss %.4f%s (%.0f s)", step + 1, total, np.mean(losses), note, time.monotonic() - started
        )
    for helper in helpers:
        helper.wait()
    return model


def export(model: Recogniser, settings: TrainingSettings, path: Path, facts: dict[str, object]) -> None:
    """Fold the normalisation into the weights; write ``path`` (safetensors, fp16) and its description (JSON)."""
    from safetensors.numpy import save

    tensors: dict[str, np.ndarray] = {}

    def add(name: str, convolution: nn.Conv1d, norm: nn.BatchNorm1d | None) -> None:
        weight, bias = convolution.weight.detach().double(), convolution.bias
        shift = torch.zeros(weight.shape[0], dtype=torch.double) if bias is None else bias.detach().double()
        if norm is not None:
            assert norm.running_var is not None and norm.running_mean is not None
            gain = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
            weight = weight * gain[:, None, None]
            shift = norm.bias.detach().double() - norm.running_mean.double() * gain
        tensors[f"{name}.weight"] = np.ascontiguousarray(weight.permute(2, 1, 0).numpy().astype(np.float16))
        tensors[f"{name}.bias"] = shift.numpy().astype(np.float32)

    add("first", model.first, model.first_norm)
    for number, (convolution, norm) in enumerate(zip(model.blocks, model.norms, strict=True)):
        assert isinstance(convolution, nn.Conv1d) and isinstance(norm, nn.BatchNorm1d)
        add(f"blocks.{number}", convolution, norm)
    add("last", model.last, None)
    data = save(tensors)
    description = {
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "parameters": sum(tensor.size for tensor in tensors.values()),
        "architecture": {
            "dilations": list(settings.dilations),
            "channels": settings.channels,
            "kernel": settings.kernel,
        },
        "training": asdict(settings),
        **facts,
    }
    write_atomic(path, data)
    write_atomic(path.with_suffix(".json"), (json.dumps(description, indent=1, ensure_ascii=False) + "\n").encode())
