"""Whisper's tokens: what a request begins with, which tokens may be written, and words from tokens.

Text is byte-level BPE: a token that begins a word begins with a space. Everything from ``<|endoftext|>`` on is no text
(languages, tasks, times) and is never written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replikk.errors import JudgeError, printable
from replikk.judges.nb_whisper.model_folder import AGAIN, RecogniserFolder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SPACE = "Ġ"
"""How byte-level BPE writes a space."""
_NO_SPEECH = ("<|nospeech|>", "<|nocaptions|>")
LANGUAGES = {"nb": "no", "nn": "nn", "no": "no"}
"""By locale; Whisper knows Bokmål as 'no'."""


@dataclass(frozen=True)
class Vocabulary:
    """What the judge must know of the model's tokens."""

    tokenizer: Tokenizer
    start: int
    end: int
    """``<|endoftext|>``; text tokens lie below it."""
    languages: dict[str, int]
    """Token by language code, of all languages that the model knows."""
    transcribe: int
    no_timestamps: int
    no_speech: int | None
    never: tuple[int, ...]
    """Text tokens that are never written (♪, [, and the like), as the model's own settings say."""
    never_first: tuple[int, ...]
    alignment_heads: tuple[tuple[int, int], ...]
    """(layer, head) pairs that follow the sound; empty where the model does not say."""

    def prompt(self, locale: str) -> list[int]:
        """What the model reads first for a clip of that locale."""
        language = self.languages[LANGUAGES.get(locale, "no")]
        return [self.start, language, self.transcribe, self.no_timestamps]

    def text(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode([token for token in tokens if token < self.end])).strip()

    def encode(self, text: str) -> list[int]:
        """Tokens of a text as the verbatim model writes it: each word begins with a space."""
        return [token for token in self.tokenizer.encode(" " + text, add_special_tokens=False).ids if token < self.end]

    def words(self, tokens: Sequence[int]) -> list[tuple[str, range]]:
        """The words of text tokens, and which tokens each is made of; signs without a letter join the word before."""
        starts: list[int] = []
        for place, token in enumerate(tokens):
            if not starts or str(self.tokenizer.id_to_token(token) or "").startswith(_SPACE):
                starts.append(place)
        words: list[tuple[str, range]] = []
        for first, after in zip(starts, [*starts[1:], len(tokens)], strict=True):
            text = self.text(tokens[first:after])
            if words and not any(character.isalnum() for character in text):
                before = words.pop()
                words.append((f"{before[0]}{text}", range(before[1].start, after)))
            elif text:
                words.append((text, range(first, after)))
        return words


def read_vocabulary(folder: RecogniserFolder) -> Vocabulary:
    """Raises JudgeError naming the file that is wrong."""
    from tokenizers import Tokenizer

    path = folder.path / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception, whatever is wrong
        raise JudgeError(f"{path}: is no tokenizer ({printable(str(error), 80)}); {AGAIN}") from error

    def token(text: str) -> int:
        number = tokenizer.token_to_id(text)
        if number is None:
            raise JudgeError(f"{path}: has no token '{text}': this is no multilingual Whisper; {AGAIN}")
        return int(number)

    known = folder.size("vocab_size")
    if tokenizer.get_vocab_size() > known:
        raise JudgeError(
            f"{path}: has {tokenizer.get_vocab_size()} tokens, and the model {known}; take both from one download"
        )
    generation = folder.read_json("generation_config.json")
    start, end = token("<|startoftranscript|>"), token("<|endoftext|>")
    transcribe = token("<|transcribe|>")
    languages = {
        text[2:-2]: number
        for text, number in tokenizer.get_vocab().items()
        # Languages stand between the start and the first task ('translate', then 'transcribe').
        if start < number < transcribe and text.startswith("<|") and text != "<|translate|>"
    }
    for code in set(LANGUAGES.values()):
        if code not in languages:
            raise JudgeError(f"{path}: has no token '<|{code}|>': this model knows no Norwegian; use another")
    heads = _pairs(generation.get("alignment_heads"))
    layers, per_layer = folder.size("decoder_layers"), folder.size("decoder_attention_heads")
    if any(not (0 <= layer < layers and 0 <= head < per_layer) for layer, head in heads):
        raise JudgeError(
            f"{folder.path / 'generation_config.json'}: names attention heads that the model has not; {AGAIN}"
        )
    return Vocabulary(
        tokenizer=tokenizer,
        start=start,
        end=end,
        languages=languages,
        transcribe=transcribe,
        no_timestamps=token("<|notimestamps|>"),
        no_speech=next((int(n) for text in _NO_SPEECH if (n := tokenizer.token_to_id(text)) is not None), None),
        never=tuple(number for number in _numbers(generation.get("suppress_tokens")) if number < end),
        never_first=tuple(number for number in _numbers(generation.get("begin_suppress_tokens")) if number <= end),
        alignment_heads=heads,
    )


def _numbers(value: Any) -> list[int]:
    return [number for number in value if isinstance(number, int) and number >= 0] if isinstance(value, list) else []


def _pairs(value: Any) -> tuple[tuple[int, int], ...]:
    pairs = value if isinstance(value, list) else []
    return tuple(
        (pair[0], pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == len(_numbers(pair)) == 2
    )
