"""From windows to tokens: greedy decoding side by side, and how likely a text is for the sound.

The most likely token is written at each step, nothing is drawn and nothing is tried again at another temperature:
a judge must hear the same twice. A window may get so many tokens as fast speech needs; what would go on after
that is a loop, and is cut off and said. Rows of a batch never see one another, so a batch changes nothing but the
last bits of a number.

Two passes: the first writes, with the keys of the sound kept from step to step; the second reads the finished tokens at
once and gives their probabilities and the attention of the heads that follow the sound (``timing``). A third one,
without the attention, says how likely another text would be (``weighing``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from replikk.errors import JudgeError
from replikk.judges.nb_whisper.network import WhisperNetwork
from replikk.judges.nb_whisper.timing import FRAME_S
from replikk.judges.nb_whisper.windows import LEAD_S, Window, padded

TOKENS_AT_LEAST = 24
TOKENS_PER_S = 16.0
"""Fast Norwegian is some 20 letters a second, and a token about three letters: twice what is ever needed."""
_CHECK_EVERY_STEPS = 4
"""Asking whether all rows have ended waits for the GPU."""
_END_MARGIN_S = 0.2
"""How far behind the last sample a word may be heard to end."""


@dataclass(frozen=True)
class Written:
    """What was written for one window."""

    tokens: tuple[int, ...]
    """Text tokens, without the end token."""
    log_probabilities: NDArray[np.float32]  # [tokens]
    mean_log_probability: float
    """Per token, the end token included where the text has one."""
    cut_off: bool
    """No end came before the limit."""
    no_speech: float
    """0 to 1: how likely the model finds it that nobody speaks at all."""
    own_language: float
    """0 to 1: share of Norwegian, in either standard, among all languages."""
    attention: NDArray[np.float32]
    """[heads, tokens + 1, frames]; the last row is the end."""


@torch.inference_mode()
def write(network: WhisperNetwork, windows: Sequence[Window], locales: Sequence[str]) -> tuple[list[Written], Any]:
    """What is heard in each window; and their memory, for ``score`` and ``wanted_deficit_nats``.

    The memory: (encoded sound [rows, positions, width], keys and values of it, prompts [rows, tokens]).

    Raises JudgeError where the network computes no numbers, and what PyTorch raises when memory runs out.
    """
    vocabulary, model = network.vocabulary, network.model
    features = network.features(padded(list(windows), network.window_s))
    sound = model.model.encoder(features).last_hidden_state  # [rows, positions, width]
    prompt = torch.tensor([vocabulary.prompt(locale) for locale in locales], device=network.device)
    most = [_most_tokens(network, window, prompt.shape[1]) for window in windows]
    barred, barred_first = _barred(network, first=False), _barred(network, first=True)

    cache = _new_cache(network)
    hidden = _decode(network, prompt, sound, cache)
    opening = _logits(network, hidden)  # [rows, prompt, vocabulary]
    if not bool(torch.isfinite(opening).all()):
        raise JudgeError(
            f"{network.name}: computes no numbers in {str(network.dtype).removeprefix('torch.')}; write "
            "precision: float32 (config.yaml: judges.nb-whisper)"
        )
    no_speech, own_language = _first_impression(network, opening[:, 0])
    limits = torch.tensor(most, device=network.device)
    ended = torch.zeros(len(windows), dtype=torch.bool, device=network.device)
    step_tokens = (opening[:, -1] + barred_first).argmax(dim=-1)
    columns: list[Tensor] = []
    for step in range(max(most)):
        ended = ended | (step_tokens == vocabulary.end) | (limits <= step)
        # A row that has ended writes end tokens; they are cut away.
        columns.append(torch.where(ended, vocabulary.end, step_tokens))
        last = step + 1 == max(most)
        if last or (step % _CHECK_EVERY_STEPS == 0 and bool(ended.all())):
            break
        hidden = _decode(network, columns[-1][:, None], sound, cache)
        step_tokens = (_logits(network, hidden)[:, -1] + barred).argmax(dim=-1)
    table = torch.stack(columns, dim=1).tolist()
    texts = [row[: row.index(vocabulary.end)] if vocabulary.end in row else row for row in table]
    cut_off = [len(text) >= limit for text, limit in zip(texts, most, strict=True)]
    likely, attention = score(network, sound, cache, prompt, texts)
    written = []
    for row, window in enumerate(windows):
        count = len(texts[row])
        values = likely[row][: count + (not cut_off[row])]
        frames = int((LEAD_S + window.duration_s + _END_MARGIN_S) / FRAME_S)
        written.append(
            Written(
                tokens=tuple(texts[row]),
                log_probabilities=likely[row][:count],
                mean_log_probability=float(values.mean()) if len(values) else 0.0,
                cut_off=cut_off[row],
                no_speech=no_speech[row],
                own_language=own_language[row],
                attention=attention[row][:, : count + 1, :frames],
            )
        )
    return written, (sound, cache, prompt)


@torch.inference_mode()
def score(
    network: WhisperNetwork, sound: Tensor, cache: Any, prompt: Tensor, texts: Sequence[Sequence[int]]
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Of given texts: natural logarithms [tokens + 1] (the end last) and attention [heads, tokens + 1, frames].

    ``cache`` lends its keys and values of the sound, and is not changed.
    """
    again = _new_cache(network, cache)
    with _watched_heads(network, again) as seen:
        likely = _log_likely(network, sound, again, prompt, texts)
    first = prompt.shape[1] - 1  # the position that writes the first token
    attention = torch.cat(seen, dim=1)[:, :, first:].float().cpu().numpy()  # [rows, heads, tokens + 1, frames]
    return likely, [row[:, : len(text) + 1] for row, text in zip(attention, texts, strict=True)]


