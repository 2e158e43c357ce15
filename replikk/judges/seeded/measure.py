"""What the verdict finds: faults planted in real clips of the embedded voice, heard by the embedded judge.

Lines of all length bands are spoken by the voices of a game. The clean clips give the false alarms, and they are what
every voice is known by (``voice_profiles.py``); then every kind of fault is planted in clips of every band. A clip is
*detected* when it does not pass: it is spoken again, or waits for a person. Every draw comes from one seed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from replikk.engines.espeak_pool import SAMPLE_RATE_HZ
from replikk.judges.evidence import LineFacts, gather
from replikk.judges.intervals import Share, wilson
from replikk.judges.mini.hearing import Heard, Order, Samples, Studio
from replikk.judges.mini.text import normalise
from replikk.judges.mini.training_data import HELDOUT_LINES
from replikk.judges.seeded.defects import DEFECTS, DIRECTION, Defect
from replikk.judges.signal import measure_signal
from replikk.judges.thresholds import BANDS, Thresholds, band_of
from replikk.judges.verdict import Verdict, decide
from replikk.judges.voice_measures import measure_traits
from replikk.judges.voice_profiles import SAMPLE_TAKES, Profiles, Sample, fit, profiles_of, sample_of
from replikk.judges.words import split_words

_log = logging.getLogger(__name__)

_FOLDER = Path(__file__).parent
LINE_FILES = (_FOLDER / "short_lines.txt", HELDOUT_LINES, _FOLDER / "long_lines.txt")
FALSE_ALARMS = {"1": None, "2-3": 0.05, "4-7": 0.02, "8+": 0.02}
"""Most clean clips that may be stopped, by band; of one-word lines many are for a person by design."""


@dataclass(frozen=True)
class Cell:
    """One kind of fault (or none) in one band."""

    what: str
    band: str
    stopped: Share
    """Clips that did not pass."""
    retried: int
    """Of these, those that are spoken again; the others wait for a person."""
    target: float | None
    clean: bool = False
    lines: int = 0
    """Different lines among the clips: several voices speak each, and a hard word counts once for every voice."""

    @property
    def met(self) -> bool:
        if self.target is None or not self.stopped.total:
            return True
        return self.stopped.share <= self.target if self.clean else self.stopped.share >= self.target


def all_lines() -> list[str]:
    return [line for path in LINE_FILES for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


class Bench:
    """A studio whose voices are known by their clean clips."""

    def __init__(
        self, studio: Studio, known: Mapping[str, Sequence[tuple[str, Samples]]], thresholds: Thresholds
    ) -> None:
        """``known``: by voice, (text, samples) of clean clips."""
        self._studio = studio
        self._thresholds = thresholds
        self._profiles: Profiles = profiles_of(
            {voice: [_sample(text, samples) for text, samples in clips] for voice, clips in known.items()}
        )

    def verdicts(self, orders: Sequence[Order], clips: Sequence[Samples]) -> list[Verdict]:
        """Of clips that should be what the orders say."""
        heard = self._studio.listen([order.text for order in orders], clips)
        return [self._verdict(order.voice, one) for order, one in zip(orders, heard, strict=True)]

    def _verdict(self, voice: str, heard: Heard) -> Verdict:
        signal = measure_signal(heard.samples, SAMPLE_RATE_HZ)
        evidence = gather(LineFacts(heard.script, direction=DIRECTION), heard.transcript, signal)
        sample = _sample(heard.script, heard.samples)
        return decide(evidence, self._thresholds, fit(self._profiles, voice, sample), sample.traits)


def _sample(text: str, samples: Samples) -> Sample:
    return sample_of(text, measure_traits(samples, SAMPLE_RATE_HZ, measure_signal(samples, SAMPLE_RATE_HZ)))


def measure(
    studio: Studio, *, clips_per_cell: int = 120, seed: int = 1, thresholds: Thresholds | None = None
) -> list[Cell]:
    """All cells: the clean clips first, then every fault in every band."""
    random = Random(seed)
    lines = all_lines()
    voices = sorted(studio.voices)
    by_band = {band: [line for line in lines if band_of(len(split_words(line))) == band] for band in BANDS}
    pairs = {
        band: random.sample(
            every := [Order(line, voice) for line in texts for voice in voices], min(3 * clips_per_cell, len(every))
        )
        for band, texts in by_band.items()
    }
    known_orders = [
        Order(line, voice) for voice in voices for line in random.sample(lines, min(SAMPLE_TAKES, len(lines)))
    ]
    known: dict[str, list[tuple[str, Samples]]] = {voice: [] for voice in voices}
    for order, samples in zip(known_orders, studio.speak(known_orders), strict=True):
        known[order.voice].append((order.text, samples))
    bench = Bench(studio, known, thresholds or Thresholds())
    cells = []
    for band, orders in pairs.items():
        verdicts = bench.verdicts(orders, studio.speak(orders))
        cells.append(_cell("clean", band, orders, verdicts, FALSE_ALARMS[band], clean=True))
    for defect in DEFECTS:
        for band, orders in pairs.items():
            wanted, clips = _plant(studio, defect, orders, lines, clips_per_cell, random)
            verdicts = bench.verdicts(wanted, clips)
            cells.append(_cell(defect.name, band, wanted, verdicts, defect.target))
    return cells


def _cell(
    what: str,
    band: str,
    orders: Sequence[Order],
    verdicts: Sequence[Verdict],
    target: float | None,
    clean: bool = False,
) -> Cell:
    for order, verdict in zip(orders, verdicts, strict=True):
        if (verdict.outcome == "pass") != clean:
            reasons = "; ".join(reason.text for reason in verdict.reasons)
            _log.info("%s, %s: %s: «%s» %s", what, band, order.voice, order.text, reasons)
    outcomes = [verdict.outcome for verdict in verdicts]
    stopped = len(outcomes) - outcomes.count("pass")
    lines = len({order.text for order in orders})
    return Cell(what, band, wilson(stopped, len(outcomes)), outcomes.count("retry"), target, clean, lines)


def _plant(
    studio: Studio, defect: Defect, orders: Sequence[Order], lines: Sequence[str], count: int, random: Random
) -> tuple[list[Order], list[Samples]]:
    """(what the clips should be, the clips) of one kind of fault."""
    orders = random.sample(list(orders), min(count, len(orders)))
    if defect.text is not None:
        others = sorted({word for line in lines for word in normalise(line).split() if len(word) >= 4})
        spoken = [defect.text(normalise(order.text).split(), others, random) for order in orders]
        fitting = [(order, words) for order, words in zip(orders, spoken, strict=True) if words]
        said = [Order(" ".join(words), order.voice) for order, words in fitting]
        return [order for order, _ in fitting], studio.speak(said)
    if defect.other_voice:
        names = sorted(studio.voices)
        said = [Order(order.text, random.choice([name for name in names if name != order.voice])) for order in orders]
        return orders, studio.speak(said)
    if defect.other_line == "spoken":
        said = [Order(random.choice([line for line in lines if line != order.text]), order.voice) for order in orders]
        return orders, studio.speak(said)
    clips = studio.speak(orders)
    if defect.other_line == "swapped":
        return _swap_files(orders, clips)
    assert defect.sound is not None  # every defect has one of the ways
    return list(orders), [defect.sound(samples, SAMPLE_RATE_HZ, random) for samples in clips]


def _swap_files(orders: Sequence[Order], clips: Sequence[Samples]) -> tuple[list[Order], list[Samples]]:
    """Clips of one voice and band change places in pairs; both lines are counted."""
    waiting: dict[str, int] = {}
    wanted: list[Order] = []
    swapped: list[Samples] = []
    for number, order in enumerate(orders):
        other = waiting.pop(order.voice, None)
        if other is None or orders[other].text == order.text:
            waiting[order.voice] = number
            continue
        wanted += [orders[other], order]
        swapped += [clips[number], clips[other]]
    return wanted, swapped
