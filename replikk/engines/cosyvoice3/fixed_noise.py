"""The fixed noise of the published model, drawn again without touching anybody's random numbers.

Two tables decide how a line sounds beside the weights, and no checkpoint holds them: the noise that every utterance's
flow starts from, and the noise that the vocoder's source adds. The published program draws both from torch's global
generator, right after it seeded it with 0 while it built the flow; what is drawn in between (initial weights that the
checkpoint then overwrites) only moves the generator on. Here a private generator takes the same steps: the same
numbers, no side effect, and it does not matter when or whether the other parts are built.

A torch generator on the CPU fills a uniform tensor from front to back, so the first rows of the vocoder's table
(7,200,000 rows, 259 MB) are the same however many are drawn. Only as many as the longest line needs are made.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable

import torch
from torch import Tensor

from replikk.errors import EngineError

log = logging.getLogger(__name__)

SEED = 0
FLOW_FRAMES = 15_000
"""300 s of mel frames, the reference's included: no utterance of the flow can be longer."""
FLOW_MEL_BINS = 80
SOURCE_SAMPLES = 300 * 24_000
"""300 s of sound."""
PUBLISHED_HARMONICS = 9
FIRST_ROWS = 4 * 24_000
"""What is drawn at first, 4 s; it doubles when a longer line comes."""

# What the published program draws between the two tables, all of it initial weights at the published sizes.
NORMAL_DRAWS = 6561 * 80  # the flow's token embedding
UNIFORM_DRAWS = (
    192 * 80 + 80  # the flow's speaker projection, weights and bias
    + 512 * 80 * 4 + 512  # the pitch predictor's first convolution
    + 4 * (512 * 512 * 3 + 512)  # its other four
    + 512 + 1  # and its last layer
)  # fmt: skip
FIRST_OF_FLOW = (-1.12583983, -1.15236020, -0.25057858, -0.43387884)
FIRST_OF_SOURCE = (0.92282599, 0.47744751, 0.82705182, 0.28345716)

SourceNoise = Callable[[int], Tensor]
"""Gives the first ``samples`` rows of a table of uniform noise in [0, 1), float32 [samples, harmonics], on the CPU."""


@functools.cache
def flow_noise() -> Tensor:
    """The noise that every utterance starts from: float32 [15000, 80], frame by frame, on the CPU."""
    noise = torch.randn(FLOW_MEL_BINS, FLOW_FRAMES, generator=torch.Generator().manual_seed(SEED))
    _compare("flow", noise[0], FIRST_OF_FLOW)
    return noise.T.contiguous()


class PublishedSourceNoise:
    """The vocoder's noise table, as long as it has been asked for."""

    def __init__(self, harmonics: int = PUBLISHED_HARMONICS) -> None:
        self._harmonics = harmonics
        self._growing = threading.Lock()  # flow and vocoder of different lines may run side by side
        self._rows: Tensor | None = None  # float32 [rows, harmonics]
        self._generator: torch.Generator | None = None

    def __call__(self, samples: int) -> Tensor:
        """The first rows of the table, float32 [samples, harmonics]; raises EngineError past 300 s."""
        if samples > SOURCE_SAMPLES:
            raise EngineError(
                f"a line of {samples} samples is longer than the {SOURCE_SAMPLES // 24_000} s for which the vocoder "
                "has noise; cut it into shorter pieces"
            )
        with self._growing:
            if self._rows is None or len(self._rows) < samples:
                self._rows = self._grown(samples)
            return self._rows[:samples]

    def _grown(self, samples: int) -> Tensor:
        if self._generator is None:
            self._generator = _generator_before_source(self._harmonics)
        known = [] if self._rows is None else [self._rows]
        have = sum(len(rows) for rows in known)
        rows = min(max(samples, 2 * have, FIRST_ROWS), SOURCE_SAMPLES)
        table = torch.cat([*known, torch.rand(rows - have, self._harmonics, generator=self._generator)])
        if not known and self._harmonics == PUBLISHED_HARMONICS:
            _compare("vocoder", table.flatten(), FIRST_OF_SOURCE)
        return table


def _generator_before_source(harmonics: int) -> torch.Generator:
    generator = torch.Generator().manual_seed(SEED)
    torch.empty(FLOW_MEL_BINS * FLOW_FRAMES).normal_(generator=generator)
    torch.empty(NORMAL_DRAWS).normal_(generator=generator)
    torch.empty(UNIFORM_DRAWS).uniform_(generator=generator)
    torch.rand(harmonics, generator=generator)  # initial phases of the sines, which have no effect
    return generator


def _compare(part: str, drawn: Tensor, published: tuple[float, ...]) -> None:
    """Says once if this torch draws other numbers: the model still works, sample for sample it is another one."""
    if not torch.allclose(drawn[: len(published)], torch.tensor(published), atol=1e-6):
        log.warning(
            "this version of torch (%s) draws other random numbers than the one the model was published with: the %s "
            "works, but its output will not match recordings made elsewhere",
            torch.__version__,
            part,
        )
