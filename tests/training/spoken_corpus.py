"""A small tokenised corpus: lines spoken by the embedded voice and tokenised as a real corpus is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from replikk.corpus.tokens import (
    HELD_OUT,
    TRAIN,
    MadeWith,
    TokenisedUtterance,
    finish_corpus,
    text_tokenizer_sha256,
    write_token_shard,
)
from replikk.dialogue.records import Segment, Voice
from replikk.engines.cosyvoice3 import versions
from replikk.engines.cosyvoice3.features import resample, whisper_log_mel
from replikk.engines.cosyvoice3.model_folder import open_model_folder
from replikk.engines.cosyvoice3.onnx_models import open_reference_models, speech_tokens
from replikk.engines.cosyvoice3.tokenizer import read_tokenizer
from replikk.engines.espeak import EspeakEngine
from replikk.engines.records import Take, TakeRequest

INSTRUCTION = "You are a helpful assistant.<|endofprompt|>"
LINES = (
    "Velkommen til havna.",
    "Har du sett nøkkelen min?",
    "Her er det mørkt og kaldt.",
    "Nei, det tror jeg ikke.",
    "Vi drar i morgen tidlig.",
    "Ta på deg jakka!",
)
HELD_OUT_LINES = ("Hvor er lykta?", "Båten ligger der nede.")


def spoken(lines: Sequence[str], variant: str) -> Iterator[tuple[str, Take]]:
    """The lines in one of the embedded voice's variants."""
    voice = Voice(variant, variant, {"variant": variant})
    requests = {hashlib.sha256(f"{variant} {line}".encode()).hexdigest(): line for line in lines}
    takes = {}
    for take in EspeakEngine({}).synthesize(
        TakeRequest(key, (Segment(line, 0),), "nb", "", voice, 0) for key, line in requests.items()
    ):
        assert isinstance(take, Take), take
        takes[take.key] = take
    for key, line in requests.items():
        yield line, takes[key]


def spoken_corpus(folder: Path, model: Path, variant: str) -> Path:
    """Writes a finished corpus and returns its folder."""
    parts = open_model_folder(model)
    tokenizer = read_tokenizer(parts.qwen)
    readers = open_reference_models(parts.speech_tokenizer, parts.speaker_encoder)
    made_with = MadeWith(
        text_tokenizer_sha256(parts.qwen),
        parts.content_sha256()["speech_tokenizer"],
        versions.PROMPT_TEMPLATE,
        6561,
        tokenizer.end_of_prompt,
    )

    def utterances(lines: Sequence[str]) -> Iterator[TokenisedUtterance]:
        for line, take in spoken(lines, variant):
            samples = resample(torch.from_numpy(take.samples / 32768).float(), take.sample_rate_hz, 16_000)
            yield TokenisedUtterance(
                hashlib.sha256(line.encode()).hexdigest()[:12],
                variant,
                line,
                INSTRUCTION,
                tokenizer.encode(INSTRUCTION),
                tokenizer.encode_speech(line),
                speech_tokens(readers, whisper_log_mel(samples)).tolist(),
            )

    half = len(LINES) // 2
    write_token_shard(folder / TRAIN, "00000", made_with, utterances(LINES[:half]))
    write_token_shard(folder / TRAIN, "00001", made_with, utterances(LINES[half:]))
    write_token_shard(folder / HELD_OUT, "00000", made_with, utterances(HELD_OUT_LINES))
    finish_corpus(folder)
    return folder
