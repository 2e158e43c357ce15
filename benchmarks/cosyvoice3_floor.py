"""The least time that CosyVoice 3 can take on a device: its operations and bytes over what the device does.

What the device does is measured by a probe of a second, in the process and with the threads that speak: a large matrix
product in each precision, and reading and copying memory. Operations and bytes are formulae of the networks' sizes. A
floor is the larger of the two times; nothing can overlap better than that, and no program reaches it.

Operations: 2 for each weight that a row meets; 4 * heads * head_dim for each position that a position looks at.
Bytes: weights once a pass (language model: once a step, for all slots together), the cache that a step reads, and
what each layer of flow and vocoder reads and writes once. Fusing layers would save some of the latter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from replikk.engines.cosyvoice3.records import FRAMES_PER_TOKEN
from replikk.engines.cosyvoice3.sizes import FlowSizes, LanguageModelSizes, VocoderSizes

GUIDANCE_ROWS = 2
"""The flow's transformer answers twice: told everything, and nothing."""


@dataclass(frozen=True)
class DeviceSpeed:
    """What a device was measured to do."""

    matmul_flops: float
    """Operations a second of matrix products in the precision asked for."""
    float32_flops: float
    """The same in float32; on CUDA with the rounding that float32 convolutions have there (TF32)."""
    float64_flops: float
    bytes_per_second: float


@dataclass(frozen=True)
class Work:
    """Operations and bytes of a part, and the least seconds that they take."""

    operations: float
    bytes: float
    floor_s: float


@dataclass(frozen=True)
class SpokenLine:
    """A line's lengths."""

    prefix: int
    """Positions that the language model is given."""
    tokens: int
    """Tokens that it says."""
    reference_tokens: int
    """Tokens of the reference, as the flow sees them."""