def _log_likely(
    network: WhisperNetwork, sound: Tensor, cache: Any, prompt: Tensor, texts: Sequence[Sequence[int]]
) -> list[NDArray[np.float32]]:
    """Natural logarithms [tokens + 1] of given texts, the end last; ``cache`` holds no tokens yet, and will."""
    vocabulary = network.vocabulary
    longest = max(len(text) for text in texts)
    rows = [[*text, *[vocabulary.end] * (longest - len(text))] for text in texts]
    written = torch.tensor(rows, dtype=torch.long, device=network.device).reshape(len(texts), longest)
    hidden = _decode(network, torch.cat([prompt, written], dim=1), sound, cache)
    logits = _logits(network, hidden[:, prompt.shape[1] - 1 :])
    targets = torch.cat([written, torch.full_like(prompt[:, :1], vocabulary.end)], dim=1)
    chosen = logits.gather(2, targets[:, :, None])[:, :, 0]
    likely = (chosen - logits.logsumexp(dim=-1)).cpu().numpy()
    return [row[: len(text) + 1] for row, text in zip(likely, texts, strict=True)]


@torch.inference_mode()
def wanted_deficit_nats(
    network: WhisperNetwork, memory: Any, wanted: Sequence[Sequence[int]], written: Sequence[Written]
) -> list[float]:
    """By how many nats each wanted text is less likely, for the whole window, than what was written; 0 or less when
    it is the more likely one. ``memory`` is what ``write`` or ``remembered`` gave, and is not changed."""
    sound, cache, prompt = memory
    again = _new_cache(network, cache)
    result = []
    for values, heard in zip(_log_likely(network, sound, again, prompt, wanted), written, strict=True):
        ours = heard.mean_log_probability * (len(heard.tokens) + (not heard.cut_off))
        result.append(ours - float(values.sum()))
    return result


def remembered(network: WhisperNetwork, sounds: Sequence[Tensor], locales: Sequence[str]) -> Any:
    """The memory of windows whose encoded sounds [positions, width] were kept, wherever they lie."""
    prompt = torch.tensor([network.vocabulary.prompt(locale) for locale in locales], device=network.device)
    return torch.stack([sound.to(network.device) for sound in sounds]), None, prompt


def _most_tokens(network: WhisperNetwork, window: Window, prompt_tokens: int) -> int:
    limit = network.model.config.max_target_positions - prompt_tokens - 1
    return min(limit, TOKENS_AT_LEAST + int(TOKENS_PER_S * window.duration_s))


