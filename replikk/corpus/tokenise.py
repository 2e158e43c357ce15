"""Stage ``tokenise``: text ids and speech tokens of each kept utterance, in the format that training reads.

The tokenizers are those of the base model that will be trained: its byte-level BPE, and its speech tokenizer in
onnxruntime, fed with the features that the engine feeds it. The instruction is the template's, without a direction.

Speech tokens are half a second of work for a second of speech, a day for a corpus of hundreds of hours. So those of
each clip are noted at once, by the bytes of the clip and the tokenizer (``tokenise/NAME.journal``): a job that was
killed goes on after the last clip, and when limits, texts or splits change, nothing is listened to again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from replikk.corpus.audio_shards import ShardReader
from replikk.corpus.folder import CorpusFolder
from replikk.corpus.manifest import Utterance, read_manifest, read_summary
from replikk.corpus.tokens import (
    HELD_OUT,
    LIST_NAME,
    TRAIN,
    MadeWith,
    TokenisedUtterance,
    finish_corpus,
    text_tokenizer_sha256,
    write_token_shard,
)
from replikk.errors import ReplikkError
from replikk.files import canonical_json, digest, write_atomic
from replikk.journal import Journal

if TYPE_CHECKING:
    from replikk.engines.cosyvoice3.model_folder import ModelFolder


def tokenise_clips(folder: CorpusFolder, model: Path, shard: str, splits: Path, target: Path) -> None:
    """The token shards of one shard of audio; ``target`` says which there are, and how many utterances."""
    from replikk.engines.cosyvoice3.model_folder import open_model_folder

    rows = [row for row in read_manifest(splits) if row.facts["shard"] == shard]
    parts = open_model_folder(model)
    notes = Journal(target.with_suffix(".journal"))
    written = {}
    for split in (TRAIN, HELD_OUT):
        _forget_shard(folder.tokens / split, shard)
        mine = [row for row in rows if row.facts["split"] == split]
        if mine:
            made_with, utterances = _tokenised(parts, folder, mine, notes)
            written[split] = write_token_shard(folder.tokens / split, shard, made_with, utterances)
    notes.sync()
    write_atomic(target, canonical_json({"utterances": written}))


def finish_tokens(folder: CorpusFolder, shards: list[str]) -> Path:
    """The list of all token shards, those of sources that are no longer in the settings taken away.

    Raises ReplikkError when nothing was kept.
    """
    for split in (TRAIN, HELD_OUT):
        for path in (folder.tokens / split).glob("*.json"):
            if path.stem not in shards:
                _forget_shard(folder.tokens / split, path.stem)
    if not list((folder.tokens / TRAIN).glob("*.json")):
        raise ReplikkError(_all_dropped(folder, shards))
    return finish_corpus(folder.tokens)


def _all_dropped(folder: CorpusFolder, shards: list[str]) -> str:
    reasons: dict[str, int] = {}
    for stage in ("fetch", "speakers", "filter"):
        for shard in shards:
            for reason, count in read_summary(folder.manifest(stage, shard))["dropped"].items():
                reasons[reason] = reasons.get(reason, 0) + count
    shown = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1]))
    return (
        f"{folder.path}: no utterance was kept ({shown or 'there was none'}); read why in {folder.path}/filter; "
        "mend recordings or texts, or the limits in config.yaml (corpus.limits)"
    )


def _tokenised(
    parts: ModelFolder, folder: CorpusFolder, rows: list[Utterance], notes: Journal
) -> tuple[MadeWith, Iterator[TokenisedUtterance]]:
    import torch

    from replikk.engines.cosyvoice3 import versions
    from replikk.engines.cosyvoice3.features import TOKEN_RATE_HZ, resample, whisper_log_mel
    from replikk.engines.cosyvoice3.onnx_models import SPEECH_VOCABULARY, open_reference_models, speech_tokens
    from replikk.engines.cosyvoice3.prompt_template import prompt_text
    from replikk.engines.cosyvoice3.tokenizer import read_tokenizer

    tokenizer = read_tokenizer(parts.qwen)
    models = open_reference_models(parts.speech_tokenizer, parts.speaker_encoder)
    hashes = parts.content_sha256(folder.path / "model_hashes.json")
    made_with = MadeWith(
        text_tokenizer_sha256(parts.qwen),
        hashes["speech_tokenizer"],
        versions.PROMPT_TEMPLATE,
        SPEECH_VOCABULARY,
        tokenizer.end_of_prompt,
    )
    instruction = prompt_text("", "")
    instruction_ids = tokenizer.encode(instruction)

    def utterances() -> Iterator[TokenisedUtterance]:
        with ShardReader(folder.path) as shards:
            for row in rows:
                flac = shards.read_bytes(row)
                heard_by = [made_with.speech_tokenizer, versions.FEATURES]
                key = digest([hashlib.sha256(flac).hexdigest(), heard_by])
                tokens = notes.get(key)
                if tokens is None:
                    samples, rate = shards.decode(row, flac)
                    wave = resample(torch.from_numpy(samples / 32768).float(), rate, TOKEN_RATE_HZ)
                    tokens = speech_tokens(models, whisper_log_mel(wave)).tolist()
                    notes.append(key, tokens)
                yield TokenisedUtterance(
                    id=row.id,
                    speaker=row.speaker,
                    text=row.text,
                    instruction=instruction,
                    instruction_ids=instruction_ids,
                    text_ids=tokenizer.encode_speech(row.text),
                    speech_tokens=tokens,
                )

    return made_with, utterances()


def _forget_shard(folder: Path, name: str) -> None:
    """The summary first: without it the rest is no shard. The list of the corpus is no longer true either."""
    (folder.parent / LIST_NAME).unlink(missing_ok=True)
    for suffix in (".json", ".speech.int16", ".text.int32", ".jsonl"):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)
