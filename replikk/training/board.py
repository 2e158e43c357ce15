"""The run in TensorBoard, where it is installed (``pip install 'replikk[training]'``); without it, nothing is missing.

``metrics.jsonl`` and the gate's decision are the truth, and the board is drawn from them: anew at every start, so that
steps which a kill threw away are not there twice, and a board that was installed later has the whole run.

    RUN/board/training/     loss, accuracy, gradient norm, learning rate, tokens and hours of speech; held-out loss
    RUN/board/gate-raw/     the gate's word error rates by step and length, and of each length one reading to hear;
    RUN/board/gate-averaged/, gate-base/, gate-released/: the same of the others; and one for each outside control

Likeness to the reference is there by step and length too, where a speaker model is at hand.

Look at it with ``tensorboard --logdir build/training --samples_per_plugin audio=200``; without the second option it
draws ten sounds of each curve and leaves the other steps out.

The board keeps sound as plain samples, so what is put there has a bound: of each reader one reading of each length, at
16 kHz and at most a minute of it. That is about 2 MB a reader, 1 % of its checkpoint, and enough to hear lost words and
a lost voice. The gate's page has all readings as they were kept.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.training.gate_page import KINDS
from replikk.training.gate_scripts import TIERS

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from replikk.training.harness import GateResult

log = logging.getLogger(__name__)

FOLDER = "board"
SOUND_HZ = 16_000
SOUND_S = 60
"""Of one sound at most: a long text takes 30 to 45 s, and who goes on babbling is heard well before."""
_HELD_OUT = "held_out_"
_NOT_SHOWN = ("step", "epoch")


def open_board(run: Path, name: str, rows: Iterable[Mapping[str, Any]] = ()) -> SummaryWriter | None:
    """A board begun anew with the ``rows`` of metrics.jsonl; None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        log.info("no TensorBoard here, so no board; metrics.jsonl has the figures (pip install 'replikk[training]')")
        return None
    shutil.rmtree(run / FOLDER / name, ignore_errors=True)
    board = SummaryWriter(str(run / FOLDER / name))
    for row in rows:
        show_row(board, row)
    return board


def show_row(board: SummaryWriter, row: Mapping[str, Any]) -> None:
    """One line of metrics.jsonl."""
    for name, value in row.items():
        if name not in _NOT_SHOWN:
            group = "held_out" if name.startswith(_HELD_OUT) else "training"
            board.add_scalar(f"{group}/{name.removeprefix(_HELD_OUT)}", value, row["step"])


def show_gate(run: Path, result: GateResult, folder: Path) -> None:
    """The gate's figures and a sound of each length (``folder`` has the clips), beside the curves of training."""
    steps = {name: _step(name) for name in result.record["rates"]}
    shown = sorted({step for step in steps.values() if step is not None})
    for kind in sorted({_kind(name) for name in steps}):
        board = open_board(run, f"gate-{kind}")
        if board is None:
            return
        with board:
            for name in (name for name in steps if _kind(name) == kind):
                own = steps[name]
                # A control has no step: a level line over all of them.
                for step in shown[:: max(1, len(shown) - 1)] if own is None else [own]:
                    for what, of in (("word_errors", "rates"), ("likeness", "likeness")):
                        for tier, rate in result.record[of][name].items():
                            board.add_scalar(f"gate/{what}_{tier}", rate["value"], step)
                for tier in TIERS:
                    _show_sound(board, result, name, tier, folder, (shown[-1] if shown else 0) if own is None else own)


def _show_sound(board: SummaryWriter, result: GateResult, name: str, tier: str, folder: Path, step: int) -> None:
    """The first reading of a length that has sound: the same text, voice and seed of everybody, unless one failed."""
    import numpy as np
    import soundfile
    import torch

    from replikk.audio.resample import resample

    clip = next((one.clip for one in result.heard[name] if one.reading.tier == tier and one.clip), None)
    if clip is not None:
        with soundfile.SoundFile(folder / clip) as file:
            samples, sample_rate_hz = file.read(SOUND_S * file.samplerate, dtype="float32"), file.samplerate
        # Clipped, since a filter may overshoot, which the writer would tell on the screen.
        sound = np.clip(resample(samples, sample_rate_hz, SOUND_HZ), -1, 1)
        board.add_audio(f"gate/{tier}", torch.from_numpy(sound)[None], step, SOUND_HZ)


def _step(name: str) -> int | None:
    """Of a candidate, whose name is its checkpoint's and its adapter's; None for a control."""
    checkpoint, _, kind = name.partition("/")
    return int(checkpoint.removeprefix("step_")) if kind in KINDS else None


def _kind(name: str) -> str:
    return KINDS.get(name.partition("/")[2], name)
