"""Decoding steps as CUDA graphs.

A step of the full-size language model is some 500 small kernels; starting one from Python takes longer than most of
them run. A graph starts all of them at once. It holds addresses and shapes, so there is one for each extent that
attention looks at, and all of them are dropped when the cache moves. On other devices steps simply run.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from replikk.engines.cosyvoice3.decode_slots import DecodeSlots

WARM_UP_STEPS = 2
"""Libraries allocate workspaces at their first calls, which must not happen while a graph is captured."""


class StepGraphs:
    """Runs steps of some slots, captured where ``enabled`` and the device is CUDA."""

    def __init__(self, slots: DecodeSlots, enabled: bool) -> None:
        self.slots = slots
        self.enabled = enabled and slots.model.device.type == "cuda"
        self.captured: dict[int, Callable[[], None]] = {}
        # Graphs run one after the other and nothing outside reads their intermediate results: one pool serves all.
        self.pool = torch.cuda.graph_pool_handle() if self.enabled else None

    def forget(self) -> None:
        """To be called when tensors of the slots were replaced."""
        self.captured.clear()

    def step(self, extent: int | None) -> None:
        """One step, ``extent`` as in ``LanguageModel.step``."""
        if not self.enabled or extent is None:
            self.slots.step(extent)
            return
        if extent not in self.captured:
            self.captured[extent] = self._capture(extent)
        self.captured[extent]()

    def _capture(self, extent: int) -> Callable[[], None]:
        """Captures a step. Warm-up steps are undone; what they left in the cache is overwritten before it is read."""
        before = [tensor.clone() for tensor in self.slots.tensors()]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP_STEPS):
                self.slots.step(extent)
        torch.cuda.current_stream().wait_stream(side)
        for tensor, old in zip(self.slots.tensors(), before, strict=True):
            tensor.copy_(old)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self.pool):
            self.slots.step(extent)
        return graph.replay
