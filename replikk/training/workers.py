"""One process, or several under ``torchrun``: which batches are mine, and sums over all.

The gradients of one step are one flat vector of 13 million numbers. It is summed over the processes once a step, after
all of a process's batches, together with the loss and the counts. That is all the communication there is: every process
starts from the same seed, adds the same sums, and stays equal to the others.

``DistributedDataParallel`` was tried in its place. Two processes end in the same weights to the bit, and it takes
thirty lines more: a module to wrap around the factors, ``no_sync`` for all batches but the last, a loss of nothing
for a process that has no batch in the last step of an epoch, and its mean made a sum again, since a step is divided
by its targets. What it is good at, sending gradients while others are still computed, would save about 5 ms of a step
of seconds (53 MB at 10 GB/s).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from replikk.errors import ReplikkError


@dataclass(frozen=True)
class Workers:
    """The processes of a training, and which of them this is."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Only the first process writes files."""
        return self.rank == 0

    def sum(self, vector: Tensor) -> None:
        """Adds up a vector over all processes, in place."""
        if self.count > 1:
            torch.distributed.all_reduce(vector)

    def wait(self) -> None:
        if self.count > 1:
            torch.distributed.barrier()


ALONE = Workers()


@contextlib.contextmanager
def joined_workers(device: torch.device, gpus: int) -> Iterator[Workers]:
    """The processes that torchrun started, or this one alone.

    Raises ReplikkError where torchrun started another number than ``gpus``, or there are fewer GPUs.
    """
    count, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    if count != gpus:
        raise ReplikkError(
            f"config.yaml: training.gpus: is {gpus}, and {count} processes were started; snakemake train starts as "
            f"many as it says, by hand: torchrun --nproc-per-node {gpus} scripts/train_lora.py …"
        )
    if count == 1:
        yield Workers()
        return
    if device.type == "cuda":
        mine, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
        if mine >= there:
            raise ReplikkError(f"config.yaml: training.gpus: is {gpus}, and PyTorch sees {there} here; write {there}")
        torch.cuda.set_device(mine)
        # Told which GPU is whose, NCCL need not guess, and a barrier waits on the right one.
        torch.distributed.init_process_group("nccl", device_id=torch.device("cuda", mine))
    else:
        torch.distributed.init_process_group("gloo")
    try:
        yield Workers(rank, count)
    finally:
        torch.distributed.destroy_process_group()
