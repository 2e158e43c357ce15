"""A GPU that is not there: PyTorch on the CPU, as strict as CUDA about where tensors lie.

Nobody's continuous integration has a GPU, and the code that is meant for one must still not fail at its first line
there. Inside ``pretend_gpu()`` PyTorch says that it sees a GPU. Tensors sent to it keep their numbers in ordinary
memory, so that results are those of the CPU, to the bit; but they say that they lie on ``cuda:0``, and they refuse what
CUDA refuses:

- an operation on tensors of two devices, but for what PyTorch allows (a number without dimensions, copies,
  indexing with indices that lie on the CPU);
- NumPy, until they are brought back with ``cpu()``;
- looking at a value on the host, or copying from and to it, while a graph is captured.

Graphs are captured as CUDA does it: what runs during the capture leaves no trace, and a replay runs the same kernels
again, on the same memory. So a graph that takes a decision on the host, or that keeps a tensor that was replaced,
gives other results than the plain steps, and tests see it.

What cannot be seen here: speed, memory in use (the pretended figures never change), kernels that exist on one device
only, what streams may do in the wrong order, and sums in another order. Only a real GPU shows those.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_iter, tree_map

GPU = torch.device("cuda", 0)
CPU = torch.device("cpu")
FREE_BYTES, ALL_BYTES = 22 * 10**9, 24 * 10**9
"""The memory of the pretended GPU: a gaming card of 24 GB."""

aten = torch.ops.aten
BETWEEN_DEVICES = {aten.copy_.default, aten._to_copy.default, aten.set_.source_Tensor}
INDEXED = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
"""Their indices, the second argument, may lie on the CPU while the indexed tensor lies on the GPU."""
READ_BY_THE_HOST = {
    aten._local_scalar_dense.default, aten.equal.default, aten.nonzero.default, aten.masked_select.default,
    aten.repeat_interleave.Tensor,
}  # fmt: skip
"""What waits for the GPU, because a number or a shape of the host hangs on it."""


class OnGpu(torch.Tensor):
    """A tensor on the pretended GPU; ``held`` has its numbers."""

    held: torch.Tensor

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> OnGpu:
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype
        )
        made.held = held
        return made

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run_on_gpu(func, args, kwargs or {})

    device = property(lambda self: GPU)  # type: ignore[assignment]
    is_cuda = property(lambda self: True)  # type: ignore[assignment]
    is_cpu = property(lambda self: False)  # type: ignore[assignment]

    def get_device(self) -> int:
        return 0

    def data_ptr(self) -> int:
        return self.held.data_ptr()

    def numpy(self, *, force: bool = False) -> Any:
        raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy it first")

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.numpy()

    def tolist(self) -> Any:
        return brought_back(self).tolist()

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"OnGpu({self.held!r})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        copied = OnGpu(self.held.detach().clone()).requires_grad_(self.requires_grad)
        return torch.nn.Parameter(copied, self.requires_grad) if isinstance(self, torch.nn.Parameter) else copied

    def __reduce_ex__(self, protocol: Any) -> Any:
        # PyTorch's own files hold a tensor of the GPU as one that goes there again.
        return (_put_back, (self.held.detach(), self.requires_grad))


def _put_back(held: torch.Tensor, requires_grad: bool) -> torch.Tensor:
    return OnGpu(held).requires_grad_(requires_grad)


def held(value: Any) -> Any:
    return value.held if isinstance(value, OnGpu) else value


def laid(value: Any) -> Any:
    return OnGpu(value) if isinstance(value, torch.Tensor) and not isinstance(value, OnGpu) else value


def run_on_gpu(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """One kernel. Raises RuntimeError in PyTorch's words where tensors lie on two devices."""
    tensors = [value for value in tree_iter((args, kwargs)) if isinstance(value, torch.Tensor)]
    if not any(isinstance(value, OnGpu) for value in tensors):
        return func(*args, **kwargs)
    if func not in BETWEEN_DEVICES:
        compared = tree_iter((args[0], args[2:])) if func in INDEXED else tensors
        strangers = [value for value in compared if isinstance(value, torch.Tensor) and not isinstance(value, OnGpu)]
        if any(value.dim() > 0 for value in strangers) or (strangers and func is aten.cat.default):
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! "
                f"({func})"
            )
    if func is aten.copy_.default and not isinstance(args[0], OnGpu):
        graph_must_not("copy to the host")
        return args[0].copy_(held(args[1]))
    if func is aten.copy_.default and not isinstance(args[1], OnGpu) and args[1].dim() > 0:
        graph_must_not("copy from the host")
    picks = func is aten.index.Tensor and any(index is not None and index.dtype == torch.bool for index in args[1])
    if func in READ_BY_THE_HOST or picks:
        graph_must_not(str(func))
    kernel = (func, tree_map(held, args), {name: tree_map(held, value) for name, value in kwargs.items()})
    result = Capture.running.note(*kernel) if Capture.running else func(*kernel[1], **kernel[2])
    return return_and_correct_aliasing(func, args, kwargs, tree_map(laid, result))


