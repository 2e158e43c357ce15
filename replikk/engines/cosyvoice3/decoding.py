"""Decoding of many lines: jobs in, speech tokens out, in the order in which lines end.

A fixed number of slots runs side by side. When a line ends, its slot takes the next job, so that a long line never
keeps short ones waiting. The host looks at the tokens every ``check_every`` steps: on the CPU after each, on CUDA less
often, because looking makes the device wait.

On the CPU in float32 the tokens of a line are the same alone, beside any others, in any order, in any slot and for any
number of slots. What makes it so: random numbers belong to line and step (``sampling``), a line's prefix is computed by
itself, attention runs line by line, and row counts are used whose rows agree bit for bit (``exact_rows``). On CUDA the
number of slots and the neighbours' lengths change the last bits of sums.

When decoding stops early, by an error or because the caller stops asking, jobs that were taken and not finished are
handed back. After torch.OutOfMemoryError the caller goes on with these, the rest of his jobs, and fewer slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import torch

from replikk.engines.cosyvoice3.decode_slots import BROKEN, DecodeSlots
from replikk.engines.cosyvoice3.exact_rows import step_rows
from replikk.engines.cosyvoice3.key_value_cache import rounded_up
from replikk.engines.cosyvoice3.language_model import LanguageModel, Part
from replikk.engines.cosyvoice3.sampling import SamplingSettings, StopRule
from replikk.engines.cosyvoice3.sizes import LanguageModelSizes
from replikk.engines.cosyvoice3.step_graphs import StepGraphs
from replikk.errors import EngineError

FEWEST_TOKENS_PER_TEXT_TOKEN = 2
MOST_TOKENS_PER_TEXT_TOKEN = 20
"""The published limits, 80 ms and 800 ms of speech for every token of text."""

CHECK_EVERY_ON_CUDA = 8
"""Steps between two looks. A line of 75 tokens wastes 3.5 steps on average (5 %); not yet measured on a device."""


@dataclass(frozen=True)
class DecodeJob:
    """A line to be decoded."""

    key: str
    """Names the line in the result and in messages."""
    seed: int
    """64 bits; every random draw of the line comes from it."""
    prefix: tuple[Part, ...]
    """What the line starts with; its last id must be a speech id."""
    min_tokens: int
    max_tokens: int


@dataclass(frozen=True)
class DecodedLine:
    """A line's speech tokens, 40 ms each."""

    key: str
    tokens: list[int]
    finished_by_itself: bool
    """False if it was cut at ``max_tokens``."""


@dataclass(frozen=True)
class DecodeSettings:
    """How lines are decoded; everything but the last two changes what they say."""

    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    stop_rule: StopRule = "fixed"
    check_every: int | None = None
    """Steps between two looks at the tokens; None for what suits the device."""
    cuda_graphs: bool = True


def decode_job(
    key: str,
    seed: int,
    sizes: LanguageModelSizes,
    prompt_text: Sequence[int],
    text: Sequence[int],
    prompt_speech: Sequence[int],
    min_ratio: float = FEWEST_TOKENS_PER_TEXT_TOKEN,
    max_ratio: float = MOST_TOKENS_PER_TEXT_TOKEN,
) -> DecodeJob:
    """The job of a line in the published layout: start, prompt text, text, task, speech of the reference.

    The limits count the tokens of ``text`` alone.
    """
    prefix: tuple[Part, ...] = (
        ("speech", (sizes.start_id,)),
        ("text", (*prompt_text, *text)),
        ("speech", (sizes.task_id, *prompt_speech)),
    )
    return DecodeJob(key, seed, prefix, int(min_ratio * len(text)), int(max_ratio * len(text)))


def decode(
    model: LanguageModel,
    jobs: Iterable[DecodeJob],
    settings: DecodeSettings,
    slots: int,
    unfinished: list[DecodeJob] | None = None,
) -> Iterator[DecodedLine]:
    """Decodes jobs in at most ``slots`` slots; gives out every line as soon as it has ended.

    If this ends before its time (torch.OutOfMemoryError and other errors, or the caller closes it), the jobs that were
    taken from ``jobs`` and not given out are appended to ``unfinished``, in the order in which they were taken. Decoded
    again they give the same tokens. Raises EngineError naming a job that cannot be decoded.
    """
    if slots < 1:
        raise EngineError(f"decoding: {slots} slots; use at least one")
    source = enumerate(jobs)
    taken: dict[int, DecodeJob] = {}

    def take(count: int) -> list[tuple[int, DecodeJob]]:
        some = []
        for number, job in islice(source, count):
            taken[number] = job
            check_job(job, model.sizes)
            some.append((number, job))
        return some

    try:
        waiting = take(slots)
        batch = _Batch(model, settings, step_rows(model, len(waiting), slots)) if waiting else None
        while batch is not None and (waiting or batch.lines):
            free = min(slots, batch.rows) - len(batch.lines)
            batch.fill(waiting[:free])
            waiting = waiting[free:]
            for number, line in batch.advance():
                del taken[number]
                yield line
            waiting += take(min(slots, batch.rows) - len(batch.lines) - len(waiting))
    finally:
        if unfinished is not None:
            unfinished.extend(taken.values())


