"""Sentences read by the embedded voice: recordings for trying the whole way out, without a download or a microphone.

Three speakers of the embedded voice read sentences made of common words. Nothing for a real voice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from replikk.corpus.settings import Source
from replikk.corpus.sources import RawClip
from replikk.dialogue.records import Segment, Voice
from replikk.errors import ReplikkError

VOICES = {
    "a": {"variant": "f2", "pitch": 50, "rate_wpm": 150, "word_gap": 2},
    "b": {"variant": "m3", "pitch": 40, "rate_wpm": 150, "word_gap": 2},
    "c": {"variant": "f5", "pitch": 55, "rate_wpm": 145, "word_gap": 2},
}
# fmt: off
_WHO = (
    "Fiskeren", "Jenta i huset", "Den gamle læreren", "Broren min", "Kapteinen", "Naboen", "En sulten hund", "Bestefar",
)
_DOES = (
    "fant en nøkkel", "så et lys", "leste et brev", "ventet lenge", "hørte en lyd", "gjemte en skatt", "sang en vise",
)
_WHERE = ("nede ved havna", "i den mørke skogen", "bak den store steinen", "på vei hjem", "under det gamle treet")
# fmt: on


def list_sentences(source: Source) -> list[dict[str, str]]:
    """``clips`` different sentences, shared out among the speakers."""
    count = len(_WHO) * len(_DOES) * len(_WHERE)
    if source.clips > count:
        raise ReplikkError(f"config.yaml: corpus.sources: {source.name}: has {count} clips at most; write fewer")
    rows = []
    for number in range(source.clips):
        at = number * 83 % count  # 83 and 280 share no factor: no sentence comes twice
        who, rest = _WHO[at % len(_WHO)], at // len(_WHO)
        text = f"{who} {_DOES[rest % len(_DOES)]} {_WHERE[rest // len(_DOES)]}."
        rows.append({"path": f"{number:05}", "text": text, "speaker": sorted(VOICES)[number % len(VOICES)]})
    return rows


def _voice(speaker: str) -> Voice:
    return Voice(speaker, speaker, dict(VOICES[speaker]))


def spoken_clips(files: list[dict[str, str]]) -> Iterator[RawClip]:
    from replikk.engines.espeak import EspeakEngine
    from replikk.engines.records import Take, TakeRequest

    rows = {hashlib.sha256(f"{row['speaker']} {row['text']}".encode()).hexdigest(): row for row in files}
    requests = (
        TakeRequest(key, (Segment(row["text"]),), "nb", "", _voice(row["speaker"]), 0) for key, row in rows.items()
    )
    for take in EspeakEngine({}).synthesize(requests):
        row = rows[take.key]
        if not isinstance(take, Take):
            raise ReplikkError(f"{row['path']}: the embedded voice failed ({take.reason}); run again")
        yield RawClip(row["path"], row["speaker"], row["text"], take.samples, take.sample_rate_hz)
