"""The settings of the judge's training; no torch here, so that they can be checked before it is needed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingSettings:
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
