"""The tokenised corpus on disk: all that training reads. 458 hours of speech are 82 MB.

A corpus is a folder with a folder of shards for each split (``train``, ``held_out``), a shard being one job of the
tokeniser, and ``corpus.json``, which lists them all and is written when the last one is there: nobody trains on half a
corpus by accident. A shard NAME is four files:

    NAME.speech.int16   the speech tokens of its utterances, one after the other, little-endian
    NAME.text.int32     per utterance the ids of the instruction, then those of the text (ids of Qwen2 pass 32,767)
    NAME.jsonl          one record per utterance, in the same order: id, speaker, text, instruction, and how many ids
                        of each kind are its own
    NAME.json           what it was made with, how many utterances, and the hashes of the other three

``NAME.json`` is written last: a shard that a kill left half-made has none, and is made anew. Offsets are sums of counts
and stand nowhere, so they cannot be wrong.

What was tokenised with one tokenizer means nothing to another. So every shard says with which ones, and with which
version of the prompt template, it was made; shards that disagree are no corpus. The instruction ends with
``<|endofprompt|>``, in every utterance: trained without it, a model is asked at inference for what it never saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replikk.errors import ReplikkError, printable
from replikk.files import canonical_json, digest, read_json, read_jsonl, sha256_file, write_atomic, write_jsonl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
TOKENS_PER_SECOND = 25

TRAIN, HELD_OUT = "train", "held_out"
LIST_NAME = "corpus.json"

_SPEECH, _TEXT, _ROWS, _SUMMARY = ".speech.int16", ".text.int32", ".jsonl", ".json"
_AGAIN = "delete the shard's files and tokenise the corpus again (snakemake corpus)"


@dataclass(frozen=True)
class MadeWith:
    """What gives the numbers their meaning."""

    text_tokenizer: str
    """SHA-256 (hex) over its files, as ``text_tokenizer_sha256`` computes it."""
    speech_tokenizer: str
    """SHA-256 (hex) of the model file."""
    prompt_template: int
    """Version of the engine's prompt template."""
    speech_vocabulary: int
    """Speech tokens run from 0 to one below this; 6561 in the published model."""
    end_of_prompt: int
    """Id of ``<|endofprompt|>``; 151646 in the published model."""


@dataclass(frozen=True)
class TokenisedUtterance:
    """One utterance, ready to be trained on."""

    id: str
    speaker: str
    """Any name that is no person's: a number will do."""
    text: str
    instruction: str
    """The system sentence and a direction, if there is one, with ``<|endofprompt|>`` at its end."""
    instruction_ids: Sequence[int]
    text_ids: Sequence[int]
    speech_tokens: Sequence[int]


