"""The text tokenizer: Qwen2's byte-level BPE with the tokens that CosyVoice 3 adds.

The published folder holds ``vocab.json`` and ``merges.txt`` only; the rest is rebuilt here from what is known of the
format: text is brought to NFC, cut by Qwen2's pattern, its bytes written as printable characters, and merged. After the
base vocabulary (151,643 entries in the published model) come three tokens of Qwen2 and then 278 of CosyVoice 3, in
the order of ``special_tokens.txt``. Their ids are asserted, because a list shifted by one speaks nonsense and
raises no error anywhere else.

Special tokens match literally and before normalisation, wherever they stand. What a person wrote may therefore hold
some by accident or design: ``encode_speech`` takes text from sheets and leaves the control tokens of the prompt
without effect, ``encode`` is for text of our own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.errors import EngineError, printable

if TYPE_CHECKING:
    from tokenizers import Tokenizer as BytePairTokenizer

END_OF_PROMPT = "<|endofprompt|>"
QWEN2_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")

# How Qwen2 cuts text before merging (its published tokenizer has the same expression): English contractions; a word
# with at most one mark or blank before it; one digit; marks; line ends; blanks.
_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CONTROL_BRACKETS = re.compile(r"<\s*\||\|\s*>")
_MAX_BYTES = 50_000_000  # the published vocab.json has 2.8 MB; what is far larger is another file


def added_tokens() -> tuple[str, ...]:
    """What CosyVoice 3 appends to Qwen2's vocabulary, in the order of the ids."""
    content = files("replikk.engines.cosyvoice3").joinpath("special_tokens.txt").read_text(encoding="utf-8")
    lines = [line for line in content.splitlines() if not line.startswith("#")]
    return tuple(token for line in lines for token in line.split())


class TextTokenizer:
    """Text to ids and back. Made by ``read_tokenizer``."""

    def __init__(self, bpe: BytePairTokenizer) -> None:
        self._bpe = bpe
        self.size = bpe.get_vocab_size(with_added_tokens=True)
        """How many ids there are: the embedding must have at least as many rows."""
        self.end_of_prompt: int = bpe.encode(END_OF_PROMPT).ids[0]
        """Id of ``<|endofprompt|>``, 151646 in the published model."""

    def encode(self, text: str) -> list[int]:
        """Ids of a text; special tokens in it count as such. Nothing is put before or after."""
        ids: list[int] = self._bpe.encode(text, add_special_tokens=False).ids
        return ids

    def encode_speech(self, text: str) -> list[int]:
        """Ids of text that a person wrote: control tokens (``<|…|>``) are read as plain words, so that no line of a
        sheet can end the prompt. Sounds such as ``[breath]`` keep their meaning."""
        return self.encode(without_control_tokens(text))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens included."""
        text: str = self._bpe.decode(list(ids), skip_special_tokens=False)
        return text


def without_control_tokens(text: str) -> str:
    """The text with the brackets of control tokens taken out: ``a<|endofprompt|>b`` becomes ``a endofprompt b``."""
    if "|" not in text:
        return text
    return " ".join(_CONTROL_BRACKETS.sub(" ", text).split())


def read_tokenizer(folder: Path) -> TextTokenizer:
    """The tokenizer of a folder (``CosyVoice-BlankEN``) with ``vocab.json`` and ``merges.txt``.

    Raises EngineError naming the file that is missing, damaged or of another model.
    """
    try:
        from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers
        from tokenizers.models import BPE
    except ImportError as error:
        raise EngineError(
            "tokenizers: this Python package is missing and CosyVoice 3 needs it; "
            "install it with  pip install 'replikk[gpu]'"
        ) from error

    vocabulary = _read_vocabulary(folder / "vocab.json")
    merges_path = folder / "merges.txt"
    merges = _read_merges(merges_path)
    try:
        bpe = Tokenizer(BPE(vocab=vocabulary, merges=merges))
    except Exception as error:  # the library raises plain Exception for a merge that makes no known token
        raise EngineError(
            f"{merges_path}: does not fit vocab.json ({printable(str(error))}); fetch both files again from one source"
        ) from error
    bpe.normalizer = normalizers.NFC()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    tokens = QWEN2_TOKENS + added_tokens()
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in tokens])
    for place, token in enumerate(tokens, start=len(vocabulary)):
        if bpe.token_to_id(token) != place:
            raise EngineError(
                f"{folder / 'vocab.json'}: already has the token {token} as {bpe.token_to_id(token)}, which belongs at "
                f"{place}; this is the vocabulary of another model, fetch CosyVoice-BlankEN of CosyVoice 3"
            )
    _compare_with_config(folder / "tokenizer_config.json", len(vocabulary))
    return TextTokenizer(bpe)


def _read_vocabulary(path: Path) -> dict[str, int]:
    content = _parsed(path)
    if not isinstance(content, dict) or not content or not all(type(number) is int for number in content.values()):
        raise EngineError(f"{path}: is not a table of tokens and ids; fetch the file again")
    if set(content.values()) != set(range(len(content))):
        raise EngineError(f"{path}: its ids do not run from 0 to {len(content) - 1}; fetch the file again")
    return content


def _read_merges(path: Path) -> list[tuple[str, str]]:
    merges = []
    for row, line in enumerate(_text(path).split("\n"), start=1):
        line = line.rstrip("\r")
        if not line or (row == 1 and line.startswith("#version")):
            continue
        parts = line.split(" ")
        if len(parts) != 2:
            raise EngineError(f"{path}:{row}: is not a pair of tokens; fetch the file again")
        merges.append((parts[0], parts[1]))
    return merges


def _compare_with_config(path: Path, base: int) -> None:
    """The folder's own list of Qwen2's three tokens, where it has one, must say the ids that we gave."""
    if not path.exists():
        return
    content = _parsed(path)
    listed = content.get("added_tokens_decoder") if isinstance(content, dict) else None
    for number, entry in (listed if isinstance(listed, dict) else {}).items():
        token = entry.get("content") if isinstance(entry, dict) else None
        if token in QWEN2_TOKENS and number != str(base + QWEN2_TOKENS.index(token)):
            raise EngineError(
                f"{path}: gives {token} the id {printable(str(number), 20)}, but after the {base} tokens of vocab.json "
                f"it is {base + QWEN2_TOKENS.index(token)}; one of the two is cut off or of another model, fetch both"
            )


def _parsed(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise EngineError(f"{path}: is not JSON; the download was cut off, fetch the file again") from error


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise EngineError(f"{path}: has {size / 1e6:.0f} MB, which no tokenizer has; fetch the file again")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise EngineError(
            f"{path}: cannot be read ({error.strerror or error}); fetch the model again or check models_dir"
        ) from error
    except UnicodeDecodeError as error:
        raise EngineError(f"{path}: is not a text in UTF-8; fetch the file again") from error
