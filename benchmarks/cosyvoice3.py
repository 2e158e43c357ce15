"""How fast the engine cosyvoice3 speaks at its published size, on whatever device is here, beside the floor.

    python benchmarks/cosyvoice3.py                                    one line of 3 s, then eight, 4 s reference
    python benchmarks/cosyvoice3.py --seconds 1 12 --lines 1000        a script of lines of 1 to 12 s
    python benchmarks/cosyvoice3.py --errors                           what bf16 changes
    python benchmarks/cosyvoice3.py --sizes small --lines 200          what is left when nothing is to be computed

Weights are random (``cosyvoice3_random``), so lines never end by themselves: their lengths are forced. All else is the
engine's own ``speak``, from requests to finished takes; clocks stand around decoding, flow and vocoder, and what they
leave is joining, queueing and Python. The floor (``cosyvoice3_floor``) is computed from operations and bytes, and from
what this device was just measured to do.

CPU seconds stand beside the wall clock, because other work on a machine stretches the latter. With --folder the weights
are written there once (3.4 GB) and read from there, so that start-up includes the disk.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from cosyvoice3_errors import describe, measure_errors
from cosyvoice3_floor import DeviceSpeed, SpokenLine, Work, flow_work, language_model_work, measure_device, vocoder_work
from cosyvoice3_random import (
    PUBLISHED,
    SMALL,
    ModelSizes,
    check_published_sizes,
    lengths_of_script,
    line_text,
    load,
    random_reference,
)

from replikk.dialogue.records import Segment, Voice
from replikk.engines.cosyvoice3 import speaking
from replikk.engines.cosyvoice3.decoding import DecodedLine, DecodeJob
from replikk.engines.cosyvoice3.engine_settings import EngineSettings
from replikk.engines.cosyvoice3.memory import plan_batches
from replikk.engines.cosyvoice3.networks import DTYPES, Networks, choose_device
from replikk.engines.cosyvoice3.records import ReferenceFeatures
from replikk.engines.records import Take, TakeRequest

PARTS = ("language model", "flow", "vocoder")
PREFIXES = "  prefixes"
"""Of the language model: reading what lines start with, before the first token."""
FIRST_TAKE_S = 1.0
"""A short one: what counts is what happens once (libraries' first calls, CUDA graphs, the noise tables)."""
GIB = 2**30


@dataclass
class Clocks:
    """Seconds of each part, wall and CPU; a GPU is waited for at both ends."""

    device: torch.device
    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        wall, cpu = self._now()
        try:
            yield
        finally:
            wall_after, cpu_after = self._now()
            self.wall[name] = self.wall.get(name, 0.0) + wall_after - wall
            self.cpu[name] = self.cpu.get(name, 0.0) + cpu_after - cpu

    def _now(self) -> tuple[float, float]:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter(), time.process_time()


class Bench:
    """Networks with clocks around them, and lines whose lengths are forced."""

    def __init__(self, networks: Networks, settings: EngineSettings, reference: ReferenceFeatures) -> None:
        self.networks, self.settings, self.reference = networks, settings, reference
        self.clocks = Clocks(networks.device)
        self.tokens: dict[str, int] = {}
        self.prefixes: dict[str, int] = {}
        inside: tuple[tuple[str, Any, str], ...] = (
            (PREFIXES, networks.language_model, "prefill"),
            ("flow", networks.flow, "mels"),
            ("vocoder", networks.vocoder, "waves"),
        )
        for part, owner, name in inside:
            setattr(owner, name, self._timed(part, getattr(owner, name)))
        self._decode, self._decode_job = speaking.decode, speaking.decode_job
        speaking.decode = self._timed_decode  # type: ignore[assignment]
        speaking.decode_job = self._forced_job  # type: ignore[assignment]

    def _timed(self, part: str, function: Any) -> Any:
        def run(*arguments: Any, **options: Any) -> Any:
            with self.clocks.part(part):
                return function(*arguments, **options)

        return run

    def _timed_decode(self, *arguments: Any) -> Iterator[DecodedLine]:
        lines = self._decode(*arguments)
        while True:
            with self.clocks.part("language model"):
                line = next(lines, None)
            if line is None:
                return
            yield line

    def _forced_job(self, **arguments: Any) -> DecodeJob:
        job = self._decode_job(**arguments)
        count = self.tokens[job.key.split("/")[0]]
        self.prefixes[job.key] = sum(len(ids) for _, ids in job.prefix)
        return DecodeJob(job.key, job.seed, job.prefix, count, count)

    def speak(self, seconds: Sequence[float]) -> Run:
        """A script with lines of so many seconds."""
        self.clocks = Clocks(self.networks.device)
        self.prefixes.clear()
        voice = Voice("voice", "Voice", {})
        requests = []
        for number, length in enumerate(seconds):
            key = hashlib.sha256(f"{number} {length}".encode()).hexdigest()
            self.tokens[key] = round(25 * length)
            requests.append(TakeRequest(key, (Segment(line_text(length)),), "nb", "", voice, 0))
        forget_peak(self.networks.device)
        spoken_s = 0.0
        with self.clocks.part("all"):
            for take in speaking.speak(self.networks, requests, {"voice": self.reference}, self.settings):
                if not isinstance(take, Take):
                    raise SystemExit(f"a line was not spoken: {take.reason}")
                spoken_s += len(take.samples) / take.sample_rate_hz
        lines = [
            SpokenLine(prefix, self.tokens[key.split("/")[0]], len(self.reference.speech_tokens))
            for key, prefix in self.prefixes.items()
        ]
        if len(lines) != len(requests):
            raise SystemExit(f"{len(requests)} lines were spoken as {len(lines)} pieces; lines of at most 12 s, please")
        return Run(lines, spoken_s, self.clocks, peak_bytes(self.networks.device))


@dataclass(frozen=True)
class Run:
    """One script spoken."""

    lines: list[SpokenLine]
    spoken_s: float
    clocks: Clocks
    peak_bytes: int


def forget_peak(device: torch.device) -> None:
    """Peak memory counts from here on, where the system allows that."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_bytes(device: torch.device) -> int:
    """Of the GPU's memory, or else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    scale = 1 if sys.platform == "darwin" else 1024
    return scale * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def machine(device: torch.device) -> str:
    """What this ran on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = names[0] if names else name
    gpu = f"{torch.cuda.get_device_name(device)}, " if device.type == "cuda" else ""
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{gpu}{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, "
        f"{torch.backends.cpu.get_cpu_capability()}{load}, Python {platform.python_version()}, "
        f"torch {torch.__version__}"
    )


def floors(run: Run, sizes: ModelSizes, networks: Networks, slots: int, speed: DeviceSpeed) -> dict[str, Work]:
    """The least time of each part."""
    element_bytes = networks.language_model.dtype.itemsize
    return {
        "language model": language_model_work(sizes.language_model, run.lines, slots, element_bytes, speed),
        "flow": flow_work(sizes.flow, run.lines, networks.flow.solver_steps, element_bytes, speed),
        "vocoder": vocoder_work(sizes.vocoder, run.lines, speed),
    }


def print_run(run: Run, least: dict[str, Work], on_cpu: bool) -> None:
    """One table."""
    lines, wall, cpu = run.lines, dict(run.clocks.wall), dict(run.clocks.cpu)
    wall["the rest"], cpu["the rest"] = (
        clock["all"] - sum(clock.get(part, 0.0) for part in PARTS) for clock in (wall, cpu)
    )
    tokens = sum(line.tokens for line in lines)
    frames = sum(2 * (line.tokens + line.reference_tokens) for line in lines)
    clock = cpu if on_cpu else wall
    print(f"\n{len(lines)} lines, {run.spoken_s:.1f} s of audio, {tokens} tokens; seconds")
    print(f"{'':16}{'wall':>9}{'CPU':>9}{'floor':>9}{'a line':>9}{'floor/' + ('CPU' if on_cpu else 'wall'):>11}  work")
    for part in PARTS:
        work = least[part]
        print(
            f"{part:16}{wall[part]:9.2f}{cpu[part]:9.2f}{work.floor_s:9.2f}{clock[part] / len(lines):9.3f}"
            f"{work.floor_s / clock[part]:11.0%}  {work.operations / 1e9:,.0f} GFLOP, {work.bytes / 1e9:,.1f} GB"
        )
        if part == "language model":
            print(f"{PREFIXES:16}{wall[PREFIXES]:9.2f}{cpu[PREFIXES]:9.2f}")
    print(f"{'the rest':16}{wall['the rest']:9.2f}{cpu['the rest']:9.2f}")
    total = sum(work.floor_s for work in least.values())
    print(
        f"{'all':16}{wall['all']:9.2f}{cpu['all']:9.2f}{total:9.2f}{clock['all'] / len(lines):9.3f}"
        f"{total / clock['all']:11.0%}"
    )
    seconds = f"a{' CPU' if on_cpu else ''} second"
    print(
        f"{run.spoken_s / clock['all']:.2f} s of audio {seconds} (floor {run.spoken_s / total:.2f}); language model "
        f"{tokens / clock['language model']:.1f} tokens {seconds} (floor "
        f"{tokens / least['language model'].floor_s:.1f}), "
        f"{(clock['language model'] - clock[PREFIXES]) / tokens * 1000:.1f} ms a token without prefixes; "
        f"flow {clock['flow'] / frames * 1000:.2f} ms a frame; peak memory {run.peak_bytes / GIB:.2f} GiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", choices=("auto", "cuda", "cpu"))
    parser.add_argument("--precision", default="bf16", choices=sorted(DTYPES))
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--lines", type=int, nargs="+", default=[1, 8], help="how many; several numbers: several runs")
    parser.add_argument("--seconds", type=float, nargs="+", default=[3.0], help="of each line, or from and to")
    parser.add_argument("--reference", type=float, default=4.0, metavar="SECONDS")
    parser.add_argument("--memory", type=float, default=8.0, metavar="GB", help="max_memory_gb, of a GPU")
    parser.add_argument("--sizes", default="published", choices=("published", "small"))
    parser.add_argument("--folder", type=Path, help="weights are written here once and read from here")
    parser.add_argument("--errors", action="store_true", help="bf16 against float32, instead of speed")
    options = parser.parse_args()
    if not all(0.04 <= seconds <= 12 for seconds in options.seconds) or len(options.seconds) > 2:
        parser.error("--seconds: one or two numbers, up to 12 (longer lines are cut into pieces)")
    check_published_sizes()
    torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    sizes = PUBLISHED if options.sizes == "published" else SMALL
    print(machine(device))
    if options.errors:
        for count in options.lines[-1:]:
            print(describe(*measure_errors(sizes, device, options.seconds[-1], options.reference, count)))
        return
    dtype = DTYPES[options.precision]
    speed = measure_device(device, dtype, options.threads)
    print(
        f"{options.precision}: {speed.matmul_flops / 1e9:,.0f} GFLOP/s in matrix products ({options.precision}), "
        f"{speed.float32_flops / 1e9:,.0f} in float32, {speed.float64_flops / 1e9:,.0f} in float64; "
        f"memory {speed.bytes_per_second / 1e9:,.0f} GB/s"
    )
    loaded = load(sizes, options.precision, device, options.folder)
    networks = loaded.networks
    settings = EngineSettings(precision=options.precision, device=options.device, max_memory_gb=options.memory)
    bench = Bench(networks, settings, random_reference(sizes, options.reference))
    slots = plan_batches(device, options.memory, sizes.language_model, sizes.flow, dtype.itemsize).slots
    first = bench.speak([FIRST_TAKE_S]).clocks
    source = f"read from {options.folder}" if options.folder else "without reading the files"
    print(
        f"start-up: networks {loaded.load_s:.1f} s ({source}), first take of {FIRST_TAKE_S:g} s "
        f"{first.wall['all']:.1f} s ({first.cpu['all']:.1f} s CPU); weights {loaded.weight_bytes / GIB:.2f} GiB; "
        f"reference {options.reference:g} s; {slots} lines at once"
    )
    for count in options.lines:
        run = bench.speak(lengths_of_script(count, options.seconds))
        print_run(run, floors(run, sizes, networks, slots, speed), device.type == "cpu")


if __name__ == "__main__":
    main()
