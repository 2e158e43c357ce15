"""A small random Whisper and a small random wav2vec 2.0 in the hub's own format, made by transformers itself.

They open through the same code as a download. What they write is noise, but the same noise for the same sound. The
Whisper listens to windows of 4 s instead of 30, so that a clip of more than one window is a small one; its tokenizer is
byte-level BPE with Whisper's own special tokens behind the text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import Wav2Vec2Config, Wav2Vec2ForCTC, WhisperConfig, WhisperForConditionalGeneration

from replikk.judges.nb_whisper.model_folder import open_whisper_folder
from replikk.judges.nb_whisper.network import load_whisper
from replikk.judges.nb_whisper.windows import Window, padded

LANGUAGES = ("en", "zh", "de", "sv", "no", "da", "nn")
SPECIALS = (
    "<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in LANGUAGES), "<|translate|>",
    "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip
MERGES = ("e r", "e n", "e t", "Ġ d", "s k", "t e", "Ġ h", "a n", "Ġd et", "r e", "Ã ¥", "Ã ¸", "Ã ¦")
WINDOW_S = 4.0
ALIGNMENT_HEADS = [[1, 0], [1, 1]]


def make_small_whisper(folder: Path, seed: int = 0, *, width: int = 32, layers: int = 2, spread: float = 0.4) -> Path:
    """Writes the folder (made if missing) and returns it. Random weights of the usual ``spread`` (0.02) give nearly the
    same logits for every sound; larger ones tell sounds apart."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    numbers = {text: tokenizer.token_to_id(text) for text in SPECIALS}
    end = numbers["<|endoftext|>"]
    torch.manual_seed(seed)
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        num_mel_bins=80,
        encoder_layers=layers,
        decoder_layers=layers,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=2 * width,
        decoder_ffn_dim=2 * width,
        d_model=width,
        max_source_positions=int(WINDOW_S * 50),
        max_target_positions=96,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=numbers["<|startoftranscript|>"],
        suppress_tokens=None,
        begin_suppress_tokens=None,
        init_std=spread,
    )
    model = WhisperForConditionalGeneration(config)
    generation = model.generation_config
    generation._from_model_config = False  # else what follows would not be read back
    generation.lang_to_id = {f"<|{code}|>": numbers[f"<|{code}|>"] for code in LANGUAGES}
    generation.task_to_id = {"translate": numbers["<|translate|>"], "transcribe": numbers["<|transcribe|>"]}
    generation.no_timestamps_token_id = numbers["<|notimestamps|>"]
    generation.is_multilingual = True
    generation.alignment_heads = ALIGNMENT_HEADS
    generation.suppress_tokens = [tokenizer.token_to_id("["), *range(end + 1, tokenizer.get_vocab_size())]
    generation.begin_suppress_tokens = [tokenizer.token_to_id("Ġ"), end]
    generation.max_length = config.max_target_positions
    model.save_pretrained(folder, safe_serialization=True)
    return folder


def teach(folder: Path, lessons: Sequence[tuple[Window, str]], steps: int) -> float:
    """Train the folder's model on windows and their texts until it knows them by heart; the last loss in nats.

    What it then finds likely means something: the text that it was taught, and little else.
    """
    loaded = load_whisper(open_whisper_folder(folder), "cpu", "float32")
    model, vocabulary = loaded.model, loaded.vocabulary
    features = loaded.features(padded([window for window, _ in lessons], WINDOW_S)).clone()
    prompt = vocabulary.prompt("nb")
    texts = [[*vocabulary.encode(text), vocabulary.end] for _, text in lessons]
    longest = max(map(len, texts))
    rows = torch.tensor([[*prompt, *text, *[vocabulary.end] * (longest - len(text))] for text in texts])
    wanted = torch.tensor([[-100] * (len(prompt) - 1) + text + [-100] * (longest - len(text)) for text in texts])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loss = torch.zeros(())
    for _ in range(steps):
        logits = model(features, decoder_input_ids=rows[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder, safe_serialization=True)
    return float(loss)


def _tokenizer() -> Tokenizer:
    vocabulary = {symbol: number for number, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    for merge in MERGES:
        vocabulary.setdefault(merge.replace(" ", ""), len(vocabulary))
    merges = [(first, second) for first, second in (merge.split(" ") for merge in MERGES)]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in SPECIALS])
    return tokenizer


def make_small_ctc(folder: Path, seed: int = 0, *, as_pytorch_file: bool = False) -> Path:
    """A wav2vec 2.0 with the alphabet of the published ones; its weights as safetensors, or as the hub has them."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = ["|", *"abcdefghijklmnopqrstuvwxyzåæø", "[UNK]", "[PAD]"]
    (folder / "vocab.json").write_text(json.dumps({text: number for number, text in enumerate(letters)}))
    (folder / "preprocessor_config.json").write_text(json.dumps({"do_normalize": True, "sampling_rate": 16000}))
    torch.manual_seed(seed)
    config = Wav2Vec2Config(
        vocab_size=len(letters) + 2,
        pad_token_id=len(letters) - 1,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        conv_dim=(16, 16, 16, 16, 16, 16, 16),
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        initializer_range=0.4,
    )
    model = Wav2Vec2ForCTC(config)
    model.save_pretrained(folder, safe_serialization=True)
    if as_pytorch_file:
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder
