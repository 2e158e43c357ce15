"""The flow: speech tokens to mel frames, for many lines at once.

An utterance starts as fixed noise (``fixed_noise``) over reference and line together, and ten Euler steps carry it
along the velocity that the transformer sees, from time 0 to 1. At each step the transformer answers twice, once told
everything and once nothing, and the answer is pushed away from the second (classifier-free guidance, 0.7): both are
rows of one batch. What comes out for the line's own frames is its mel spectrogram.

Lines of similar length share a batch, padded on the right and hidden from attention. A line's frames do not depend on
the lines beside it, except by rounding: sums of a matrix product may be taken in another order in another shape. In
float32 on a CPU the difference stays below 1e-5 (mel values reach about 10). A batch of equal lengths needs no mask
and gets none.

Reduced precision (``matmul_dtype``) halves the weights and is several times faster where the processor has 16-bit
matrix units. Error against float32 is measured in ``tests/engines/test_cosyvoice3_flow.py``; noise, solver, guidance,
normalisation and conditioning are float32 always.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from replikk.engines.cosyvoice3.fixed_noise import FLOW_FRAMES, flow_noise
from replikk.engines.cosyvoice3.flow_conditioning import (
    Conditions,
    conditioning_weights,
    line_conditions,
    look_ahead_tokens,
)
from replikk.engines.cosyvoice3.flow_modulation import Modulation, TimeWeights, modulation_at, time_weights
from replikk.engines.cosyvoice3.flow_transformer import attention_mask, transformer_weights, velocity
from replikk.engines.cosyvoice3.length_batches import LARGEST_PADDING, batches_of_similar_length
from replikk.engines.cosyvoice3.records import FRAMES_PER_TOKEN, ReferenceFeatures
from replikk.engines.cosyvoice3.sizes import FlowSizes
from replikk.errors import EngineError

SOLVER_STEPS = 10
GUIDANCE = 0.7
STREAMING_BLOCK_FRAMES = 50
"""In streaming a frame sees no further than the end of its own second."""
MOST_FRAMES = {"cpu": 600, "cuda": 12_000}
"""Frames of a batch, references included, unless the caller knows better: about 0.1 GB of activations in float32 on a
CPU (which gains nothing by more), 1.5 GB on a GPU."""


@dataclass(frozen=True)
class SolverStep:
    """One step of the solver, before it is taken."""

    time: float
    state: Tensor  # float32 [lines, frames, mel_bins]
    velocity: Tensor
    """float32 [2 * lines, frames, mel_bins]: the lines told everything, then the same told nothing."""


class Flow:
    """The flow with its weights on one device; ``load_state`` first."""

    def __init__(
        self,
        sizes: FlowSizes,
        *,
        device: torch.device | str = "cpu",
        matmul_dtype: torch.dtype = torch.float32,
        solver_steps: int = SOLVER_STEPS,
        guidance: float = GUIDANCE,
        block_frames: int = STREAMING_BLOCK_FRAMES,
    ) -> None:
        self.sizes = sizes
        self.device = torch.device(device)
        self.matmul_dtype = matmul_dtype
        self.solver_steps = solver_steps
        self.guidance = guidance
        self.block_frames = block_frames
        self.times, self.durations = solver_times(solver_steps)

    def load_state(self, state: Mapping[str, Tensor], keep_time_weights: bool = False) -> None:
        """Takes the weights of a flow checkpoint, whose keys have been compared with the layout.

        ``keep_time_weights`` keeps the layers from time to modulation (0.55 GB of the published model) for moments
        that are not the solver's, which only training visits.
        """
        times = time_weights(state, self.sizes)
        with torch.inference_mode():
            self._steps = modulation_at(times, self.times).to(self.device)
        self._time_weights: TimeWeights | None = times if keep_time_weights else None
        self.conditioning = conditioning_weights(state, self.device)
        self._transformer = transformer_weights(
            state, self.sizes, self.device, self.matmul_dtype, pack=not keep_time_weights
        )

    def mels(
        self,
        tokens: Sequence[Tensor],
        references: Sequence[ReferenceFeatures],
        *,
        streaming: bool = False,
        final: bool = True,
        most_frames: int | None = None,
        largest_padding: float = LARGEST_PADDING,
    ) -> list[Tensor]:
        """Mel frames of lines, float32 [2 * tokens, mel_bins] each, on the flow's device.

        ``tokens`` are the lines' speech tokens [tokens], ``references`` their voices. ``streaming`` takes the mask with
        which the model speaks while more comes; without ``final`` each line's last 3 tokens are only looked at and give
        no frames. ``most_frames`` bounds a batch, and with it memory. Raises EngineError for tokens outside the
        codebook and for lines that with their reference are longer than 300 s.
        """
        hidden_tokens = 0 if final else look_ahead_tokens(self.conditioning)
        own = [FRAMES_PER_TOKEN * max(0, len(line) - hidden_tokens) for line in tokens]
        totals = [
            frames and frames + FRAMES_PER_TOKEN * len(reference.speech_tokens)
            for frames, reference in zip(own, references, strict=True)
        ]
        self._check(tokens, totals)
        mels = [torch.zeros(0, self.sizes.mel_bins, device=self.device)] * len(tokens)
        for batch in batches_of_similar_length(totals, most_frames or self._most_frames(), largest_padding):
            with torch.inference_mode():
                conditions = line_conditions(
                    self.conditioning,
                    [torch.cat((references[i].speech_tokens.to(tokens[i]), tokens[i])) for i in batch],
                    [references[i].mel for i in batch],
                    [references[i].speaker for i in batch],
                    final,
                )
                solved = self.solve(conditions, streaming)
            for row, i in zip(solved, batch, strict=True):
                mels[i] = row[totals[i] - own[i] : totals[i]].clone()
        return mels

    def solve(self, conditions: Conditions, streaming: bool = False) -> Tensor:
        """Carries noise to mel, float32 [lines, frames, mel_bins], the references' frames included."""
        *_, last = self.solver(conditions, streaming)
        return self._moved(last, self.solver_steps - 1)

    def solver(self, conditions: Conditions, streaming: bool = False) -> Iterator[SolverStep]:
        """The steps of ``solve``, one after the other."""
        means = conditions.means
        lines, frames, _ = means.shape
        mask = self._mask(conditions.lengths, frames, streaming)
        told = torch.cat((conditions.reference, means, conditions.speaker[:, None].expand_as(means)), dim=-1)
        inputs = torch.cat((told.new_zeros(2, lines, frames, means.shape[-1]), told.new_zeros(2, *told.shape)), dim=-1)
        inputs[0, ..., means.shape[-1] :] = told
        state = flow_noise()[:frames].to(means.device).expand(lines, -1, -1)
        for i, time in enumerate(self.times.tolist()):
            inputs[..., : means.shape[-1]] = state
            speed = velocity(self._transformer, self.sizes, inputs.flatten(0, 1), self._steps.row(i), mask)
            step = SolverStep(time, state, speed)
            yield step
            state = self._moved(step, i)

    def velocity(self, inputs: Tensor, times: Tensor, lengths: Sequence[int], streaming: bool = False) -> Tensor:
        """One evaluation of the transformer at any moment, float32 [rows, frames, mel_bins].

        ``inputs`` [rows, frames, 4 * mel_bins]: noisy mel, reference mel, means, speaker; ``times`` and ``lengths``
        belong to the rows.
        """
        mask = self._mask(lengths, inputs.shape[1], streaming, rows_each=1)
        return velocity(self._transformer, self.sizes, inputs, self.modulation(times), mask)

    def modulation(self, times: Tensor) -> Modulation:
        """The modulation of any moments [rows]; needs the layers that ``keep_time_weights`` keeps."""
        if self._time_weights is None:
            raise EngineError("flow.pt: the layers for other moments than the solver's were let go; load it to train")
        return modulation_at(self._time_weights, times.to(self._time_weights.first[0].device)).to(self.device)

    def _most_frames(self) -> int:
        return MOST_FRAMES.get(self.device.type, MOST_FRAMES["cpu"])

    def _mask(self, lengths: Sequence[int], frames: int, streaming: bool, rows_each: int = 2) -> Tensor | None:
        rows = torch.tensor(list(lengths) * rows_each, device=self.device)
        padded = min(lengths) < frames
        return attention_mask(rows, frames, self.block_frames if streaming else None, padded=padded)

    def _moved(self, step: SolverStep, i: int) -> Tensor:
        told, untold = step.velocity.chunk(2)
        guided = (1.0 + self.guidance) * told - self.guidance * untold
        return step.state + self.durations[i].item() * guided

    def _check(self, tokens: Sequence[Tensor], totals: Sequence[int]) -> None:
        for number, (line, frames) in enumerate(zip(tokens, totals, strict=True)):
            if frames > FLOW_FRAMES:
                raise EngineError(
                    f"line {number} of this batch is {frames / 50:.0f} s long with its reference, and the flow has "
                    f"noise for {FLOW_FRAMES // 50} s; cut the line into shorter pieces"
                )
            if len(line) and not 0 <= int(line.min()) <= int(line.max()) < self.sizes.speech_vocabulary:
                raise EngineError(
                    f"line {number} of this batch has speech tokens outside 0..{self.sizes.speech_vocabulary - 1}; "
                    "take stop tokens out before the flow"
                )


def solver_times(steps: int) -> tuple[Tensor, Tensor]:
    """The moments of the solver and how long each step is, float32 [steps] each: slow at first, then faster.

    The times are 1 - cos(pi/2 * i/steps), and are reached by adding up steps, with the rounding of the published code.
    """
    grid = 1 - torch.cos(torch.linspace(0, 1, steps + 1) * 0.5 * math.pi)
    times, durations = [], []
    time, duration = grid[0], grid[1] - grid[0]
    for i in range(1, steps + 1):
        times.append(time)
        durations.append(duration)
        time = time + duration
        if i < steps:
            duration = grid[i + 1] - time
    return torch.stack(times), torch.stack(durations)
