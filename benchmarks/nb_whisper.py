"""How fast the judge nb-whisper listens at its published sizes, on whatever device is here, beside the floor.

    python benchmarks/nb_whisper.py --size large --clips 1024                 clips of 3 s
    python benchmarks/nb_whisper.py --size medium --clips 4 --seconds 1 8     of 1 to 8 s

Weights are random (``nb_whisper_random``), so texts never end by themselves: every clip is given as many tokens as
speech of its length has. All else is the judge's own way from clips to transcripts, with word times and the
likelihood of the wanted text; clocks stand around its parts, and what they leave is resampling, words and Python.

The floor is computed from operations and bytes, and from what this device was just measured to do
(``cosyvoice3_floor.measure_device``). Whisper hears windows of 30 s whatever a clip lasts: a clip of 3 s costs ten
times its length. What is real time is counted by clips.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import torch
from cosyvoice3 import GIB, Clocks, forget_peak, machine, peak_bytes
from cosyvoice3_floor import DeviceSpeed, Work, measure_device
from nb_whisper_random import SIZES, WhisperSizes, random_clips, random_network, tokens_of

from replikk.judges.nb_whisper import decoding
from replikk.judges.nb_whisper.judge import _Session
from replikk.judges.nb_whisper.network import DTYPES, WhisperNetwork, choose_device, rows_that_fit, whisper_row_bytes
from replikk.judges.nb_whisper.settings import NbWhisperSettings
from replikk.judges.nb_whisper.windows import Window
from replikk.judges.records import Clip

PARTS = ("features", "encoder", "writing", "scoring")
PROMPT_TOKENS = 4
SCORED = 2
"""Passes over finished texts: over what was written, for probabilities and times, and over what was wanted."""


class Bench:
    """A judge's session with clocks inside."""

    def __init__(self, network: WhisperNetwork, rows: int) -> None:
        self.network, self.clocks = network, Clocks(network.device)
        self.session = _Session(NbWhisperSettings(), rows)
        encoder = network.model.model.encoder
        encoder.forward = self._timed("encoder", encoder.forward)
        features = WhisperNetwork.features
        WhisperNetwork.features = self._timed("features", features)  # type: ignore[method-assign]
        decoding.score = self._timed("scoring", decoding.score)
        decoding.wanted_deficit_nats = self._timed("weighing", decoding.wanted_deficit_nats)
        decoding.write = self._timed("all of writing", decoding.write)
        decoding._most_tokens = _given_tokens

    def _timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            with self.clocks.part(part):
                return function(*arguments, **options)

        return run

    def listen(self, clips: Sequence[Clip]) -> tuple[dict[str, float], dict[str, float], int]:
        """(wall seconds by part, CPU seconds by part, peak memory in bytes)."""
        self.clocks = Clocks(self.network.device)
        forget_peak(self.network.device)
        with self.clocks.part("all"):
            heard = sum(len(batch) for batch in self.session.listen(self.network, None, clips))
        if heard != len(clips):
            raise SystemExit(f"{heard} of {len(clips)} clips were heard")
        return _own(self.clocks.wall), _own(self.clocks.cpu), peak_bytes(self.network.device)


def _given_tokens(network: WhisperNetwork, window: Window, prompt_tokens: int) -> int:
    """How many tokens a window is given: random weights never say that a text has ended."""
    return tokens_of(window.duration_s)


def _own(clock: dict[str, float]) -> dict[str, float]:
    """Each part without those inside it: features, encoder and the scoring of what was written lie in the writing."""
    found = {part: clock.get(part, 0.0) for part in PARTS}
    inside = found["features"] + found["encoder"] + found["scoring"]
    found["writing"] = max(0.0, clock["all of writing"] - inside)
    found["scoring"] += clock.get("weighing", 0.0)
    return {**found, "the rest": clock["all"] - sum(found.values()), "all": clock["all"]}