@dataclass(frozen=True)
class TokenCorpus:
    """All utterances of a folder in memory; utterance i owns the ids between its offsets."""

    folder: Path
    made_with: MadeWith
    ids: tuple[str, ...]
    text: NDArray[np.int32]  # [all text ids]
    speech: NDArray[np.int16]  # [all speech tokens]
    text_starts: NDArray[np.int64]  # [utterances + 1]
    speech_starts: NDArray[np.int64]  # [utterances + 1]
    instruction_counts: NDArray[np.int64]  # [utterances]
    fingerprint: str
    """Names the content: equal corpora in equal order, equal fingerprint."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def duration_s(self) -> float:
        return len(self.speech) / TOKENS_PER_SECOND

    def instruction_of(self, number: int) -> NDArray[np.int32]:
        start = self.text_starts[number]
        return self.text[start : start + self.instruction_counts[number]]

    def text_of(self, number: int) -> NDArray[np.int32]:
        return self.text[self.text_starts[number] + self.instruction_counts[number] : self.text_starts[number + 1]]

    def speech_of(self, number: int) -> NDArray[np.int16]:
        return self.speech[self.speech_starts[number] : self.speech_starts[number + 1]]


def write_token_shard(folder: Path, name: str, made_with: MadeWith, utterances: Iterable[TokenisedUtterance]) -> int:
    """Write a shard; returns how many utterances it has. Raises ReplikkError naming an utterance that cannot be
    trained on, or a file that cannot be written."""
    import numpy as np

    records: list[dict[str, Any]] = []
    speech: list[NDArray[np.int16]] = []
    text: list[NDArray[np.int32]] = []
    for utterance in utterances:
        _check(utterance, made_with)
        records.append(
            {
                "id": utterance.id,
                "speaker": utterance.speaker,
                "text": utterance.text,
                "instruction": utterance.instruction,
                "instruction_ids": len(utterance.instruction_ids),
                "text_ids": len(utterance.text_ids),
                "speech_tokens": len(utterance.speech_tokens),
            }
        )
        text.append(np.asarray([*utterance.instruction_ids, *utterance.text_ids], dtype="<i4"))
        speech.append(np.asarray(utterance.speech_tokens, dtype="<i2"))
    files = {suffix: folder / f"{name}{suffix}" for suffix in (_SPEECH, _TEXT, _ROWS)}
    write_atomic(files[_SPEECH], b"".join(tokens.tobytes() for tokens in speech))
    write_atomic(files[_TEXT], b"".join(ids.tobytes() for ids in text))
    write_jsonl(files[_ROWS], records)
    summary = {
        "format": FORMAT,
        "made_with": asdict(made_with),
        "utterances": len(records),
        "duration_s": sum(record["speech_tokens"] for record in records) / TOKENS_PER_SECOND,
        "sha256": {suffix: sha256_file(path) for suffix, path in files.items()},
    }
    write_atomic(folder / f"{name}{_SUMMARY}", canonical_json(summary))
    return len(records)


def read_token_corpus(folder: Path) -> TokenCorpus:
    """All shards of a folder, in the order of their names, every byte compared with its hash.

    Raises ReplikkError naming the file: no shards, damaged ones, shards made with different tokenizers, an id twice.
    """
    import numpy as np

    names = shard_names(folder)
    if not names:
        raise ReplikkError(f"{folder}: has no tokenised corpus; make one with  snakemake corpus  or mend its path")
    parts = [_read_shard(folder, name) for name in names]
    made_with = parts[0].made_with
    for name, part in zip(names, parts, strict=True):
        if part.made_with != made_with:
            raise ReplikkError(
                f"{folder / name}{_SUMMARY}: was made with another tokenizer or prompt template than {names[0]}; "
                "tokenise the whole corpus with one model (snakemake corpus)"
            )
    ids = tuple(record["id"] for part in parts for record in part.records)
    if len(set(ids)) != len(ids):
        twice = next(name for number, name in enumerate(ids) if name in ids[:number])
        raise ReplikkError(f"{folder}: has the utterance '{printable(str(twice), 60)}' twice; {_AGAIN}")
    counts = np.array(
        [
            (record["instruction_ids"], record["text_ids"], record["speech_tokens"])
            for part in parts
            for record in part.records
        ],
        dtype=np.int64,
    ).reshape(-1, 3)
    return TokenCorpus(
        folder=folder,
        made_with=made_with,
        ids=ids,
        text=np.concatenate([part.text for part in parts]),
        speech=np.concatenate([part.speech for part in parts]),
        text_starts=_starts(counts[:, 0] + counts[:, 1]),
        speech_starts=_starts(counts[:, 2]),
        instruction_counts=counts[:, 0],
        fingerprint=digest([part.sha256 for part in parts]),
    )


def finish_corpus(folder: Path) -> Path:
    """Write the list of all shards, once they are there; returns its path. Raises ReplikkError without a training
    split."""
    splits = {split: shard_names(folder / split) for split in (TRAIN, HELD_OUT)}
    if not splits[TRAIN]:
        raise ReplikkError(f"{folder / TRAIN}: has no shards; tokenise the corpus first (snakemake corpus)")
    path = folder / LIST_NAME
    listed = {
        split: {name: sha256_file(folder / split / f"{name}{_SUMMARY}") for name in names}
        for split, names in splits.items()
        if names
    }
    write_atomic(path, canonical_json({"format": FORMAT, "splits": listed}))
    return path


def read_corpus(folder: Path) -> dict[str, TokenCorpus]:
    """The splits of a finished corpus by name. Raises ReplikkError naming what is missing, damaged or not listed."""
    path = folder / LIST_NAME
    if not path.is_file():
        raise ReplikkError(f"{folder}: has no {LIST_NAME}; make a corpus with  snakemake corpus  or mend its path")
    listed = read_json(path)
    if not isinstance(listed, dict) or listed.get("format") != FORMAT or TRAIN not in listed.get("splits", {}):
        raise ReplikkError(f"{path}: does not list a tokenised corpus; {_AGAIN}")
    for split, shards in listed["splits"].items():
        if sorted(shards) != shard_names(folder / split):
            raise ReplikkError(f"{folder / split}: does not have the shards that {LIST_NAME} lists; {_AGAIN}")
        for name, sha256 in shards.items():
            if sha256_file(folder / split / f"{name}{_SUMMARY}") != sha256:
                raise ReplikkError(f"{folder / split / name}{_SUMMARY}: was made anew since {LIST_NAME}; {_AGAIN}")
    corpora = {split: read_token_corpus(folder / split) for split in listed["splits"]}
    if HELD_OUT in corpora and corpora[HELD_OUT].made_with != corpora[TRAIN].made_with:
        raise ReplikkError(f"{folder}: the splits were made with different tokenizers or templates; {_AGAIN}")
    return corpora


def shard_names(folder: Path) -> list[str]:
    """The names of a folder's finished shards."""
    if not folder.is_dir():
        return []
    return sorted(path.name.removesuffix(_SUMMARY) for path in folder.glob(f"*{_SUMMARY}"))


