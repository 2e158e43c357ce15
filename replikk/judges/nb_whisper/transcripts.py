"""From what was written for a clip's windows to one transcript: words with their times, and what speaks of doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from replikk.judges.hallucinations import compression_ratio
from replikk.judges.nb_whisper.decoding import Written
from replikk.judges.nb_whisper.network import WhisperNetwork
from replikk.judges.nb_whisper.timing import FRAME_S, attention_matrix, first_frames
from replikk.judges.nb_whisper.weighing import HeardWindow
from replikk.judges.nb_whisper.windows import LEAD_S, Window
from replikk.judges.records import Clip, HeardWord, Hearing, Transcript


def transcript_of(
    network: WhisperNetwork, clip: Clip, heard: Sequence[HeardWindow], deficit_nats: float | None
) -> Transcript:
    """What was heard in a clip, from its windows in order; none of a silent one."""
    written = [one.written for one in heard]
    words = tuple(word for one in heard for word in _words(network, one.window, one.written))
    text = " ".join(part for one in written if (part := network.vocabulary.text(one.tokens)))
    tokens = sum(len(one.tokens) + (not one.cut_off) for one in written)
    nats = sum(one.mean_log_probability * (len(one.tokens) + (not one.cut_off)) for one in written)
    hearing = Hearing(
        # Of a long clip, the window that is most likely silent: speech elsewhere does not excuse a hole in it.
        no_speech=round(max((one.no_speech for one in written), default=1.0), 4),
        mean_log_probability=round(nats / tokens, 4) if tokens else 0.0,
        compression_ratio=round(compression_ratio(text.lower()), 3),
        cut_off=any(one.cut_off for one in written),
        own_language=round(min((one.own_language for one in written), default=1.0), 4),
        # Zero has no sign: which one rounding leaves is a matter of the last bits.
        wanted_deficit_nats=None if deficit_nats is None else round(deficit_nats, 3) + 0.0,
    )
    return Transcript(clip.take_key, text, words, None, hearing)


def _words(network: WhisperNetwork, window: Window, written: Written) -> Iterator[HeardWord]:
    if not written.tokens:
        return
    starts = first_frames(attention_matrix(written.attention))  # of each token, and of the end
    for text, place in network.vocabulary.words(written.tokens):
        times = [float(starts[n]) * FRAME_S - LEAD_S for n in (place.start, place.stop)]
        start_s, end_s = (min(max(time_s, 0.0), window.duration_s) + window.start_s for time_s in times)
        confidence = float(np.exp(written.log_probabilities[place.start : place.stop].mean()))
        yield HeardWord(text, round(start_s, 3), round(max(start_s, end_s), 3), round(confidence, 3))
