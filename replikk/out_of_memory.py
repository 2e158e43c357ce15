"""Whether an error means that memory ran out, of a GPU or of the machine: engines and judges then take smaller batches.

Free of PyTorch, whose own error of that kind is a RuntimeError that says so.
"""

from __future__ import annotations

SAID = ("can't allocate memory", "out of memory", "_ALLOC_FAILED")
"""In a RuntimeError: PyTorch's CPU allocator, PyTorch and the CUDA driver, cuBLAS and cuDNN for their workspaces."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in SAID)
