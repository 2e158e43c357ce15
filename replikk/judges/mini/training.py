"""The door to the trainer: its settings, and what the rule calls. torch is imported only when training starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from replikk.errors import ReplikkError


@dataclass(frozen=True)
class TrainingSettings:
    """Those of the shipped weights; a change here changes what ``snakemake judge`` makes."""

    seed: int = 20261
    shards: int = 60
    clips_per_shard: int = 2000
    passes: int = 2  # how often each clip is heard
    batch_clips: int = 32
    peak_learning_rate: float = 3e-3
    warm_up: float = 0.05  # share of the training
    weight_decay: float = 0.01
    channels: int = 208
    kernel: int = 5
    first_kernel: int = 9
    dilations: tuple[int, ...] = (1, 2, 4, 1, 2, 4, 1, 1)  # sees 0.8 s to either side: a long word
    precision: str = "bfloat16"  # or float32


def train_judge(work: Path, generators: int, weights: Path, settings: TrainingSettings = TrainingSettings()) -> None:
    """Train and write ``weights`` and the JSON beside it.

    ``work`` keeps clips and checkpoints (5 GB), so that a stopped training goes on; ``generators`` processes make the
    clips ahead of the trainer. Raises ReplikkError without torch.
    """
    try:
        import torch
    except ImportError as error:
        raise ReplikkError("training the judge needs torch; install it with pip install -e '.[dev]'") from error
    from replikk.judges.mini.train import export, train

    export(train(settings, work, generators), settings, weights, {"torch": str(torch.__version__)})