def _decode(network: WhisperNetwork, tokens: Tensor, sound: Tensor, cache: Any) -> Tensor:
    decoder = network.model.model.decoder
    kept = {cache_argument(decoder.forward): cache}
    output = decoder(input_ids=tokens, encoder_hidden_states=sound, use_cache=True, **kept)
    hidden: Tensor = output.last_hidden_state
    return hidden


def cache_argument(forward: Callable[..., Any]) -> str:
    """What a decoder calls its cache: ``past_key_values`` up to transformers 5.23, which 5.40 no longer takes."""
    return "cache" if "cache" in signature(forward).parameters else "past_key_values"


def _logits(network: WhisperNetwork, hidden: Tensor) -> Tensor:
    logits: Tensor = network.model.proj_out(hidden).float()
    return logits


def _new_cache(network: WhisperNetwork, sound_of: Any = None) -> Any:
    """An empty cache of the tokens; with the keys of the sound of another cache, where one is given."""
    from transformers.cache_utils import DynamicCache, EncoderDecoderCache

    if sound_of is None:
        return EncoderDecoderCache(DynamicCache(), DynamicCache())
    cache = EncoderDecoderCache(DynamicCache(), sound_of.cross_attention_cache)
    for layer in range(network.model.config.decoder_layers):
        cache.is_updated[layer] = True
    return cache


def _barred(network: WhisperNetwork, *, first: bool) -> Tensor:
    """Added to the logits: minus infinity for what may not be written."""
    vocabulary = network.vocabulary
    barred = torch.zeros(network.model.config.vocab_size, device=network.device)
    barred[vocabulary.end + 1 :] = -torch.inf
    barred[list(vocabulary.never)] = -torch.inf
    if first:
        # The end among them, as published: a window with sound in it is given a text. Silence never gets here.
        barred[list(vocabulary.never_first)] = -torch.inf
    return barred


def _first_impression(network: WhisperNetwork, logits: Tensor) -> tuple[list[float], list[float]]:
    """[rows, vocabulary] at the start token -> (no speech, share of Norwegian) of each row."""
    vocabulary = network.vocabulary
    likely = logits.softmax(dim=-1)
    silent = likely[:, vocabulary.no_speech] if vocabulary.no_speech is not None else torch.zeros(len(likely))
    languages = logits[:, list(vocabulary.languages.values())].softmax(dim=-1)
    own = [place for place, code in enumerate(vocabulary.languages) if code in ("no", "nn")]
    return silent.tolist(), languages[:, own].sum(dim=-1).tolist()


@contextmanager
def _watched_heads(network: WhisperNetwork, cache: Any) -> Iterator[list[Tensor]]:
    """While this lasts, the attention of the heads that follow the sound is collected: [rows, heads, tokens, frames].

    Only the few wanted heads are computed a second time; to have all of them given out would need the memory of all.
    """
    layers = network.model.model.decoder.layers
    heads = network.vocabulary.alignment_heads or tuple(
        (layer, head)
        for layer in range(len(layers) // 2, len(layers))
        for head in range(network.model.config.decoder_attention_heads)
    )
    seen: list[Tensor] = []
    handles = []
    for layer in sorted({layer for layer, _ in heads}):
        chosen = [head for at, head in heads if at == layer]
        handles.append(
            layers[layer].encoder_attn.register_forward_pre_hook(_watch(cache, layer, chosen, seen), with_kwargs=True)
        )
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _watch(cache: Any, layer: int, heads: list[int], seen: list[Tensor]) -> Any:
    def hook(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden = args[0] if args else kwargs["hidden_states"]
        rows, tokens, _ = hidden.shape
        query = module.q_proj(hidden).view(rows, tokens, -1, module.head_dim)[:, :, heads].transpose(1, 2)
        keys = cache.cross_attention_cache.layers[layer].keys[:, heads]
        scores = (query.float() * module.scaling) @ keys.float().transpose(2, 3)
        seen.append(scores.softmax(dim=-1))

    return hook