def check_job(job: DecodeJob, sizes: LanguageModelSizes) -> None:
    """Raises EngineError naming the job if its ids or limits cannot be decoded.

    An id that no embedding has would stop a CUDA device for the whole process, so ids are looked at here.
    """
    rows = {"text": sizes.text_vocabulary, "speech": sizes.speech_head}
    for kind, ids in job.prefix:
        wrong = [token for token in ids if not 0 <= token < rows[kind]]
        if wrong:
            raise EngineError(
                f"{job.key}: {kind} id {wrong[0]} is outside the model's 0 to {rows[kind] - 1}; use the tokenizer of "
                "the same download"
            )
    if not job.prefix or job.prefix[-1][0] != "speech" or not job.prefix[-1][1]:
        raise EngineError(
            f"{job.key}: what the line starts with does not end in a speech id; end it with the task mark"
        )
    if not 0 <= job.min_tokens <= job.max_tokens:
        raise EngineError(
            f"{job.key}: at least {job.min_tokens} and at most {job.max_tokens} tokens cannot both hold; set the least "
            "to no more than the most"
        )


@dataclass
class _Line:
    """A line in a slot, as the host knows it."""

    number: int
    job: DecodeJob
    prefix_length: int
    tokens: list[int]


class _Batch:
    """The slots and the lines in them."""

    @torch.inference_mode()
    def __init__(self, model: LanguageModel, settings: DecodeSettings, rows: int) -> None:
        on_cpu = model.device.type == "cpu"
        self.check_every = max(1, settings.check_every or (1 if on_cpu else CHECK_EVERY_ON_CUDA))
        self.masked = not on_cpu
        self.rows = rows
        self.slots = DecodeSlots(model, rows, 1, self.check_every, settings.sampling, settings.stop_rule)
        self.graphs = StepGraphs(self.slots, settings.cuda_graphs)
        self.stop_from = model.sizes.speech_vocabulary
        self.lines: dict[int, _Line] = {}
        self.ended: list[tuple[int, DecodedLine]] = []

    @torch.inference_mode()
    def fill(self, jobs: Sequence[tuple[int, DecodeJob]]) -> None:
        """Puts jobs into free slots."""
        self.ended += [(number, DecodedLine(job.key, [], False)) for number, job in jobs if not job.max_tokens]
        jobs = [(number, job) for number, job in jobs if job.max_tokens]
        if not jobs:
            return
        free = [slot for slot in range(self.rows) if slot not in self.lines][: len(jobs)]
        capacity = self.slots.cache.capacity
        self.slots.fill(
            free, [job.prefix for _, job in jobs], [job.seed for _, job in jobs], [job.min_tokens for _, job in jobs]
        )
        if self.slots.cache.capacity != capacity:
            self.graphs.forget()
        for slot, (number, job) in zip(free, jobs, strict=True):
            self.lines[slot] = _Line(number, job, sum(len(ids) for _, ids in job.prefix), [])

    @torch.inference_mode()
    def advance(self) -> list[tuple[int, DecodedLine]]:
        """Some steps of all slots; the lines that ended, with the numbers of their jobs."""
        ended, self.ended = self.ended, []
        if not self.lines:
            return ended
        left = max(line.job.max_tokens - len(line.tokens) for line in self.lines.values())
        steps = min(self.check_every, left)
        # A step reads positions up to that of the token it is given, which is one behind the token it draws.
        positions = max(line.prefix_length + len(line.tokens) for line in self.lines.values()) + steps - 1
        if self.slots.cache.grow(positions):
            self.graphs.forget()
        for _ in range(steps):
            self.graphs.step(rounded_up(positions) if self.masked else None)
        history = self.slots.history[-steps:].T.tolist()  # the device is waited for here
        for slot, line in list(self.lines.items()):
            done = self._note(line, history[slot])
            if done is not None:
                ended.append((line.number, done))
                del self.lines[slot]
                self.slots.release(slot)
        return ended

    def _note(self, line: _Line, tokens: Sequence[int]) -> DecodedLine | None:
        """Takes the tokens of the last steps over; the line, if it has ended with one of them."""
        for token in tokens:
            if token == BROKEN:
                raise EngineError(
                    f"{line.job.key}: the language model gave numbers that are not finite after {len(line.tokens)} "
                    "tokens; check the weights and the adapter, or use float32"
                )
            if token >= self.stop_from:
                return DecodedLine(line.job.key, line.tokens, True)
            line.tokens.append(token)
            if len(line.tokens) == line.job.max_tokens:
                return DecodedLine(line.job.key, line.tokens, False)
        return None
