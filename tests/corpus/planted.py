"""Recordings with planted defects, spoken by the embedded voice.

A folder per speaker, a text beside each recording. What was planted in which file is returned to the test and stands
nowhere in the folder: no stage can read the answer.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from replikk.judges.mini.damage import plant_word
from replikk.judges.mini.hearing import Order, Studio

RATE_HZ = 22_050
VOICES = {
    name: {"variant": variant, "pitch": pitch, "rate_wpm": 150, "word_gap": 2}
    for name, variant, pitch in (("anna", "f2", 50), ("berit", "f5", 55), ("carl", "m3", 40), ("dag", "m1", 35))
}
CLEAN, EACH = 36, 10
Samples = NDArray[np.int16]
Draws = np.random.Generator


def lines() -> list[str]:
    """Sentences that the embedded recogniser was not trained on."""
    content = files("replikk.judges.mini").joinpath("heldout_lines.txt").read_text(encoding="utf-8")
    return [line for line in content.splitlines() if 25 <= len(line) <= 60]


def spoken(texts: list[str]) -> Iterator[tuple[str, str, Samples]]:
    """(speaker, text, samples), the speakers in turn."""
    names = sorted(VOICES)
    orders = [Order(text, names[number % len(names)]) for number, text in enumerate(texts)]
    for order, samples in zip(orders, Studio(VOICES).speak(orders), strict=True):
        yield order.voice, order.text, samples


def beside(samples: Samples, other: NDArray[np.float64], under_db: float) -> Samples:
    """``other`` laid under the samples, its power so much under theirs."""
    wave = samples.astype(np.float64)
    scale = np.sqrt(np.square(wave).mean() / np.square(other).mean() / 10 ** (under_db / 10))
    return to_int16(wave + scale * other)


def to_int16(wave: NDArray[np.float64]) -> Samples:
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)


def noise(samples: Samples, draws: Draws) -> Samples:
    return beside(samples, draws.normal(size=len(samples)), draws.uniform(3, 12))


def music(samples: Samples, draws: Draws) -> Samples:
    """Held chords, a new one every 0.4 s."""
    seconds = np.arange(len(samples)) / RATE_HZ
    roots = draws.choice([220.0, 247.0, 262.0, 294.0, 330.0, 392.0], size=int(seconds[-1] / 0.4) + 1)
    root = roots[(seconds / 0.4).astype(int)]
    chord = sum(np.sin(2 * np.pi * root * ratio * seconds) for ratio in (1.0, 1.25, 1.5, 2.0))
    return beside(samples, np.asarray(chord), draws.uniform(3, 12))


def clipped(samples: Samples, draws: Draws) -> Samples:
    wave = samples.astype(np.float64)
    return to_int16(wave * draws.uniform(3, 6) * 32767 / np.abs(wave).max())


def far_microphone(samples: Samples, draws: Draws) -> Samples:
    """The same sound from further away: duller, quieter, with early reflections and the hiss of an amplifier."""
    response = np.zeros(800)
    response[0] = 1.0
    response[draws.integers(60, 800, 6)] += draws.uniform(-0.08, 0.08, 6)
    wave = np.convolve(np.convolve(samples.astype(np.float64), response), [0.25, 0.5, 0.25])[: len(samples)]
    return to_int16(beside(to_int16(0.6 * wave), draws.normal(size=len(samples)), 35).astype(np.float64))


def second_speaker(samples: Samples, other: Samples, together: bool) -> Samples:
    if not together:
        return np.concatenate([samples, np.zeros(RATE_HZ // 5, np.int16), other])
    wave = np.zeros(max(len(samples), len(other)))
    wave[: len(samples)] += 0.6 * samples
    wave[: len(other)] += 0.6 * other
    return to_int16(wave)


def wrong_text(text: str, other: str, number: int) -> str:
    """In turn: another line's text, the first half only, one word of another line's in the place of its own."""
    words = text.split()
    if number % 3 == 0:
        return other
    if number % 3 == 1:
        return " ".join(words[: len(words) // 2]) + "."
    swapped = plant_word(words, [word for word in other.split() if len(word) > 3], random.Random(number))
    return other if swapped is None else " ".join(swapped[0])


def plant(folder: Path) -> dict[str, str]:
    """Write the recordings; returns what each file is: ``clean`` or the kind of its defect, by its path."""
    draws = np.random.default_rng(7)
    count = CLEAN + 6 * EACH
    texts = (lines() * 3)[: count + 1]
    clips = list(spoken(texts))
    kinds = ["clean"] * CLEAN + [
        kind for kind in ("noise", "music", "clipped", "second", "wrong_text", "duplicate") for _ in range(EACH)
    ]
    damage: dict[str, Callable[[Samples, Draws], Samples]] = {"noise": noise, "music": music, "clipped": clipped}
    planted: dict[str, str] = {}
    for number, (kind, (speaker, text, samples)) in enumerate(zip(kinds, clips, strict=False)):
        if kind in damage:
            samples = damage[kind](samples, draws)
        elif kind == "second":
            samples = second_speaker(samples, clips[number + 1][2], together=number % 2 == 0)
        elif kind == "wrong_text":
            text = wrong_text(text, clips[number + 1][1], number)
        elif kind == "duplicate":
            # Of one of the clean clips, by another microphone.
            speaker, text, samples = clips[number - len(kinds) + EACH]
            samples = far_microphone(samples, draws)
        path = folder / speaker / f"{number:03}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples, RATE_HZ)
        path.with_suffix(".txt").write_text(text, encoding="utf-8")
        planted[path.relative_to(folder).as_posix()] = kind
    return planted
