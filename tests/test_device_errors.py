"""What PyTorch's errors mean: memory, a lost GPU, or a fault of the program's own."""

from __future__ import annotations

import pytest

from replikk.device_errors import is_lost_gpu, is_out_of_memory, lost_gpu_is_named
from replikk.errors import EngineError


@pytest.mark.parametrize(
    ("said", "runs_out", "is_lost"),
    [
        ("CUDA out of memory. Tried to allocate 20.00 MiB.", True, False),
        ("CUDA error: out of memory", True, False),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", True, False),
        ("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes.", True, False),
        ("CUDA error: unspecified launch failure", False, True),
        ("CUDA driver error: device lost", False, True),
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", False, True),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`", False, True),
        ("NCCL error in: ProcessGroupNCCL.cpp:77, unhandled cuda error", False, True),
        # CUDA says these of a program or of an installation, on a GPU that is in good health.
        ("CUDA error: device-side assert triggered", False, False),
        ("CUDA error: no kernel image is available for execution on the device", False, False),
        ("CUDA error: invalid argument", False, False),
        ("CUDA error: invalid configuration argument", False, False),
        ("CUDA error: operation not permitted when stream is capturing", False, False),
        ("CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling `cublasGemmEx`", False, False),
        ("cuDNN error: CUDNN_STATUS_BAD_PARAM", False, False),
        ("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED", False, False),
        (
            "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!",
            False,
            False,
        ),
        ("The size of tensor a (3) must match the size of tensor b (4)", False, False),
    ],
)
def test_memory_and_lost_gpus_have_many_names(said: str, runs_out: bool, is_lost: bool) -> None:
    error = RuntimeError(said)
    assert (is_out_of_memory(error), is_lost_gpu(error)) == (runs_out, is_lost)


def test_pytorchs_own_classes_need_no_words() -> None:
    torch = pytest.importorskip("torch")
    assert is_out_of_memory(torch.OutOfMemoryError("")) and is_out_of_memory(MemoryError())
    assert is_lost_gpu(torch.AcceleratorError("")) and not is_lost_gpu(torch.OutOfMemoryError(""))


def test_a_lost_gpu_is_one_sentence_and_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(EngineError) as caught, lost_gpu_is_named("cuda:0", "takes are kept", EngineError):
        raise RuntimeError("CUDA error: unspecified launch failure\nFor debugging consider CUDA_LAUNCH_BLOCKING=1")
    assert str(caught.value) == (
        "cuda:0: the GPU stopped answering (CUDA error: unspecified launch failure); takes are kept, run again, and "
        "look at nvidia-smi if it happens again"
    )
    with pytest.raises(RuntimeError, match="two devices"), lost_gpu_is_named("cuda:0", "takes are kept"):
        raise RuntimeError("Expected all tensors to be on the same device, but found two devices")
    with pytest.raises(RuntimeError, match="CUDA error"), lost_gpu_is_named("cpu", "takes are kept"):
        raise RuntimeError("CUDA error: whatever it was, no GPU was in use")
