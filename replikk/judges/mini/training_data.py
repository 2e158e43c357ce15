"""Training clips of the embedded voice, in shards: features and targets, made from the seed alone.

A shard is a pure function of (seed, index, clips per shard): text, voice settings and every draw come from it, so
shards can be made ahead of the trainer by other processes, and a stopped training goes on where it was. torch is never
imported here.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replikk.dialogue.records import Segment, Voice
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeRequest
from replikk.judges.mini.features import log_mel
from replikk.judges.mini.network import STRIDE
from replikk.judges.mini.text import encode, normalise
from replikk.judges.mini.training_text import draw_line
from replikk.judges.mini.words import FUNCTION_WORDS

HELDOUT_LINES = Path(__file__).with_name("heldout_lines.txt")


def _listed(words: str) -> tuple[str, ...]:
    return tuple(words.split())


VARIANTS = _listed(
    """
f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 whisper whisperf Alex Alicia Andrea Andy Annie AnxiousAndy Denis Diogo Gene
Gene2 Henrique Hugo Jacky Marco Mario Michael Mike Nguyen Reed RicishayMax RicishayMax2 RicishayMax3 Storm Tweaky
UniRobot adam anika anikaRobot announcer antonio aunty belinda benjamin boris caleb croak david ed edward edward2
grandma grandpa gustave ian iven iven2 iven3 iven4 john kaukovalta klatt klatt2 klatt3 klatt4 klatt5 klatt6 linda
marcelo max michel miguel mike2 norbert pablo paul pedro quincy rob robert robosoft robosoft2 robosoft3 robosoft4
robosoft5 robosoft6 robosoft7 robosoft8 sandro shelby steph steph2 steph3 travis victor
"""
)
"""The voice variants of eSpeak NG 1.52 by name, without Lee, zac and Demonic, which a listener cannot follow either."""
_PLAIN = VARIANTS[:13]
_WHISPERED = ("whisper", "whisperf")


@dataclass(frozen=True)
class Shard:
    """Clips one behind the other."""

    features: NDArray[np.float16]  # [frames of all clips, bins]
    frame_counts: NDArray[np.int32]  # [clips]
    targets: NDArray[np.uint8]  # [symbols of all clips]
    target_counts: NDArray[np.int32]  # [clips]


def heldout_words() -> frozenset[str]:
    """The content words of the held-out lines, which no training line may contain."""
    found = set(normalise(HELDOUT_LINES.read_text(encoding="utf-8")).split())
    return frozenset(found - set(FUNCTION_WORDS))


def draw_request(random: Random, key: str, forbidden: frozenset[str]) -> TakeRequest:
    """A line in a drawn voice, at any pace that a build uses, sometimes with a pause in it."""
    line = draw_line(random, forbidden)
    draw = random.random()
    family = _PLAIN if draw < 0.4 else _WHISPERED if draw < 0.48 else VARIANTS
    settings: dict[str, Any] = {
        "variant": random.choice(family),
        "pitch": random.randint(5, 95),
        "range": random.randint(0, 99),
        "rate_wpm": int(random.triangular(110, 220, 150)),
        "word_gap": random.choice((0, 0, 1, 1, 2, 2, 3, 4, 5, 8)),
        "volume": random.randint(30, 110),
    }
    segments = [Segment(line)]
    words = line.split()
    if len(words) > 2 and random.random() < 0.2:
        cut = random.randrange(1, len(words))
        pause_ms = int(random.triangular(60, 900, 200))
        segments = [Segment(" ".join(words[:cut]), pause_ms), Segment(" ".join(words[cut:]))]
    voice = Voice("training", "training", settings)
    return TakeRequest(key, tuple(segments), "nb", "", voice, 0)


def make_shard(seed: int, index: int, clips: int) -> Shard:
    """Draw, speak and analyse ``clips`` lines. Clips too short for their letters are left out."""
    forbidden = heldout_words()
    random = Random(f"{seed}/{index}")
    requests = []
    for number in range(clips):
        key = hashlib.sha256(f"{seed}/{index}/{number}".encode()).hexdigest()
        requests.append(draw_request(random, key, forbidden))
    spoken: dict[str, NDArray[np.int16]] = {}
    for outcome in EspeakEngine({}).synthesize(requests):
        if isinstance(outcome, Take):
            spoken[outcome.key] = outcome.samples
    noise = np.random.default_rng([seed, index])
    features, targets = [], []
    for request in requests:
        if request.key not in spoken:
            continue
        samples = _disturb(spoken[request.key], noise)
        target = encode(normalise(" ".join(segment.text for segment in request.segments)))
        frames = log_mel(samples)
        repeats = sum(a == b for a, b in pairwise(target))
        if len(frames) // STRIDE < len(target) + repeats + 1:
            continue
        features.append(frames.astype(np.float16))
        targets.append(np.array(target, np.uint8))
    return Shard(
        np.concatenate(features),
        np.array([len(f) for f in features], np.int32),
        np.concatenate(targets),
        np.array([len(t) for t in targets], np.int32),
    )


def _disturb(samples: NDArray[np.int16], noise: np.random.Generator) -> NDArray[np.int16]:
    """One clip in five gets faint noise, 30 to 60 dB below its loudest, so that a codec or a dither changes nothing."""
    draw, depth_db = noise.random(), noise.uniform(30, 60)
    if draw > 0.2 or not len(samples):
        return samples
    level = float(np.abs(samples.astype(np.float64)).max()) * 10 ** (-depth_db / 20)
    noisy = samples + noise.standard_normal(len(samples)) * level
    return np.clip(np.rint(noisy), -32768, 32767).astype(np.int16)


def shard_path(folder: Path, index: int) -> Path:
    return folder / f"shard-{index:05d}.npz"


def write_shard(seed: int, index: int, clips: int, folder: Path) -> Path:
    """Make a shard's file unless it is there; a kill never leaves half of one."""
    path = shard_path(folder, index)
    if not path.exists():
        shard = make_shard(seed, index, clips)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp.npz")
        np.savez(
            temporary,
            features=shard.features,
            frame_counts=shard.frame_counts,
            targets=shard.targets,
            target_counts=shard.target_counts,
        )
        temporary.replace(path)
    return path


def read_shard(path: Path) -> Shard:
    with np.load(path) as arrays:
        return Shard(arrays["features"], arrays["frame_counts"], arrays["targets"], arrays["target_counts"])


def main(arguments: list[str]) -> None:
    """Make shards for a trainer: SEED CLIPS FOLDER INDEX …; stops when the trainer is gone."""
    seed, clips, folder, *indices = arguments
    parent = os.getppid()
    for index in indices:
        if os.getppid() != parent:
            return
        write_shard(int(seed), int(index), int(clips), Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