def floors(
    sizes: WhisperSizes, seconds: Sequence[float], rows: int, element_bytes: int, speed: DeviceSpeed
) -> dict[str, Work]:
    """The least time of the networks' parts; a multiplication and an addition are two operations."""
    d, layers, positions, windows = sizes.width, sizes.layers, sizes.positions, len(seconds)
    mlp = 2 * sizes.feed_forward * d * d
    convolutions = 2 * 3 * (2 * positions * sizes.mel_bins * d + positions * d * d)
    encoder = convolutions + layers * (2 * positions * (4 * d * d + mlp) + 4 * positions**2 * d)
    batches = [sorted(seconds, reverse=True)[at : at + rows] for at in range(0, windows, rows)]
    encoder_weights = layers * (4 * d * d + mlp) * element_bytes
    encoder_work = _work(windows * encoder, len(batches) * encoder_weights, speed)

    of_sound = layers * 2 * 2 * positions * d * d  # keys and values of the sound, once a window
    weights = layers * (6 * d * d + mlp) + sizes.vocabulary * d
    token = 2 * weights + layers * 4 * positions * d
    memory = 2 * layers * positions * d * element_bytes  # of a window, read at every step
    lengths = [[tokens_of(length) for length in batch] for batch in batches]
    tokens = sum(sum(batch) for batch in lengths)
    steps = sum(max(batch) for batch in lengths)
    written = _work(
        windows * (of_sound + PROMPT_TOKENS * token) + tokens * token,
        steps * weights * element_bytes + tokens * memory,
        speed,
    )
    scored = _work(
        SCORED * (tokens + windows * PROMPT_TOKENS) * token,
        SCORED * (len(batches) * weights * element_bytes + windows * memory),
        speed,
    )
    return {"encoder": encoder_work, "writing": written, "scoring": scored}


def _work(operations: float, traffic: float, speed: DeviceSpeed) -> Work:
    return Work(operations, traffic, max(operations / speed.matmul_flops, traffic / speed.bytes_per_second))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="large", choices=sorted(SIZES))
    parser.add_argument("--device", default="auto", choices=("auto", "cuda", "cpu"))
    parser.add_argument("--precision", default="float16", choices=sorted(DTYPES), help="of a GPU")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--clips", type=int, default=512)
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.0], help="of each clip, or from and to")
    parser.add_argument("--memory", type=float, default=40.0, metavar="GB", help="max_memory_gb, of a GPU")
    options = parser.parse_args()
    low, high = min(options.seconds), max(options.seconds)
    if not 0.1 <= low <= high <= 29 or len(options.seconds) > 2 or options.clips < 1:
        parser.error("--seconds: one or two numbers from 0.1 to 29 (longer clips are cut); --clips: 1 or more")
    torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    dtype = torch.float32 if device.type == "cpu" else DTYPES[options.precision]
    print(machine(device))
    speed = measure_device(device, dtype, options.threads)
    print(f"{speed.matmul_flops / 1e9:,.0f} GFLOP/s ({dtype}), {speed.bytes_per_second / 1e9:,.0f} GB/s")
    sizes = SIZES[options.size]
    network = random_network(sizes, options.size, device, dtype)
    rows = rows_that_fit(device, options.memory, whisper_row_bytes(network.model.config, dtype))
    bench = Bench(network, rows)
    if device.type == "cuda":
        bench.listen(random_clips([1.0] * rows))  # libraries' first calls
    seconds = [low + (high - low) * at / max(1, options.clips - 1) for at in range(options.clips)]
    wall, cpu, peak = bench.listen(random_clips(seconds))
    least = floors(sizes, seconds, bench.session.rows, dtype.itemsize, speed)
    clock, kind = (cpu, "CPU") if device.type == "cpu" else (wall, "wall")
    print(f"\n{options.size}: {len(seconds)} clips, {sum(seconds):.1f} s of sound, {rows} side by side; seconds")
    print(f"{'':12}{'wall':>9}{'CPU':>9}{'floor':>9}{'floor/' + kind:>12}  work")
    for part in (*PARTS, "the rest"):
        work = least.get(part)
        beside = "" if work is None else f"{work.floor_s:9.2f}{work.floor_s / clock[part]:12.0%}"
        told = "" if work is None else f"  {work.operations / 1e9:,.0f} GFLOP, {work.bytes / 1e9:,.1f} GB"
        print(f"{part:12}{wall[part]:9.2f}{cpu[part]:9.2f}{beside}{told}")
    total = sum(work.floor_s for work in least.values())
    print(f"{'all':12}{wall['all']:9.2f}{cpu['all']:9.2f}{total:9.2f}{total / clock['all']:12.0%}")
    print(
        f"{sum(seconds) / clock['all']:.2f} times real time by {kind} time (floor {sum(seconds) / total:.2f}); "
        f"peak memory {peak / GIB:.2f} GiB, weights {dtype.itemsize * sizes.parameters / GIB:.2f} GiB"
    )


if __name__ == "__main__":
    main()
