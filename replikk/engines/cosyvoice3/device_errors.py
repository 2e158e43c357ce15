"""What PyTorch says when a device fails, in words that name the device and the remedy.

A GPU that is too small says so while the weights are laid on it, or at the first line; one that was unplugged, reset or
taken by a driver's crash says something else at whatever call comes next, be it an allocation or a question about free
memory. Running out of memory in the middle of speaking is no error (``speaking`` goes on in smaller batches) and passes
through here as it is, unless it is said while nothing can be made smaller: while the networks are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from replikk.errors import EngineError
from replikk.out_of_memory import is_out_of_memory


@contextmanager
def lost_gpu_is_named(device: torch.device) -> Iterator[None]:
    """Turns what a GPU that stopped answering brings into an EngineError; a CPU's errors pass through."""
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error) or device.type == "cpu":
            raise
        raise EngineError(
            f"{device}: the GPU stopped answering ({_first_line(error)}); finished takes are kept, run again, and look "
            "at nvidia-smi if it happens again"
        ) from error


@contextmanager
def too_small_device_is_named(device: torch.device, precision: str) -> Iterator[None]:
    """While the networks are loaded: an EngineError where they do not fit, or where the GPU is lost."""
    try:
        with lost_gpu_is_named(device):
            yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        on_gpu = device.type != "cpu"
        smaller = [
            "close other programs" + (" that use the GPU" if on_gpu else ""),
            *(["write precision: bf16"] if precision != "bf16" else []),
            *(["write device: cpu"] if on_gpu else []),
        ]
        raise EngineError(
            f"cosyvoice3: the networks do not fit into the memory of {device} ({_first_line(error)}); at the published "
            f"size they take 1.4 GiB in bf16 and 2.7 in float32; {', or '.join(smaller)}; finished takes are kept"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0].split(". ")[0].rstrip(".") if lines else type(error).__name__