def brought_back(value: torch.Tensor) -> torch.Tensor:
    graph_must_not("copy to the host")
    return _BringBack.apply(value) if value.requires_grad else held(value).detach().clone()


class _BringBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return held(value).detach().clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return laid(gradient)


class _Send(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return OnGpu(value.detach().clone())

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return held(gradient)


def graph_must_not(what: str) -> None:
    if Capture.running:
        raise RuntimeError(f"CUDA error: operation not permitted when stream is capturing ({what})")


class Capture:
    """A graph: kernels with the memory they read and write."""

    running: Capture | None = None

    def __init__(self, *_: Any, **__: Any) -> None:
        self.kernels: list[tuple[Any, Any, Any, Any]] = []
        self.before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def note(self, func: Any, args: Any, kwargs: Any) -> Any:
        for argument, value in [*zip(func._schema.arguments, args, strict=False), *_named(func, kwargs)]:
            if argument.alias_info is not None and argument.alias_info.is_write:
                self._keep(value)
        result = func(*args, **kwargs)
        self.kernels.append((func, args, kwargs, result))
        return result

    def _keep(self, value: Any) -> None:
        for tensor in tree_iter(value):
            if isinstance(tensor, torch.Tensor):
                whole = torch.empty(0, dtype=torch.uint8).set_(tensor.untyped_storage())
                self.before.setdefault(whole.data_ptr(), (whole, whole.clone()))

    def end(self) -> None:
        """What ran while it was captured never happened."""
        for whole, old in self.before.values():
            whole.copy_(old)

    def replay(self) -> None:
        for func, args, kwargs, noted in self.kernels:
            result = func(*args, **kwargs)
            for old, new in zip(tree_iter(noted), tree_iter(result), strict=True):
                if isinstance(new, torch.Tensor) and new.data_ptr() != old.data_ptr():
                    old.copy_(new)


def _named(func: Any, kwargs: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [(argument, kwargs[argument.name]) for argument in func._schema.arguments if argument.name in kwargs]


@contextmanager
def capturing(graph: Capture, *_: Any, **__: Any) -> Iterator[None]:
    Capture.running = graph
    try:
        yield
    finally:
        Capture.running = None
        graph.end()


class _Kernels(TorchDispatchMode):
    """Operations on pretended tensors, also those that PyTorch starts by itself (gradients)."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return run_on_gpu(func, args, kwargs or {})


class _Devices(TorchFunctionMode):
    """Calls that name a device: made, or moved, to where they say."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda):
            return moved(func, args, kwargs)
        if func is torch.Tensor.pin_memory:
            return args[0].clone()
        wanted = kwargs.pop("device", None)
        if wanted is None:
            made = func(*args, **kwargs)
            # Some of PyTorch's own functions (pad_sequence) make their result where they believe the tensors to lie.
            strayed = type(made) is torch.Tensor and all(made is not value for value in args)
            return laid(made) if strayed and any(isinstance(value, OnGpu) for value in tree_iter(args)) else made
        on_gpu = torch.device(wanted).type == "cuda"
        if func in (torch.tensor, torch.as_tensor, torch.asarray) and isinstance(args[0], torch.Tensor):
            source = brought_back(args[0]) if isinstance(args[0], OnGpu) else args[0]
            made = func(source, *args[1:], **kwargs)
        else:
            made = func(*args, **kwargs) if _follows(args) else func(*args, device="cpu", **kwargs)
        return laid(made) if on_gpu else made


def _follows(args: Any) -> bool:
    """Whether the first argument is a pretended tensor, whose device a factory takes over (``empty_like``)."""
    return bool(args) and isinstance(args[0], OnGpu)


def moved(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensor, rest = args[0], list(args[1:])
    wanted = kwargs.pop("device", None)
    if func is torch.Tensor.cpu:
        wanted, rest = CPU, []
    elif func is torch.Tensor.cuda:
        wanted, rest = GPU, []
    elif rest and isinstance(rest[0], str | torch.device):
        wanted = rest.pop(0)
    elif rest and isinstance(rest[0], torch.Tensor):
        wanted, rest = rest[0].device, [rest[0].dtype, *rest[1:]]
    if wanted is not None:
        to_gpu = torch.device(wanted).type == "cuda"
        if to_gpu and not isinstance(tensor, OnGpu):
            if tensor.dim() > 0:
                graph_must_not("copy from the host")
            tensor = _Send.apply(tensor) if tensor.requires_grad else OnGpu(tensor.detach().clone())
        elif not to_gpu and isinstance(tensor, OnGpu):
            tensor = brought_back(tensor)
    if rest and rest[0] is None:  # to(device, None, non_blocking): no other type of number
        rest = []
    return tensor.to(*rest, **kwargs) if rest or kwargs else tensor


@contextmanager
def pretend_gpu() -> Iterator[torch.device]:
    """PyTorch sees one GPU inside. Gives its device."""
    autocast, generator = torch.autocast, torch.Generator

    class Autocast(autocast):  # type: ignore[misc,valid-type]
        def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
            super().__init__("cpu" if device_type == "cuda" else device_type, *args, **kwargs)

    def without_gradients(self: Any) -> None:
        # Views of tensors of this kind cannot be made in inference mode itself.
        self.before = torch.is_grad_enabled()
        torch.set_grad_enabled(self.before and not self.mode)

    def as_before(self: Any, *_: Any) -> None:
        torch.set_grad_enabled(self.before)

    class Generator(generator):  # type: ignore[misc,valid-type]
        def __new__(cls, device: Any = "cpu") -> Any:
            return super().__new__(cls, "cpu")

    stands_in = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": lambda device: None,
        "get_device_name": lambda device=None: "a pretended GPU",
        "get_device_properties": lambda device=None: mock.Mock(total_memory=ALL_BYTES, name="a pretended GPU"),
        "get_device_capability": lambda device=None: (8, 9),
        "is_bf16_supported": lambda *_, **__: True,
        "memory_allocated": lambda device=None: 0,
        "max_memory_allocated": lambda device=None: 0,
        "reset_peak_memory_stats": lambda device=None: None,
        "mem_get_info": lambda device=None: (FREE_BYTES, ALL_BYTES),
        "empty_cache": lambda: None,
        "synchronize": lambda device=None: None,
        "get_rng_state": lambda device=None: torch.get_rng_state(),
        "set_rng_state": lambda state, device=None: torch.set_rng_state(state),
        "manual_seed": lambda seed: None,
        "manual_seed_all": lambda seed: None,
        "graph_pool_handle": lambda: (0, 1),
        "CUDAGraph": Capture,
        "graph": capturing,
        "Stream": mock.Mock,
        "current_stream": lambda device=None: mock.Mock(),
        "stream": lambda stream: nullcontext(),
        "_lazy_init": lambda: None,
    }
    with ExitStack() as stack:
        for name, stand_in in stands_in.items():
            stack.enter_context(mock.patch.object(torch.cuda, name, stand_in))
        stack.enter_context(mock.patch.object(torch, "autocast", Autocast))
        stack.enter_context(mock.patch.object(torch, "Generator", Generator))
        stack.enter_context(mock.patch.object(torch.inference_mode, "__enter__", without_gradients))
        stack.enter_context(mock.patch.object(torch.inference_mode, "__exit__", as_before))
        # Modules that are moved get new parameters: the old ones cannot become tensors of this kind.
        overwritten = torch.__future__.get_overwrite_module_params_on_conversion()
        stack.callback(torch.__future__.set_overwrite_module_params_on_conversion, overwritten)
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        stack.enter_context(_Kernels())
        stack.enter_context(_Devices())
        yield GPU