def text_tokenizer_sha256(folder: Path) -> str:
    """What names a text tokenizer: the hashes of ``vocab.json`` and ``merges.txt`` in ``folder``."""
    return digest([sha256_file(folder / name) for name in ("vocab.json", "merges.txt")])


@dataclass(frozen=True)
class _Shard:
    made_with: MadeWith
    records: list[dict[str, Any]]
    text: NDArray[np.int32]
    speech: NDArray[np.int16]
    sha256: dict[str, str]


def _read_shard(folder: Path, name: str) -> _Shard:
    import numpy as np

    path = folder / f"{name}{_SUMMARY}"
    summary = read_json(path)
    try:
        version, sha256 = summary["format"], dict(summary["sha256"])
        made_with = MadeWith(**summary["made_with"])
        expected = {suffix: sha256[suffix] for suffix in (_SPEECH, _TEXT, _ROWS)}
    except (KeyError, TypeError, ValueError) as error:
        raise ReplikkError(f"{path}: does not describe a shard of a tokenised corpus; {_AGAIN}") from error
    if version != FORMAT:
        raise ReplikkError(f"{path}: is of format {version!r:.20}, and this version reads {FORMAT}; {_AGAIN}")
    for suffix, wanted in expected.items():
        file = folder / f"{name}{suffix}"
        if not file.is_file() or sha256_file(file) != wanted:
            what = "is damaged" if file.is_file() else "is missing"
            raise ReplikkError(f"{file}: {what}; {_AGAIN}")
    records = list(read_jsonl(folder / f"{name}{_ROWS}"))
    text = np.fromfile(folder / f"{name}{_TEXT}", dtype="<i4")
    speech = np.fromfile(folder / f"{name}{_SPEECH}", dtype="<i2")
    total_text = sum(record["instruction_ids"] + record["text_ids"] for record in records)
    if total_text != len(text) or sum(record["speech_tokens"] for record in records) != len(speech):
        raise ReplikkError(f"{path}: its files do not have as many ids as its records say; {_AGAIN}")
    if len(speech) and not 0 <= speech.min() <= speech.max() < made_with.speech_vocabulary:
        raise ReplikkError(f"{folder / name}{_SPEECH}: has tokens outside the speech vocabulary; {_AGAIN}")
    return _Shard(made_with, records, text, speech, expected)


def _check(utterance: TokenisedUtterance, made_with: MadeWith) -> None:
    wrong = ""
    if not utterance.text_ids or not utterance.speech_tokens:
        wrong = "has no text or no speech"
    elif list(utterance.instruction_ids).count(made_with.end_of_prompt) != 1:
        wrong = "has an instruction without <|endofprompt|>, or with two"
    elif utterance.instruction_ids[-1] != made_with.end_of_prompt:
        wrong = "has an instruction that goes on after <|endofprompt|>"
    elif made_with.end_of_prompt in utterance.text_ids:
        wrong = "has <|endofprompt|> in its text"
    elif not 0 <= min(utterance.speech_tokens) <= max(utterance.speech_tokens) < made_with.speech_vocabulary:
        wrong = f"has speech tokens outside 0 to {made_with.speech_vocabulary - 1}"
    if wrong:
        raise ReplikkError(f"{printable(utterance.id, 60)}: {wrong}; leave it out of the corpus, or tokenise it again")


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    import numpy as np

    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
