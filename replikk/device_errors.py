"""What PyTorch's errors mean: memory ran out, or a GPU is lost; everything else is a fault of the program's own.

Who runs out of memory takes smaller batches. A GPU that was unplugged, reset or taken by a driver's crash says so at
whatever call comes next; that is told in one sentence, because there is nothing in the program to look for. An error
that names no part of CUDA keeps its traceback, and so does one that CUDA itself calls a wrong question.

Free of PyTorch, whose own error for memory is a RuntimeError that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from replikk.errors import ReplikkError

OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "_ALLOC_FAILED")
"""In a RuntimeError: PyTorch's CPU allocator, PyTorch and the CUDA driver, cuBLAS and cuDNN for their workspaces."""
LOST = ("CUDA error", "CUDA driver error", "cuDNN error", "CUDNN_STATUS", "CUBLAS_STATUS", "NCCL error", "NVML")
"""In a RuntimeError: PyTorch for the runtime and the driver, and the libraries that it calls."""
FAULTS = (
    "device-side assert", "no kernel image", "invalid argument", "invalid configuration", "stream is capturing",
    "INVALID_VALUE", "BAD_PARAM", "NOT_SUPPORTED",
)  # fmt: skip
"""In the same errors, where a GPU in good health refuses what it is asked: of our making, or of an installation's."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in OUT_OF_MEMORY)


def is_lost_gpu(error: BaseException) -> bool:
    """Whether an error means that a GPU stopped answering."""
    return (
        isinstance(error, RuntimeError)
        and not is_out_of_memory(error)
        and not any(words in str(error) for words in FAULTS)
        and (type(error).__name__ == "AcceleratorError" or any(words in str(error) for words in LOST))
    )


@contextmanager
def lost_gpu_is_named(device: object, kept: str, kind: type[ReplikkError] = ReplikkError) -> Iterator[None]:
    """Turns what a lost GPU brings into an error of ``kind``; ``kept`` says what is not lost with it.

    ``device`` is PyTorch's; a CPU is never lost, and its errors pass through.
    """
    try:
        yield
    except RuntimeError as error:
        if str(device) == "cpu" or not is_lost_gpu(error):
            raise
        raise kind(
            f"{device}: the GPU stopped answering ({first_sentence(error)}); {kept}, run again, and look at nvidia-smi "
            "if it happens again"
        ) from error


def first_sentence(error: BaseException) -> str:
    """What an error says before its advice."""
    lines = str(error).splitlines()
    return lines[0].split(". ")[0].rstrip(".")[:160] if lines else type(error).__name__
