"""What packaging costs: CPU seconds per 40 s of finished audio, stage by stage.

    python benchmarks/bench_audio.py [--minutes 5] [--format ogg-vorbis]

The takes come from the embedded voice: sentences from one word to half a minute, several voices. CPU time of this
process is counted (all threads), not the wall clock, so that other work on the machine hardly matters.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from replikk.audio import delivery, encode, flac, gain, ogg
from replikk.dialogue.records import Segment, Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeRequest

TEXTS = [
    "Nei!",
    "Skynd deg!",
    "Hva heter du?",
    "Kom, så går vi til fjellet før sola går ned.",
    "Jeg fant en gammel nøkkel under steinen, men jeg vet ikke hvilken dør den passer til.",
    "Bestemor sa at den som leter lenge nok, alltid finner noe annet enn det hun mistet, og at det som regel er bedre.",
    "Det var en gang en liten fugl som bodde i et stort tre ved fjorden. " * 6,
]
VARIANTS = ["f2", "f4", "f5", "m1", "m3", "m7", "whisper"]
UNIT_S = 40.0  # the build's aim is 40 s of audio per CPU second, all stages together


def machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, libsndfile {soundfile.__libsndfile_version__}"
    )


def takes(minutes: float) -> Iterator[tuple[NDArray[np.int16], int]]:
    """Takes of the embedded voice until they last so long."""
    engine, spoken_s, turn = EspeakEngine({}), 0.0, 0
    while spoken_s < minutes * 60:
        requests = []
        for variant in VARIANTS:
            voice = Voice(variant, variant, {"variant": variant})
            for number, text in enumerate(TEXTS):
                key = hashlib.sha256(f"{turn} {variant} {number}".encode()).hexdigest()
                requests.append(TakeRequest(key, (Segment(text),), "nb", "", voice, 0))
        for take in engine.synthesize(requests):
            if isinstance(take, Take):
                spoken_s += len(take.samples) / take.sample_rate_hz
                yield take.samples, take.sample_rate_hz
        turn += 1


def timed(spent: dict[str, float], stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, its CPU time added to ``spent[stage]``."""

    @functools.wraps(function)
    def wrapper(*arguments: Any, **options: Any) -> Any:
        started = time.process_time()
        try:
            return function(*arguments, **options)
        finally:
            spent[stage] = spent.get(stage, 0.0) + time.process_time() - started

    return wrapper


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--format", default="ogg-vorbis", choices=sorted(encode.SUFFIXES))
    options = parser.parse_args()
    settings = delivery.DeliverySettings(format=options.format)
    audio = list(takes(options.minutes))
    stored = [flac.encode_flac(samples, rate) for samples, rate in audio]

    def build(spent: dict[str, float]) -> tuple[float, int]:
        seconds, encodes = 0.0, 0
        decode_flac = timed(spent, "read FLAC", flac.decode_flac)
        deliver = timed(spent, "all of deliver", delivery.deliver)
        for data in stored:
            samples, rate = decode_flac(data)
            clip = deliver(
                samples, rate, settings=settings, tags={"TITLE": "id", "LYRICS": "x" * 80}, serial_from="key"
            )
            seconds, encodes = seconds + clip.duration_s, encodes + clip.encodes
        return seconds, encodes

    build({})  # warm: imports, filters
    whole: dict[str, float] = {}
    seconds, encodes = build(whole)

    # Once more with a clock around each stage.
    stages: dict[str, float] = {}
    delivery.prepare = timed(stages, "trim, fade, resample", delivery.prepare)
    for name in ("integrated_of", "momentary_of", "ungated_loudness", "block_energies"):
        setattr(gain, name, timed(stages, "loudness (before and after)", getattr(gain, name)))
    delivery.true_peak_dbtp = timed(stages, "true peak (before and after)", delivery.true_peak_dbtp)
    encode._encode_raw = timed(stages, f"encode ({options.format})", encode._encode_raw)
    ogg.mend = timed(stages, "mend Ogg", ogg.mend)
    delivery.decode = timed(stages, "decode", delivery.decode)
    build({})
    write: dict[str, float] = {}
    for samples, rate in audio:
        timed(write, "write FLAC", flac.encode_flac)(samples, rate)

    print(machine())
    print(f"{len(audio)} clips, {seconds:.0f} s, {encodes} encodings, settings: {options.format}\n")
    print(f"CPU seconds per {UNIT_S:.0f} s of audio")
    for stage, cpu_s in {**write, **whole, **{f"  {name}": value for name, value in stages.items()}}.items():
        print(f"{stage:34}{cpu_s / seconds * UNIT_S:8.4f}")
    print(f"\npackaging alone: {seconds / sum(whole.values()):.0f} s of audio per CPU second")


if __name__ == "__main__":
    main()
