"""nb-whisper at its published sizes with random weights: for measuring speed and memory without a download.

Tokens of the stand-in vocabulary are three letters long, about what Whisper's are in Norwegian, so that texts have as
many tokens as they would have. What is written means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, models

from replikk.judges.nb_whisper.network import WhisperNetwork
from replikk.judges.nb_whisper.vocabulary import Vocabulary
from replikk.judges.nb_whisper.windows import SAMPLE_RATE_HZ
from replikk.judges.records import Clip

END = 50_257
"""``<|endoftext|>`` of the multilingual Whispers; text tokens lie below it."""
LANGUAGES = 99
TOKENS_PER_S = 4.5
"""13 letters a second, three to a token."""
_LETTERS = "abdefghijklmnoprstuvyøå"


@dataclass(frozen=True)
class WhisperSizes:
    """What the shape of a Whisper follows from."""

    width: int
    layers: int
    heads: int
    mel_bins: int
    parameters: int
    """As published; the benchmark refuses to run with another number."""
    vocabulary: int = 51_865
    feed_forward: int = 4  # times the width
    positions: int = 1500  # of a window of 30 s


SIZES = {
    "small": WhisperSizes(768, 12, 12, 80, 241_734_912),
    "medium": WhisperSizes(1024, 24, 16, 80, 763_857_920),
    # The two published larges differ in mel bins and one token, a ten-thousandth of the work; this is the newer.
    "large": WhisperSizes(1280, 32, 20, 128, 1_543_490_560, vocabulary=51_866),
}


def random_network(sizes: WhisperSizes, name: str, device: torch.device, dtype: torch.dtype) -> WhisperNetwork:
    """The network of a size, in ``dtype``, made on ``device``."""
    from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=sizes.vocabulary,
        num_mel_bins=sizes.mel_bins,
        encoder_layers=sizes.layers,
        decoder_layers=sizes.layers,
        encoder_attention_heads=sizes.heads,
        decoder_attention_heads=sizes.heads,
        encoder_ffn_dim=sizes.feed_forward * sizes.width,
        decoder_ffn_dim=sizes.feed_forward * sizes.width,
        d_model=sizes.width,
        max_source_positions=sizes.positions,
        max_target_positions=448,
    )
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            model: Any = WhisperForConditionalGeneration(config).eval()
    finally:
        torch.set_default_dtype(before)
    count = sum(weight.numel() for weight in model.parameters())
    if count != sizes.parameters:
        raise SystemExit(f"{name}: {count:,} weights were made, the published model has {sizes.parameters:,}")
    features = WhisperFeatureExtractor(feature_size=sizes.mel_bins)
    filters = torch.from_numpy(np.asarray(features.mel_filters, np.float32)).to(device)
    return WhisperNetwork(name, model, random_vocabulary(sizes), filters, device, dtype)


def random_vocabulary(sizes: WhisperSizes) -> Vocabulary:
    """Text tokens of three letters; the numbers of the others as published."""
    words = [f" {''.join(letters)}" for letters in product(_LETTERS, repeat=3)][:END]
    tokenizer = Tokenizer(models.WordLevel({"?": 0, **{word: 1 + at for at, word in enumerate(words)}}, unk_token="?"))
    from tokenizers import Regex, pre_tokenizers

    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(" [a-zøå]{3}"), "isolated")
    languages = {f"x{at}": END + 2 + at for at in range(LANGUAGES - 2)}
    languages |= {"no": END + LANGUAGES, "nn": END + LANGUAGES + 1}
    behind = END + 2 + LANGUAGES
    # The upper half of the layers, every other head: about as many as the published models name.
    heads = [(layer, head) for layer in range(sizes.layers // 2, sizes.layers) for head in (0, sizes.heads // 2)]
    return Vocabulary(
        tokenizer, END + 1, END, languages, behind + 1, behind + 5, behind + 4, (), (END,), tuple(heads[:10])
    )


def random_clips(seconds: list[float], rate_hz: int = SAMPLE_RATE_HZ) -> list[Clip]:
    """Noise in bursts, as loud as speech, and texts of as many tokens as speech of that length has."""
    draw = Random(1)
    clips = []
    for number, length in enumerate(seconds):
        wave = np.random.default_rng(number).normal(0, 3000, round(length * rate_hz))
        bursts = 0.5 + 0.5 * np.sin(np.arange(len(wave)) * (2 * np.pi * 4 / rate_hz))
        samples: NDArray[np.int16] = np.clip(wave * bursts, -32_767, 32_767).astype(np.int16)
        wanted = " ".join("".join(draw.choices(_LETTERS, k=3)) for _ in range(tokens_of(length)))
        clips.append(Clip(f"{number:064x}", samples, rate_hz, wanted, "cosyvoice3", "nb"))
    return clips


def tokens_of(seconds: float) -> int:
    """Tokens of speech of that length."""
    return max(1, round(TOKENS_PER_S * seconds))
