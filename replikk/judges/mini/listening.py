"""One clip through the embedded recogniser: features, network, beam search, and how well the wanted text fits.

Numbers are rounded: the last bits of a matrix product may differ between processors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from replikk.judges.mini.beam import beam_search
from replikk.judges.mini.beam_settings import BeamSettings
from replikk.judges.mini.features import log_mel, resample
from replikk.judges.mini.network import FRAME_S, load_network
from replikk.judges.mini.score import IMPOSSIBLE, align, best_path_score, floored
from replikk.judges.mini.text import SPACE, SYMBOLS, encode, normalise
from replikk.judges.records import Clip, HeardWord, Transcript

MARGIN_LIMIT = 10.0
"""The margin of a text that cannot be in the clip at all."""


def listen(clip: Clip, beam: BeamSettings) -> Transcript:
    """What the recogniser hears in a clip. Raises JudgeError when the weights are missing or damaged."""
    wanted = normalise(clip.wanted)
    samples = resample(clip.samples, clip.sample_rate_hz)
    scores = load_network().log_probabilities(log_mel(samples))
    text = beam_search(scores, wanted.split(), beam)
    exact = floored(scores)
    return Transcript(clip.take_key, text, heard_words(exact, text), margin(exact, wanted))


def heard_words(log_probabilities: NDArray[np.float64], text: str) -> tuple[HeardWord, ...]:
    """Times and confidence of each word. [time, symbols]"""
    symbols = encode(text)
    if not symbols:
        return ()
    frames = align(log_probabilities, symbols, with_frames=True).frames
    words = []
    start = 0
    for end in [*(n for n, symbol in enumerate(symbols) if symbol == SPACE), len(symbols)]:
        letters = log_probabilities[frames[start:end], symbols[start:end]]
        words.append(
            HeardWord(
                "".join(SYMBOLS[symbol] for symbol in symbols[start:end]),
                round(float(frames[start]) * FRAME_S, 3),
                round(float(frames[end - 1] + 1) * FRAME_S, 3),
                round(float(np.exp(letters.mean())), 3),
            )
        )
        start = end + 1
    return tuple(words)


def margin(log_probabilities: NDArray[np.float64], wanted: str) -> float:
    """How much worse the wanted text explains the sound than the best path of all, in nats per wanted character.

    About 0 for a good take and at most ``MARGIN_LIMIT``.
    """
    score = align(log_probabilities, encode(wanted)).score
    if score <= IMPOSSIBLE:
        return MARGIN_LIMIT
    worse = (best_path_score(log_probabilities) - score) / max(len(wanted), 1)
    return round(min(max(worse, 0.0), MARGIN_LIMIT), 4)
