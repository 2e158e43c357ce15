"""What bf16 changes: tokens, mel and waveform of the same lines in both precisions, with the same random weights.

Tokens are compared teacher-forced: both models read the tokens that the float32 model said, and at each place it is
counted whether the best id and the drawn id (same random numbers, same window) are the same. Left alone, two lines go
different ways after the first different draw, as two takes of one actor do; that is no error.

The mel is compared for the same tokens, the waveform for both mels through the same float32 vocoder. That adds up
phases, harmonic by harmonic: a pitch that differs in the fourth digit is another wave after a second, and sounds alike.
Therefore waves are compared as they come, and once more with the pitch of the float32 mel for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from cosyvoice3_random import ModelSizes, flow_state, language_model_state, line_text, load, random_reference
from torch import Tensor

from replikk.engines.cosyvoice3.decoding import DecodeJob, DecodeSettings, decode, decode_job
from replikk.engines.cosyvoice3.language_model import LanguageModel
from replikk.engines.cosyvoice3.networks import DTYPES, Networks
from replikk.engines.cosyvoice3.prompt_template import prompt_ids
from replikk.engines.cosyvoice3.sampling import NO_TOKEN, SamplingSettings, choose, signed_seed, uniforms_of_step
from replikk.engines.cosyvoice3.vocoder import Vocoder

DECIBEL_PER_NEPER = 8.686
"""Mel values are natural logarithms of magnitudes."""


@dataclass(frozen=True)
class TokenErrors:
    """Of one precision against float32, over all places of all lines."""

    places: int
    best_agrees: int
    drawn_agrees: int
    logit_rms: float
    """RMS difference of log-probabilities over their spread (standard deviation over ids)."""


@dataclass(frozen=True)
class SoundErrors:
    """Of one precision against float32, over all frames of all lines."""

    mel_rms: float
    mel_largest: float
    mel_spread: float
    """Standard deviation of the float32 mel."""
    wave_snr_db: float
    """Sound over difference, as the waves come."""
    same_pitch_snr_db: float
    """The same with one pitch for both."""


def token_errors(
    reference: LanguageModel, other: LanguageModel, lines: list[tuple[DecodeJob, list[int]]]
) -> TokenErrors:
    """Both models over the tokens that ``reference`` said."""
    best = drawn = places = 0
    squares = spreads = 0.0
    settings = SamplingSettings()
    for job, tokens in lines:
        prefix = sum(len(ids) for _, ids in job.prefix)
        parts = [*job.prefix, ("speech", tuple(tokens[:-1]))]
        with torch.inference_mode():
            ours, theirs = (
                model.log_probs(model.hidden(model.embed(parts)[None])[0, prefix - 1 :])[
                    :, : model.sizes.speech_vocabulary
                ]
                for model in (reference, other)
            )
            steps = torch.arange(len(tokens), device=ours.device)
            seeds = torch.full_like(steps, signed_seed(job.seed))
            uniforms = uniforms_of_step(seeds, steps)
            recent = _windows(tokens, settings.window).to(ours.device)
            choices = [choose(log_probs, recent, uniforms, settings) for log_probs in (ours, theirs)]
        best += int((ours.argmax(-1) == theirs.argmax(-1)).sum())
        drawn += int((choices[0] == choices[1]).sum())
        places += len(tokens)
        squares += float((ours - theirs).double().square().mean(-1).sum())
        spreads += float(ours.double().var(-1).sum())
    return TokenErrors(places, best, drawn, (squares / spreads) ** 0.5)


def _windows(tokens: list[int], width: int) -> Tensor:
    """The last ``width`` tokens before each place, int64 [places, width]."""
    padded = torch.tensor([NO_TOKEN] * width + tokens)
    return padded.unfold(0, width, 1)[: len(tokens)]


def sound_errors(mels: list[Tensor], others: list[Tensor], networks: Networks) -> SoundErrors:
    """Mels of the same tokens, float32 first, and what one vocoder makes of them."""
    vocoder = networks.vocoder
    apart, steered = [], []
    for mel, other in zip(mels, others, strict=True):
        wave = vocoder.waves([mel])[0]
        apart.append((wave, vocoder.waves([other])[0] - wave))
        with torch.inference_mode(), _pitch_of(vocoder, mel):
            steered.append((wave, vocoder.waves([other])[0] - wave))
    mel, difference = torch.cat(mels), torch.cat(mels) - torch.cat(others)
    return SoundErrors(
        mel_rms=float(difference.square().mean().sqrt()),
        mel_largest=float(difference.abs().max()),
        mel_spread=float(mel.std()),
        wave_snr_db=_ratio_db(apart),
        same_pitch_snr_db=_ratio_db(steered),
    )


@contextmanager
def _pitch_of(vocoder: Vocoder, mel: Tensor) -> Iterator[None]:
    """The vocoder takes the pitch from this mel, whatever it speaks."""
    pitch = vocoder.f0(mel.T[None])
    vars(vocoder)["f0"] = lambda _: pitch
    try:
        yield
    finally:
        del vars(vocoder)["f0"]


def _ratio_db(pairs: list[tuple[Tensor, Tensor]]) -> float:
    """Power of all sounds over power of all differences."""
    sound, difference = (torch.cat(parts).double().square().sum() for parts in zip(*pairs, strict=True))
    return float(10 * torch.log10(sound / difference))


def measure_errors(
    sizes: ModelSizes, device: torch.device, seconds: float, reference_s: float, lines: int
) -> tuple[TokenErrors, SoundErrors]:
    """Loads both precisions one after the other where that saves memory, and compares them on some lines."""
    networks = load(sizes, "float32", device).networks
    reference = random_reference(sizes, reference_s)
    count = round(25 * seconds)
    prompt = prompt_ids(networks.tokenizer, line_text(seconds), "", reference.transcript)
    jobs = []
    for number in range(lines):
        job = decode_job(
            str(number),
            1000 + number,
            sizes.language_model,
            prompt.prompt,
            prompt.text,
            reference.speech_tokens.tolist(),
        )
        jobs.append(DecodeJob(job.key, job.seed, job.prefix, count, count))
    said = {line.key: line.tokens for line in decode(networks.language_model, jobs, DecodeSettings(), lines)}
    narrow = LanguageModel(sizes.language_model, DTYPES["bf16"], device)
    narrow.load_state(language_model_state(sizes.language_model))
    narrow.pack()
    tokens = token_errors(networks.language_model, narrow, [(job, said[job.key]) for job in jobs])
    del narrow

    ids = [torch.tensor(said[job.key], device=device) for job in jobs]
    references = [reference] * lines
    mels = networks.flow.mels(ids, references)
    rounded = type(networks.flow)(sizes.flow, device=device, matmul_dtype=DTYPES["bf16"])
    rounded.load_state(flow_state(sizes.flow))
    return tokens, sound_errors(mels, rounded.mels(ids, references), networks)


def describe(tokens: TokenErrors, sound: SoundErrors) -> str:
    """The errors as lines for people."""
    share_best, share_drawn = tokens.best_agrees / tokens.places, tokens.drawn_agrees / tokens.places
    return "\n".join(
        (
            "bf16 against float32, random weights",
            f"tokens, teacher-forced, {tokens.places} places: best id the same {share_best:.1%}, drawn id the same "
            f"{share_drawn:.1%}; log-probabilities differ by {tokens.logit_rms:.2%} of their spread (RMS)",
            f"mel: RMS {sound.mel_rms:.4f}, largest {sound.mel_largest:.3f} (natural log; the mel's own spread is "
            f"{sound.mel_spread:.2f}), which is {DECIBEL_PER_NEPER * sound.mel_rms:.2f} dB RMS",
            f"waveform: {sound.wave_snr_db:.1f} dB above the difference, {sound.same_pitch_snr_db:.1f} dB with one "
            "pitch for both",
        )
    )
