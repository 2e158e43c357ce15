"""The benchmark's floor stands on operations that PyTorch itself counts."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode, mm_flop

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from cosyvoice3_floor import DeviceSpeed
from cosyvoice3_random import SMALL
from training import attention_operations, begin, floor_of, random_corpus, timed_steps

from replikk.training.batches import epoch_plan, lengths_of
from replikk.training.settings import read_training_settings

SPEED = DeviceSpeed(1e12, 1e12, 1e12, 1e10)


def added_in_place(_sum: object, left: torch.Size, right: torch.Size, **_: object) -> int:
    """Operations of a kernel whose like PyTorch counts only where it is not in place."""
    return mm_flop(left, right)


def test_operations_of_the_floor(tmp_path: Path) -> None:
    chosen = read_training_settings(
        {"precision": "float32", "tokens_per_batch": 1000, "accumulate": 2, "interleave": False}
    )
    sizes = dataclasses.replace(SMALL.language_model, layers=3, hidden=128, intermediate=256)
    corpus = random_corpus(tmp_path, (3.0, 8.0), 30, sizes)
    training = begin(chosen, sizes, torch.device("cpu"), corpus)
    plan = epoch_plan(corpus, 0, 1000, 2, 0, False)
    with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: added_in_place}) as counter:
        timed_steps(training, plan, 1, torch.device("cpu"))
    floor = floor_of(training, plan.steps[0], 1, SPEED)
    attention = attention_operations(sizes, lengths_of(corpus), plan.steps[0])  # PyTorch counts none of it on a CPU
    assert floor.operations - attention == pytest.approx(counter.get_total_flops(), rel=0.01)
    assert floor.seconds == max(floor.operations / 1e12, floor.bytes / 1e10) > 0