def measure_device(device: torch.device, dtype: torch.dtype, threads: int) -> DeviceSpeed:
    """The probe. On a CPU the best of several CPU times a thread, so that other work on the machine hardly matters."""
    size = 8192 if device.type == "cuda" else 2048
    elements = (1 << 30 if device.type == "cuda" else 1 << 28) // 4

    def seconds(run: Callable[[], object]) -> float:
        if device.type == "cuda":
            run()
            torch.cuda.synchronize(device)
            started = time.perf_counter()
            for _ in range(10):
                run()
            torch.cuda.synchronize(device)
            return (time.perf_counter() - started) / 10
        run()
        times = []
        for _ in range(5):
            started = time.process_time()
            run()
            times.append((time.process_time() - started) / threads)
        return min(times)

    def flops(kind: torch.dtype, size: int) -> float:
        a, b = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
        return 2 * size**3 / seconds(lambda: a @ b.T)

    with torch.inference_mode():
        matmul = flops(dtype, size)
        tf32 = torch.backends.cuda.matmul.allow_tf32
        torch.backends.cuda.matmul.allow_tf32 = device.type == "cuda" and torch.backends.cudnn.allow_tf32
        float32 = flops(torch.float32, size)
        torch.backends.cuda.matmul.allow_tf32 = tf32
        long = torch.randn(elements, device=device)
        return DeviceSpeed(matmul, float32, flops(torch.float64, size // 2), 4 * elements / seconds(long.sum))


def layer_weights(sizes: LanguageModelSizes) -> int:
    """Weights of all layers of the language model, 358 million."""
    queries, keys = sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim
    each = sizes.hidden * (2 * queries + 2 * keys + 3 * sizes.intermediate)
    return sizes.layers * each


def language_model_work(
    sizes: LanguageModelSizes, lines: Sequence[SpokenLine], slots: int, element_bytes: int, speed: DeviceSpeed
) -> Work:
    """Prefixes one by one, then steps of all slots together, full from the first to the last."""
    weights, head = layer_weights(sizes), sizes.speech_head * sizes.hidden
    attention = 4 * sizes.layers * sizes.heads * sizes.head_dim
    cached = 2 * sizes.layers * sizes.kv_heads * sizes.head_dim * element_bytes
    prefill = sum(2 * weights * line.prefix + attention * line.prefix**2 / 2 for line in lines)
    looked_at = sum(line.tokens * (line.prefix + line.tokens / 2) for line in lines)
    tokens = sum(line.tokens for line in lines)
    steps = max(tokens / min(slots, len(lines)), max(line.tokens for line in lines))
    products = 2 * weights * tokens + attention * looked_at
    head_products = 2 * head * tokens  # float32
    step_bytes = steps * (weights * element_bytes + head * 4) + cached * looked_at
    decode_s = max(
        products / speed.matmul_flops + head_products / speed.float32_flops, step_bytes / speed.bytes_per_second
    )
    return Work(prefill + products + head_products, step_bytes, prefill / speed.matmul_flops + decode_s)


def flow_work(
    sizes: FlowSizes, lines: Sequence[SpokenLine], solver_steps: int, element_bytes: int, speed: DeviceSpeed
) -> Work:
    """Every line with its reference, unpadded: 0.41 GFLOP a frame and evaluation at the published size."""
    inner = sizes.heads * sizes.head_dim
    block = 2 * (4 * sizes.hidden * inner + 2 * sizes.hidden * sizes.feed_forward)
    positions = 2 * 2 * sizes.hidden * (sizes.hidden // sizes.position_groups) * sizes.position_kernel
    ways = 2 * sizes.hidden * (4 * sizes.mel_bins + sizes.mel_bins)  # in and out
    # A block reads and writes: stream and normed copy twice (float32 and narrow), queries to values, context, widened.
    block_bytes = 4 * 4 * sizes.hidden + element_bytes * (4 * sizes.hidden + 8 * inner + 4 * sizes.feed_forward)
    operations = traffic = 0.0
    for line in lines:
        frames = FRAMES_PER_TOKEN * (line.tokens + line.reference_tokens)
        rows = frames * GUIDANCE_ROWS * solver_steps
        operations += rows * (sizes.blocks * (block + 4 * inner * frames) + positions + ways)
        traffic += rows * sizes.blocks * block_bytes
    return Work(operations, traffic, max(operations / speed.matmul_flops, traffic / speed.bytes_per_second))


def vocoder_work(sizes: VocoderSizes, lines: Sequence[SpokenLine], speed: DeviceSpeed) -> Work:
    """Lines without their reference; convolutions with repeated columns folded, everything float32 but the pitch."""
    single, traffic = vocoder_frame(sizes)
    double = (
        2 * sizes.f0_channels * (sizes.mel_bins * sizes.f0_kernels[0] + sizes.f0_channels * sum(sizes.f0_kernels[1:]))
    )
    frames = FRAMES_PER_TOKEN * sum(line.tokens for line in lines)
    seconds = frames * max(
        single / speed.float32_flops + double / speed.float64_flops, traffic / speed.bytes_per_second
    )
    return Work(frames * (single + double), frames * traffic, seconds)


def vocoder_frame(sizes: VocoderSizes) -> tuple[float, float]:
    """Operations of a mel frame in float32 convolutions, and bytes that these read and write."""
    spectrum, channels, columns = sizes.n_fft + 2, sizes.base_channels, 1
    operations = 2.0 * sizes.mel_bins * sizes.pre_kernel * channels
    traffic = 0.0
    for stage, after in enumerate(sizes.stage_channels):
        rate, kernel = sizes.upsample_rates[stage], sizes.upsample_kernels[stage]
        kept = -(-(kernel - 1) // rate) + 1  # different columns that a kernel over repeated ones meets
        operations += 2 * columns * channels * kept * after * rate
        columns, channels = columns * rate, after
        operations += 2 * columns * spectrum * sizes.source_kernels[stage] * channels
        kernels = (*sizes.block_kernels, sizes.source_block_kernels[stage])
        operations += 2 * columns * channels**2 * 2 * sizes.dilations * sum(kernels)
        traffic += 4 * columns * channels * 2 * 2 * sizes.dilations * len(kernels)
    operations += 2 * columns * channels * sizes.post_kernel * spectrum
    return operations, traffic
