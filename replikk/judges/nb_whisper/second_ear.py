"""The second ear: wav2vec 2.0 with CTC, which writes letters as it hears them and knows no sentences.

It cannot make up a fluent text, so where it disagrees with Whisper one of them is wrong. No language model is used: one
would repair what it heard. Beside its text it gives a margin as the embedded judge does: how much worse the wanted
letters explain the sound than the best reading does, in nats per letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from replikk.alignment.ctc import best_labels, forced_score, free_score
from replikk.errors import JudgeError
from replikk.judges.nb_whisper.model_folder import AGAIN, RecogniserFolder
from replikk.judges.nb_whisper.network import DTYPES, choose_device, load_weights

LOG_FLOOR = -12.0
"""A letter that was not spoken costs at most 12 nats per frame, as for the embedded judge."""
MARGIN_LIMIT = 10.0
"""The margin of a text that cannot be in the clip at all."""
SHORTEST_SAMPLES = 3_200
"""0.2 s: the network's convolutions need 400 samples, and a lone frame hears nothing. Shorter clips get silence."""


@dataclass(frozen=True)
class CtcNetwork:
    """Loaded and ready."""

    name: str
    model: Any
    """transformers' Wav2Vec2ForCTC."""
    symbols: dict[str, int]
    """Label by letter; a space is the word delimiter."""
    blank: int
    normalise: bool
    """Whether clips are brought to mean 0 and variance 1, as the network was trained."""
    device: torch.device
    dtype: torch.dtype


def load_ctc(folder: RecogniserFolder, device_wanted: str, precision: str) -> CtcNetwork:
    """Read and check. Raises JudgeError naming folder or file where anything is wrong."""
    from transformers import Wav2Vec2ForCTC

    device = choose_device(device_wanted)
    dtype = torch.float32 if device.type == "cpu" else DTYPES[precision]
    vocabulary = folder.read_json("vocab.json")
    if not all(isinstance(number, int) for number in vocabulary.values()):
        raise JudgeError(f"{folder.path / 'vocab.json'}: is no vocabulary of letters; {AGAIN}")
    blank = folder.config.get("pad_token_id")
    symbols = {" " if text == "|" else text: number for text, number in vocabulary.items() if len(text) == 1}
    size = folder.size("vocab_size")
    if not isinstance(blank, int) or " " not in symbols or max([blank, *symbols.values()]) >= size:
        raise JudgeError(f"{folder.path / 'vocab.json'}: does not fit the model's config.json; {AGAIN}")
    preprocessing: dict[str, Any] = {}
    if (folder.path / "preprocessor_config.json").is_file():
        preprocessing = folder.read_json("preprocessor_config.json")
    model = load_weights(Wav2Vec2ForCTC, folder, dtype, device)
    return CtcNetwork(folder.name, model, symbols, blank, bool(preprocessing.get("do_normalize", True)), device, dtype)


@torch.inference_mode()
def hear(
    network: CtcNetwork, waves: Sequence[NDArray[np.float32]], wanted: Sequence[str]
) -> list[tuple[str, float | None]]:
    """(text, margin) of each clip at 16 kHz; the margin is None for a wanted text without a letter it knows.

    Clips go through alone: padding would change what the published networks hear, whose convolutions are
    normalised over the whole clip.
    """
    letters = {number: text for text, number in network.symbols.items()}
    results: list[tuple[str, float | None]] = []
    for wave, text in zip(waves, wanted, strict=True):
        likely = log_probabilities(network, wave)
        heard = "".join(letters.get(label, "") for label in best_labels(likely, network.blank))
        results.append((" ".join(heard.split()), text_margin(network, likely, text)))
    return results


@torch.inference_mode()
def log_probabilities(network: CtcNetwork, wave: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of a clip at 16 kHz: [samples] -> [frames, symbols], floored."""
    if len(wave) < SHORTEST_SAMPLES:
        wave = np.concatenate([wave, np.zeros(SHORTEST_SAMPLES - len(wave), np.float32)])
    if network.normalise:
        wave = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    inputs = torch.from_numpy(np.ascontiguousarray(wave)).to(network.device, network.dtype)[None]
    logits = network.model(inputs).logits[0].float()
    if not bool(torch.isfinite(logits).all()):
        raise JudgeError(
            f"{network.name}: computes no numbers in {str(network.dtype).removeprefix('torch.')}; write "
            "precision: float32 (config.yaml: judges.nb-whisper)"
        )
    likely: NDArray[np.float64] = np.maximum(logits.log_softmax(dim=-1).cpu().numpy().astype(np.float64), LOG_FLOOR)
    return likely


def text_margin(network: CtcNetwork, likely: NDArray[np.float64], text: str) -> float | None:
    """``margin`` of a text, given what ``log_probabilities`` says; None for one without a letter that is known."""
    labels = _labels(network, text)
    return margin(likely, labels, network.blank) if labels else None


def _labels(network: CtcNetwork, text: str) -> list[int]:
    kept = "".join(c if c in network.symbols else " " for c in text.lower())
    return [network.symbols[c] for c in " ".join(kept.split())]


def margin(log_probabilities: NDArray[np.float64], labels: list[int], blank: int) -> float:
    """Nats per letter by which ``labels`` explain the sound worse than the best path; 0 to ``MARGIN_LIMIT``."""
    score = forced_score(log_probabilities, labels, blank)
    if score is None:
        return MARGIN_LIMIT
    worse = (free_score(log_probabilities) - score) / max(len(labels), 1)
    return round(min(max(worse, 0.0), MARGIN_LIMIT), 4)
