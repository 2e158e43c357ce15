"""How likely the wanted text is beside what was written: of clips of one window, and of long ones.

A window's *deficit* is by how many nats the text that it should hold is less likely than the one that was written for
it. A clip of one window is weighed in the batch that writes it. What the windows of a long clip should hold is known
when all of them are written (``shares``); so their encoded sounds wait in main memory, some 4 MB each of the largest
model, while keys of it, two hundred MB, are made anew for the weighing. The session gives no more windows at a time
than it hears side by side, or one clip.

A long clip's deficit is that of its **worst window**, not the sum. The limits are for one window: ten nats say that
another word was spoken. The worst window says the same of a long clip: another word weighs what it weighs in a short
line, no window that finds the wanted text likelier excuses it, and the small doubts of many windows, each about words
that were spoken right, do not add up to a word that nobody got wrong; by their sum long monologues would hardly ever
pass. Only where a border lies in the wanted text is chosen by the sum: it is the likeliest reading of the whole clip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replikk.judges.nb_whisper import decoding
from replikk.judges.nb_whisper.decoding import Written
from replikk.judges.nb_whisper.network import WhisperNetwork
from replikk.judges.nb_whisper.shares import Shares, share
from replikk.judges.nb_whisper.windows import Window
from replikk.judges.records import Clip

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class HeardWindow:
    """A window and what was written for it."""

    window: Window
    written: Written
    deficit_nats: float
    """Of the clip's whole text; no use where the clip has more windows."""
    sound: Tensor | None
    """[positions, width], encoded, in main memory; None where the clip has no other window."""


def hear(network: WhisperNetwork, batch: Sequence[tuple[Window, Clip, bool]]) -> list[HeardWindow]:
    """What is heard in each window of a batch; with each comes its clip, and whether that has no other window."""
    written, memory = decoding.write(network, [row[0] for row in batch], [clip.locale for _, clip, _ in batch])
    deficits = [0.0] * len(batch)
    if any(alone for _, _, alone in batch):
        texts = [_tokens(network, clip.wanted) if alone else [] for _, clip, alone in batch]
        deficits = decoding.wanted_deficit_nats(network, memory, texts, written)
    return [
        HeardWindow(window, one, deficit, None if alone else sound.to("cpu", copy=True))
        for (window, _, alone), one, deficit, sound in zip(batch, written, deficits, memory[0], strict=True)
    ]


@dataclass(frozen=True)
class _Row:
    """A text to be weighed in a window: [tokens] beside what was written."""

    place: tuple[int, int, tuple[int, int]]
    """(clip, window of the clip, part of the clip's words)."""
    tokens: list[int]
    heard: HeardWindow
    locale: str


def clip_deficits(
    network: WhisperNetwork,
    clips: Sequence[Clip],
    heard: Sequence[Sequence[HeardWindow]],
    in_batches: Callable[[Sequence[Any], Callable[[list[Any]], list[Any]]], list[Any]],
) -> list[float | None]:
    """The deficit of each clip, given its windows; None where none is audible. ``in_batches`` does work on rows."""
    shares: dict[int, Shares] = {}
    rows: list[_Row] = []
    for number, (clip, windows) in enumerate(zip(clips, heard, strict=True)):
        if len(windows) < 2:
            continue
        texts = [network.vocabulary.text(one.written.tokens) for one in windows]
        shares[number] = shared = share(clip.wanted, texts, clip.locale)
        for window, one in enumerate(windows):
            for part in shared.parts_of(window):
                tokens = _tokens(network, shared.text(part))
                rows.append(_Row((number, window, part), tokens, one, clip.locale))
    rows.sort(key=_length)  # a batch lasts as long as its longest text
    weighed = in_batches(rows, lambda batch: _weigh(network, batch))
    deficits = {row.place: deficit for row, deficit in zip(rows, weighed, strict=True)}
    found: list[float | None] = []
    for number, windows in enumerate(heard):
        if number in shares:
            found.append(_worst_window(number, shares[number], len(windows), deficits))
        else:
            found.append(windows[0].deficit_nats if windows else None)
    return found


def _length(row: _Row) -> int:
    return -len(row.tokens)


def _weigh(network: WhisperNetwork, rows: Sequence[_Row]) -> list[float]:
    sounds = [row.heard.sound for row in rows if row.heard.sound is not None]
    memory = decoding.remembered(network, sounds, [row.locale for row in rows])
    return decoding.wanted_deficit_nats(
        network, memory, [row.tokens for row in rows], [row.heard.written for row in rows]
    )


def _worst_window(
    clip: int, shares: Shares, windows: int, deficits: dict[tuple[int, int, tuple[int, int]], float]
) -> float:
    """The highest deficit of a window, with the borders where the whole text is likeliest."""
    best: dict[int, tuple[float, float]] = {0: (0.0, float("-inf"))}  # by words so far: (sum, worst)
    for window in range(windows):
        before, best = best, {}
        for left, right in shares.parts_of(window):
            if left not in before:
                continue
            total, worst = before[left]
            deficit = deficits[clip, window, (left, right)]
            found = (total + deficit, max(worst, deficit))
            best[right] = min(best.get(right, found), found)
    return best[len(shares.words)][1]


def _tokens(network: WhisperNetwork, text: str) -> list[int]:
    """As the model would write the text, as far as a window can hold it; none for a text without a letter."""
    plain = _plain(text)
    limit = network.model.config.max_target_positions - 8
    return network.vocabulary.encode(plain)[:limit] if plain else []


def _plain(text: str) -> str:
    """As a verbatim model writes: small letters, no punctuation."""
    return " ".join("".join(c if c.isalnum() or c in "-'" else " " for c in text.lower()).split())
