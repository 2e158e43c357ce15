"""How many lines share a batch: as many as fit into the memory that the engine may use, and fewer when it runs out.

Estimates, at full size in bf16 (float32 takes twice as much): a position of a line in the cache is 12 KB, and a line
reserves ``LINE_POSITIONS`` of them; a frame in the flow's transformer is about 125 KB of activations in float32, both
guidance rows included. Half of what the networks leave goes to each, because lines are decoded while others wait to
be rendered. An estimate can be wrong, and other programs use the same GPU: what then runs out of memory is done
again in halves, and nothing that was finished is lost.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

from replikk.engines.cosyvoice3.sizes import FlowSizes, LanguageModelSizes
from replikk.errors import EngineError

log = logging.getLogger(__name__)

GB = 1e9
LINE_POSITIONS = 768
"""Reference of 10 s (250), text (100), and 16 s of speech (400); the cache grows when a line is longer."""
MOST_SLOTS = 128
"""Past this a step's time grows with its rows (the products are no longer bound by reading the weights)."""
CPU_SLOTS = 8
CPU_FRAMES = 600
"""A CPU gains little from larger batches, and a kill loses what is in flight."""
MOST_FRAMES = 24_000
LEAST_FRAMES = 1
RESERVE_GB = 0.5
"""CUDA's own context and workspaces."""


@dataclass
class Batches:
    """The batch sizes in use; they only ever shrink."""

    slots: int
    """Lines that are decoded side by side."""
    flow_frames: int
    """Mel frames of a batch of the flow, references included."""

    def halve_slots(self) -> None:
        """After running out of memory. Raises EngineError when one line alone does not fit."""
        if self.slots == 1:
            raise EngineError(f"cosyvoice3: one line alone does not fit into memory; {REMEDY}")
        self.slots //= 2
        log.warning("out of memory: going on with %d lines at once", self.slots)

    def halve_frames(self, longest_line_frames: int) -> None:
        """After running out of memory on a batch whose longest line is that long; raises as ``halve_slots``."""
        if self.flow_frames <= longest_line_frames:
            raise EngineError(
                f"cosyvoice3: a line of {longest_line_frames / 50:.0f} s with its reference does not fit into memory; "
                f"{REMEDY}"
            )
        self.flow_frames = max(longest_line_frames, self.flow_frames // 2)
        log.warning("out of memory: going on with %d frames at once", self.flow_frames)


REMEDY = (
    "close other programs that use the GPU, give max_memory_gb more, or a shorter reference; finished takes are kept"
)


def plan_batches(
    device: torch.device, max_memory_gb: float, llm: LanguageModelSizes, flow: FlowSizes, element_bytes: int
) -> Batches:
    """Batch sizes for networks that lie on ``device`` already. Raises EngineError where nothing fits beside them."""
    if device.type == "cpu":
        return Batches(CPU_SLOTS, CPU_FRAMES)
    used = torch.cuda.memory_allocated(device)
    free, _ = torch.cuda.mem_get_info(device)
    left = min(max_memory_gb * GB - used, free) - RESERVE_GB * GB
    batches = Batches(
        slots=min(MOST_SLOTS, int(left / 2 / line_bytes(llm, element_bytes))),
        flow_frames=min(MOST_FRAMES, int(left / 2 / frame_bytes(flow))),
    )
    if batches.slots < 1 or batches.flow_frames < LEAST_FRAMES:
        raise EngineError(
            f"cosyvoice3: the networks take {used / GB:.1f} GB of the GPU and leave {max(0.0, left) / GB:.1f} GB, too "
            f"little for one line; {REMEDY}, or use device: cpu"
        )
    log.info("%s: %.1f GB taken by the networks; %d lines are decoded at once", device, used / GB, batches.slots)
    return batches


def line_bytes(sizes: LanguageModelSizes, element_bytes: int) -> int:
    """Keys and values of one line in the cache."""
    return 2 * sizes.layers * sizes.kv_heads * sizes.head_dim * element_bytes * LINE_POSITIONS


def frame_bytes(sizes: FlowSizes) -> int:
    """Activations of one frame in one block of the flow, both guidance rows, float32.

    Input, normed copy, queries, keys, values, context, feed-forward and its activation live at the same time.
    """
    inner = sizes.heads * sizes.head_dim
    return 2 * 4 * (4 * sizes.hidden + 4 * inner + 2 * sizes.feed_forward + 8 * sizes.mel_bins)
