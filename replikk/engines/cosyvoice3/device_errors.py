"""A GPU that is too small for the networks, or lost while they are laid on it, in one sentence.

Running out of memory in the middle of speaking is no error: ``speaking`` goes on in smaller batches. While the networks
are loaded nothing can be made smaller.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from replikk.device_errors import first_sentence, is_out_of_memory, lost_gpu_is_named
from replikk.errors import EngineError

FINISHED = "finished takes are kept"


@contextmanager
def too_small_device_is_named(device: torch.device, precision: str) -> Iterator[None]:
    """While the networks are loaded: an EngineError where they do not fit, or where the GPU is lost."""
    try:
        with lost_gpu_is_named(device, FINISHED, EngineError):
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
            f"cosyvoice3: the networks do not fit into the memory of {device} ({first_sentence(error)}); at the "
            f"published size they take 1.4 GiB in bf16 and 2.7 in float32; {', or '.join(smaller)}; {FINISHED}"
        ) from error
